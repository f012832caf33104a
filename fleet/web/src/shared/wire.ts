/** What the server sends, as docs/architecture.md says. Times are RFC 3339 UTC, places [lon, lat]. */

export type LonLat = [number, number]
export type Streams = Record<string, number>

export interface User {
  id: string
  name: string
  role: 'admin' | 'dispatcher' | 'driver' | 'operator'
  zones: string[] | null
  lang: string
}
export interface Session {
  user: User
  csrf: string
}

export interface Category {
  service_code: string
  name: string
  name_hi: string
  sla_h: number
  kind: 'miss' | 'task' | 'message'
  photo: 'optional' | 'wanted'
}
export interface CityClock {
  now: string
  mode: 'wall' | 'scaled' | 'stepped'
  rate: number
}
export interface City {
  name: string
  name_hi: string | null
  tz: string
  lang: string
  bbox: [number, number, number, number]
  center: LonLat
  service_date: string
  clock: CityClock
  basemap: string
  categories: Category[]
  vapid: string | null
}
export interface Found {
  name: string
  name_hi: string | null
  kind: 'street' | 'landmark' | 'ward'
  lon: number
  lat: number
  ward_id: string | null
}
export interface Located {
  ward_id: string
  ward_name: string
  lane_id: string | null
  lane_name: string | null
  distance_m: number | null
}

export interface Ticket {
  id: string
  version: number
  station_id: string
  number: string
  vehicle_id: string
  vehicle_known: boolean
  service_date: string
  /** None: mixed. */
  stream: 'wet' | 'dry' | 'sanitary' | 'special' | null
  gross_kg: number
  tare_kg: number
  net_kg: number
  time_in: string
  time_out: string
  void: boolean
  source: string
  words: string
  received_t: string
  superseded_t: string | null
}
export interface TicketRefusal {
  i: number | null
  line: number | null
  number: string | null
  field: string
  reason: string
  remedy: string
}
export interface TicketsReceived {
  stored: number
  same: number
  refused: TicketRefusal[]
  warnings: TicketRefusal[]
  tickets: Ticket[]
}
/** A trip with its tickets, or a ticket without a trip. */
export interface LedgerEntry {
  id: string
  trip_id: string | null
  vehicle_id: string
  contractor: string
  service_date: string
  number: number | null
  start_t: string | null
  end_t: string | null
  km: number | null
  lanes_served: number
  lanes: string[] | null
  wards: string[]
  station_id: string
  arrived_t: string | null
  stay_s: number | null
  tickets: Ticket[]
  net_kg: number | null
  agreement: 'agrees' | 'no_ticket' | 'no_gps' | 'other_station' | 'other_time' | 'weight_implausible'
  agreement_text: string
  excused: { words: string; by_name: string; at: string } | null
  payable: 'yes' | 'no' | 'unknown'
}

export interface WardProperties {
  ward_id: string
  zone_id: string
  name: string
  name_hi: string | null
}
export interface PlaceProperties {
  id: string
  kind: 'depot' | 'transfer_station' | 'plant'
  name: string
  name_hi: string | null
}
export interface LaneProperties {
  id: string
  name: string | null
  name_hi?: string | null
  ward_id: string
  length_m: number
  service_mode: ServiceMode
  households: number
  shops: number
  kg_day: Streams
  width_m: number | null
  oneway: boolean
}
export type ServiceMode = 'enter' | 'mouth' | 'feeder' | 'gate'

export interface Compartment {
  streams: string[]
  kg: number
  m3: number
}
export interface Vehicle {
  id: string
  class_id: string
  contractor: string | null
  depot_id: string
  compartments: Compartment[]
  spare: boolean
  device_id: string | null
  driver: string | null
}
export interface Device {
  id: string
  label: string
  kind: 'gps' | 'person' | 'feed' | 'weighbridge'
  external_id: string | null
  protocol: string | null
  layout: string | null
  disabled: boolean
  vehicle_id: string | null
  person_id: string | null
  last_t: string | null
}
/** The newest of the frames that are alike and that nobody understood. */
export interface UnknownFrame {
  id: number
  at: string
  peer: string
  protocol: string | null
  external_id: string | null
  device_id: string | null
  why: string
  detail: string
  n: number
  bytes_hex: string
  text: string
}
/** A vendor's service that is asked; `fault`: why it cannot be. */
export interface Feed {
  name: string
  fault: string | null
  host: string | null
  last_ok_t: string | null
  last_fixes: number
  failures: number
  last_error: string | null
  unknown_units: string[]
}
/** Somebody who may drive: an account with that role. */
export interface Driver {
  id: string
  name: string
}
export interface Assignment {
  kind: 'device_vehicle' | 'vehicle_beat' | 'crew_vehicle'
  subject: string
  object: string
  from_t?: string
  to_t?: string | null
}

