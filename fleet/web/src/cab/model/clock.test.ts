import { expect, test } from 'vitest'
import { cityTime, lateMinutes } from './clock'

const NOON = Date.parse('2026-11-24T12:00:00Z')

test('the tablet’s wrong clock is corrected by the offset at the last contact', () => {
  const contact = { city_ms: NOON, own_ms: NOON - 3_600_000, rate: 1 }
  expect(cityTime(contact, NOON - 3_600_000 + 5_000)).toBe(NOON + 5_000)
})

test('a scaled city runs on at its own rate, a stepped one stands', () => {
  expect(cityTime({ city_ms: NOON, own_ms: 0, rate: 30 }, 2_000)).toBe(NOON + 60_000)
  expect(cityTime({ city_ms: NOON, own_ms: 0, rate: 0 }, 2_000)).toBe(NOON)
})

test('a clock that was set back does not take city time back', () => {
  expect(cityTime({ city_ms: NOON, own_ms: 10_000, rate: 1 }, 4_000)).toBe(NOON)
})

test('without any contact the own clock counts', () => {
  expect(cityTime(null, 42)).toBe(42)
})

test.each([
  ['2026-11-24T12:00:00Z', '2026-11-24T12:05:00Z', 5],
  ['2026-11-24T12:10:00Z', '2026-11-24T12:05:00Z', -5],
  ['2026-11-24T11:50:00Z', '2026-11-24T11:55:00Z', 10],
  ['2026-11-24T11:50:00Z', null, 10],
])('planned %s, expected %s: %i min', (planned, expected, minutes) => {
  expect(lateMinutes(planned, expected, NOON)).toBe(minutes)
})
