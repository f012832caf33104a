import { useSignal } from '@preact/signals'
import { get, post, withQuery } from '../../shared/api'
import { duration } from '../../shared/format'
import { lang, number } from '../../shared/i18n'
import { attempt } from '../../shared/ui/attempt'
import { Badge, type Tone } from '../../shared/ui/badge'
import { Button } from '../../shared/ui/button'
import type { IconName } from '../../shared/ui/icons'
import { Notice } from '../../shared/ui/notice'
import type { Alarm, AlarmKind } from '../../shared/wire'
import { laneById, needWards } from '../state/lanes'
import { alarms, keepAlarm, showVehicle, target, vehicles } from '../state/store'
import { alarmItems } from '../state/views'
import { t } from '../strings'
import { showLane } from './missed'
import { ageOf, timeOf } from './parts'

const ICONS: Record<AlarmKind, IconName> = {
  sos: 'sos',
  crash: 'alert',
  tamper: 'device',
  device_silent: 'silent',
  mains_cut: 'device',
  low_battery: 'device',
  low_backup: 'device',
  overspeed: 'forward',
  idling: 'standing',
  off_shift: 'clock',
  outside_city: 'pin',
  dumping: 'bin',
  geofence: 'pin',
  station_late: 'clock',
  route_late: 'clock',
  route_left: 'route',
  route_km: 'route',
  visit_at_risk: 'half',
  visit_missed: 'cross',
  group: 'list',
}
const TONES: Record<Alarm['severity'], Tone> = { critical: 'missed', warning: 'partly', info: 'info' }

/** The sentence in the reader's language: events carry all of them. */
function textOf(alarm: Alarm): string {
  return alarm.words[lang.value] ?? alarm.text
}

/** Where it is: the lane, else the vehicle where it is now, else the place where it was raised. */
function show(alarm: Alarm): void {
  const { lane_id, lon, lat, vehicle_id } = alarm
  needWards(alarm.ward_ids)
  if (lane_id !== null && laneById.value.has(lane_id)) showLane(lane_id)
  else if (vehicle_id !== null) showVehicle(vehicle_id)
  const isSeen = vehicle_id !== null && vehicles.value.get(vehicle_id)?.lon != null
  if (lon !== null && lat !== null && (!isSeen || lane_id !== null)) {
    target.value = { point: [lon, lat], zoom: 16 }
  }
}

const canShow = ({ lane_id, lon, vehicle_id }: Alarm): boolean =>
  vehicle_id !== null || lane_id !== null || lon !== null

function Members({ group }: { group: Alarm }) {
  const open = useSignal(false)
  const members = useSignal<readonly Alarm[] | null>(null)
  const load = async (): Promise<void> => {
    members.value = (await attempt(() => get<Alarm[]>(withQuery('/api/alarms', { group: group.id })))) ?? null
  }
  const toggle = (): void => {
    open.value = !open.value
    if (open.value) void load()
  }
  return (
    <>
      <Button look="plain" icon="list" aria-expanded={open.value} onClick={toggle}>
        {t('alarmMembers', { n: number(group.n) })}
      </Button>
      {open.value && members.value !== null && (
        <ul class="lanes alarm-members">
          {members.value
            .filter(({ state }) => state !== 'cleared')
            .map((alarm) => (
              <li key={alarm.id}>
                <button type="button" disabled={!canShow(alarm)} onClick={() => show(alarm)}>
                  <span>{textOf(alarm)}</span>
                  <span class="space" />
                  <span class="dim numbers">{timeOf(alarm.raised_t)}</span>
                </button>
              </li>
            ))}
        </ul>
      )}
    </>
  )
}