export type VisitStatus = 'pending' | 'served' | 'partly' | 'driven_through' | 'missed' | 'unknown'
export type VisitKind = 'start' | 'lane' | 'bin' | 'request' | 'disposal' | 'end'

export interface Evidence {
  start_t: string | null
  end_t: string | null
  served_fraction: number
  pace_mps: number | null
  vehicle_id: string
  provisional: boolean
}
export interface Report {
  kind: 'done' | 'could_not' | 'unload' | 'break_start' | 'break_end' | 'sos'
  reason: string | null
  words: string | null
  t: string
  photo_id: string | null
}
export interface Visit {
  id: string
  route_id: string
  vehicle_id: string
  service_date: string
  version: number
  seq: number
  kind: VisitKind
  ref: string | null
  lane_id: string | null
  name: string | null
  name_hi: string | null
  ward_id: string | null
  lon: number
  lat: number
  path: LonLat[]
  /** Events leave it out: keep what the route view brought. */
  approach?: LonLat[]
  approach_m?: number
  planned_arrival: string
  planned_departure: string
  service_s: number
  kg: Streams
  service_mode: ServiceMode | null
  on_foot: boolean
  households: number
  status: VisitStatus
  at_risk: boolean
  eta: string | null
  evidence: Evidence | null
  report: Report | null
  request_code: string | null
  locked: boolean
}

export interface RouteSummary {
  id: string
  version: number
  plan_id: string
  vehicle_id: string
  service_date: string
  shift: string
  ward_ids: string[]
  status: string
  start_t: string
  end_t: string
  km: number
  hours: number
  trips: number
  kg: Streams
  visits: number
  served: number
  missed: number
  partly: number
  driven_through: number
  unknown: number
  pending: number
  late_s: number
  next_visit_id: string | null
}
export interface RouteView extends Omit<RouteSummary, 'visits'> {
  visits: Visit[]
}

export interface Unplanned {
  ref: string
  name: string | null
  name_hi: string | null
  ward_id: string | null
  reason: string
}
export interface PlanSummary {
  id: string
  version: number
  service_date: string
  shift: string | null
  status: string
  created_at: string
  published_at: string | null
  wards: string[]
  vehicles: number
  visits: number
  unplanned: number
  km: number
  hours: number
  cost: number | null
}
export interface PlanView extends Omit<PlanSummary, 'unplanned'> {
  unplanned: Unplanned[]
  routes: RouteSummary[]
  /** Against the plan published before: `km` and `hours` are differences, null when there was none. */
  compared_to: { plan_id: string | null; km: number | null; hours: number | null; moved: number } | null
}

export interface Job {
  id: string
  kind: string
  status: 'queued' | 'running' | 'done' | 'failed' | 'cancelled'
  progress: number
  message: string | null
  result: Record<string, unknown> | null
  error: string | null
}

export type RequestStatus =
  | 'received'
  | 'checked'
  | 'stop_planned'
  | 'on_the_way'
  | 'done'
  | 'closed'
  | 'answered'
export type Verdict = 'confirmed_missed' | 'partly' | 'served' | 'cannot_tell'
export interface NearestPass {
  vehicle_id: string
  t: string
  distance_m: number
  speed_mps: number | null
}
export interface RequestSummary {
  id: string
  version: number
  code: string
  service_code: string
  status: RequestStatus
  lon: number
  lat: number
  ward_id: string | null
  zone_id: string | null
  lane_id: string | null
  address: string | null
  words: string | null
  photo_ids: string[]
  created_at: string
  promised_at: string | null
  verdict: Verdict | null
  verdict_text: string | null
  /** The same by language, where an event cannot know its reader's. */
  verdict_texts?: Record<string, string> | null
  nearest_pass: NearestPass | null
  visit_id: string | null
  vehicle_id: string | null
  deferred_to: string | null
  rating: Rating | null
  lang: string
}
export type Rating = 'satisfied' | 'neutral' | 'unhappy'
export type StopAnswer =
  | {
      placed: true
      route_id: string
      vehicle_id: string
      visit_id: string
      planned_arrival: string
    }
  | { placed: false; reason: string; deferred_to: string | null }

