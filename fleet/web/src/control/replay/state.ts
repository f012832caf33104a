/** The replay that is open: its day, its clock, and what the map shows of both. */
import { batch, computed, signal } from '@preact/signals'
import { get, withQuery } from '../../shared/api'
import { boundsOf } from '../../shared/map/geometry'
import type { LaneLive, LonLat } from '../../shared/wire'
import { lanes, target } from '../state/store'
import { LanesAt, lines, type Replay, replayOf, type ReplayWire } from './data'

export const SPEEDS = [1, 10, 30, 60, 120, 300, 600] as const
/** The clock's words and the slider are renewed this often, lanes less often: eyes need no more. */
const TELL_EVERY_MS = 100
const LANES_EVERY_MS = 250

export type LaneShown = LaneLive & { probable?: boolean }

/** The service date being replayed; null: the live view. */
export const replayDate = signal<string | null>(null)
export const replay = signal<Replay | null>(null)
export const opening = signal(false)
export const playing = signal(false)
export const speed = signal<number>(60)
/** The moment shown, in seconds since 1970, renewed a few times a second. */
export const shownAt = signal(0)
export const replayVehicle = signal<string | null>(null)

const laneStates = signal<ReadonlyMap<string, LaneShown>>(new Map())
/** The lanes as the map and the legend show them: now, or then. */
export const shownLanes = computed<ReadonlyMap<string, LaneShown>>(() => (replayDate.value === null ? lanes.value : laneStates.value))
export const chosenReel = computed(() => replay.value?.reels.get(replayVehicle.value ?? '') ?? null)
export const chosenLines = computed(() => (chosenReel.value === null ? null : lines(chosenReel.value)))

let at = 0
let lanesAt: LanesAt | null = null
let lanesTold_ms = 0
let told_ms = 0
let call: AbortController | null = null

/** The exact moment: the overlay asks for it at each frame. */
export function now_s(): number {
  return at
}

/** Opens a service date; the live view goes on behind it. */
export async function openReplay(serviceDate: string): Promise<void> {
  call?.abort()
  const own = (call = new AbortController())
  batch(() => {
    replayDate.value = serviceDate
    replay.value = null
    playing.value = false
    opening.value = true
    laneStates.value = new Map()
  })
  try {
    const wire = await get<ReplayWire>(withQuery('/api/replay', { service_date: serviceDate }), { signal: own.signal })
    const found = replayOf(wire)
    batch(() => {
      replay.value = found
      lanesAt = found === null ? null : new LanesAt(found)
      if (replayVehicle.value !== null && found?.reels.has(replayVehicle.value) !== true) replayVehicle.value = null
      seek(found?.start ?? 0)
    })
  } catch (error) {
    if (!(error instanceof DOMException)) throw error // another date was asked for meanwhile
  } finally {
    if (call === own) opening.value = false
  }
}

export function leaveReplay(): void {
  call?.abort()
  batch(() => {
    replayDate.value = null
    replay.value = null
    replayVehicle.value = null
    playing.value = false
    opening.value = false
  })
}

/** Goes to a moment within the day. */
export function seek(to: number): void {
  const day = replay.peek()
  if (day === null) return
  at = Math.min(day.end, Math.max(day.start, to))
  tell()
}

export function togglePlaying(): void {
  const day = replay.peek()
  if (day === null) return
  if (!playing.peek() && at >= day.end) seek(day.start)
  playing.value = !playing.peek()
}

/** Lets time pass; a frame that came late counts as a quarter of a second at most. */
export function pass(elapsed_ms: number, frame_ms: number): void {
  const day = replay.peek()
  if (day === null || !playing.peek()) return
  at = Math.min(day.end, at + (Math.min(elapsed_ms, 250) / 1000) * speed.peek())
  if (at >= day.end) {
    playing.value = false
    tell()
    return
  }
  if (frame_ms - told_ms >= TELL_EVERY_MS) {
    told_ms = frame_ms
    shownAt.value = at
  }
  if (frame_ms - lanesTold_ms >= LANES_EVERY_MS && lanesAt !== null) {
    lanesTold_ms = frame_ms
    laneStates.value = lanesAt.at(at)
  }
}

function tell(): void {
  batch(() => {
    shownAt.value = at
    if (lanesAt !== null) laneStates.value = lanesAt.at(at)
  })
}

/** Chooses a vehicle; the map shows all of its way. */
export function chooseVehicle(id: string | null): void {
  replayVehicle.value = id
}

export function showWay(): void {
  const parts = chosenLines.peek()
  const box = parts === null ? null : boundsOf(parts.heard.flat())
  if (box !== null) target.value = { bounds: box }
}

/** Goes where and when something was. */
export function goTo(point: LonLat, t: number): void {
  batch(() => {
    seek(t)
    target.value = { point, zoom: 16 }
  })
}
