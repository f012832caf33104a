import { Button } from '../../shared/ui/button'
import { Notice } from '../../shared/ui/notice'
import { say } from '../../shared/words'
import { StateBadge } from '../panels/parts'
import { DayCard } from './day-card'
import { type Reel, thenOf } from './data'
import * as state from './state'
import { t } from './strings'

function Row({ reel, at }: { reel: Reel; at: number }) {
  const then = thenOf(reel, at)
  return (
    <li class="row" data-vehicle={reel.vehicleId}>
      <button type="button" class="row-hit" onClick={() => state.chooseVehicle(reel.vehicleId)}>
        <span class="row-top">
          <strong>{reel.vehicleId}</strong>
          <span class="space" />
          {then === null ? <span class="dim">{t('notYet')}</span> : <StateBadge state={then.state} />}
        </span>
      </button>
    </li>
  )
}

/** The vehicles of the replayed day, or the chosen one's day. */
export function ReplayPanel() {
  const day = state.replay.value
  const chosen = state.chosenReel.value
  if (state.opening.value) return <Notice title={say('loading')} />
  if (day === null) return <Notice icon="history" title={t('nothing')} />
  const at = Math.floor(state.shownAt.value)
  if (chosen === null) {
    return (
      <>
        <h2 class="section-title">{t('vehicles')}</h2>
        <ul class="rows">
          {[...day.reels.values()].map((reel) => (
            <Row key={reel.vehicleId} reel={reel} at={at} />
          ))}
        </ul>
      </>
    )
  }
  const then = thenOf(chosen, at)
  return (
    <div class="details">
      <div class="details-head">
        <Button look="plain" icon="back" aria-label={t('allVehicles')} onClick={() => state.chooseVehicle(null)} />
        <h2>{chosen.vehicleId}</h2>
        {then !== null && <StateBadge state={then.state} />}
        <span class="space" />
        <Button icon="route" onClick={state.showWay}>
          {t('showWay')}
        </Button>
      </div>
      <DayCard vehicleId={chosen.vehicleId} serviceDate={day.serviceDate} />
    </div>
  )
}
