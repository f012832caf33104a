import type { Feature } from 'geojson'
import type { GlMap } from '../../shared/map/engine'
import { GROUND, type Look } from '../../shared/map/style'
import type { LonLat } from '../../shared/wire'
import { collection, type Layer, removeAll, setSource } from '../map/layer'
import { ROUTE } from '../map/look'

export interface Way {
  heard: LonLat[][]
  silent: LonLat[][]
}

const SOURCE = 'replay-trail'

function line(coordinates: LonLat[], silent: boolean): Feature {
  return { type: 'Feature', geometry: { type: 'LineString', coordinates }, properties: { silent } }
}

/** The chosen vehicle's way through the day; silences are straight and dotted. */
export function trailLayer(map: GlMap, look: Look): Layer<{ way: Way | null }> {
  map.addSource(SOURCE, { type: 'geojson', data: collection() })
  const layout = { 'line-join': 'round', 'line-cap': 'round' } as const
  map.addLayer({
    id: 'replay-casing',
    type: 'line',
    source: SOURCE,
    filter: ['!', ['get', 'silent']],
    layout,
    paint: { 'line-color': GROUND[look.scheme].halo, 'line-width': 4.5, 'line-opacity': 0.7 },
  })
  map.addLayer({
    id: 'replay-way',
    type: 'line',
    source: SOURCE,
    filter: ['!', ['get', 'silent']],
    layout,
    paint: { 'line-color': ROUTE[look.scheme], 'line-width': 2, 'line-opacity': 0.85 },
  })
  map.addLayer({
    id: 'replay-silence',
    type: 'line',
    source: SOURCE,
    filter: ['get', 'silent'],
    paint: { 'line-color': ROUTE[look.scheme], 'line-width': 2, 'line-dasharray': [0.6, 2.2] },
  })
  return {
    set: ({ way }) => {
      const features =
        way === null ? [] : [...way.heard.map((part) => line(part, false)), ...way.silent.map((part) => line(part, true))]
      setSource(map, SOURCE, collection(features))
    },
    remove: () => removeAll(map, ['replay-silence', 'replay-way', 'replay-casing'], SOURCE),
  }
}
