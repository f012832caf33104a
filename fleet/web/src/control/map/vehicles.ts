import type { GlMap } from '../../shared/map/engine'
import { BOLD, GROUND, type Look } from '../../shared/map/style'
import type { VehicleLive } from '../../shared/wire'
import { addVehicleImages } from './images'
import { collection, type Layer, onPick, removeAll, setSource } from './layer'
import { ROUTE } from './look'

export interface Vehicles {
  vehicles: Iterable<VehicleLive>
  selected: string | null
}

const SOURCE = 'vehicles'

/** Vehicles with their heading and state; the selected one in a ring. */
export function vehiclesLayer(map: GlMap, look: Look, pick: (vehicleId: string) => void): Layer<Vehicles> {
  addVehicleImages(map, look.scheme)
  map.addSource(SOURCE, { type: 'geojson', data: collection() })
  map.addLayer({
    id: 'vehicle-ring',
    type: 'circle',
    source: SOURCE,
    filter: ['get', 'selected'],
    paint: {
      'circle-radius': 18,
      'circle-color': ROUTE[look.scheme],
      'circle-opacity': 0.18,
      'circle-stroke-color': ROUTE[look.scheme],
      'circle-stroke-width': 2,
    },
  })
  map.addLayer({
    id: 'vehicle',
    type: 'symbol',
    source: SOURCE,
    layout: {
      'icon-image': ['concat', 'vehicle-', ['get', 'state']],
      'icon-size': ['interpolate', ['linear'], ['zoom'], 10, 0.55, 14, 0.85],
      // Only an arrow turns: a pause sign on its side would not be one.
      'icon-rotate': ['case', ['==', ['get', 'state'], 'moving'], ['get', 'course_deg'], 0],
      'icon-rotation-alignment': 'map',
      'icon-allow-overlap': true,
      'icon-ignore-placement': true,
      'symbol-sort-key': ['case', ['get', 'selected'], 1, 0],
      'text-field': ['step', ['zoom'], '', 12.5, ['get', 'id']],
      'text-font': BOLD,
      'text-size': 11,
      'text-anchor': 'top',
      'text-offset': [0, 1.2],
      'text-optional': true,
    },
    paint: {
      'text-color': GROUND[look.scheme].text,
      'text-halo-color': GROUND[look.scheme].halo,
      'text-halo-width': 1.8,
    },
  })
  const unpick = onPick(map, 'vehicle', pick)
  return {
    set: ({ vehicles, selected }) => {
      const features = [...vehicles].flatMap(({ vehicle_id: id, lon, lat, course_deg, state }) =>
        lon === null || lat === null
          ? []
          : [
              {
                type: 'Feature' as const,
                geometry: { type: 'Point' as const, coordinates: [lon, lat] },
                properties: { id, state, course_deg: course_deg ?? 0, selected: id === selected },
              },
            ],
      )
      setSource(map, SOURCE, collection(features))
    },
    remove: () => {
      unpick()
      removeAll(map, ['vehicle', 'vehicle-ring'], SOURCE)
    },
  }
}
