/**
 * Typed dictionaries, English and Hindi.
 *
 * A key that Hindi lacks, or a placeholder that a call forgets, is a compile error. A text may
 * have two forms split by `|` (one, other); the placeholder `n` chooses.
 */
import { effect, signal } from '@preact/signals-core'

export type Lang = 'en' | 'hi'
export const LANGUAGES: readonly { id: Lang; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'hi', name: 'हिन्दी' },
]

type Placeholder<S> = S extends `${string}{${infer P}}${infer Rest}`
  ? P | Placeholder<Rest>
  : never
type Values<S> = [Placeholder<S>] extends [never]
  ? []
  : [values: Record<Placeholder<S>, string | number>]

export interface Dictionary<E extends Record<string, string>> {
  en: E
  hi: Record<keyof E, string>
}
export type Translate<E extends Record<string, string>> = <K extends keyof E & string>(
  key: K,
  ...values: Values<E[K]>
) => string

const STORED = 'safai.lang'

function preferred(): Lang {
  const stored = globalThis.localStorage?.getItem(STORED)
  if (stored === 'en' || stored === 'hi') return stored
  const wanted = globalThis.navigator?.languages ?? []
  return wanted.find((tag) => /^(en|hi)\b/.test(tag))?.startsWith('hi') === true ? 'hi' : 'en'
}

export const lang = signal<Lang>(preferred())

/** The person's own choice: kept for the next visit. */
export function chooseLanguage(next: Lang): void {
  globalThis.localStorage?.setItem(STORED, next)
  lang.value = next
}

/** Takes the account's language unless the person chose one on this device. */
export function suggestLanguage(next: string): void {
  const chosen = globalThis.localStorage?.getItem(STORED)
  if (chosen === null && (next === 'en' || next === 'hi')) lang.value = next
}

/** Keeps `<html lang>` true, for screen readers and hyphenation. */
export function initLanguage(): void {
  effect(() => {
    document.documentElement.lang = lang.value
  })
}

/** Declares a face's texts; E is taken from English alone, so that Hindi must follow it. */
export function dictionary<const E extends Record<string, string>>(
  en: E,
  hi: Record<keyof NoInfer<E>, string>,
): Dictionary<E> {
  return { en, hi }
}

/** Puts values into a text. */
export function fill(text: string, values: Record<string, string | number>, of: Lang): string {
  const forms = text.split('|')
  const n = values['n']
  const plural = forms.length > 1 && typeof n === 'number' ? pluralRules(of).select(n) : 'one'
  const form = (plural === 'one' ? forms[0] : forms[1]) ?? text
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    if (value === undefined) return whole
    return typeof value === 'number' ? number(value, of) : value
  })
}

/** A translator bound to the language signal: reading it in a component re-renders on a switch. */
export function translator<E extends Record<string, string>>(words: Dictionary<E>): Translate<E> {
  return (key, ...rest) => {
    const text: string = words[lang.value][key]
    return fill(text, (rest[0] as Record<string, string | number> | undefined) ?? {}, lang.value)
  }
}

const rules = new Map<Lang, Intl.PluralRules>()
function pluralRules(of: Lang): Intl.PluralRules {
  let found = rules.get(of)
  if (found === undefined) rules.set(of, (found = new Intl.PluralRules(of)))
  return found
}

/** Digits stay Latin in Hindi, as on Indian dashboards and vehicles. */
export function locale(of: Lang = lang.value): string {
  return of === 'hi' ? 'hi-IN-u-nu-latn' : 'en-IN'
}

const numbers = new Map<string, Intl.NumberFormat>()
export function number(value: number, of: Lang = lang.value, digits = 1): string {
  const key = `${of}${digits}`
  let format = numbers.get(key)
  if (format === undefined) {
    format = new Intl.NumberFormat(locale(of), { maximumFractionDigits: digits })
    numbers.set(key, format)
  }
  return format.format(value)
}

/** A thing's name in the language shown; most things of a city have only one. */
export function nameOf(thing: { name?: string | null; name_hi?: string | null }): string {
  const { name, name_hi } = thing
  return (lang.value === 'hi' ? name_hi || name : name || name_hi) ?? ''
}
