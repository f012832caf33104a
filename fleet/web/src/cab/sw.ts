/**
 * The cab's service worker: the page and its files open without a network.
 *
 * Only this page's own files are kept. What the server says (`/api/`, tiles) never passes here;
 * the page keeps its route and its taps itself.
 */
declare const __OFFLINE_FILES__: { version: string; files: string[] }

interface WorkerEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface FetchEvent extends WorkerEvent {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
interface Worker {
  skipWaiting(): Promise<void>
  readonly clients: { claim(): Promise<void> }
  addEventListener(type: 'install' | 'activate', run: (event: WorkerEvent) => void): void
  addEventListener(type: 'fetch', run: (event: FetchEvent) => void): void
}

const { version, files } = __OFFLINE_FILES__
const worker = self as unknown as Worker
const PREFIX = 'cab-'
const PAGE = '/cab/'

worker.addEventListener('install', (event) => {
  event.waitUntil(keepAll().then(() => worker.skipWaiting()))
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(dropOld().then(() => worker.clients.claim()))
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (request.mode === 'navigate' && pathname === PAGE) event.respondWith(page())
  else if (pathname.startsWith('/assets/')) event.respondWith(asset(request))
})

async function keepAll(): Promise<void> {
  const cache = await caches.open(PREFIX + version)
  await cache.addAll([new Request(PAGE, { cache: 'reload' }), ...files])
}

/** The previous build stays for one version: an open page may still load its lazy parts. */
async function dropOld(): Promise<void> {
  const ours = (await caches.keys()).filter((name) => name.startsWith(PREFIX))
  const others = ours.filter((name) => name !== PREFIX + version)
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)))
}

/** This build's page, so that it finds exactly the files that were kept with it. */
async function page(): Promise<Response> {
  const cache = await caches.open(PREFIX + version)
  return (await cache.match(PAGE)) ?? fetch(PAGE)
}

async function asset(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request)
}

export {}
