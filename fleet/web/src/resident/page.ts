/** The frame of a resident's page, and the few lines that make elements without a library. */
import '../shared/base.css'
import './resident.css'
import { effect } from '@preact/signals-core'
import { chooseLanguage, initLanguage, lang, LANGUAGES } from '../shared/i18n'
import { t } from './texts'

type Child = Node | string | null | undefined
type Attributes = Record<string, string | number | boolean | ((event: Event) => void) | undefined>

/** An element with attributes, listeners (`onclick`) and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value))
  }
  element.append(...children.filter((child): child is Node | string => child != null))
  return element
}

/** Draws the page, and draws it again when the language changes. */
export function page(draw: (main: HTMLElement) => void): void {
  initLanguage()
  const app = document.querySelector('#app')
  effect(() => {
    lang.value
    const main = el('main', { id: 'main' })
    app?.replaceChildren(header(), main)
    draw(main)
  })
}

function header(): HTMLElement {
  const choices = LANGUAGES.map(({ id, name }) =>
    el(
      'button',
      {
        type: 'button',
        lang: id,
        'aria-pressed': String(lang.peek() === id),
        onclick: () => chooseLanguage(id),
      },
      name,
    ),
  )
  return el(
    'header',
    { class: 'top' },
    el('a', { href: '/', class: 'brand', 'aria-label': `safai · ${t('home')}` }, 'safai'),
    el('div', { class: 'languages', role: 'group', 'aria-label': t('language') }, ...choices),
  )
}
