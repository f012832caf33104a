/** Map arithmetic without a map: all in [lon, lat], sizes in metres where the name says so. */
import type { LonLat } from '../wire'

export type Bounds = [west: number, south: number, east: number, north: number]

const METRES_PER_DEGREE = 111_320

/** The smallest box around the points; null for none. */
export function boundsOf(points: Iterable<LonLat>): Bounds | null {
  let box: Bounds | null = null
  for (const [lon, lat] of points) {
    box =
      box === null
        ? [lon, lat, lon, lat]
        : [Math.min(box[0], lon), Math.min(box[1], lat), Math.max(box[2], lon), Math.max(box[3], lat)]
  }
  return box
}

export function overlaps(a: Bounds, b: Bounds): boolean {
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

export function grow(box: Bounds, by_m: number): Bounds {
  const lat = by_m / METRES_PER_DEGREE
  const lon = lat / Math.cos((((box[1] + box[3]) / 2) * Math.PI) / 180)
  return [box[0] - lon, box[1] - lat, box[2] + lon, box[3] + lat]
}

/** Every point of a geometry. */
export function* pointsOf(geometry: GeoJSON.Geometry): Iterable<LonLat> {
  if (geometry.type === 'GeometryCollection') {
    for (const part of geometry.geometries) yield* pointsOf(part)
  } else {
    yield* flat(geometry.coordinates)
  }
}

type Nested = number[] | Nested[]
function* flat(coordinates: Nested): Iterable<LonLat> {
  if (typeof coordinates[0] === 'number') yield coordinates as LonLat
  else for (const part of coordinates as Nested[]) yield* flat(part)
}

/** Centre of mass of a polygon's largest outer ring: where its name stands. */
export function labelPoint(geometry: GeoJSON.Polygon | GeoJSON.MultiPolygon): LonLat | null {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates
  let best: { area: number; at: LonLat } | null = null
  for (const polygon of polygons) {
    const ring = polygon[0]
    if (ring === undefined || ring[0] === undefined) continue
    const [lon0 = 0, lat0 = 0] = ring[0] // near the origin the sums lose no digits
    let [area, x, y] = [0, 0, 0]
    for (let i = 0; i + 1 < ring.length; i += 1) {
      const [ax = 0, ay = 0] = ring[i] ?? []
      const [bx = 0, by = 0] = ring[i + 1] ?? []
      const cross = (ax - lon0) * (by - lat0) - (bx - lon0) * (ay - lat0)
      area += cross
      x += (ax + bx - 2 * lon0) * cross
      y += (ay + by - 2 * lat0) * cross
    }
    if (area === 0) continue
    const at: LonLat = [lon0 + x / (3 * area), lat0 + y / (3 * area)]
    if (best === null || Math.abs(area) > best.area) best = { area: Math.abs(area), at }
  }
  return best?.at ?? null
}

/** Middle vertex of a line: where a pin for it stands. */
export function middleOf(line: readonly LonLat[]): LonLat | null {
  return line[Math.floor(line.length / 2)] ?? null
}
