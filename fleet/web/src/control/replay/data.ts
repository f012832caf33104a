/**
 * A day as `GET /api/replay` answers it, and what it says of any moment. Pure; times are seconds
 * since 1970.
 */
import type { LaneLive, LonLat, VehicleLive, VisitStatus } from '../../shared/wire'

export interface ReelWire {
  vehicle_id: string
  resolution: 'raw' | 'compact'
  t: number[]
  lon: number[]
  lat: number[]
  gaps: number[]
}
export interface LanesWire {
  lane_id: string[]
  vehicle_id: string[]
  status: VisitStatus[]
  began: (number | null)[]
  known: (number | null)[]
  probable: boolean[]
}
export interface ReplayWire {
  service_date: string
  vehicles: ReelWire[]
  lanes: LanesWire
}

/** One vehicle's track; `silent[i]` is 1 where a silence lies before point i. */
export interface Reel {
  vehicleId: string
  compact: boolean
  t: Float64Array
  lon: Float64Array
  lat: Float64Array
  silent: Uint8Array
}

/** A lane's state in a replay; `probable` when the proof is provisional. */
export interface LaneThen extends LaneLive {
  probable: boolean
}
interface Change extends LaneThen {
  at: number
  laneId: string
}
export interface Replay {
  serviceDate: string
  reels: ReadonlyMap<string, Reel>
  /** Outcomes by the time of knowing. */
  changes: readonly Change[]
  /** Every planned lane, before anything is known of it. */
  planned: ReadonlyMap<string, LaneThen>
  start: number
  end: number
}

/** One step of the time line; a day is whole steps long, so that its last moment can be reached. */
export const STEP_S = 10
const DEGREE = 1e-5

function summed(differences: readonly number[], unit: number): Float64Array {
  const sums = new Float64Array(differences.length)
  let sum = 0
  differences.forEach((difference, i) => {
    sum += difference
    sums[i] = sum * unit
  })
  return sums
}

export function reelOf(wire: ReelWire): Reel {
  const silent = new Uint8Array(wire.t.length)
  for (const i of wire.gaps) silent[i] = 1
  return {
    vehicleId: wire.vehicle_id,
    compact: wire.resolution === 'compact',
    t: summed(wire.t, 1),
    lon: summed(wire.lon, DEGREE),
    lat: summed(wire.lat, DEGREE),
    silent,
  }
}

/** The day made ready; null where nothing was heard and nothing planned. */
export function replayOf(wire: ReplayWire): Replay | null {
  const reels = new Map(wire.vehicles.map((vehicle) => [vehicle.vehicle_id, reelOf(vehicle)]))
  const planned = new Map<string, LaneThen>()
  const changes: Change[] = []
  const { lanes } = wire
  lanes.lane_id.forEach((laneId, i) => {
    const [vehicle_id = null, status = 'unknown', at = null] = [lanes.vehicle_id[i], lanes.status[i], lanes.known[i]]
    planned.set(laneId, { status: 'pending', at_risk: false, vehicle_id, probable: false })
    if (at !== null) changes.push({ at, laneId, status, at_risk: false, vehicle_id, probable: lanes.probable[i] === true })
  })
  changes.sort((a, b) => a.at - b.at)
  const times = [
    ...[...reels.values()].flatMap(({ t }) => [t[0], t.at(-1)]),
    changes[0]?.at,
    changes.at(-1)?.at,
  ].filter((t) => t !== undefined)
  if (times.length === 0) return null
  const start = times.reduce((a, b) => Math.min(a, b))
  const lasts = times.reduce((a, b) => Math.max(a, b)) - start
  return {
    serviceDate: wire.service_date,
    reels,
    changes,
    planned,
    start,
    end: start + Math.ceil(lasts / STEP_S) * STEP_S,
  }
}

/** Index of the last of the ascending times that is not after t; -1 before all. */
export function indexAt(times: Float64Array, t: number): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? Infinity) <= t) low = middle + 1
    else high = middle
  }
  return low - 1
}

export interface Then {
  lon: number
  lat: number
  course_deg: number
  state: VehicleLive['state']
}

const MOVING_MPS = 0.7
const EAST_SHARE = (lat: number): number => Math.cos((lat * Math.PI) / 180)
const METRES = 111_320
/** After its last fix a vehicle is silent, and after so much more it is no longer shown. */
const LINGERS_S = 1800

/** Where a vehicle was, between two fixes evenly driven; null where it was not heard yet, or long ago. */
export function thenOf(reel: Reel, t: number): Then | null {
  const i = indexAt(reel.t, t)
  const last = reel.t.length - 1
  if (i < 0 || t - (reel.t[last] ?? 0) > LINGERS_S) return null
  const [lon = 0, lat = 0] = [reel.lon[i], reel.lat[i]]
  if (i === last || reel.silent[i + 1] === 1) {
    const heard = i === last && t - (reel.t[i] ?? 0) < 60
    return { lon, lat, course_deg: 0, state: heard ? 'standing' : 'silent' }
  }
  const [from = 0, to = 0, lonTo = lon, latTo = lat] = [reel.t[i], reel.t[i + 1], reel.lon[i + 1], reel.lat[i + 1]]
  const share = to > from ? (t - from) / (to - from) : 0
  const east = (lonTo - lon) * EAST_SHARE(lat)
  const north = latTo - lat
  const mps = (Math.hypot(east, north) * METRES) / Math.max(to - from, 1)
  return {
    lon: lon + share * (lonTo - lon),
    lat: lat + share * north,
    course_deg: (Math.atan2(east, north) * 180) / Math.PI,
    state: mps >= MOVING_MPS ? 'moving' : 'standing',
  }
}

/** The way driven, as lines that end where a silence begins. */
export function lines(reel: Reel): { heard: LonLat[][]; silent: LonLat[][] } {
  const heard: LonLat[][] = []
  const silent: LonLat[][] = []
  let line: LonLat[] = []
  for (let i = 0; i < reel.t.length; i += 1) {
    const here: LonLat = [reel.lon[i] ?? 0, reel.lat[i] ?? 0]
    const before = line.at(-1)
    if (reel.silent[i] === 1 && before !== undefined) {
      silent.push([before, here])
      heard.push(line)
      line = []
    }
    line.push(here)
  }
  heard.push(line)
  return { heard: heard.filter((part) => part.length > 1), silent }
}

/** The lanes' states at a moment, brought on (or back) without going through the day again. */
export class LanesAt {
  readonly #replay: Replay
  #next = 0
  #states: Map<string, LaneThen>

  constructor(replay: Replay) {
    this.#replay = replay
    this.#states = new Map(replay.planned)
  }

  /** The states at t: the same map as before when nothing has changed since. */
  at(t: number): ReadonlyMap<string, LaneThen> {
    const { changes, planned } = this.#replay
    if ((changes[this.#next - 1]?.at ?? -Infinity) > t) {
      this.#next = 0
      this.#states = new Map(planned)
    }
    let change = changes[this.#next]
    if (change !== undefined && change.at <= t) this.#states = new Map(this.#states)
    while (change !== undefined && change.at <= t) {
      this.#states.set(change.laneId, change)
      this.#next += 1
      change = changes[this.#next]
    }
    return this.#states
  }
}
