/** What the driver must see before the next stop: changes, refusals, a call for help, a slip to mend. */
import { clockTime } from '../../shared/format'
import { number } from '../../shared/i18n'
import { Button } from '../../shared/ui/button'
import { Icon } from '../../shared/ui/icons'
import { say } from '../../shared/words'
import { agree, read } from '../store/cab'
import type { Known } from '../model/difference'
import * as state from '../store/state'
import { t } from '../strings'
import { stopName } from './words'

const NAMED = 3

export function Strips() {
  return (
    <div class="strips">
      <RouteChanged />
      <Help />
      {state.notKept.value && (
        <div class="strip bad" role="alert">
          <Icon name="alert" />
          <p>{t('notKept')}</p>
        </div>
      )}
      {state.refusals.value.map((one) => (
        <div key={one.id} class="strip bad" role="alert">
          <Icon name="alert" />
          <p>
            <strong>{t(one.kind === 'photo' ? 'refusedPhoto' : 'refused', { name: one.name || t('noName') })}</strong>
            <br />
            {one.reason}
          </p>
          <Button onClick={() => void read(one)}>{t('ok')}</Button>
        </div>
      ))}
    </div>
  )
}

function RouteChanged() {
  const change = state.change.value
  if (change === null) return null
  const { added, gone, moved } = change
  return (
    <section class="strip news" role="alert" aria-labelledby="news">
      <Icon name="bell" />
      <div>
        <h2 id="news">{t('routeChanged')}</h2>
        {added.length > 0 && <p>{t('added', { n: added.length, names: names(added) })}</p>}
        {gone.length > 0 && <p>{t('gone', { n: gone.length, names: names(gone) })}</p>}
        {moved.length > 0 && <p>{t('moved', { n: moved.length, names: names(moved) })}</p>}
      </div>
      <Button look="primary" onClick={() => void agree()}>
        {t('ok')}
      </Button>
    </section>
  )
}

function names(stops: readonly Known[]): string {
  const first = stops.slice(0, NAMED).map(stopName).join(', ')
  return stops.length > NAMED ? t('andMore', { names: first, n: number(stops.length - NAMED) }) : first
}

function Help() {
  const called = state.sosCalled.value
  if (called === null) return null
  const time = clockTime(called.t, state.tz.value)
  const waits = state.unsentIds.value.has(called.id)
  return (
    <div class="strip bad" role="alert">
      <Icon name="sos" />
      <p>{waits ? t('sosWaiting', { time }) : t('sosSent', { time })}</p>
      {!waits && <Button onClick={() => (state.sosCalled.value = null)}>{t('ok')}</Button>}
    </div>
  )
}

/** The last tap, while nothing else was opened: a slip is mended by telling the stop again. */
export function LastTap() {
  const tap = state.lastTapped.value
  const visit = state.route.value?.visits.find(({ id }) => id === tap?.visit_id)
  if (tap === null || visit === undefined || state.opened.value !== null) return null
  return (
    <p class="last">
      <Icon name={tap.kind === 'could_not' ? 'cross' : 'check'} />
      <span>{t(`last_${tap.kind}`, { name: stopName(visit) })}</span>
      <Button look="plain" onClick={() => (state.opened.value = visit.id)}>
        {t('change')}
      </Button>
      <Button look="plain" icon="close" aria-label={say('dismiss')} onClick={() => (state.lastTapped.value = null)} />
    </p>
  )
}
