import { expect, test } from 'vitest'
import { difference, isNothing, known, longestRising } from './difference'
import { visit } from './visit.testing'

const names = (stops: { name: string | null }[]): (string | null)[] => stops.map(({ name }) => name)
const of = (...visits: ReturnType<typeof visit>[]) => known(visits, [])

test('the same stops in a new plan, under other ids, are no news', () => {
  const before = of(visit('a'), visit('b'))
  const after = of(visit('x', { ref: 'lane-a' }), visit('y', { ref: 'lane-b' }))
  expect(isNothing(difference(before, after))).toBe(true)
})

test('one stop put in is one new stop, and nothing has moved', () => {
  const asked = visit('r', { kind: 'request', name: 'Market' })
  const found = difference(of(visit('a'), visit('b')), of(visit('a'), asked, visit('b')))
  expect([names(found.added), names(found.gone), names(found.moved)]).toEqual([['Market'], [], []])
})

test('a stop taken off is told, unless it was over', () => {
  const before = of(visit('a', { status: 'served' }), visit('b'), visit('c'))
  expect(names(difference(before, of(visit('c'))).gone)).toEqual(['Street b'])
})

test('a stop that arrives served is not new work', () => {
  expect(isNothing(difference(of(visit('a')), of(visit('a'), visit('z', { status: 'served' }))))).toBe(true)
})

test('the fewest stops that explain a new order are told as moved', () => {
  const before = of(visit('a'), visit('b'), visit('c'), visit('d'))
  const after = of(visit('d'), visit('a'), visit('b'), visit('c'))
  expect(names(difference(before, after).moved)).toEqual(['Street d'])
})

test('a second unloading at the same station is one more stop', () => {
  const station = { kind: 'disposal', ref: 'ts1', name: 'Station' } as const
  const found = difference(of(visit('a'), visit('u', station)), of(visit('v', station), visit('a'), visit('u', station)))
  expect(names(found.added)).toEqual(['Station'])
})

test.each([
  [[], []],
  [[3, 1, 2], [1, 2]],
  [[0, 1, 2], [0, 1, 2]],
  [[2, 1, 0], [2]],
])('longest rising part of %j', (values, indices) => {
  expect(longestRising(values)).toEqual(indices)
})
