/** The control room's one store: the socket fills it, panels and map read it. */
import { computed, effect, signal } from '@preact/signals'
import { get, withQuery } from '../../shared/api'
import { type LinkState, LiveSocket, socketUrl } from '../../shared/live'
import type { Alarm, City, ControlMessage, Job, LonLat, PlanSummary, RequestSummary, RouteView, User, Vehicle, VisitStatus } from '../../shared/wire'
import type { Bounds } from '../../shared/map/geometry'
import type { Places } from '../map/places'
import type { Wards } from '../map/wards'
import { cityNow, cityTime } from './clock'
import { FrameBatch } from './frames'
import { type ControlState, EMPTY, reduce, withAlarm, withView } from './reduce'
import { vehicleRows } from './views'

export const user = signal<User | null>(null)
export const city = signal<City | null>(null)
export const link = signal<LinkState>({ kind: 'connecting' })
export const state = signal<ControlState>(EMPTY)

export const vehicles = computed(() => state.value.vehicles)
export const routes = computed(() => state.value.routes)
export const lanes = computed(() => state.value.lanes)
export const requests = computed(() => state.value.requests)
export const alarms = computed(() => state.value.alarms)
export const jobs = computed(() => state.value.jobs)
export const plans = computed(() => state.value.plans)
export const views = computed(() => state.value.views)
export const ready = computed(() => state.value.n !== null)

export const fleet = signal<readonly Vehicle[]>([])
export const wards = signal<Wards | null>(null)
export const places = signal<Places | null>(null)

export const rows = computed(() => vehicleRows(fleet.value, vehicles.value, routes.value, state.value.now))

export type Tab = 'vehicles' | 'requests' | 'missed' | 'plan' | 'trips' | 'alarms' | 'devices'
export const tab = signal<Tab>('vehicles')
export const selectedVehicle = signal<string | null>(null)
export const selectedRequest = signal<string | null>(null)
/** Outcomes that the legend hides on the map. */
export const hidden = signal<ReadonlySet<VisitStatus>>(new Set())
/** Vehicles to plan again, chosen in another panel. */
export const planFor = signal<ReadonlySet<string>>(new Set())

export type Target = { point: LonLat; zoom?: number } | { bounds: Bounds }
/** Where the map should go next. A new object each time, so that the same place can be asked for twice. */
export const target = signal<Target | null>(null)

export const selectedRow = computed(() => rows.value.find((row) => row.id === selectedVehicle.value) ?? null)
export const selectedView = computed(() => {
  const id = selectedRow.value?.route?.id
  return id === undefined ? null : (views.value.get(id) ?? null)
})

/** Chooses a vehicle, shows its details and, when it was heard, flies to it. */
export function showVehicle(id: string): void {
  selectedVehicle.value = id
  tab.value = 'vehicles'
  const live = vehicles.value.get(id)
  if (live?.lon != null && live.lat != null) target.value = { point: [live.lon, live.lat], zoom: 15 }
}

export function showRequest(id: string): void {
  selectedRequest.value = id
  tab.value = 'requests'
  const request = requests.value.get(id)
  if (request !== undefined) target.value = { point: [request.lon, request.lat], zoom: 16 }
}

export function keepRequest(request: RequestSummary): void {
  const table = new Map(state.value.requests).set(request.id, request)
  state.value = { ...state.value, requests: table }
}

export function keepPlan(plan: PlanSummary): void {
  state.value = { ...state.value, plans: new Map(state.value.plans).set(plan.id, plan) }
}

export function keepAlarm(alarm: Alarm): void {
  state.value = withAlarm(state.value, alarm)
}

export function keepJob(job: Job): void {
  state.value = { ...state.value, jobs: new Map(state.value.jobs).set(job.id, job) }
}

const opening = new Set<string>()

/** Brings a route with its visits into the state, once; events keep it current. */
export async function openRoute(id: string): Promise<void> {
  if (state.value.views.has(id) || opening.has(id)) return
  opening.add(id)
  try {
    const view = await get<RouteView>(`/api/routes/${id}`)
    state.value = withView(state.value, view)
  } finally {
    opening.delete(id)
  }
}

export async function loadFleet(): Promise<void> {
  fleet.value = await get<Vehicle[]>('/api/vehicles')
}

export async function loadPlans(serviceDate: string): Promise<void> {
  const found = await get<PlanSummary[]>(withQuery('/api/plans', { service_date: serviceDate }))
  for (const plan of found) keepPlan(plan)
}

/** Opens the live socket; `signedOut` runs when the server refuses the session. */
export function connect(signedOut: () => void): () => void {
  const batch = new FrameBatch<ControlMessage>((messages) => {
    state.value = reduce(state.value, messages)
    const { now } = state.value
    if (now !== null && messages.some((m) => m.type === 'snapshot' || m.type === 'positions')) {
      cityTime.sync(now)
      cityNow.value ??= cityTime.now_ms()
    }
  })
  const socket = new LiveSocket<ControlMessage>({
    url: () => {
      const { n } = state.value
      return socketUrl(n === null ? '/ws/control' : `/ws/control?after=${n}`)
    },
    onMessage: (message) => {
      if (message.type === 'start_again') {
        // A snapshot follows, or the server closes and the next attempt asks for one.
        state.value = { ...state.value, n: null }
      } else {
        batch.push(message)
      }
    },
    onState: (next) => {
      link.value = next
      // A refused handshake looks like a lost network: now and then ask whether we are still known.
      if (next.kind === 'lost' && next.attempt % 3 === 0) void get('/api/me').catch(() => undefined)
    },
    onRefused: signedOut,
  })
  socket.start()
  // A device or a driver that moved makes the fleet list old.
  const stop = effect(() => {
    if (state.value.assignments > 0) void reloadFleet()
  })
  return () => {
    stop()
    socket.stop()
  }
}

let loadedAt = -1
async function reloadFleet(): Promise<void> {
  const { assignments } = state.value
  if (assignments === loadedAt) return
  loadedAt = assignments
  await loadFleet().catch(() => (loadedAt = -1)) // the next change tries again
}
