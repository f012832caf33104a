/** How often lanes were served: a layer of its own, shown when asked for. */
import { effect, signal } from '@preact/signals'
import type { FeatureCollection, LineString } from 'geojson'
import type { ExpressionSpecification } from 'maplibre-gl'
import { get, withQuery } from '../../shared/api'
import type { GlMap } from '../../shared/map/engine'
import { scheme } from '../../shared/map/scheme'
import type { Look, Scheme } from '../../shared/map/style'
import { attempt } from '../../shared/ui/attempt'
import { Button } from '../../shared/ui/button'
import { BELOW_NAMES, collection, type Layer, removeAll, setSource } from '../map/layer'
import { replayDate } from './state'
import { t } from './strings'
import './replay.css'

export const DAYS = 7

interface LaneCoverage {
  id: string
  days_passed: number
  days_served: number
  days: number
}
type Lanes = FeatureCollection<LineString, LaneCoverage>

/** Whether the layer is shown, and of which last day. */
export const coverageOf = signal<string | null>(null)
const lanes = signal<Lanes | null>(null)

/** From never to daily: told apart by lightness too. */
const RAMP: Record<Scheme, readonly [string, string, string]> = {
  light: ['#c2184a', '#e8a33d', '#0f6f8a'],
  dark: ['#ff6b8d', '#f2be4a', '#7fe3ff'],
}

export async function showCoverage(serviceDate: string): Promise<void> {
  coverageOf.value = serviceDate
  lanes.value = null
  const found = await get<Lanes>(withQuery('/api/coverage', { service_date: serviceDate, days: DAYS }))
  if (coverageOf.peek() === serviceDate) lanes.value = found
}

export function hideCoverage(): void {
  coverageOf.value = null
  lanes.value = null
}

const SOURCE = 'coverage'

export function coverageLayer(map: GlMap, look: Look): Layer<Lanes | null> {
  const [never, half, daily] = RAMP[look.scheme]
  const share: ExpressionSpecification = ['/', ['get', 'days_served'], ['get', 'days']]
  map.addSource(SOURCE, { type: 'geojson', data: collection() })
  map.addLayer(
    {
      id: 'coverage',
      type: 'line',
      source: SOURCE,
      layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: {
        'line-color': ['interpolate', ['linear'], share, 0, never, 0.5, half, 1, daily],
        'line-width': ['interpolate', ['linear'], ['zoom'], 10, 1.2, 13, 3, 16, 7],
      },
    },
    BELOW_NAMES,
  )
  return {
    set: (data) => setSource(map, SOURCE, data ?? collection()),
    remove: () => removeAll(map, ['coverage'], SOURCE),
  }
}

/** The layer with its data, until the returned function is called. */
export function keepCoverage(map: GlMap, look: Look): () => void {
  const layer = coverageLayer(map, look)
  const stop = effect(() => layer.set(lanes.value))
  return () => {
    stop()
    layer.remove()
  }
}

/** Turns the layer on and off, and says what its colours mean. */
export function CoverageToggle({ today }: { today: string }) {
  const date = replayDate.value ?? today
  const on = coverageOf.value !== null
  const [never, half, daily] = RAMP[scheme.value]
  return (
    <div class="coverage">
      <Button
        icon="grid"
        aria-pressed={on}
        onClick={() => (on ? hideCoverage() : void attempt(() => showCoverage(date)))}
      >
        {t('coverage')}
      </Button>
      {on && (
        <div class="coverage-key">
          <p>{t('coverageHint', { n: DAYS })}</p>
          <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
            <defs>
              <linearGradient id="coverage-ramp">
                <stop offset="0" stop-color={never} />
                <stop offset="0.5" stop-color={half} />
                <stop offset="1" stop-color={daily} />
              </linearGradient>
            </defs>
            <rect width="100" height="8" rx="2" fill="url(#coverage-ramp)" />
          </svg>
          <p class="dim coverage-ends">
            <span>{t('coverageNone')}</span>
            <span>{t('coverageAll')}</span>
          </p>
        </div>
      )}
    </div>
  )
}
