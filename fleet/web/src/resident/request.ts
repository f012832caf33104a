/** `/r/{code}`: what became of a request. Asks again every few seconds while it is open. */
import { ApiProblem, get, post, withQuery } from '../shared/api'
import { clockTime, dayName } from '../shared/format'
import { lang } from '../shared/i18n'
import type { City, PublicRequest } from '../shared/wire'
import { el, page } from './page'
import { t, words } from './texts'

const ASK_EVERY_MS = 4_000
const RATINGS = ['satisfied', 'neutral', 'unhappy'] as const
const FACES = { satisfied: '🙂', neutral: '😐', unhappy: '🙁' } as const

const code = decodeURIComponent(location.pathname.split('/').at(-1) ?? '')
let tz = 'Asia/Kolkata'
let name = (serviceCode: string): string => serviceCode
let stop: () => void = () => undefined

page((main) => {
  document.title = `${t('request')} · safai`
  stop()
  main.append(el('p', { class: 'hint' }, t('loading')))
  let timer = 0
  let gone = false
  let seenAt = Date.now()
  stop = () => {
    gone = true
    clearTimeout(timer)
  }
  const ask = async (): Promise<void> => {
    try {
      const request = await get<PublicRequest>(withQuery(`/api/r/${encodeURIComponent(code)}`, { lang: lang.peek() }))
      if (gone) return
      seenAt = Date.now()
      draw(main, request, () => void ask())
    } catch (error) {
      if (gone || !(error instanceof ApiProblem)) return
      if (error.status === 404) return main.replaceChildren(el('h1', {}, t('request')), el('p', { class: 'trouble', role: 'alert' }, t('notFound')))
      stale(main, seenAt)
    }
    timer = window.setTimeout(() => void ask(), ASK_EVERY_MS)
  }
  void city().then(ask)
})

async function city(): Promise<void> {
  const found = await get<City>('/api/city').catch(() => null)
  if (found === null) return
  tz = found.tz
  name = (serviceCode) => {
    const category = found.categories.find((one) => one.service_code === serviceCode)
    if (category === undefined) return serviceCode
    return lang.peek() === 'hi' ? category.name_hi : category.name
  }
}

function moment(iso: string): string {
  return `${dayName(iso, tz)}, ${clockTime(iso, tz)}`
}

let drawn = ''
function draw(main: HTMLElement, request: PublicRequest, again: () => void): void {
  const now = lang.peek() + JSON.stringify(request)
  main.querySelector('.stale')?.remove()
  if (now === drawn && main.querySelector('.status') !== null) return
  drawn = now
  main.replaceChildren(
    el('h1', {}, name(request.service_code)),
    el(
      'section',
      { class: `card status status-${request.status}` },
      el('p', { class: 'state', role: 'status' }, statusText(request.status)),
      request.eta !== null && awaited(request) ? el('p', { class: 'eta' }, t('eta', { time: clockTime(request.eta, tz) }), request.vehicle === null ? null : ` · ${request.vehicle}`) : null,
      el('p', { class: 'dim' }, t('promised', { time: moment(request.promised_at) })),
      el('p', { class: 'code' }, t('keepCode', { code: request.code })),
      copyButton(),
    ),
    request.evidence_text === null
      ? ''
      : el('section', { class: 'card' }, el('h2', {}, t('trails')), el('p', {}, request.evidence_text)),
    el('section', { class: 'card' }, el('h2', {}, t('timeline')), el('ol', { class: 'timeline' }, ...request.timeline.map(line))),
    told(request),
    rating(request, again),
  )
}

/** What the resident told, so that a shared link explains itself. */
function told({ address, words, photo_ids, created_at }: PublicRequest): HTMLElement | string {
  if (address === '' && words === '' && photo_ids.length === 0) return ''
  const photos = photo_ids.map((id) => photo(id, created_at))
  return el('section', { class: 'card told' }, el('h2', {}, t('told')), address === '' ? null : el('p', {}, address), words === '' ? null : el('p', {}, words), ...photos)
}

function photo(id: string, at: string): HTMLElement {
  return el('img', { src: `/api/photos/${id}`, alt: t('photoOf', { time: clockTime(at, tz) }), loading: 'lazy' })
}

/** A time of arrival is told only while somebody is on the way or planned to come. */
function awaited(request: PublicRequest): boolean {
  return request.status === 'stop_planned' || request.status === 'on_the_way'
}

function statusText(status: PublicRequest['status']): string {
  return words[lang.peek()][`status_${status}`]
}

function line(entry: PublicRequest['timeline'][number]): HTMLElement {
  const shown = entry.photo_id === null ? null : photo(entry.photo_id, entry.at)
  return el('li', {}, el('time', { datetime: entry.at }, moment(entry.at)), el('p', {}, entry.text), shown)
}

/** Null where the page came over plain HTTP from another machine: such a page may not copy. */
function copyButton(): HTMLElement | null {
  if (navigator.clipboard === undefined) return null
  const button = el('button', { type: 'button', class: 'quiet', onclick: () => void copy() }, t('copyLink'))
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(location.href)
    button.textContent = t('copied')
  }
  return button
}

function rating(request: PublicRequest, again: () => void): HTMLElement | string {
  if (request.rating !== null) {
    return el('section', { class: 'card' }, el('p', {}, t('rated', { rating: t(request.rating) })))
  }
  if (!request.may_rate) return ''
  const more = el('textarea', { id: 'rate-words', rows: 2, maxlength: 2000 })
  const rate = (rating: string): void => {
    void post(`/api/r/${encodeURIComponent(code)}/rating`, { rating, words: more.value }).then(again, again)
  }
  return el(
    'section',
    { class: 'card rate' },
    el('h2', {}, t('rateTitle')),
    el('label', { for: 'rate-words' }, t('rateWords')),
    more,
    el('div', { class: 'faces' }, ...RATINGS.map((one) => el('button', { type: 'button', onclick: () => rate(one) }, el('span', { 'aria-hidden': 'true' }, FACES[one]), t(one)))),
  )
}

function stale(main: HTMLElement, seenAt: number): void {
  if (main.querySelector('.stale') !== null) return
  main.prepend(el('p', { class: 'stale', role: 'status' }, t('stale', { time: clockTime(seenAt, tz) })))
}
