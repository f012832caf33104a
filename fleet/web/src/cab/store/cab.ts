/** The tablet's own life: opening its store, signing in, following the route, tapping. */
import { ApiProblem, get, onSignedOut, post, postFile, rememberCsrf } from '../../shared/api'
import { newId } from '../../shared/ids'
import { nameOf, suggestLanguage } from '../../shared/i18n'
import { LiveSocket, socketUrl } from '../../shared/live'
import type { CabMessage, CabRoute, City, Session, User, Visit } from '../../shared/wire'
import { type Answer, type CabEvent, photoClientId, type Refusal } from '../model/outbox'
import { type LocalReport, stopOf } from '../model/stops'
import { CabStore } from './db'
import { Sender } from './sender'
import * as state from './state'

let store: CabStore
let sender: Sender
const socket = new LiveSocket<CabMessage>({
  url: () => socketUrl('/ws/cab'),
  onMessage: (message) => {
    if (message.type === 'route') void hear(message)
  },
  onState: (link) => {
    const before = state.link.peek().kind
    state.link.value = link
    if (link.kind === 'live' && before !== 'live') void sender.kick()
  },
  onRefused: () => void isSignedOut(),
})

/** Shows what the tablet kept, then asks the server. */
export async function start(): Promise<void> {
  store = await CabStore.open()
  store.onChange = () => void state.count(store)
  sender = new Sender(
    store,
    {
      photo: (entry) => postFile('/api/photos', entry.photo ?? new Blob(), photoClientId(entry)),
      events: (events) => post<Answer>('/api/cab/events', { events }),
      renew: async () => {
        rememberCsrf((await get<Session>('/api/me')).csrf)
      },
    },
    (now) => (state.sending.value = now),
  )
  onSignedOut(() => void isSignedOut())
  setInterval(() => (state.ownNow.value = Date.now()), 1000)
  await state.recall(store)
  const kept = state.user.peek()
  if (kept !== null) {
    become(kept)
    await state.count(store)
    state.ready.value = true
  }
  await askWho(kept)
  state.ready.value = true
}

/** Who is signed in; when nothing answers, the one who was. */
async function askWho(kept: User | null): Promise<void> {
  try {
    const session = await get<Session>('/api/me', { session: false })
    await signedIn(session)
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error
    if (error.status === 401) await isSignedOut()
    else if (kept === null) state.signedOut.value = true
    else socket.start()
  }
}

function become(user: User): void {
  store.userId = user.id
  state.user.value = user
  suggestLanguage(user.lang)
}

export async function signIn(username: string, password: string): Promise<void> {
  await signedIn(await post<Session>('/api/sign-in', { username, password }, { session: false }))
}

async function signedIn({ user, csrf }: Session): Promise<void> {
  rememberCsrf(csrf)
  if (state.user.peek()?.id !== user.id) await forgetDriver()
  become(user)
  state.signedOut.value = false
  state.notDriver.value = false
  await store.keep('user', user)
  await state.count(store)
  void navigator.storage?.persist?.()
  await askCity()
  await askRoute()
  if (state.notDriver.peek()) return isSignedOut()
  socket.start()
  void sender.kick()
}

/** Another driver's route and taps are not this one's; what waits in the outbox stays. */
async function forgetDriver(): Promise<void> {
  state.route.value = null
  state.vehicle.value = null
  state.reports.value = []
  state.agreed.value = null
  state.breakSince.value = null
  state.picture.value = null
  state.opened.value = null
  state.lastTapped.value = null
  await store.forget('route', 'vehicle', 'reports', 'agreed', 'break', 'picture')
}

export async function signOut(): Promise<void> {
  await post('/api/sign-out').catch((error: unknown) => {
    if (!(error instanceof ApiProblem)) throw error
  })
  await forgetDriver()
  await store.forget('user')
  state.user.value = null
  store.userId = null
  await isSignedOut()
  await state.count(store)
}

async function isSignedOut(): Promise<void> {
  socket.stop()
  state.signedOut.value = true
}

async function askCity(): Promise<void> {
  try {
    const city = await get<City>('/api/city')
    state.city.value = city
    await store.keep('city', city)
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error // what was kept serves as well
  }
}

async function askRoute(): Promise<void> {
  try {
    const { vehicle, route, server_now } = await get<CabRoute>('/api/cab/route')
    state.vehicle.value = vehicle
    await store.keep('vehicle', vehicle)
    await state.takeRoute(store, route, server_now)
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error
    if (error.status === 403) state.notDriver.value = true
  }
}

/** Without a route the socket does not say whose vehicle it is. */
async function hear(message: Extract<CabMessage, { type: 'route' }>): Promise<void> {
  if (message.route === null) return askRoute()
  state.vehicle.value = message.route.vehicle_id
  const news = state.change.peek()
  await state.takeRoute(store, message.route, message.server_now)
  if (news === null && state.change.peek() !== null) navigator.vibrate?.([200, 100, 200])
}

export async function agree(): Promise<void> {
  await state.agree(store)
}

export async function read(refusal: Refusal): Promise<void> {
  await store.read(refusal)
}

export async function keepPicture(visit: Visit, photo: Blob | null): Promise<void> {
  const taken = photo === null ? null : { visit_id: visit.id, photo }
  state.picture.value = taken
  await store.keep('picture', taken)
}

type Extra = Partial<Pick<CabEvent, 'reason' | 'words' | 'kg'>>

/** A tap about a visit: durable first, then shown, then sent. */
export async function report(kind: LocalReport['kind'], visit: Visit, extra: Extra = {}): Promise<void> {
  const taken = state.picture.peek()
  const photo = taken?.visit_id === visit.id ? taken.photo : null
  const event = await record(kind, visit, extra, photo)
  const tap: LocalReport = {
    id: event.id,
    visit_id: visit.id,
    stop: stopOf(visit),
    route_id: visit.route_id,
    kind,
    reason: event.reason,
    t: event.t,
  }
  state.reports.value = [...state.reports.peek(), tap]
  state.lastTapped.value = tap
  state.opened.value = null
  await store.keep('reports', state.reports.peek())
  if (photo !== null) await keepPicture(visit, null)
  if (state.change.peek() === null) await agree()
}

export async function pause(begins: boolean): Promise<void> {
  const { t } = await record(begins ? 'break_start' : 'break_end', null)
  state.breakSince.value = begins ? t : null
  await store.keep('break', state.breakSince.peek())
}

export async function sos(): Promise<void> {
  const { id, t } = await record('sos', null)
  state.sosCalled.value = { id, t }
}

/** `visit` null: the event is about no stop. */
async function record(kind: CabEvent['kind'], visit: Visit | null, extra: Extra = {}, photo: Blob | null = null): Promise<CabEvent> {
  const event: CabEvent = {
    id: newId(),
    kind,
    visit_id: visit?.id ?? null,
    reason: extra.reason ?? null,
    words: extra.words ?? null,
    photo_id: null,
    kg: extra.kg ?? null,
    t: state.tapNow(),
  }
  await store.add({ user_id: store.userId ?? '', event, name: visit === null ? '' : nameOf(visit), photo })
  void sender.kick()
  return event
}
