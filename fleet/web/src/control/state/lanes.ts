/** Lanes' geometry by ward: fetched when a ward comes into view, kept for the session. */
import { computed, signal } from '@preact/signals'
import type { FeatureCollection, LineString } from 'geojson'
import { ApiProblem, get, withQuery } from '../../shared/api'
import { type Bounds, boundsOf, overlaps, pointsOf } from '../../shared/map/geometry'
import type { LaneProperties } from '../../shared/wire'
import type { LaneFeature } from '../map/lanes'
import type { Wards } from '../map/wards'

const AT_ONCE = 3

const byWard = signal<ReadonlyMap<string, readonly LaneFeature[]>>(new Map())
export const laneFeatures = computed(() => [...byWard.value.values()].flat())
export const laneById = computed(() => new Map(laneFeatures.value.map((lane) => [lane.properties.id, lane])))
export const selectedLane = signal<string | null>(null)

const asked = new Set<string>()
const queue: string[] = []
let running = 0

/** Wards that touch the box. */
export function wardsWithin(wards: Wards, box: Bounds): string[] {
  return wards.features
    .filter(({ geometry }) => {
      const own = boundsOf(pointsOf(geometry))
      return own !== null && overlaps(own, box)
    })
    .map(({ properties }) => properties.ward_id)
}

export function needWards(ids: readonly string[]): void {
  for (const id of ids) {
    if (asked.has(id)) continue
    asked.add(id)
    queue.push(id)
  }
  while (running < AT_ONCE && queue.length > 0) void fetchNext()
}

async function fetchNext(): Promise<void> {
  const ward = queue.shift()
  if (ward === undefined) return
  running += 1
  try {
    const found = await get<FeatureCollection<LineString, LaneProperties>>(withQuery('/api/lanes', { ward }))
    byWard.value = new Map(byWard.value).set(ward, found.features)
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error
    asked.delete(ward) // the next move of the map asks again
  } finally {
    running -= 1
    needWards([])
  }
}
