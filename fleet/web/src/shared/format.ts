/** Times, ages and amounts as a person reads them, in the city's zone and the chosen language. */
import { lang, locale, number } from './i18n'

const formats = new Map<string, Intl.DateTimeFormat>()

function formatter(tz: string, kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${lang.value}|${tz}|${kind}`
  let format = formats.get(key)
  if (format === undefined) {
    format = new Intl.DateTimeFormat(locale(), { timeZone: tz, ...options })
    formats.set(key, format)
  }
  return format
}

/** "06:45" */
export function clockTime(iso: string | number, tz: string): string {
  const at = new Date(iso)
  return formatter(tz, 'time', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)
}

/** "06:45:10" */
export function clockSeconds(iso: string | number, tz: string): string {
  const at = new Date(iso)
  return formatter(tz, 'seconds', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(at)
}

/** "Tue 24 Nov" */
export function dayName(date: string | number, tz: string): string {
  const at = new Date(date)
  return formatter(tz, 'day', { weekday: 'short', day: 'numeric', month: 'short' }).format(at)
}

/** "24 Nov 2026", of a service date (a calendar day without a zone). */
export function serviceDay(date: string): string {
  return formatter('UTC', 'date', { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(`${date}T00:00:00Z`))
}

const UNITS = {
  en: { second: 's', minute: 'min', hour: 'h', day: 'd' },
  hi: { second: 'से॰', minute: 'मि॰', hour: 'घं॰', day: 'दि॰' },
} as const

/** "12 s", "4 min", "1 h 5 min", "3 d": short enough for a list. */
export function duration(seconds: number): string {
  const unit = UNITS[lang.value]
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} ${unit.second}`
  const min = Math.floor(s / 60)
  if (min < 60) return `${min} ${unit.minute}`
  const h = Math.floor(min / 60)
  if (h >= 24) return `${Math.floor(h / 24)} ${unit.day}`
  return min % 60 === 0 ? `${h} ${unit.hour}` : `${h} ${unit.hour} ${min % 60} ${unit.minute}`
}

export function kilometres(km: number): string {
  return `${number(km, lang.value, 1)} ${lang.value === 'hi' ? 'किमी' : 'km'}`
}

export function metres(m: number): string {
  return m >= 1000 ? kilometres(m / 1000) : `${number(Math.round(m))} ${lang.value === 'hi' ? 'मी॰' : 'm'}`
}

export function kilograms(kg: number): string {
  return `${number(Math.round(kg))} ${lang.value === 'hi' ? 'किग्रा' : 'kg'}`
}

/** A new day's date after (or before) a service date. */
export function addDays(date: string, days: number): string {
  const at = new Date(`${date}T00:00:00Z`)
  at.setUTCDate(at.getUTCDate() + days)
  return at.toISOString().slice(0, 10)
}
