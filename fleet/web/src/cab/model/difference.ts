/** What a new version of the route changes for the driver. */
import type { Visit, VisitKind } from '../../shared/wire'
import { isOver, type Reports } from './stops'

/** A stop as the driver last agreed to it. */
export interface Known {
  key: string
  kind: VisitKind
  name: string | null
  name_hi: string | null
  /** Still to do when it was agreed to. */
  open: boolean
}
export interface Agreed {
  /** The working day and shift; another one is a new route and no change. */
  shift: string
  stops: Known[]
}
export interface Difference {
  added: Known[]
  gone: Known[]
  moved: Known[]
}

/** The stops of a route, each under a key that survives a new plan: what it serves, and the how-manieth. */
export function known(visits: readonly Visit[], reports: Reports): Known[] {
  const seen = new Map<string, number>()
  return visits
    .filter(({ kind }) => kind !== 'start' && kind !== 'end')
    .map((visit) => {
      const thing = `${visit.kind} ${visit.ref ?? visit.id}`
      const n = (seen.get(thing) ?? 0) + 1
      seen.set(thing, n)
      const { kind, name, name_hi } = visit
      return { key: `${thing} ${n}`, kind, name, name_hi, open: visit.status === 'pending' && !isOver(visit, reports) }
    })
}

/** Open stops that came, went, or changed their place among the others. */
export function difference(before: readonly Known[], after: readonly Known[]): Difference {
  const was = new Map(before.map((stop, i) => [stop.key, i]))
  const is = new Set(after.map((stop) => stop.key))
  const kept = after.filter((stop) => stop.open && was.has(stop.key))
  const places = kept.map((stop) => was.get(stop.key) ?? 0)
  const inOrder = new Set(longestRising(places))
  return {
    added: after.filter((stop) => stop.open && !was.has(stop.key)),
    gone: before.filter((stop) => stop.open && !is.has(stop.key)),
    moved: kept.filter((_, i) => !inOrder.has(i)),
  }
}

export function isNothing({ added, gone, moved }: Difference): boolean {
  return added.length + gone.length + moved.length === 0
}

/** Indices of a longest strictly rising subsequence; in O(n log n). */
export function longestRising(values: readonly number[]): number[] {
  const ends: number[] = [] // index of the smallest end of a rising run of each length
  const before: number[] = []
  values.forEach((value, i) => {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((values[ends[middle]!] ?? 0) < value) low = middle + 1
      else high = middle
    }
    before[i] = ends[low - 1] ?? -1
    ends[low] = i
  })
  const chain: number[] = []
  for (let i = ends.at(-1) ?? -1; i >= 0; i = before[i] ?? -1) chain.unshift(i)
  return chain
}
