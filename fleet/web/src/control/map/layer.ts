import type { Feature, FeatureCollection, Geometry } from 'geojson'
import type { GeoJSONSource } from 'maplibre-gl'
import type { GlMap } from '../../shared/map/engine'

/** What a layer file makes: its source and layers are on the map until `remove`. */
export interface Layer<D> {
  set: (data: D) => void
  remove: () => void
}

/** The ground's first layer of names: lines go under it, so that names stay readable. */
export const BELOW_NAMES = 'street-name'

export function collection(features: Feature<Geometry>[] = []): FeatureCollection {
  return { type: 'FeatureCollection', features }
}

export function setSource(map: GlMap, id: string, data: FeatureCollection): void {
  void map.getSource<GeoJSONSource>(id)?.setData(data)
}

/** Takes layers and their source off together; a style that was replaced has neither. */
export function removeAll(map: GlMap, layers: readonly string[], source: string): void {
  for (const id of layers) if (map.getLayer(id) !== undefined) map.removeLayer(id)
  if (map.getSource(source) !== undefined) map.removeSource(source)
}

/** Calls back with a feature's id on a click, and shows that it can be clicked. */
export function onPick(map: GlMap, layer: string, pick: (id: string) => void): () => void {
  const click = map.on('click', layer, (event) => {
    const id: unknown = event.features?.[0]?.properties['id']
    if (typeof id === 'string') pick(id)
  })
  const enter = map.on('mouseenter', layer, () => void (map.getCanvas().style.cursor = 'pointer'))
  const leave = map.on('mouseleave', layer, () => void (map.getCanvas().style.cursor = ''))
  return () => {
    for (const handler of [click, enter, leave]) handler.unsubscribe()
  }
}
