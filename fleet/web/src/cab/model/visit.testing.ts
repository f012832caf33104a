/** Small visits for tests. */
import type { Visit } from '../../shared/wire'

export function visit(id: string, over: Partial<Visit> = {}): Visit {
  return {
    id,
    route_id: 'rou_1',
    vehicle_id: 'T001',
    service_date: '2026-11-24',
    version: 1,
    seq: 0,
    kind: 'lane',
    ref: `lane-${id}`,
    lane_id: `lane-${id}`,
    name: `Street ${id}`,
    name_hi: null,
    ward_id: 'w1',
    lon: 75.8,
    lat: 22.7,
    path: [[75.8, 22.7], [75.801, 22.7]],
    approach: [],
    approach_m: 0,
    planned_arrival: '2026-11-24T06:00:00Z',
    planned_departure: '2026-11-24T06:05:00Z',
    service_s: 300,
    kg: {},
    service_mode: 'enter',
    on_foot: false,
    households: 20,
    status: 'pending',
    at_risk: false,
    eta: null,
    evidence: null,
    report: null,
    request_code: null,
    locked: false,
    ...over,
  }
}
