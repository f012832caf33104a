import { beforeEach, expect, test } from 'vitest'
import { addDays, clockSeconds, clockTime, duration, kilometres, metres } from './format'
import { lang } from './i18n'

beforeEach(() => {
  lang.value = 'en'
})

test('times are the city’s, whatever the browser’s zone', () => {
  expect(clockTime('2026-11-24T00:30:00Z', 'Asia/Kolkata')).toBe('06:00')
  expect(clockSeconds('2026-11-24T18:29:59Z', 'Asia/Kolkata')).toBe('23:59:59')
  expect(clockTime('2026-11-24T18:30:00Z', 'Asia/Kolkata')).toBe('00:00') // and not 24:00
})

test.each([
  [-3, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [3600, '1 h'],
  [3960, '1 h 6 min'],
  [90_000, '1 d'],
])('%d seconds', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})

test('Hindi units, Latin digits', () => {
  lang.value = 'hi'
  expect(duration(75)).toBe('1 मि॰')
  expect(kilometres(12.34)).toBe('12.3 किमी')
})

test('metres become kilometres', () => {
  expect(metres(999)).toBe('999 m')
  expect(metres(1500)).toBe('1.5 km')
})

test('days cross months and leap days', () => {
  expect(addDays('2028-02-28', 1)).toBe('2028-02-29')
  expect(addDays('2026-01-01', -1)).toBe('2025-12-31')
})
