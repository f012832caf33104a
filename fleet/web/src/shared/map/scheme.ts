import { signal } from '@preact/signals-core'
import type { Scheme } from './style'

const query = globalThis.matchMedia?.('(prefers-color-scheme: dark)')

/** The system's colour scheme, followed while the page is open. */
export const scheme = signal<Scheme>(query?.matches === true ? 'dark' : 'light')
query?.addEventListener('change', () => {
  scheme.value = query.matches ? 'dark' : 'light'
})