export interface PublicRequest {
  code: string
  service_code: string
  status: RequestStatus
  lon: number
  lat: number
  address: string
  words: string
  photo_ids: string[]
  created_at: string
  promised_at: string
  eta: string | null
  vehicle: string | null
  evidence_text: string | null
  timeline: { at: string; key: string; text: string; photo_id: string | null }[]
  rating: Rating | null
  may_rate: boolean
}

export interface VehicleLive {
  vehicle_id: string
  device_id: string | null
  t: string | null
  lon: number | null
  lat: number | null
  speed_mps: number | null
  course_deg: number | null
  silent: boolean
  load_kg: number | null
  state: 'moving' | 'standing' | 'silent' | 'never'
}
export type AlarmKind =
  | 'sos'
  | 'crash'
  | 'tamper'
  | 'device_silent'
  | 'mains_cut'
  | 'low_battery'
  | 'low_backup'
  | 'overspeed'
  | 'idling'
  | 'off_shift'
  | 'outside_city'
  | 'dumping'
  | 'geofence'
  | 'station_late'
  | 'route_late'
  | 'route_left'
  | 'route_km'
  | 'visit_at_risk'
  | 'visit_missed'
  /** One item for several alarms of a cause. */
  | 'group'
export interface Alarm {
  id: string
  version: number
  kind: AlarmKind
  cause: 'safety' | 'unit' | 'driving' | 'place' | 'station' | 'delay' | 'missed' | 'km'
  severity: 'info' | 'warning' | 'critical'
  state: 'raised' | 'acknowledged' | 'cleared'
  zone_id: string | null
  ward_ids: string[]
  beat: string | null
  vehicle_id: string | null
  device_id: string | null
  route_id: string | null
  visit_id: string | null
  lane_id: string | null
  lon: number | null
  lat: number | null
  /** How many it stands for. */
  n: number
  /** How often it was raised. */
  times: number
  t: string
  raised_t: string
  acknowledged_by: string | null
  acknowledged_t: string | null
  /** The group that speaks for it: it is no item of its own. */
  group_id: string | null
  text: string
  words: Record<string, string>
}

export interface LaneLive {
  status: VisitStatus
  at_risk: boolean
  vehicle_id: string | null
}
export interface ControlSnapshot {
  type: 'snapshot'
  n: number
  now: string
  service_date: string
  vehicles: VehicleLive[]
  routes: RouteSummary[]
  lanes: Record<string, LaneLive>
  requests: RequestSummary[]
  jobs: Job[]
  alarms: Alarm[]
}
/** An event's data by its topic; topics that the control room does not use are left out. */
export interface EventData {
  'routing.plan_changed': PlanSummary
  'routing.route_changed': RouteSummary
  'routing.visit_changed': Visit
  'tracking.alarm': Alarm
  'feedback.request_changed': RequestSummary
  'job.changed': Job
  'org.assignment_changed': Assignment
}
export interface LiveEvent {
  type: 'event'
  n: number
  topic: string
  key: string
  data: unknown
}
export interface Positions {
  type: 'positions'
  now: string
  vehicles: VehicleLive[]
}
export type ControlMessage =
  | ControlSnapshot
  | LiveEvent
  | Positions
  | { type: 'start_again' }
  | { type: 'ping' }

export interface CabRoute {
  vehicle: string | null
  route: RouteView | null
  next_visit_id: string | null
  server_now: string
}
export type CabMessage = ({ type: 'route' } & Omit<CabRoute, 'vehicle'>) | { type: 'ping' }

/** What is held of a visit, and what was held before, newest first. */
export interface VisitProof {
  visit_id: string
  status: VisitStatus
  probable: boolean
  reason: string | null
  text: string | null
  history: readonly { status: VisitStatus; reason: string; text: string; made_t: string }[]
  passes: readonly object[]
  fixes: readonly [number, number, number, number | null, string | null][]
}
