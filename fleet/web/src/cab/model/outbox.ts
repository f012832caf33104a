/** What waits to be sent, and in which order: pure. */
import type { Report } from '../../shared/wire'

/** A tap as the server takes it; `id` is made here, so that a second sending is known as such. */
export interface CabEvent {
  id: string
  kind: Report['kind']
  visit_id: string | null
  reason: string | null
  words: string | null
  photo_id: string | null
  kg: number | null
  /** City time of the tap. */
  t: string
}

export interface Entry {
  /** Given by the store, rising: the order in which things were tapped. */
  key: number
  user_id: string
  event: CabEvent
  /** The stop's name, for telling the driver about a refusal. */
  name: string
  /** Not sent yet; its id on the wire is made of the event's, so that a retry is the same photo. */
  photo: Blob | null
}

export interface Answer {
  accepted: string[]
  refused: { id: string; reason: string }[]
}
export interface Refusal {
  id: string
  user_id: string
  kind: Report['kind'] | 'photo'
  visit_id: string | null
  name: string
  reason: string
}

export type Step = { do: 'photo'; entry: Entry } | { do: 'events'; entries: Entry[] }

const BATCH = 100

/** The next thing to send: taps in their order up to the first whose photo has not gone before. */
export function nextStep(entries: readonly Entry[]): Step | null {
  const [first] = entries
  if (first === undefined) return null
  if (first.photo !== null) return { do: 'photo', entry: first }
  const end = entries.findIndex((entry) => entry.photo !== null)
  return { do: 'events', entries: entries.slice(0, end < 0 ? undefined : end).slice(0, BATCH) }
}

export function photoClientId(entry: Entry): string {
  return `cab-${entry.event.id}`
}

/** What an answer settles; an event that it does not name stays. */
export function settle(sent: readonly Entry[], answer: Answer): { keys: number[]; refused: Refusal[] } {
  const accepted = new Set(answer.accepted)
  const reasons = new Map(answer.refused.map(({ id, reason }) => [id, reason]))
  const settled = sent.filter(({ event }) => accepted.has(event.id) || reasons.has(event.id))
  return {
    keys: settled.map(({ key }) => key),
    refused: settled.flatMap((entry) => {
      const reason = reasons.get(entry.event.id)
      return reason === undefined ? [] : [refusalOf(entry, reason)]
    }),
  }
}

export function refusalOf({ event, user_id, name }: Entry, reason: string): Refusal {
  return { id: event.id, user_id, kind: event.kind, visit_id: event.visit_id, name, reason }
}
