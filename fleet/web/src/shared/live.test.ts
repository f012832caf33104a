import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { backoff, LiveSocket, type LinkState, type Message } from './live'

/** A socket driven by hand. */
class Wire {
  static made: Wire[] = []
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  closed = false
  readonly url: string
  constructor(url: string) {
    this.url = url
    Wire.made.push(this)
  }
  close(): void {
    this.closed = true
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
}

let heard: Message[]
let states: LinkState['kind'][]
let refused: number
let n = 0

function socket(): LiveSocket<Message> {
  return new LiveSocket({
    url: () => `/ws?after=${n}`,
    onMessage: (message) => heard.push(message),
    onState: (state) => states.push(state.kind),
    onRefused: () => (refused += 1),
    open: (url) => new Wire(url) as unknown as WebSocket,
    backoff_ms: () => 1000,
  })
}

beforeEach(() => {
  vi.useFakeTimers()
  Wire.made = []
  heard = []
  states = []
  refused = 0
})
afterEach(() => vi.useRealTimers())

test('silence on an open socket is a lost link, and the next try names the last number', () => {
  const live = socket()
  live.start()
  Wire.made[0]?.say({ type: 'snapshot' })
  n = 7
  vi.advanceTimersByTime(24_999)
  expect(states.at(-1)).toBe('live')
  vi.advanceTimersByTime(1)
  expect(states.at(-1)).toBe('lost')
  expect(Wire.made[0]?.closed).toBe(true)
  vi.advanceTimersByTime(1000)
  expect(Wire.made[1]?.url).toBe('/ws?after=7')
  Wire.made[1]?.say({ type: 'ping' })
  expect(states.at(-1)).toBe('live')
  live.stop()
})

test('a ping keeps the link alive and is not handed on', () => {
  const live = socket()
  live.start()
  for (let i = 0; i < 5; i += 1) {
    Wire.made[0]?.say({ type: 'ping' })
    vi.advanceTimersByTime(20_000)
  }
  expect(Wire.made).toHaveLength(1)
  expect(heard).toEqual([])
  live.stop()
})

test('a refused session is not tried again', () => {
  const live = socket()
  live.start()
  Wire.made[0]?.onclose?.({ code: 4401 })
  vi.advanceTimersByTime(60_000)
  expect(refused).toBe(1)
  expect(Wire.made).toHaveLength(1)
})

test('a late word of a socket that was left behind changes nothing', () => {
  const live = socket()
  live.start()
  const old = Wire.made[0]
  live.restart()
  old?.say({ type: 'event' })
  expect(heard).toEqual([])
  live.stop()
})

test.each([
  [1, 500],
  [3, 2000],
  [20, 15_000],
])('attempt %d waits around %d ms', (attempt, around) => {
  expect(backoff(attempt, () => 0.5)).toBe(around)
})
