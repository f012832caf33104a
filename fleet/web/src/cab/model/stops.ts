/** Which visit comes next, seen with the taps that the server has not answered yet. */
import type { Visit } from '../../shared/wire'

/** A tap on this tablet about a visit, kept until the route itself tells of it. */
export interface LocalReport {
  /** The event's. */
  id: string
  visit_id: string
  /** The same stop in another version of the plan; null where a route has several of its kind. */
  stop: string | null
  route_id: string
  kind: 'done' | 'could_not' | 'unload'
  reason: string | null
  t: string
}
export type Reports = readonly LocalReport[]

const WORK = new Set<Visit['kind']>(['lane', 'bin', 'request'])

/** What a visit serves, whatever the plan's version; null for depots and transfer stations. */
export function stopOf(visit: Visit): string | null {
  return WORK.has(visit.kind) && visit.ref !== null ? `${visit.service_date} ${visit.kind} ${visit.ref}` : null
}

/** The tap that tells of a visit: the tablet's latest, which may be newer than the server's. */
export function reportOf(visit: Visit, reports: Reports): LocalReport | null {
  const stop = stopOf(visit)
  return reports.findLast((one) => one.visit_id === visit.id || (stop !== null && one.stop === stop)) ?? null
}

/** Served by facts, or reported by the driver. */
export function isOver(visit: Visit, reports: Reports): boolean {
  return (
    visit.status === 'served' ||
    visit.status === 'partly' ||
    visit.report !== null ||
    reportOf(visit, reports) !== null
  )
}

/**
 * How far the vehicle has come: before the server's next visit, or behind the last tap. A lane
 * further on that was passed by chance does not count; the server looks at the order of the proofs.
 */
function reached(visits: readonly Visit[], reports: Reports, nextId: string | null): number {
  const told = visits.findLastIndex((visit) => visit.report !== null || reportOf(visit, reports) !== null)
  const next = visits.findIndex(({ id }) => id === nextId)
  return Math.max(told, next - 1)
}

/** The visits behind where the vehicle has come, without those that came to an outcome. */
export function ahead(visits: readonly Visit[], reports: Reports, nextId: string | null): Visit[] {
  return visits.slice(reached(visits, reports, nextId) + 1).filter((visit) => visit.status === 'pending')
}

/** Work that the vehicle has come past, and not done itself: passed by, or could not be done. */
export function leftBehind(visits: readonly Visit[], reports: Reports, nextId: string | null): Visit[] {
  return visits.slice(0, reached(visits, reports, nextId) + 1).filter((visit) => {
    if (!WORK.has(visit.kind) || visit.status !== 'pending') return false
    return !isOver(visit, reports) || (reportOf(visit, reports) ?? visit.report)?.kind === 'could_not'
  })
}

export interface Progress {
  done: number
  all: number
  trips_done: number
  trips: number
}

/** How much of the route's work is over, by facts, taps, or because it can no longer be done. */
export function progress(visits: readonly Visit[], reports: Reports): Progress {
  const work = visits.filter((visit) => WORK.has(visit.kind))
  const trips = visits.filter((visit) => visit.kind === 'disposal')
  const over = (visit: Visit): boolean => visit.status !== 'pending' || isOver(visit, reports)
  return {
    done: work.filter(over).length,
    all: work.length,
    trips_done: trips.filter(over).length,
    trips: trips.length,
  }
}

/** The taps that are still needed beside a route that arrived; `unsent` are events' visits. */
export function stillNeeded(
  reports: Reports,
  routeId: string | null,
  visits: readonly Visit[],
  unsent: ReadonlySet<string>,
): LocalReport[] {
  const known = new Map(visits.map((visit) => [visit.id, visit]))
  const stops = new Map(visits.map((visit) => [stopOf(visit), visit]))
  return reports.filter((one) => {
    if (unsent.has(one.visit_id)) return true
    const visit = known.get(one.visit_id) ?? (one.stop === null ? undefined : stops.get(one.stop))
    if (visit === undefined) return one.route_id === routeId
    if (visit.status === 'served' || visit.status === 'partly') return false
    return visit.report === null || Date.parse(visit.report.t) < Date.parse(one.t)
  })
}
