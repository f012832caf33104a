/** What the tablet shows, and how a message or a tap changes it. */
import { computed, signal } from '@preact/signals'
import type { LinkState } from '../../shared/live'
import type { City, RouteView, User, Visit } from '../../shared/wire'
import { cityTime, type Contact, tapTime } from '../model/clock'
import { type Agreed, difference, isNothing, known } from '../model/difference'
import type { Refusal } from '../model/outbox'
import { ahead, leftBehind, type LocalReport, progress, stillNeeded } from '../model/stops'
import type { CabStore, Kept } from './db'
import type { SenderState } from './sender'

export const user = signal<User | null>(null)
/** The server does not know this session: taps are kept until somebody signs in. */
export const signedOut = signal(false)
/** An account that drives nothing, such as a dispatcher's. */
export const notDriver = signal(false)
/** The tablet's own store and, where needed, the server were asked. */
export const ready = signal(false)
export const city = signal<City | null>(null)
export const vehicle = signal<string | null>(null)
export const route = signal<RouteView | null>(null)
export const link = signal<LinkState>({ kind: 'connecting' })
export const sending = signal<SenderState>('idle')
/** Events of this driver that wait, by their ids. */
export const unsentIds = signal<ReadonlySet<string>>(new Set())
export const unsent = computed(() => unsentIds.value.size)
/** Taps of drivers who are not signed in now. */
export const othersUnsent = signal(0)
export const refusals = signal<Refusal[]>([])
export const reports = signal<readonly LocalReport[]>([])
export const agreed = signal<Agreed | null>(null)
export const breakSince = signal<string | null>(null)
export const picture = signal<Kept['picture']>(null)
/** A visit that the driver opened out of its turn. */
export const opened = signal<string | null>(null)
/** The last visit tapped, so that a slip can be mended. */
export const lastTapped = signal<LocalReport | null>(null)
/** The last call for help, until it is put away. */
export const sosCalled = signal<{ id: string; t: string } | null>(null)
export const contact = signal<Contact | null>(null)
/** The tablet's store did not take a tap: its storage is full or shut. */
export const notKept = signal(false)
/** Another build of this page is ready. */
export const renewed = signal(false)
/** Renewed each second. */
export const ownNow = signal(Date.now())

export const cityNow = computed(() => cityTime(contact.value, ownNow.value))
export const tz = computed(() => city.value?.tz ?? 'Asia/Kolkata')
const visits = computed<readonly Visit[]>(() => route.value?.visits ?? [])
const nextId = computed(() => route.value?.next_visit_id ?? null)
export const road = computed(() => ahead(visits.value, reports.value, nextId.value))
export const passed = computed(() => leftBehind(visits.value, reports.value, nextId.value))
export const next = computed(() => road.value[0] ?? null)
export const shown = computed(() => visits.value.find(({ id }) => id === opened.value) ?? next.value)
export const done = computed(() => progress(visits.value, reports.value))
export const change = computed(() => {
  const now = route.value
  const before = agreed.value
  if (now === null || before === null || before.shift !== shiftOf(now)) return null
  const found = difference(before.stops, known(now.visits, reports.value))
  return isNothing(found) ? null : found
})

export function tapNow(): string {
  return tapTime(cityTime(contact.peek(), Date.now()))
}

function shiftOf({ service_date, shift, vehicle_id }: RouteView): string {
  return `${service_date} ${shift} ${vehicle_id}`
}

/** Takes a route in: keeps it, drops the taps that it tells of, notes what the driver has to agree to. */
export async function takeRoute(store: CabStore, arrived: RouteView | null, serverNow: string): Promise<void> {
  const heard: Contact = {
    city_ms: Date.parse(serverNow),
    own_ms: Date.now(),
    rate: city.peek()?.clock.rate ?? contact.peek()?.rate ?? 1,
  }
  const waiting = new Set((await store.all()).map(({ event }) => event.visit_id ?? ''))
  contact.value = heard
  route.value = arrived
  reports.value = stillNeeded(reports.peek(), arrived?.id ?? null, arrived?.visits ?? [], waiting)
  if (opened.peek() !== null && !visits.peek().some(({ id }) => id === opened.peek())) opened.value = null
  if (change.peek() === null) await agree(store)
  await Promise.all([
    store.keep('route', arrived),
    store.keep('contact', heard),
    store.keep('reports', reports.peek()),
  ])
}

/** The driver has seen the route as it stands now. */
export async function agree(store: CabStore): Promise<void> {
  const now = route.peek()
  if (now === null) return
  const seen = { shift: shiftOf(now), stops: known(now.visits, reports.peek()) }
  agreed.value = seen
  await store.keep('agreed', seen)
}

/** Shows at once what the tablet knew when it was last open. */
export async function recall(store: CabStore): Promise<void> {
  const [who, place, on, last, heard, taps, seen, pause, taken] = await Promise.all([
    store.kept('user'),
    store.kept('city'),
    store.kept('vehicle'),
    store.kept('route'),
    store.kept('contact'),
    store.kept('reports'),
    store.kept('agreed'),
    store.kept('break'),
    store.kept('picture'),
  ])
  user.value = who ?? null
  city.value = place ?? null
  vehicle.value = on ?? null
  contact.value = heard ?? null
  reports.value = taps ?? []
  agreed.value = seen ?? null
  breakSince.value = pause ?? null
  picture.value = taken ?? null
  route.value = last ?? null
}

/** Counts again what waits, after every change of the store. */
export async function count(store: CabStore): Promise<void> {
  const [all, mine, no] = await Promise.all([store.all(), store.list(), store.refusals()])
  unsentIds.value = new Set(mine.map(({ event }) => event.id))
  othersUnsent.value = all.length - mine.length
  refusals.value = no
  const lost = new Set(no.map(({ id }) => id))
  const kept = reports.peek().filter(({ id }) => !lost.has(id))
  if (kept.length < reports.peek().length) {
    reports.value = kept
    await store.keep('reports', kept)
  }
}
