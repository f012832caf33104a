/** The place of a report: search, own position, or the map under a fixed pin. */
import { ApiProblem, get, withQuery } from '../shared/api'
import { lang, nameOf } from '../shared/i18n'
import type { City, Found, Located, LonLat } from '../shared/wire'
import type { GlMap } from '../shared/map/engine'
import { scheme } from '../shared/map/scheme'
import { el } from './page'
import { t } from './texts'

const LOOK_AFTER_MS = 250
const STREET_ZOOM = 17

export interface PlacePicker {
  element: HTMLElement
  /** Where the person placed the pin; null before that, and where the server knows no ward. */
  placed(): LonLat | null
  destroy(): void
}

/** `start` keeps the place when the page is drawn again in another language. */
export function placePicker(city: City, start: LonLat | null, moved: (at: LonLat) => void): PlacePicker {
  const canvas = el('div', { class: 'map-canvas' })
  const said = el('p', { class: 'said', role: 'status' })
  const results = el('ul', { class: 'results', hidden: true })
  const query = el('input', { id: 'place', type: 'search', autocomplete: 'off', oninput: () => look() })
  const here = el('button', { type: 'button', class: 'quiet', onclick: () => usePosition() }, t('here'))
  let map: GlMap | null = null
  let at = start
  let outside = false
  let timer = 0
  let asked = 0
  let located = 0
  let gone = false

  const element = el(
    'div',
    { class: 'place' },
    el('label', { for: 'place' }, t('search')),
    el('div', { class: 'row' }, query, here),
    results,
    el('div', { class: 'map', role: 'group', 'aria-label': t('map') }, canvas, el('span', { class: 'pin', 'aria-hidden': 'true' })),
    said,
  )

  // The map weighs more than the rest of the page: it comes when the person gets there.
  const seen = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return
      seen.disconnect()
      // Without a map (no network, no WebGL) search and the own position still place the pin.
      import('../shared/map/engine').then(({ createMap }) => show(createMap)).catch(console.error)
    },
    { rootMargin: '200px' },
  )
  seen.observe(canvas)
  if (at !== null) void place(at)

  function show(createMap: typeof import('../shared/map/engine').createMap): void {
    if (gone) return
    const drawn = createMap(canvas, {
      archive: city.basemap,
      bounds: city.bbox,
      look: { scheme: scheme.peek(), lang: lang.peek() },
      words: { zoomIn: t('zoomIn'), zoomOut: t('zoomOut'), map: t('map') },
    })
    map = drawn
    if (at !== null) drawn.jumpTo({ center: at, zoom: STREET_ZOOM })
    drawn.on('moveend', (event) => {
      const centre = drawn.getCenter()
      if (event.originalEvent !== undefined || at !== null) void place([centre.lng, centre.lat])
    })
  }

  function look(): void {
    clearTimeout(timer)
    timer = window.setTimeout(() => void find(query.value.trim()), LOOK_AFTER_MS)
  }

  async function find(q: string): Promise<void> {
    const mine = ++asked
    const found = q === '' ? [] : await get<Found[]>(withQuery('/api/search', { q })).catch(() => [])
    if (mine !== asked) return
    results.hidden = q === ''
    results.replaceChildren(...(found.length > 0 ? found.map(choice) : [el('li', { class: 'hint' }, t('searchNone'))]))
  }

  function choice(found: Found): HTMLElement {
    const take = (): void => {
      query.value = nameOf(found)
      results.hidden = true
      goTo([found.lon, found.lat])
    }
    return el('li', {}, el('button', { type: 'button', onclick: take }, nameOf(found)))
  }

  function usePosition(): void {
    said.textContent = t('locating')
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => goTo([coords.longitude, coords.latitude]),
      () => (said.textContent = t('noPosition')),
      { enableHighAccuracy: true, timeout: 15_000 },
    )
  }

  function goTo(to: LonLat): void {
    at = to
    if (map !== null) map.jumpTo({ center: to, zoom: STREET_ZOOM })
    void place(to)
  }

  async function place(to: LonLat): Promise<void> {
    at = to
    moved(to)
    const mine = ++located
    const found = await get<Located>(withQuery('/api/locate', { lon: to[0], lat: to[1] })).catch(notFound)
    if (mine !== located) return
    outside = found === null
    if (found === undefined) said.textContent = ''
    else if (found === null) said.textContent = t('outside')
    else if (found.lane_name) said.textContent = t('placed', { name: found.lane_name, ward: found.ward_name })
    else said.textContent = t('placedWard', { ward: found.ward_name })
    said.classList.toggle('bad', outside)
  }

  return {
    element,
    placed: () => (outside ? null : at),
    destroy: () => {
      gone = true
      seen.disconnect()
      map?.remove()
    },
  }
}

/** Null: outside the city. Undefined: nothing answered, and the report itself will tell. */
function notFound(error: unknown): null | undefined {
  if (!(error instanceof ApiProblem)) throw error
  return error.status === 404 ? null : undefined
}
