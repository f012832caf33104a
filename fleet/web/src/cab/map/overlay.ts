/** What the cab's map shows: the way to the next stop, the stop itself, and what follows. Pure. */
import { type Bounds, boundsOf, grow } from '../../shared/map/geometry'
import type { LonLat, Visit } from '../../shared/wire'

export type Role = 'later' | 'approach' | 'lane' | 'stop'
const LATER = 60

/** Lines and the stop's point; `road` is everything ahead, `stop` the one to do now. */
export function overlay(stop: Visit | null, road: readonly Visit[]): GeoJSON.FeatureCollection {
  const features: GeoJSON.Feature[] = []
  const line = (role: Role, coordinates: LonLat[]): void => {
    if (coordinates.length > 1) {
      features.push({ type: 'Feature', properties: { role }, geometry: { type: 'LineString', coordinates } })
    }
  }
  const after = road.slice(road.findIndex((visit) => visit.id === stop?.id) + 1, LATER)
  for (const visit of after) {
    line('later', [...(visit.approach ?? []), ...visit.path])
  }
  if (stop !== null) {
    line('approach', stop.approach ?? [])
    line('lane', stop.path)
    features.push({
      type: 'Feature',
      properties: { role: 'stop' satisfies Role },
      geometry: { type: 'Point', coordinates: stop.path[0] ?? [stop.lon, stop.lat] },
    })
  }
  return { type: 'FeatureCollection', features }
}

/** The part of the map that the driver needs for a stop. */
export function view(stop: Visit): Bounds {
  const points: LonLat[] = [...(stop.approach ?? []), ...stop.path, [stop.lon, stop.lat]]
  return grow(boundsOf(points) ?? [stop.lon, stop.lat, stop.lon, stop.lat], 40)
}
