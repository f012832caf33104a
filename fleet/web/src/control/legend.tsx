import { number } from '../shared/i18n'
import { metres } from '../shared/format'
import { Badge, OUTCOMES } from '../shared/ui/badge'
import { Button } from '../shared/ui/button'
import { Icon } from '../shared/ui/icons'
import type { VisitStatus } from '../shared/wire'
import { say } from '../shared/words'
import { scheme } from '../shared/map/scheme'
import { nameOf } from '../shared/i18n'
import { AT_RISK, LANE_LOOK, PROBABLE_OPACITY, STATUSES } from './map/look'
import { laneById, selectedLane } from './state/lanes'
import { chooseVehicle, replay, replayDate, shownLanes } from './replay/state'
import { t as replayWord } from './replay/strings'
import { hidden, showVehicle } from './state/store'
import { laneCounts } from './state/views'
import { t } from './strings'

/** A line as the map draws it. */
function Sample({ status }: { status: VisitStatus }) {
  const { colour, dash, width } = LANE_LOOK[status]
  const px = 4 * width
  const dashes = dash[1] === 0 ? undefined : dash.map((part) => part * px).join(' ')
  return (
    <svg class="sample" viewBox="0 0 28 12" aria-hidden="true">
      <line x1="1" x2="27" y1="6" y2="6" stroke={colour[scheme.value]} stroke-width={px} stroke-dasharray={dashes} />
    </svg>
  )
}

/** What the lines mean, how many there are, and which are shown. */
export function Legend() {
  const lanes = shownLanes.value
  const counts = laneCounts(lanes)
  const probable = [...lanes.values()].filter((lane) => lane.probable === true).length
  const toggle = (status: VisitStatus): void => {
    const next = new Set(hidden.value)
    if (!next.delete(status)) next.add(status)
    hidden.value = next
  }
  return (
    <section class="legend" aria-label={t('legend')}>
      {lanes.size === 0 ? (
        <p class="dim">{t('legendNone')}</p>
      ) : (
        <ul>
          {STATUSES.map((status) => (
            <li key={status}>
              <button
                type="button"
                aria-pressed={!hidden.value.has(status)}
                aria-label={`${t('legend.show', { status: say(`status.${status}`) })} (${counts[status]})`}
                onClick={() => toggle(status)}
              >
                <Sample status={status} />
                <Icon name={OUTCOMES[status].icon} />
                <span>{say(`status.${status}`)}</span>
                <b class="numbers">{number(counts[status])}</b>
              </button>
            </li>
          ))}
          {probable > 0 && (
            <li class="risk">
              <svg class="sample" viewBox="0 0 28 12" aria-hidden="true">
                <line
                  x1="1"
                  x2="27"
                  y1="6"
                  y2="6"
                  stroke={LANE_LOOK.served.colour[scheme.value]}
                  stroke-width="4"
                  opacity={PROBABLE_OPACITY}
                />
              </svg>
              <Icon name="help" />
              <span>{replayWord('probable')}</span>
              <b class="numbers">{number(probable)}</b>
            </li>
          )}
          {counts.at_risk > 0 && (
            <li class="risk">
              <svg class="sample" viewBox="0 0 28 12" aria-hidden="true">
                <line x1="1" x2="27" y1="6" y2="6" stroke={AT_RISK[scheme.value]} stroke-width="9" opacity="0.5" />
                <line x1="1" x2="27" y1="6" y2="6" stroke={LANE_LOOK.pending.colour[scheme.value]} stroke-width="2.6" />
              </svg>
              <Icon name="alert" />
              <span>{t('legend.risk')}</span>
              <b class="numbers">{number(counts.at_risk)}</b>
            </li>
          )}
        </ul>
      )}
    </section>
  )
}

/** The lane that was clicked on the map. */
export function LaneCard() {
  const id = selectedLane.value
  const lane = id === null ? undefined : laneById.value.get(id)
  const live = id === null ? undefined : shownLanes.value.get(id)
  if (lane === undefined || live === undefined) return null
  const { length_m, households, service_mode } = lane.properties
  const outcome = OUTCOMES[live.status]
  const vehicle = live.vehicle_id
  return (
    <section class="lane-card" aria-live="polite">
      <header>
        <strong>{nameOf(lane.properties) || t('unnamedLane')}</strong>
        <Button look="plain" icon="close" aria-label={say('close')} onClick={() => (selectedLane.value = null)} />
      </header>
      <Badge tone={outcome.tone} icon={outcome.icon}>
        {say(`status.${live.status}`)}
      </Badge>{' '}
      {live.at_risk && live.status === 'pending' && (
        <Badge tone="partly" icon="alert">
          {t('atRisk')}
        </Badge>
      )}
      <p class="dim">
        {metres(length_m)} · {t('households', { n: households })} · {t(`mode.${service_mode}`)}
      </p>
      {vehicle !== null && (
        <Button
          icon="truck"
          onClick={() => (replayDate.value === null ? showVehicle(vehicle) : chooseVehicle(vehicle))}
          disabled={replayDate.value !== null && replay.value?.reels.has(vehicle) !== true}
        >
          {vehicle}
        </Button>
      )}
    </section>
  )
}
