import { expect, test } from 'vitest'
import { ApiProblem } from '../../shared/api'
import { type Answer, type CabEvent, type Entry, nextStep, type Refusal } from '../model/outbox'
import { Sender, type SenderState, type Waiting } from './sender'

const entry = (key: number, photo: Blob | null = null): Entry => ({
  key,
  user_id: 'u1',
  name: `Street ${key}`,
  photo,
  event: { id: `event-${key}`, kind: 'done', visit_id: `v${key}`, reason: null, words: null, photo_id: null, kg: null, t: '2026-11-24T06:00:00Z' },
})
const picture = new Blob(['jpeg'])

/** The tablet's store, in memory. */
class Box implements Waiting {
  refused: Refusal[] = []
  constructor(public entries: Entry[]) {}
  async list(): Promise<Entry[]> {
    return [...this.entries]
  }
  async photoSent(entry: Entry, photoId: string | null): Promise<void> {
    this.entries = this.entries.map((one) =>
      one.key === entry.key ? { ...one, photo: null, event: { ...one.event, photo_id: photoId } } : one,
    )
  }
  async settled(keys: number[], refused: Refusal[]): Promise<void> {
    this.entries = this.entries.filter(({ key }) => !keys.includes(key))
    this.refused.push(...refused)
  }
}

/** A server whose every answer is said beforehand; it notes what came. */
function post(box: Box, answers: { events?: (events: CabEvent[]) => Answer; photo?: (entry: Entry) => string }) {
  const came: string[] = []
  const states: SenderState[] = []
  const all = (events: CabEvent[]): Answer => ({ accepted: events.map(({ id }) => id), refused: [] })
  const sender = new Sender(
    box,
    {
      photo: async (one) => {
        came.push(`photo of ${one.event.id}`)
        return { photo_id: (answers.photo ?? (() => `pho-${one.key}`))(one) }
      },
      events: async (events) => {
        came.push(events.map(({ id, photo_id }) => (photo_id === null ? id : `${id} with ${photo_id}`)).join(', '))
        return (answers.events ?? all)(events)
      },
      renew: async () => undefined,
    },
    (state) => states.push(state),
    () => 1_000_000, // never, in a test
  )
  return { sender, came, states }
}

test('a batch ends before the first tap whose photo has not gone', () => {
  expect(nextStep([])).toBeNull()
  expect(nextStep([entry(1), entry(2), entry(3, picture), entry(4)])).toMatchObject({ do: 'events', entries: [{ key: 1 }, { key: 2 }] })
  expect(nextStep([entry(3, picture), entry(4)])).toMatchObject({ do: 'photo', entry: { key: 3 } })
})

test('photos go before their taps, and taps in their order', async () => {
  const box = new Box([entry(1), entry(2, picture), entry(3)])
  const { sender, came, states } = post(box, {})
  await sender.kick()
  expect(came).toEqual(['event-1', 'photo of event-2', 'event-2 with pho-2, event-3'])
  expect(box.entries).toEqual([])
  expect(states.at(-1)).toBe('idle')
})

test('only what the answer names leaves the outbox; refusals are kept for the driver', async () => {
  const box = new Box([entry(1), entry(2), entry(3)])
  let first = true
  const { sender } = post(box, {
    events: () => {
      if (!first) throw new ApiProblem(0, {})
      first = false
      return { accepted: ['event-1'], refused: [{ id: 'event-2', reason: 'Another vehicle’s stop.' }] }
    },
  })
  await sender.kick()
  expect(box.entries.map(({ key }) => key)).toEqual([3])
  expect(box.refused).toMatchObject([{ id: 'event-2', name: 'Street 2', reason: 'Another vehicle’s stop.' }])
})

test.each([
  [0, 'later'],
  [503, 'later'],
  [429, 'later'],
  [401, 'signed-out'],
] as const)('status %i loses nothing: %s', async (status, state) => {
  const box = new Box([entry(1, picture), entry(2)])
  const { sender, states } = post(box, {
    photo: () => {
      throw new ApiProblem(status, {})
    },
  })
  await sender.kick()
  expect(box.entries.map(({ key, photo }) => [key, photo !== null])).toEqual([[1, true], [2, false]])
  expect(states.at(-1)).toBe(state)
})

test('a photo that the server will never take is told, and its tap goes without it', async () => {
  const box = new Box([entry(1, picture)])
  const { sender, came } = post(box, {
    photo: () => {
      throw new ApiProblem(422, { detail: 'Not an image.' })
    },
  })
  await sender.kick()
  expect(came).toEqual(['photo of event-1', 'event-1'])
  expect(box.refused).toMatchObject([{ kind: 'photo', reason: 'Not an image.' }])
})

test('one malformed tap does not hold the others back', async () => {
  const box = new Box([entry(1), entry(2), entry(3)])
  const { sender } = post(box, {
    events: (events) => {
      if (events.some(({ id }) => id === 'event-2')) throw new ApiProblem(422, { detail: 'No such kind.' })
      return { accepted: events.map(({ id }) => id), refused: [] }
    },
  })
  await sender.kick()
  expect(box.entries).toEqual([])
  expect(box.refused.map(({ id }) => id)).toEqual(['event-2'])
})

test('what is tapped while sending is sent as well', async () => {
  const box = new Box([entry(1)])
  const { sender, came } = post(box, {
    events: (events) => {
      if (events[0]?.id === 'event-1') {
        box.entries.push(entry(2))
        void sender.kick()
      }
      return { accepted: events.map(({ id }) => id), refused: [] }
    },
  })
  await sender.kick()
  expect(came).toEqual(['event-1', 'event-2'])
})

test('an answer that settles nothing is tried again later and not at once', async () => {
  const box = new Box([entry(1)])
  const { sender, came, states } = post(box, { events: () => ({ accepted: [], refused: [] }) })
  await sender.kick()
  expect(came).toHaveLength(1)
  expect(states.at(-1)).toBe('later')
})
