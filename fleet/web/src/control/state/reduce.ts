/**
 * What the control room knows, and how a message changes it. Pure: the same messages give the
 * same state, whatever the frames they arrived in.
 */
import type {
  Alarm,
  ControlMessage,
  ControlSnapshot,
  EventData,
  Job,
  LaneLive,
  LiveEvent,
  PlanSummary,
  RequestSummary,
  RouteSummary,
  RouteView,
  VehicleLive,
  Visit,
} from '../../shared/wire'

type Table<T> = ReadonlyMap<string, T>

export interface ControlState {
  /** Number of the last event seen; null before the first snapshot. */
  n: number | null
  now: string | null
  serviceDate: string | null
  vehicles: Table<VehicleLive>
  routes: Table<RouteSummary>
  /** Routes opened with all their visits; kept current by events. */
  views: Table<RouteView>
  lanes: Table<LaneLive>
  requests: Table<RequestSummary>
  jobs: Table<Job>
  alarms: Table<Alarm>
  plans: Table<PlanSummary>
  /** Grows when a device, crew or beat moved: lists fetched over HTTP are old then. */
  assignments: number
}

export const EMPTY: ControlState = {
  n: null,
  now: null,
  serviceDate: null,
  vehicles: new Map(),
  routes: new Map(),
  views: new Map(),
  lanes: new Map(),
  requests: new Map(),
  jobs: new Map(),
  alarms: new Map(),
  plans: new Map(),
  assignments: 0,
}

type Tables = Omit<ControlState, 'n' | 'now' | 'serviceDate' | 'assignments'>
type Row<K extends keyof Tables> = Tables[K] extends Table<infer T> ? T : never

/** A state under change: a table is copied at its first change, so untouched ones stay the same. */
class Draft {
  next: ControlState
  #copied = new Set<keyof Tables>()

  constructor(state: ControlState) {
    this.next = state
  }

  put<K extends keyof Tables>(table: K, id: string, row: Row<K>): void {
    if (!this.#copied.has(table)) {
      this.#copied.add(table)
      this.next = { ...this.next, [table]: new Map(this.next[table] as Map<string, unknown>) }
    }
    ;(this.next[table] as Map<string, unknown>).set(id, row)
  }

  drop<K extends keyof Tables>(table: K, id: string): void {
    const known = this.next[table].get(id)
    if (known === undefined) return
    this.put(table, id, known as Row<K>)
    ;(this.next[table] as Map<string, unknown>).delete(id)
  }

  /** Rows carry a version: an event that is older than what is known changes nothing. */
  putNewer<K extends 'routes' | 'requests' | 'plans'>(table: K, id: string, row: Row<K>): boolean {
    const known = this.next[table].get(id) as { version: number } | undefined
    if (known !== undefined && known.version > (row as { version: number }).version) return false
    this.put(table, id, row)
    return true
  }
}

/** The state after a burst of messages. */
export function reduce(state: ControlState, messages: readonly ControlMessage[]): ControlState {
  const draft = new Draft(state)
  for (const message of messages) {
    if (message.type === 'snapshot') {
      // A new object: what was copied belongs to the state that it replaces.
      return reduce(
        fromSnapshot(message, draft.next),
        messages.slice(messages.indexOf(message) + 1),
      )
    }
    if (message.type === 'positions') {
      draft.next = { ...draft.next, now: message.now }
      for (const vehicle of message.vehicles) draft.put('vehicles', vehicle.vehicle_id, vehicle)
    } else if (message.type === 'event') {
      apply(draft, message)
    }
  }
  return draft.next
}

function fromSnapshot(snapshot: ControlSnapshot, before: ControlState): ControlState {
  const by = <T>(rows: readonly T[], id: (row: T) => string): Map<string, T> =>
    new Map(rows.map((row) => [id(row), row]))
  return {
    n: snapshot.n,
    now: snapshot.now,
    serviceDate: snapshot.service_date,
    vehicles: by(snapshot.vehicles, (v) => v.vehicle_id),
    routes: by(snapshot.routes, (r) => r.id),
    views: new Map(), // fetched again by whoever shows one
    lanes: new Map(Object.entries(snapshot.lanes)),
    requests: by(snapshot.requests, (r) => r.id),
    jobs: by(snapshot.jobs, (j) => j.id),
    alarms: by(snapshot.alarms, (a) => a.id),
    plans: before.plans,
    assignments: before.assignments + 1,
  }
}

function apply(draft: Draft, event: LiveEvent): void {
  if (draft.next.n !== null && event.n <= draft.next.n) return // already in the snapshot
  draft.next = { ...draft.next, n: event.n }
  const handler = HANDLERS[event.topic as keyof EventData] as
    | ((draft: Draft, data: unknown) => void)
    | undefined
  handler?.(draft, event.data)
}

const HANDLERS: { [T in keyof EventData]: (draft: Draft, data: EventData[T]) => void } = {
  'routing.plan_changed': (draft, plan) => void draft.putNewer('plans', plan.id, plan),
  'routing.route_changed': (draft, route) => {
    const { serviceDate, views } = draft.next
    if (serviceDate !== null && route.service_date !== serviceDate) return
    if (!draft.putNewer('routes', route.id, route)) return
    const view = views.get(route.id)
    if (view !== undefined) draft.put('views', route.id, { ...route, visits: view.visits })
  },
  'routing.visit_changed': visitChanged,
  'tracking.alarm': alarmChanged,
  'feedback.request_changed': (draft, request) => {
    draft.putNewer('requests', request.id, request)
  },
  'job.changed': (draft, job) => draft.put('jobs', job.id, job),
  'org.assignment_changed': (draft) => {
    draft.next = { ...draft.next, assignments: draft.next.assignments + 1 }
  },
}

/** Only items are kept: a cleared alarm, and one that a group speaks for, is none. */
function alarmChanged(draft: Draft, alarm: Alarm): void {
  const known = draft.next.alarms.get(alarm.id)
  if (known !== undefined && known.version > alarm.version) return
  if (alarm.state === 'cleared' || alarm.group_id !== null) draft.drop('alarms', alarm.id)
  else draft.put('alarms', alarm.id, alarm)
}

/** Takes in what the server answered to a press. */
export function withAlarm(state: ControlState, alarm: Alarm): ControlState {
  const draft = new Draft(state)
  alarmChanged(draft, alarm)
  return draft.next
}

function visitChanged(draft: Draft, visit: Visit): void {
  const { serviceDate } = draft.next
  if (visit.kind === 'lane' && visit.lane_id !== null && visit.service_date === serviceDate) {
    const { status, at_risk, vehicle_id } = visit
    draft.put('lanes', visit.lane_id, { status, at_risk, vehicle_id })
  }
  const view = draft.next.views.get(visit.route_id)
  if (view !== undefined) draft.put('views', view.id, { ...view, visits: withVisit(view.visits, visit) })
}

/** Visits with one replaced or, for a new stop, put in its place; the approach is kept. */
export function withVisit(visits: readonly Visit[], visit: Visit): Visit[] {
  const at = visits.findIndex((known) => known.id === visit.id)
  const known = visits[at]
  if (known === undefined) return [...visits, visit].sort((a, b) => a.seq - b.seq)
  if (known.version > visit.version) return [...visits]
  const next = [...visits]
  next[at] = { ...known, ...visit }
  return known.seq === visit.seq ? next : next.sort((a, b) => a.seq - b.seq)
}

/** Puts a fetched route in; what it says is newer than any event before it. */
export function withView(state: ControlState, view: RouteView): ControlState {
  const draft = new Draft(state)
  draft.put('views', view.id, view)
  return draft.next
}