function Item({ alarm }: { alarm: Alarm }) {
  const busy = useSignal(false)
  const text = textOf(alarm)
  const isSeen = alarm.state === 'acknowledged'
  const act = async (what: 'acknowledge' | 'clear'): Promise<void> => {
    busy.value = true
    const changed = await attempt(() => post<Alarm>(`/api/alarms/${alarm.id}/${what}`))
    if (changed !== undefined) keepAlarm(changed)
    busy.value = false
  }
  return (
    <li class={`row alarm ${alarm.severity}${isSeen ? ' seen' : ''}`}>
      <button type="button" class="row-hit" disabled={!canShow(alarm)} onClick={() => show(alarm)}>
        <span class="row-top">
          <Badge tone={TONES[alarm.severity]} icon={ICONS[alarm.kind]}>
            {alarm.kind === 'group' ? t(`cause.${alarm.cause}`) : t(`alarm.${alarm.kind}`)}
          </Badge>
          <strong class={alarm.severity === 'critical' ? 'bad-text' : 'sr-only'}>{t(`severity.${alarm.severity}`)}</strong>
          {alarm.vehicle_id !== null && <strong>{alarm.vehicle_id}</strong>}
          {alarm.vehicle_id === null && alarm.beat !== null && <strong>{t('alarmBeat', { beat: alarm.beat })}</strong>}
          {alarm.n > 1 && <span class="chip numbers">{number(alarm.n)}</span>}
          {alarm.times > 1 && <span class="chip numbers">{t('times', { n: alarm.times })}</span>}
          <span class="space" />
          <span class="dim numbers">
            {timeOf(alarm.raised_t)} · {t('requestAge', { age: duration(ageOf(alarm.raised_t)) })}
          </span>
        </span>
        <span>{text}</span>
        {isSeen && alarm.acknowledged_by !== null && (
          <span class="dim">{t('alarmSeenBy', { name: alarm.acknowledged_by })}</span>
        )}
      </button>
      <div class="actions">
        {!isSeen && (
          <Button icon="check" busy={busy.value} aria-label={t('acknowledgeOf', { text })} onClick={() => void act('acknowledge')}>
            {t('acknowledge')}
          </Button>
        )}
        <Button icon="close" busy={busy.value} aria-label={t('clearAlarmOf', { text })} onClick={() => void act('clear')}>
          {t('clearAlarm')}
        </Button>
        {alarm.kind === 'group' && <Members group={alarm} />}
      </div>
    </li>
  )
}

interface ChoiceProps<Id extends string> {
  label: string
  all: string
  value: Id | ''
  options: readonly (readonly [Id, string])[]
  onChoice: (value: Id | '') => void
}

/** What there is, and what was chosen, even if the last of it has gone. */
function optionsOf<Id extends string>(found: readonly Id[], chosen: Id | ''): Id[] {
  return [...new Set(chosen === '' ? found : [...found, chosen])].sort()
}

function Choice<Id extends string>({ label, all, value, options, onChoice }: ChoiceProps<Id>) {
  return (
    <label class="alarm-filter">
      <span class="dim">{label}</span>
      <select value={value} onChange={(event) => onChoice(event.currentTarget.value as Id | '')}>
        <option value="">{all}</option>
        {options.map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Reads out the newest call for help, whatever panel is open. */
export function CriticalAlert() {
  const [critical] = alarmItems(alarms.value.values()).filter(
    ({ severity, state }) => severity === 'critical' && state === 'raised',
  )
  return (
    <p class="sr-only" role="alert">
      {critical === undefined ? '' : t('alarmCritical', { text: textOf(critical) })}
    </p>
  )
}

/** What a dispatcher has before them: a few items, however bad the day. */
export function AlarmsPanel() {
  const cause = useSignal<Alarm['cause'] | ''>('')
  const zone = useSignal('')
  const all = [...alarms.value.values()]
  if (all.length === 0) {
    return (
      <Notice icon="bell" title={t('noAlarms')}>
        <p>{t('noAlarmsHint')}</p>
      </Notice>
    )
  }
  const causes = optionsOf(all.map((alarm) => alarm.cause), cause.value)
  const zones = optionsOf(all.flatMap(({ zone_id }) => zone_id ?? []), zone.value)
  const items = alarmItems(all, { cause: cause.value, zone: zone.value })
  return (
    <>
      <div class="tools">
        <Choice
          label={t('alarmFilterKind')}
          all={t('alarmAllKinds')}
          value={cause.value}
          options={causes.map((id) => [id, t(`cause.${id}`)])}
          onChoice={(value) => (cause.value = value)}
        />
        <Choice
          label={t('alarmFilterZone')}
          all={t('alarmAllZones')}
          value={zone.value}
          options={zones.map((id) => [id, id])}
          onChoice={(value) => (zone.value = value)}
        />
      </div>
      {items.length === 0 ? (
        <Notice icon="check" title={t('alarmNoMatch')} />
      ) : (
        <ul class="rows" aria-label={t('alarmList')}>
          {items.map((alarm) => (
            <Item key={alarm.id} alarm={alarm} />
          ))}
        </ul>
      )}
    </>
  )
}
