import { expect, test } from 'vitest'
import { destination } from './destination'

test.each([
  [null, '/control'],
  ['/control?tab=plan', '/control?tab=plan'],
  ['//evil.example', '/control'],
  ['/\\evil.example', '/control'],
  ['https://evil.example', '/control'],
  ['/sign-in', '/control'],
])('a dispatcher who came from %s goes to %s', (next, to) => {
  expect(destination('dispatcher', next)).toBe(to)
})

test('a driver goes to the cab', () => {
  expect(destination('driver', null)).toBe('/cab/')
})
