import { Badge, type Tone } from '../../shared/ui/badge'
import type { IconName } from '../../shared/ui/icons'
import { Notice } from '../../shared/ui/notice'
import { duration } from '../../shared/format'
import type { Alarm } from '../../shared/wire'
import { alarms, showVehicle } from '../state/store'
import { type AlarmGroup, alarmGroups } from '../state/views'
import { t } from '../strings'
import { ageOf, timeOf } from './parts'

const ICONS: Record<Alarm['kind'], IconName> = {
  device_silent: 'silent',
  visit_missed: 'cross',
  route_late: 'clock',
  sos: 'sos',
}
const TONES: Record<Alarm['severity'], Tone> = { critical: 'missed', warning: 'partly', info: 'info' }

function Row({ alarm, times }: AlarmGroup) {
  const { vehicle_id } = alarm
  return (
    <li class={`row alarm ${alarm.severity}`}>
      <button
        type="button"
        class="row-hit"
        disabled={vehicle_id === null}
        onClick={() => vehicle_id !== null && showVehicle(vehicle_id)}
      >
        <span class="row-top">
          <Badge tone={TONES[alarm.severity]} icon={ICONS[alarm.kind]}>
            {t(`alarm.${alarm.kind}`)}
          </Badge>
          {alarm.severity === 'critical' && <strong class="bad-text">{t('severity.critical')}</strong>}
          {vehicle_id !== null && <strong>{vehicle_id}</strong>}
          {times > 1 && <span class="chip numbers">{t('times', { n: times })}</span>}
          <span class="space" />
          <span class="dim numbers">
            {timeOf(alarm.t)} · {t('requestAge', { age: duration(ageOf(alarm.t)) })}
          </span>
        </span>
        <span>{alarm.text}</span>
      </button>
    </li>
  )
}

export function AlarmsPanel() {
  const list = alarmGroups(alarms.value.values())
  if (list.length === 0) {
    return (
      <Notice icon="bell" title={t('noAlarms')}>
        <p>{t('noAlarmsHint')}</p>
      </Notice>
    )
  }
  return (
    <ul class="rows">
      {list.map((group) => (
        <Row key={group.alarm.id} {...group} />
      ))}
    </ul>
  )
}
