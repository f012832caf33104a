import { describe, expect, test } from 'vitest'
import type {
  Alarm,
  ControlMessage,
  ControlSnapshot,
  LiveEvent,
  RequestSummary,
  RouteSummary,
  RouteView,
  VehicleLive,
  Visit,
} from '../../shared/wire'
import { FrameBatch } from './frames'
import { EMPTY, reduce, withView } from './reduce'

const vehicle = (id: string, lon: number): VehicleLive => ({
  vehicle_id: id,
  device_id: null,
  t: null,
  lon,
  lat: 22.7,
  speed_mps: 4,
  course_deg: 90,
  silent: false,
  load_kg: null,
  state: 'moving',
})
const route = (version: number, served = 0): RouteSummary =>
  ({ id: 'r1', version, vehicle_id: 'V1', service_date: '2026-11-24', served }) as RouteSummary
const visit = (id: string, seq: number, more: Partial<Visit> = {}): Visit =>
  ({ id, route_id: 'r1', seq, version: 1, kind: 'lane', lane_id: `lane-${id}`, vehicle_id: 'V1', service_date: '2026-11-24', status: 'pending', at_risk: false, evidence: null, ...more }) as Visit
const snapshot: ControlSnapshot = {
  type: 'snapshot',
  n: 10,
  now: '2026-11-24T01:00:00Z',
  service_date: '2026-11-24',
  vehicles: [vehicle('V1', 75.8), vehicle('V2', 75.9)],
  routes: [route(3)],
  lanes: { 'lane-a': { status: 'pending', at_risk: false, vehicle_id: 'V1' } },
  requests: [],
  jobs: [],
  alarms: [],
}
const event = (n: number, topic: string, data: unknown): LiveEvent => ({ type: 'event', n, topic, key: 'k', data })
const start = reduce(EMPTY, [snapshot])

describe('a snapshot', () => {
  test('replaces what was known, whatever came before it in the same burst', () => {
    const again = reduce(start, [
      event(11, 'routing.route_changed', route(9)),
      { ...snapshot, n: 40, vehicles: [vehicle('V9', 75)], lanes: {} },
      event(41, 'routing.route_changed', route(4)),
    ])
    expect([...again.vehicles.keys()]).toEqual(['V9'])
    expect(again.lanes.size).toBe(0)
    expect(again.routes.get('r1')?.version).toBe(4)
    expect(again.n).toBe(41)
  })
})

describe('an event', () => {
  test('that the snapshot already held is passed over', () => {
    expect(reduce(start, [event(10, 'routing.route_changed', route(9))])).toEqual(start)
  })

  test('with an older version changes nothing but the number', () => {
    const next = reduce(start, [event(11, 'routing.route_changed', route(2))])
    expect(next).toEqual({ ...start, n: 11 })
    expect(next.routes).toBe(start.routes)
  })

  test('of another service date is not of this board', () => {
    const tomorrow = { ...route(1), id: 'r2', service_date: '2026-11-25' }
    expect(reduce(start, [event(11, 'routing.route_changed', tomorrow)]).routes.size).toBe(1)
  })

  test('of an unknown topic still counts, so that a resume does not ask for it again', () => {
    expect(reduce(start, [event(12, 'tracking.dwelled', {})]).n).toBe(12)
  })

  test('about a request brings it in', () => {
    const request = { id: 'q1', version: 1, status: 'received' } as RequestSummary
    expect(reduce(start, [event(11, 'feedback.request_changed', request)]).requests.get('q1')).toEqual(request)
  })
})

describe('a visit', () => {
  const view: RouteView = { ...route(3), visits: [visit('a', 1, { approach: [[1, 2]] }), visit('b', 2)] }
  const open = withView(start, view)

  test('colours its lane, on its own day alone', () => {
    const served = visit('a', 1, { status: 'served' })
    const other = visit('b', 2, { status: 'served', service_date: '2026-11-25' })
    const next = reduce(open, [event(11, 'routing.visit_changed', served), event(12, 'routing.visit_changed', other)])
    expect(next.lanes.get('lane-a')).toEqual({ status: 'served', at_risk: false, vehicle_id: 'V1' })
    expect(next.lanes.has('lane-b')).toBe(false)
  })

  test('keeps the approach that events leave out', () => {
    const next = reduce(open, [event(11, 'routing.visit_changed', visit('a', 1, { version: 2, status: 'missed' }))])
    expect(next.views.get('r1')?.visits[0]).toMatchObject({ status: 'missed', approach: [[1, 2]] })
  })

  test('that is new stands in its place', () => {
    const stop = visit('s', 1.5, { kind: 'request', lane_id: null })
    const next = reduce(open, [event(11, 'routing.visit_changed', stop)])
    expect(next.views.get('r1')?.visits.map((v) => v.id)).toEqual(['a', 's', 'b'])
    expect(next.lanes.size).toBe(1)
  })
})

test('positions of one frame are merged and leave other tables alone', () => {
  const flushed: ControlMessage[][] = []
  let frame: () => void = () => undefined
  const batch = new FrameBatch<ControlMessage>(
    (messages) => flushed.push([...messages]),
    (run) => (frame = run),
  )
  for (const lon of [75.81, 75.82]) batch.push({ type: 'positions', now: `t${lon}`, vehicles: [vehicle('V1', lon)] })
  frame()
  expect(flushed).toHaveLength(1)
  const next = reduce(start, flushed[0] ?? [])
  expect(next.vehicles.get('V1')?.lon).toBe(75.82)
  expect(next.vehicles.get('V2')).toBe(start.vehicles.get('V2'))
  expect(next.routes).toBe(start.routes)
  expect(next.now).toBe('t75.82')
})

describe('an alarm', () => {
  const alarm = (id: string, version: number, more: Partial<Alarm> = {}): Alarm =>
    ({ id, version, state: 'raised', group_id: null, ...more }) as Alarm
  const items = (...events: Alarm[]): string[] => [
    ...reduce(start, events.map((data, i) => event(11 + i, 'tracking.alarm', data))).alarms.keys(),
  ]

  test('leaves when it is cleared or a group speaks for it, and comes back when it is raised again', () => {
    expect(items(alarm('a', 1), alarm('b', 1))).toEqual(['a', 'b'])
    expect(items(alarm('a', 1), alarm('a', 2, { state: 'acknowledged' }))).toEqual(['a'])
    expect(items(alarm('a', 1), alarm('a', 2, { state: 'cleared' }))).toEqual([])
    expect(items(alarm('a', 1), alarm('a', 2, { group_id: 'g' }), alarm('g', 1))).toEqual(['g'])
    expect(items(alarm('a', 2, { state: 'cleared' }), alarm('a', 3))).toEqual(['a'])
  })

  test('that is older than what is known changes nothing', () => {
    expect(items(alarm('a', 3), alarm('a', 2, { state: 'cleared' }))).toEqual(['a'])
  })
})
