import type { FeatureCollection, Point } from 'geojson'
import type { GlMap } from '../../shared/map/engine'
import { GROUND, type Look, nameText, REGULAR } from '../../shared/map/style'
import type { PlaceProperties } from '../../shared/wire'
import { addPlaceImages } from './images'
import { collection, type Layer, removeAll, setSource } from './layer'

export type Places = FeatureCollection<Point, PlaceProperties>

/** Depots, transfer stations and plants. */
export function placesLayer(map: GlMap, look: Look): Layer<Places> {
  addPlaceImages(map, look.scheme)
  map.addSource('places', { type: 'geojson', data: collection() })
  map.addLayer({
    id: 'place',
    type: 'symbol',
    source: 'places',
    layout: {
      'icon-image': ['concat', 'place-', ['get', 'kind']],
      'icon-size': 0.75,
      'icon-allow-overlap': true,
      'text-field': nameText(look.lang),
      'text-font': REGULAR,
      'text-size': 11.5,
      'text-anchor': 'top',
      'text-offset': [0, 1],
      'text-optional': true,
    },
    paint: {
      'text-color': GROUND[look.scheme].text,
      'text-halo-color': GROUND[look.scheme].halo,
      'text-halo-width': 1.5,
    },
  })
  return {
    set: (places) => setSource(map, 'places', places),
    remove: () => removeAll(map, ['place'], 'places'),
  }
}
