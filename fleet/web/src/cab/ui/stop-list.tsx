import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { clockTime } from '../../shared/format'
import type { Visit } from '../../shared/wire'
import * as state from '../store/state'
import { t } from '../strings'
import { Glyph } from './glyph'
import { modeOf, stopName } from './words'

const FEW = 40

/** The road ahead in its order; a tap opens a stop out of its turn. */
export function StopList({ children }: { children: ComponentChildren }) {
  const whole = useSignal(false)
  const road = state.road.value
  const passed = state.passed.value
  const news = new Set(state.change.value?.added.map(({ key }) => key.replace(/ \d+$/, '')))
  const row = (visit: Visit) => <Row key={visit.id} visit={visit} fresh={news.has(`${visit.kind} ${visit.ref ?? visit.id}`)} />
  return (
    <section class="stops" aria-labelledby="stops">
      <h2 id="stops">{t('stops')}</h2>
      <ol>{(whole.value ? road : road.slice(0, FEW)).map(row)}</ol>
      {road.length > FEW && (
        <button type="button" class="button" onClick={() => (whole.value = !whole.value)}>
          {whole.value ? t('showFewer') : t('showAll', { n: road.length })}
        </button>
      )}
      {passed.length > 0 && (
        <details>
          <summary>{t('passed', { n: passed.length })}</summary>
          <ol>{passed.map(row)}</ol>
        </details>
      )}
      {children}
    </section>
  )
}

function Row({ visit, fresh }: { visit: Visit; fresh: boolean }) {
  const mode = modeOf(visit)
  const current = state.shown.value?.id === visit.id
  return (
    <li>
      <button
        type="button"
        class={`row row-${visit.kind}`}
        aria-current={current ? 'step' : undefined}
        onClick={() => (state.opened.value = visit.id === state.next.value?.id ? null : visit.id)}
      >
        <time class="numbers" dateTime={visit.planned_arrival}>
          {clockTime(visit.planned_arrival, state.tz.value)}
        </time>
        <span>
          {stopName(visit)}
          <small>
            {visit.kind === 'lane' && mode !== null ? mode.words : t(`kind_${visit.kind}`)}
            {visit.households > 0 && ` · ${t('households', { n: visit.households })}`}
          </small>
        </span>
        {fresh && <b>{t('new')}</b>}
        {mode !== null && <Glyph name={mode.glyph} />}
      </button>
    </li>
  )
}
