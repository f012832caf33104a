import type { Feature, LineString } from 'geojson'
import type { ExpressionSpecification, LineLayerSpecification } from 'maplibre-gl'
import type { GlMap } from '../../shared/map/engine'
import type { Look, Scheme } from '../../shared/map/style'
import type { LaneProperties, VisitStatus } from '../../shared/wire'
import type { LaneShown } from '../replay/state'
import { BELOW_NAMES, collection, type Layer, onPick, removeAll, setSource } from './layer'
import { AT_RISK, LANE_LOOK, PROBABLE_OPACITY, ROUTE, STATUSES } from './look'

export type LaneFeature = Feature<LineString, LaneProperties>
export interface Lanes {
  features: readonly LaneFeature[]
  live: ReadonlyMap<string, LaneShown>
  /** Outcomes that the legend hides. */
  hidden: ReadonlySet<VisitStatus>
  selected: string | null
}

const BY_STATUS: ExpressionSpecification = ['get', 'status']
const SOURCE = 'lanes'

function byStatus<T>(of: (status: VisitStatus) => T): ExpressionSpecification {
  const cases = STATUSES.flatMap((status) => [status, of(status)])
  return ['match', BY_STATUS, ...cases, of('unknown')] as unknown as ExpressionSpecification
}

function width(factor: number, extra = 0): ExpressionSpecification {
  const at = (px: number): ExpressionSpecification => [
    '+',
    ['*', byStatus((status) => LANE_LOOK[status].width), px * factor],
    extra,
  ]
  return ['interpolate', ['linear'], ['zoom'], 10, at(0.8), 13, at(2), 16, at(5), 18, at(9)]
}

function colour(scheme: Scheme): ExpressionSpecification {
  return byStatus((status) => LANE_LOOK[status].colour[scheme])
}

/** Lanes by outcome, told by colour and by width or dashes; those at risk have a glow. */
export function lanesLayer(map: GlMap, look: Look, pick: (laneId: string) => void): Layer<Lanes> {
  map.addSource(SOURCE, { type: 'geojson', data: collection(), promoteId: 'id' })
  const layout = { 'line-cap': 'butt', 'line-join': 'round' } as const
  const layers: LineLayerSpecification[] = [
    {
      id: 'lane-risk',
      type: 'line',
      source: SOURCE,
      filter: ['all', ['get', 'at_risk'], ['==', BY_STATUS, 'pending']],
      layout,
      paint: { 'line-color': AT_RISK[look.scheme], 'line-width': width(1, 6), 'line-opacity': 0.45 },
    },
    {
      id: 'lane-selected',
      type: 'line',
      source: SOURCE,
      filter: ['get', 'selected'],
      layout,
      paint: { 'line-color': ROUTE[look.scheme], 'line-width': width(1, 8), 'line-opacity': 0.35 },
    },
    {
      id: 'lane',
      type: 'line',
      source: SOURCE,
      layout: {
        ...layout,
        'line-sort-key': ['match', BY_STATUS, 'missed', 3, ['partly', 'driven_through'], 2, 'served', 1, 0],
      },
      paint: {
        'line-color': colour(look.scheme),
        'line-opacity': ['case', ['get', 'probable'], PROBABLE_OPACITY, 1],
        'line-width': width(1),
        'line-dasharray': byStatus((status) => ['literal', LANE_LOOK[status].dash]),
      },
    },
  ]
  for (const layer of layers) map.addLayer(layer, BELOW_NAMES)
  // Thin lines are hard to hit: a wide unseen one takes the clicks.
  map.addLayer({ id: 'lane-hit', type: 'line', source: SOURCE, minzoom: 13, paint: { 'line-width': 14, 'line-opacity': 0 } })
  const unpick = onPick(map, 'lane-hit', pick)
  return {
    set: ({ features, live, hidden, selected }) => {
      const shown = features.flatMap((feature) => {
        const state = live.get(feature.properties.id)
        if (state === undefined || hidden.has(state.status)) return []
        const { id } = feature.properties
        return [{ ...feature, properties: { id, status: state.status, at_risk: state.at_risk, probable: state.probable === true, selected: id === selected } }]
      })
      setSource(map, SOURCE, collection(shown))
    },
    remove: () => {
      unpick()
      removeAll(map, ['lane-hit', 'lane', 'lane-selected', 'lane-risk'], SOURCE)
    },
  }
}
