/** What the panels show, derived from the state: pure. */
import type { Alarm, LaneLive, RequestSummary, RouteSummary, Vehicle, VehicleLive, VisitStatus } from '../../shared/wire'

export type Stage = 'open' | 'planned' | 'done' | 'closed'

const STAGES: Record<RequestSummary['status'], Stage> = {
  received: 'open',
  checked: 'open',
  stop_planned: 'planned',
  on_the_way: 'planned',
  done: 'done',
  closed: 'closed',
  answered: 'closed',
}

export function stageOf(request: RequestSummary): Stage {
  return STAGES[request.status]
}

/** Open requests first, those promised soonest at the top; then the rest, the newest first. */
export function requestQueue(requests: Iterable<RequestSummary>, stages: ReadonlySet<Stage>): RequestSummary[] {
  const soonest = (r: RequestSummary): string => r.promised_at ?? r.created_at
  return [...requests]
    .filter((request) => stages.has(stageOf(request)))
    .sort((a, b) => {
      const [x, y] = [stageOf(a), stageOf(b)]
      if (x !== y) return ORDER.indexOf(x) - ORDER.indexOf(y)
      return x === 'open' ? soonest(a).localeCompare(soonest(b)) : b.created_at.localeCompare(a.created_at)
    })
}
const ORDER: readonly Stage[] = ['open', 'planned', 'done', 'closed']

export interface VehicleRow {
  id: string
  live: VehicleLive | null
  vehicle: Vehicle | null
  /** The route under way, else the next one, else the day's last. */
  route: RouteSummary | null
  /** Visits with an outcome, out of all. */
  done: number
  total: number
}

/** One row per vehicle that the city owns or that is heard. */
export function vehicleRows(
  fleet: readonly Vehicle[],
  live: ReadonlyMap<string, VehicleLive>,
  routes: ReadonlyMap<string, RouteSummary>,
  now: string | null,
): VehicleRow[] {
  const byVehicle = new Map<string, RouteSummary[]>()
  for (const route of routes.values()) {
    byVehicle.set(route.vehicle_id, [...(byVehicle.get(route.vehicle_id) ?? []), route])
  }
  const owned = new Map(fleet.map((vehicle) => [vehicle.id, vehicle]))
  const ids = new Set([...owned.keys(), ...live.keys(), ...byVehicle.keys()])
  return [...ids].map((id) => {
    const route = currentRoute(byVehicle.get(id) ?? [], now)
    return {
      id,
      live: live.get(id) ?? null,
      vehicle: owned.get(id) ?? null,
      route,
      done: route === null ? 0 : route.visits - route.pending,
      total: route?.visits ?? 0,
    }
  })
}

export function currentRoute(routes: readonly RouteSummary[], now: string | null): RouteSummary | null {
  const inOrder = [...routes].sort((a, b) => a.start_t.localeCompare(b.start_t))
  const unfinished = inOrder.find((route) => now === null || route.end_t > now || route.pending > 0)
  return unfinished ?? inOrder.at(-1) ?? null
}

export type VehicleSort = 'trouble' | 'name' | 'progress'

/** A vehicle ten minutes late flashes in a control room. */
export const LATE_S = 600

/** How much a row asks for attention: silent on a route, then late, then finished, then idle. */
function trouble({ live, route }: VehicleRow): number {
  if (route === null) return -2
  if (route.pending === 0) return -1
  if (live?.state === 'silent') return 1e9
  return Math.max(0, route.late_s)
}

export function sortedRows(rows: readonly VehicleRow[], by: VehicleSort): VehicleRow[] {
  const share = (row: VehicleRow): number => (row.total === 0 ? 2 : row.done / row.total)
  const name = (a: VehicleRow, b: VehicleRow): number => a.id.localeCompare(b.id, 'en', { numeric: true })
  return [...rows].sort((a, b) => {
    if (by === 'trouble' && trouble(a) !== trouble(b)) return trouble(b) - trouble(a)
    if (by === 'progress' && share(a) !== share(b)) return share(a) - share(b)
    return name(a, b)
  })
}

export const TROUBLED: readonly VisitStatus[] = ['missed', 'driven_through', 'partly', 'unknown']

export interface MissedGroup {
  /** Null: lanes that no vehicle was planned for. */
  vehicleId: string | null
  counts: Partial<Record<VisitStatus, number>>
  total: number
  laneIds: string[]
}

/** Lanes without good service, by vehicle, the worst first: hundreds a day cannot be a list. */
export function missedGroups(lanes: ReadonlyMap<string, LaneLive>, statuses: ReadonlySet<VisitStatus>): MissedGroup[] {
  const groups = new Map<string | null, MissedGroup>()
  for (const [laneId, { status, vehicle_id }] of lanes) {
    if (!statuses.has(status)) continue
    let group = groups.get(vehicle_id)
    if (group === undefined) {
      groups.set(vehicle_id, (group = { vehicleId: vehicle_id, counts: {}, total: 0, laneIds: [] }))
    }
    group.counts[status] = (group.counts[status] ?? 0) + 1
    group.total += 1
    group.laneIds.push(laneId)
  }
  return [...groups.values()].sort((a, b) => b.total - a.total || (a.vehicleId ?? '').localeCompare(b.vehicleId ?? ''))
}

export function laneCounts(lanes: ReadonlyMap<string, LaneLive>): Record<VisitStatus, number> & { at_risk: number } {
  const counts = { pending: 0, served: 0, partly: 0, driven_through: 0, missed: 0, unknown: 0, at_risk: 0 }
  for (const { status, at_risk } of lanes.values()) {
    counts[status] += 1
    if (at_risk && status === 'pending') counts.at_risk += 1
  }
  return counts
}

const SEVERITY: readonly Alarm['severity'][] = ['critical', 'warning', 'info']

export interface AlarmFilter {
  /** What alarms are grouped by: one chosen kind would hide the groups that speak for it. */
  cause: string
  zone: string
}

/**
 * Items that pass the filter: the gravest first, then what nobody has seen, then the newest.
 * An alarm of no zone is everybody's.
 */
export function alarmItems(alarms: Iterable<Alarm>, filter: AlarmFilter = { cause: '', zone: '' }): Alarm[] {
  return [...alarms]
    .filter(
      ({ cause, zone_id }) =>
        (filter.cause === '' || cause === filter.cause) &&
        (filter.zone === '' || zone_id === null || zone_id === filter.zone),
    )
    .sort(
      (a, b) =>
        SEVERITY.indexOf(a.severity) - SEVERITY.indexOf(b.severity) ||
        Number(a.state === 'acknowledged') - Number(b.state === 'acknowledged') ||
        b.raised_t.localeCompare(a.raised_t),
    )
}

/** Items that nobody has seen yet; remarks do not ask for a hand. */
export function urgentCount(alarms: Iterable<Alarm>): number {
  return [...alarms].filter(({ severity, state }) => severity !== 'info' && state === 'raised').length
}

export function criticalCount(alarms: Iterable<Alarm>): number {
  return [...alarms].filter(({ severity, state }) => severity === 'critical' && state === 'raised').length
}
