import { expect, test } from 'vitest'
import { CityTime } from './clock'

test('time runs on at the city’s rate from the server’s last word', () => {
  let own_ms = 1000
  const time = new CityTime(() => own_ms)
  expect(time.now_ms()).toBeNull()
  time.setRate(30)
  time.sync('2026-11-24T06:00:00Z')
  own_ms += 2000
  expect(new Date(time.now_ms() ?? 0).toISOString()).toBe('2026-11-24T06:01:00.000Z')
})

test('a stepped clock stands', () => {
  let own_ms = 0
  const time = new CityTime(() => own_ms)
  time.setRate(0)
  time.sync('2026-11-24T06:00:00Z')
  own_ms = 60_000
  expect(time.now_ms()).toBe(Date.parse('2026-11-24T06:00:00Z'))
})
