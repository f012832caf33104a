/** `/report`: what, where, a photo, words. What was typed survives a language switch and a failure. */
import { ApiProblem, get, post, postFile } from '../shared/api'
import { newId } from '../shared/ids'
import { lang, nameOf } from '../shared/i18n'
import type { Category, City, LonLat } from '../shared/wire'
import { el, page } from './page'
import { placePicker, type PlacePicker } from './place'
import { t } from './texts'

/** One report; its id makes a second sending of the same report the same request. */
const draft = {
  clientId: newId(),
  serviceCode: new URLSearchParams(location.search).get('service_code') ?? '',
  at: startingPlace(),
  address: '',
  words: '',
  contact: '',
  photoId: null as string | null,
}
let city: City | null = null
let picker: PlacePicker | null = null

/** A QR code on a gate or bin opens the form already placed: `?lon=…&lat=…`. */
function startingPlace(): LonLat | null {
  const query = new URLSearchParams(location.search)
  const [lon, lat] = [Number(query.get('lon')), Number(query.get('lat'))]
  return lon !== 0 && lat !== 0 && Number.isFinite(lon + lat) ? [lon, lat] : null
}

page((main) => {
  document.title = `${t('report')} · safai`
  picker?.destroy()
  picker = null
  const place = el('div', {}, el('p', { class: 'hint' }, t('loading')))
  const kinds = el('div', { class: 'kinds', role: 'radiogroup', 'aria-labelledby': 'what' })
  const trouble = el('p', { class: 'trouble', role: 'alert', hidden: true })
  const send = el('button', { class: 'main-button', type: 'submit' }, t('send'))
  const form = el(
    'form',
    {
      class: 'report',
      onsubmit: (event) => {
        event.preventDefault()
        void submit(send, trouble)
      },
    },
    el('h1', {}, t('report')),
    el('section', { class: 'card' }, el('h2', { id: 'what' }, t('what')), kinds),
    el('section', { class: 'card' }, el('h2', {}, t('where')), el('p', { class: 'hint' }, t('whereHint')), place,
      field('address', t('address'), el('input', { id: 'address', maxlength: 300, value: draft.address, oninput: typed('address') }))),
    el('section', { class: 'card' }, photoField(trouble),
      field('words', t('tell'), area(draft.words, typed('words'))),
      field('contact', t('contact'), el('input', { id: 'contact', type: 'tel', autocomplete: 'tel', maxlength: 40, value: draft.contact, oninput: typed('contact') }))),
    trouble,
    send,
  )
  main.append(form)
  void load(trouble).then((loaded) => {
    if (loaded === null) return
    kinds.replaceChildren(...loaded.categories.map(kind))
    picker = placePicker(loaded, draft.at, (at) => (draft.at = at))
    place.replaceChildren(picker.element)
  })
})

async function load(trouble: HTMLElement): Promise<City | null> {
  try {
    city ??= await get<City>('/api/city')
    return city
  } catch (error) {
    show(trouble, error)
    return null
  }
}

function kind(category: Category): HTMLElement {
  const id = `kind-${category.service_code}`
  const radio = el('input', {
    type: 'radio',
    name: 'kind',
    id,
    value: category.service_code,
    checked: category.service_code === draft.serviceCode,
    onchange: () => (draft.serviceCode = category.service_code),
  })
  return el('div', { class: 'kind' }, radio, el('label', { for: id }, nameOf(category)))
}

function field(id: string, label: string, input: HTMLElement): HTMLElement {
  return el('div', { class: 'field' }, el('label', { for: id }, label), input)
}

function area(value: string, oninput: (event: Event) => void): HTMLElement {
  const box = el('textarea', { id: 'words', rows: 3, maxlength: 2000, oninput })
  box.value = value
  return box
}

function typed(key: 'address' | 'words' | 'contact'): (event: Event) => void {
  return (event) => (draft[key] = (event.target as HTMLInputElement).value)
}

function photoField(trouble: HTMLElement): HTMLElement {
  const said = el('p', { class: 'hint', role: 'status' })
  const remove = el('button', { type: 'button', class: 'quiet', onclick: () => keep(null) }, t('photoRemove'))
  const keep = (photoId: string | null): void => {
    draft.photoId = photoId
    said.textContent = photoId === null ? '' : t('photoKept')
    remove.hidden = photoId === null
  }
  const input = el('input', {
    class: 'unseen',
    type: 'file',
    accept: 'image/*',
    onchange: () => {
      const file = input.files?.[0]
      if (file === undefined) return
      said.textContent = t('photoSending')
      postFile<{ photo_id: string }>('/api/photos', file, newId()).then(
        ({ photo_id }) => {
          keep(photo_id)
          trouble.hidden = true
        },
        (error: unknown) => {
          keep(null)
          show(trouble, error)
        },
      )
      input.value = ''
    },
  })
  keep(draft.photoId)
  return el('div', { class: 'field' }, el('label', { class: 'quiet' }, t('photo'), input), said, remove)
}

async function submit(send: HTMLButtonElement, trouble: HTMLElement): Promise<void> {
  const at = picker?.placed() ?? null
  if (draft.serviceCode === '') return say(trouble, t('chooseFirst'))
  if (at === null) return say(trouble, draft.at === null ? t('unplaced') : t('outside'))
  send.disabled = true
  send.textContent = t('sending')
  try {
    const made = await post<{ url: string }>('/api/requests', {
      client_id: draft.clientId,
      service_code: draft.serviceCode,
      lon: at[0],
      lat: at[1],
      address: draft.address,
      words: draft.words,
      photo_ids: draft.photoId === null ? [] : [draft.photoId],
      lang: lang.peek(),
      contact: draft.contact,
    })
    location.assign(made.url)
  } catch (error) {
    show(trouble, error)
    send.disabled = false
    send.textContent = t('send')
  }
}

function show(trouble: HTMLElement, error: unknown): void {
  if (!(error instanceof ApiProblem)) throw error
  if (error.unreachable) say(trouble, t('unreachable'))
  else say(trouble, [error.message, error.remedy].filter(Boolean).join(' '))
}

function say(trouble: HTMLElement, text: string): void {
  trouble.textContent = text
  trouble.hidden = false
  trouble.scrollIntoView({ block: 'nearest' })
}
