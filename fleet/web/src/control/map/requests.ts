import type { GlMap } from '../../shared/map/engine'
import type { Look } from '../../shared/map/style'
import type { RequestSummary } from '../../shared/wire'
import { stageOf } from '../state/views'
import { addPinImages } from './images'
import { collection, type Layer, onPick, removeAll, setSource } from './layer'
import { ROUTE } from './look'

export interface Pins {
  requests: readonly RequestSummary[]
  selected: string | null
}

const SOURCE = 'requests'

/** Residents' requests as pins; closed ones are not shown. */
export function requestsLayer(map: GlMap, look: Look, pick: (requestId: string) => void): Layer<Pins> {
  addPinImages(map, look.scheme)
  map.addSource(SOURCE, { type: 'geojson', data: collection() })
  map.addLayer({
    id: 'request-ring',
    type: 'circle',
    source: SOURCE,
    filter: ['get', 'selected'],
    paint: { 'circle-radius': 7, 'circle-color': ROUTE[look.scheme], 'circle-stroke-width': 3, 'circle-stroke-color': ROUTE[look.scheme], 'circle-stroke-opacity': 0.35 },
  })
  map.addLayer({
    id: 'request',
    type: 'symbol',
    source: SOURCE,
    layout: {
      'icon-image': ['concat', 'pin-', ['get', 'stage']],
      'icon-size': ['case', ['get', 'selected'], 1.1, 0.85],
      'icon-anchor': 'bottom',
      'icon-allow-overlap': true,
      'symbol-sort-key': ['case', ['get', 'selected'], 2, ['==', ['get', 'stage'], 'open'], 1, 0],
    },
  })
  const unpick = onPick(map, 'request', pick)
  return {
    set: ({ requests, selected }) => {
      const features = requests.flatMap((request) => {
        const stage = stageOf(request)
        if (stage === 'closed') return []
        const { id, lon, lat } = request
        return [
          {
            type: 'Feature' as const,
            geometry: { type: 'Point' as const, coordinates: [lon, lat] },
            properties: { id, stage, selected: id === selected },
          },
        ]
      })
      setSource(map, SOURCE, collection(features))
    },
    remove: () => {
      unpick()
      removeAll(map, ['request', 'request-ring'], SOURCE)
    },
  }
}
