import { describe, expect, test } from 'vitest'
import type { Alarm, LaneLive, RequestSummary, RouteSummary, VehicleLive, Visit } from '../../shared/wire'
import { routeAhead } from '../map/route'
import {
  alarmItems,
  criticalCount,
  currentRoute,
  laneCounts,
  missedGroups,
  requestQueue,
  sortedRows,
  urgentCount,
  vehicleRows,
} from './views'

const request = (id: string, status: RequestSummary['status'], created: string, promised: string | null = null): RequestSummary =>
  ({ id, status, created_at: created, promised_at: promised }) as RequestSummary
const route = (id: string, vehicle_id: string, start_t: string, end_t: string, more: Partial<RouteSummary> = {}): RouteSummary =>
  ({ id, vehicle_id, start_t, end_t, visits: 10, pending: 4, late_s: 0, ...more }) as RouteSummary
const live = (id: string, state: VehicleLive['state']): [string, VehicleLive] => [id, { vehicle_id: id, state } as VehicleLive]

test('the queue puts open requests first, the soonest promise at the top', () => {
  const queue = requestQueue(
    [
      request('done', 'done', '2026-11-24T04'),
      request('late', 'received', '2026-11-24T01', '2026-11-24T20'),
      request('soon', 'checked', '2026-11-24T02', '2026-11-24T05'),
      request('gone', 'closed', '2026-11-24T00'),
    ],
    new Set(['open', 'planned', 'done']),
  )
  expect(queue.map((r) => r.id)).toEqual(['soon', 'late', 'done'])
})

describe('the current route', () => {
  const morning = route('am', 'V1', '01:00', '06:00', { pending: 0 })
  const evening = route('pm', 'V1', '12:00', '18:00')
  test.each([
    ['05:00', 'am'],
    ['07:00', 'pm'],
    ['20:00', 'pm'],
  ])('at %s is %s', (now, id) => {
    expect(currentRoute([evening, morning], now)?.id).toBe(id)
  })
  test('stays the morning one while it has lanes left', () => {
    expect(currentRoute([evening, { ...morning, pending: 2 }], '07:00')?.id).toBe('am')
  })
  test('of nothing is none', () => {
    expect(currentRoute([], '07:00')).toBeNull()
  })
})

test('trouble first: silent, then the later one, then the rest by name; finished and idle ones last', () => {
  const rows = vehicleRows(
    [],
    new Map([live('V10', 'moving'), live('V9', 'moving'), live('V3', 'silent'), live('V2', 'standing'), live('V1', 'never'), live('V4', 'silent')]),
    new Map(
      [
        route('a', 'V10', '1', '9', { late_s: 60 }),
        route('b', 'V9', '1', '9', { late_s: 900 }),
        route('c', 'V3', '1', '9'),
        route('d', 'V2', '1', '9', { late_s: -300 }),
        route('e', 'V4', '1', '9', { pending: 0, late_s: 900 }),
      ].map((r) => [r.id, r]),
    ),
    '5',
  )
  expect(sortedRows(rows, 'trouble').map((r) => r.id)).toEqual(['V3', 'V9', 'V10', 'V2', 'V4', 'V1'])
  expect(sortedRows(rows, 'name').map((r) => r.id)).toEqual(['V1', 'V2', 'V3', 'V4', 'V9', 'V10'])
  expect(rows[0]).toMatchObject({ done: 6, total: 10 })
})

test('missed lanes are grouped by vehicle, the worst first', () => {
  const lane = (status: LaneLive['status'], vehicle_id: string | null): LaneLive => ({ status, vehicle_id, at_risk: true })
  const lanes = new Map<string, LaneLive>([
    ['a', lane('missed', 'V1')],
    ['b', lane('missed', 'V2')],
    ['c', lane('driven_through', 'V2')],
    ['d', lane('served', 'V2')],
    ['e', lane('pending', null)],
  ])
  expect(missedGroups(lanes, new Set(['missed', 'driven_through']))).toEqual([
    { vehicleId: 'V2', counts: { missed: 1, driven_through: 1 }, total: 2, laneIds: ['b', 'c'] },
    { vehicleId: 'V1', counts: { missed: 1 }, total: 1, laneIds: ['a'] },
  ])
  expect(laneCounts(lanes)).toMatchObject({ missed: 2, served: 1, pending: 1, partly: 0, at_risk: 1 })
})

test('the road ahead starts with the way to the next visit', () => {
  const visit = (id: string, lon: number): Visit =>
    ({ id, lon, lat: 0, kind: 'lane', path: [[lon, 0], [lon, 1]], approach: [[lon - 1, 0]] }) as unknown as Visit
  const visits = [visit('a', 0), visit('b', 5), visit('c', 9)]
  expect(routeAhead(visits, 'b')).toEqual({
    line: [[4, 0], [5, 0], [5, 1], [8, 0], [9, 0], [9, 1]],
    stops: [
      { order: 1, at: [5, 0], kind: 'lane' },
      { order: 2, at: [9, 0], kind: 'lane' },
    ],
  })
  expect(routeAhead(visits, null).line).toEqual([])
})

test('alarms: the gravest first, then what nobody has seen, then the newest; filtered by cause and zone', () => {
  const alarm = (id: string, severity: Alarm['severity'], state: Alarm['state'], cause: Alarm['cause'], raised_t: string): Alarm =>
    ({ id, severity, state, cause, raised_t, zone_id: id === 'e' ? null : id < 'c' ? 'z1' : 'z2' }) as Alarm
  const all = [
    alarm('a', 'warning', 'acknowledged', 'delay', '9'),
    alarm('b', 'warning', 'raised', 'delay', '1'),
    alarm('c', 'warning', 'raised', 'unit', '2'),
    alarm('d', 'critical', 'acknowledged', 'safety', '0'),
    alarm('e', 'critical', 'raised', 'safety', '0'),
    alarm('f', 'info', 'raised', 'place', '9'),
  ]
  const ids = (filter?: { cause: string; zone: string }) => alarmItems(all, filter).map(({ id }) => id)
  expect(ids()).toEqual(['e', 'd', 'c', 'b', 'a', 'f'])
  expect(ids({ cause: 'delay', zone: '' })).toEqual(['b', 'a'])
  expect(ids({ cause: '', zone: 'z2' })).toEqual(['e', 'd', 'c', 'f'])
  expect(ids({ cause: '', zone: 'z1' })).toEqual(['e', 'b', 'a'])
  expect(urgentCount(all)).toBe(3)
  expect(criticalCount(all)).toBe(1)
})
