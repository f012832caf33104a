import { metres, clockTime } from '../../shared/format'
import { Badge } from '../../shared/ui/badge'
import { Icon } from '../../shared/ui/icons'
import type { Visit } from '../../shared/wire'
import { lateMinutes } from '../model/clock'
import * as state from '../store/state'
import { t } from '../strings'
import { Glyph } from './glyph'
import { modeOf, stopName } from './words'

const ON_TIME_MIN = 3

/** The stop to do now, large enough to be read at arm's length. */
export function StopCard({ visit }: { visit: Visit }) {
  const chosen = visit.id !== state.next.value?.id
  const mode = modeOf(visit)
  return (
    <section class={`stop stop-${visit.kind}`} aria-labelledby="stop-name">
      <p class="stop-head">
        <span class="stop-turn">{chosen ? t('chosen') : t('next')}</span>
        <span class="stop-kind">{t(`kind_${visit.kind}`)}</span>
        {visit.request_code !== null && <span class="numbers">{t('code', { code: visit.request_code })}</span>}
      </p>
      <h1 id="stop-name">{stopName(visit)}</h1>
      {mode !== null && (
        <p class="mode">
          <Glyph name={mode.glyph} />
          {mode.words}
        </p>
      )}
      <p class="facts numbers">
        {visit.households > 0 && <span>{t('households', { n: visit.households })}</span>}
        {(visit.approach_m ?? 0) >= 5 && <span>{t('away', { distance: metres(visit.approach_m ?? 0) })}</span>}
        <span>{t('planned', { time: clockTime(visit.planned_arrival, state.tz.value) })}</span>
        {visit.status === 'pending' && <Lateness visit={visit} />}
      </p>
      {chosen && (
        <button type="button" class="button plain back" onClick={() => (state.opened.value = null)}>
          <Icon name="back" />
          {t('backToNext')}
        </button>
      )}
    </section>
  )
}

function Lateness({ visit }: { visit: Visit }) {
  const late = lateMinutes(visit.planned_arrival, visit.eta, state.cityNow.value)
  if (late >= ON_TIME_MIN) return <Badge tone="partly" icon="clock">{t('late', { n: late })}</Badge>
  if (late <= -ON_TIME_MIN && visit.eta !== null && Date.parse(visit.eta) < Date.parse(visit.planned_arrival)) {
    return <Badge tone="info" icon="clock">{t('early', { n: -late })}</Badge>
  }
  return <Badge tone="served" icon="check">{t('onTime')}</Badge>
}
