import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson'
import type { LayerSpecification } from 'maplibre-gl'
import type { GlMap } from '../../shared/map/engine'
import { labelPoint } from '../../shared/map/geometry'
import { BOLD, GROUND, type Look, nameText } from '../../shared/map/style'
import type { WardProperties } from '../../shared/wire'
import { BELOW_NAMES, collection, type Layer, removeAll, setSource } from './layer'
import { WARD } from './look'

export type Wards = FeatureCollection<Polygon | MultiPolygon, WardProperties>

/** Outlines of the wards with their names. */
export function wardsLayer(map: GlMap, look: Look): Layer<Wards> {
  map.addSource('wards', { type: 'geojson', data: collection() })
  map.addSource('ward-names', { type: 'geojson', data: collection() })
  const line: LayerSpecification = {
    id: 'ward-line',
    type: 'line',
    source: 'wards',
    layout: { 'line-join': 'round' },
    paint: {
      'line-color': WARD[look.scheme],
      'line-width': ['interpolate', ['linear'], ['zoom'], 10, 1, 15, 2.2],
      'line-dasharray': [4, 1.5, 1, 1.5],
      'line-opacity': 0.75,
    },
  }
  map.addLayer(line, BELOW_NAMES)
  map.addLayer({
    id: 'ward-name',
    type: 'symbol',
    source: 'ward-names',
    maxzoom: 15.5,
    layout: {
      'text-field': nameText(look.lang),
      'text-font': BOLD,
      'text-size': ['interpolate', ['linear'], ['zoom'], 10, 11, 14, 16],
      'text-max-width': 8,
      'text-letter-spacing': look.lang === 'hi' ? 0 : 0.05, // spacing tears Devanagari apart
    },
    paint: {
      'text-color': WARD[look.scheme],
      'text-halo-color': GROUND[look.scheme].halo,
      'text-halo-width': 2,
    },
  })
  return {
    set: (wards) => {
      setSource(map, 'wards', wards)
      const names = wards.features.flatMap(({ geometry, properties }) => {
        const at = labelPoint(geometry)
        if (at === null) return []
        return [{ type: 'Feature' as const, geometry: { type: 'Point' as const, coordinates: at }, properties }]
      })
      setSource(map, 'ward-names', collection(names))
    },
    remove: () => {
      removeAll(map, ['ward-line'], 'wards')
      removeAll(map, ['ward-name'], 'ward-names')
    },
  }
}
