import { expect, test } from 'vitest'
import type { Report } from '../../shared/wire'
import { ahead, leftBehind, type LocalReport, progress, stillNeeded, stopOf } from './stops'
import { visit } from './visit.testing'

const T = '2026-11-24T06:10:00Z'
const tap = (of: string, over: Partial<LocalReport> = {}): LocalReport => ({
  id: `event-${of}`,
  visit_id: of,
  stop: `2026-11-24 lane lane-${of}`,
  route_id: 'rou_1',
  kind: 'done',
  reason: null,
  t: T,
  ...over,
})
const told = (kind: Report['kind'], t = T): Report => ({ kind, reason: null, words: null, t, photo_id: null })
const ids = (visits: { id: string }[]): string[] => visits.map(({ id }) => id)

test('a tap moves on before the server has heard of it', () => {
  const visits = [visit('a'), visit('b'), visit('c')]
  expect(ids(ahead(visits, [], null))).toEqual(['a', 'b', 'c'])
  expect(ids(ahead(visits, [tap('a')], null))).toEqual(['b', 'c'])
})

test('what facts or the server’s reports say is over is not next, nor what can no longer be done', () => {
  const visits = [
    visit('a', { status: 'served' }),
    visit('b', { report: told('could_not') }),
    visit('c', { status: 'missed' }),
    visit('d'),
  ]
  expect(ids(ahead(visits, [], null))).toEqual(['d'])
})

test('a stop taken out of its turn leaves the ones before it behind, as the server sees it', () => {
  const visits = [visit('a'), visit('b'), visit('c'), visit('d')]
  expect(ids(ahead(visits, [tap('c')], null))).toEqual(['d'])
  expect(ids(leftBehind(visits, [tap('c')], null))).toEqual(['a', 'b'])
})

test('a lane further on that was passed by chance does not take the ones before it away', () => {
  const visits = [visit('a', { status: 'served' }), visit('b'), visit('c'), visit('d', { status: 'partly' }), visit('e')]
  expect(ids(ahead(visits, [], 'b'))).toEqual(['b', 'c', 'e'])
  expect(leftBehind(visits, [], 'b')).toEqual([])
})

test('what could not be done can be tried again until it is done', () => {
  const visits = [visit('a'), visit('b')]
  const blocked = tap('a', { kind: 'could_not', reason: 'lane_blocked' })
  expect(ids(leftBehind(visits, [blocked], null))).toEqual(['a'])
  expect(leftBehind(visits, [blocked, tap('a')], null)).toEqual([])
})

test('a tap stays with its stop in another version of the plan, but not with another unloading', () => {
  const again = visit('new', { ref: 'lane-a' })
  expect(ids(ahead([again, visit('b')], [tap('a')], null))).toEqual(['b'])
  const station = visit('x', { kind: 'disposal', ref: 'ts1' })
  expect(stopOf(station)).toBeNull()
  expect(ids(ahead([station], [tap('y', { stop: null, kind: 'unload' })], null))).toEqual(['x'])
})

test('progress counts work and trips apart', () => {
  const visits = [
    visit('s', { kind: 'start' }),
    visit('a', { status: 'partly' }),
    visit('b', { status: 'driven_through' }),
    visit('c'),
    visit('u', { kind: 'disposal', ref: 'ts1' }),
    visit('e', { kind: 'end' }),
  ]
  expect(progress(visits, [])).toEqual({ done: 2, all: 3, trips_done: 0, trips: 1 })
  const taps = [tap('c'), tap('u', { stop: null, kind: 'unload' })]
  expect(progress(visits, taps)).toEqual({ done: 3, all: 3, trips_done: 1, trips: 1 })
})

test.each<[string, Parameters<typeof visit>[1], boolean]>([
  ['the server does not tell of it yet', {}, true],
  ['an earlier tap is told', { report: told('could_not', '2026-11-24T06:09:59Z') }, true],
  ['it is told', { report: told('done', '2026-11-24T06:10:00.000000Z') }, false],
  ['facts tell more', { status: 'served' }, false],
])('a tap that was sent is kept while %s: %s', (_, over, kept) => {
  expect(stillNeeded([tap('a')], 'rou_1', [visit('a', over)], new Set())).toHaveLength(kept ? 1 : 0)
})

test('a tap that was not sent is kept whatever arrives; one of a route that is gone is not', () => {
  expect(stillNeeded([tap('a')], 'rou_2', [], new Set(['a']))).toHaveLength(1)
  expect(stillNeeded([tap('a')], 'rou_2', [], new Set())).toEqual([])
})
