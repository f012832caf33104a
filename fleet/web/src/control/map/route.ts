import type { Feature } from 'geojson'
import type { GlMap } from '../../shared/map/engine'
import { BOLD, GROUND, type Look } from '../../shared/map/style'
import type { LonLat, Visit } from '../../shared/wire'
import { collection, type Layer, removeAll, setSource } from './layer'
import { ROUTE } from './look'

export interface RouteAhead {
  line: LonLat[]
  stops: { order: number; at: LonLat; kind: Visit['kind'] }[]
}

/** What a route still has before it: one line in driving order, and its stops numbered from the next. */
export function routeAhead(visits: readonly Visit[], nextVisitId: string | null): RouteAhead {
  const from = visits.findIndex((visit) => visit.id === nextVisitId)
  const ahead = from < 0 ? [] : visits.slice(from)
  return {
    line: ahead.flatMap((visit) => [...(visit.approach ?? []), ...visit.path]),
    stops: ahead.map((visit, i) => ({ order: i + 1, at: [visit.lon, visit.lat], kind: visit.kind })),
  }
}

const SOURCE = 'route'

/** The selected vehicle's road ahead, with arrows and the next stops' numbers. */
export function routeLayer(map: GlMap, look: Look): Layer<RouteAhead> {
  const colour = ROUTE[look.scheme]
  const { halo } = GROUND[look.scheme]
  map.addSource(SOURCE, { type: 'geojson', data: collection() })
  map.addLayer({
    id: 'route-casing',
    type: 'line',
    source: SOURCE,
    filter: ['==', ['geometry-type'], 'LineString'],
    layout: { 'line-join': 'round', 'line-cap': 'round' },
    paint: { 'line-color': halo, 'line-width': 5, 'line-opacity': 0.7, 'line-offset': 3 },
  })
  map.addLayer({
    id: 'route-line',
    type: 'line',
    source: SOURCE,
    filter: ['==', ['geometry-type'], 'LineString'],
    layout: { 'line-join': 'round', 'line-cap': 'round' },
    // Beside the lane, on the left where the vehicle drives: the lane's own state stays readable.
    paint: { 'line-color': colour, 'line-width': 2.5, 'line-offset': 3 },
  })
  map.addLayer({
    id: 'route-arrow',
    type: 'symbol',
    source: SOURCE,
    filter: ['==', ['geometry-type'], 'LineString'],
    layout: {
      'symbol-placement': 'line',
      'symbol-spacing': 90,
      'text-field': '›',
      'text-font': BOLD,
      'text-size': 20,
      'text-keep-upright': false,
      'text-offset': [0, 0.05],
      'text-allow-overlap': true,
      'text-ignore-placement': true,
    },
    paint: { 'text-color': colour, 'text-halo-color': halo, 'text-halo-width': 1.5 },
  })
  map.addLayer({
    id: 'route-stop',
    type: 'circle',
    source: SOURCE,
    filter: ['==', ['geometry-type'], 'Point'],
    paint: {
      'circle-radius': 9,
      'circle-color': ['case', ['==', ['get', 'kind'], 'lane'], halo, colour],
      'circle-stroke-color': colour,
      'circle-stroke-width': 2,
    },
  })
  map.addLayer({
    id: 'route-order',
    type: 'symbol',
    source: SOURCE,
    filter: ['==', ['geometry-type'], 'Point'],
    layout: {
      'text-field': ['to-string', ['get', 'order']],
      'text-font': BOLD,
      'text-size': 10.5,
      'text-allow-overlap': true,
      'text-ignore-placement': true,
    },
    paint: { 'text-color': ['case', ['==', ['get', 'kind'], 'lane'], colour, halo] },
  })
  return {
    set: ({ line, stops }) => {
      const features: Feature[] = []
      if (line.length > 1) {
        features.push({ type: 'Feature', geometry: { type: 'LineString', coordinates: line }, properties: {} })
      }
      // The next ten lanes, and every special stop after them.
      for (const { order, at, kind } of stops.filter((stop) => stop.order <= 10 || stop.kind !== 'lane').reverse()) {
        features.push({ type: 'Feature', geometry: { type: 'Point', coordinates: at }, properties: { order, kind } })
      }
      setSource(map, SOURCE, collection(features))
    },
    remove: () => removeAll(map, ['route-order', 'route-stop', 'route-arrow', 'route-line', 'route-casing'], SOURCE),
  }
}
