/** Sends what waits, photos first, and forgets only what the server settled. */
import { ApiProblem } from '../../shared/api'
import { backoff } from '../../shared/live'
import { type Answer, type CabEvent, type Entry, nextStep, type Refusal, refusalOf, settle } from '../model/outbox'

export interface Waiting {
  /** In the order of the taps. */
  list: () => Promise<Entry[]>
  photoSent: (entry: Entry, photoId: string | null) => Promise<void>
  /** Takes entries out and keeps their refusals for the driver, together. */
  settled: (keys: number[], refused: Refusal[]) => Promise<void>
}
export interface Server {
  photo: (entry: Entry) => Promise<{ photo_id: string }>
  events: (events: CabEvent[]) => Promise<Answer>
  /** Fetches the token of this session again: a page that was reopened has none. */
  renew: () => Promise<void>
}
export type SenderState = 'idle' | 'sending' | 'later' | 'signed-out'

/** Statuses after which the same bytes may still be taken another time. */
const PASSING = new Set([401, 403, 408, 425, 429])
const hopeless = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem && error.status >= 400 && error.status < 500 && !PASSING.has(error.status)

export class Sender {
  readonly #waiting: Waiting
  readonly #server: Server
  readonly #onState: (state: SenderState) => void
  readonly #backoff_ms: (attempt: number) => number
  #running = false
  #again = false
  #attempt = 0
  #retry: ReturnType<typeof setTimeout> | undefined

  constructor(
    waiting: Waiting,
    server: Server,
    onState: (state: SenderState) => void,
    backoff_ms: (attempt: number) => number = backoff,
  ) {
    this.#waiting = waiting
    this.#server = server
    this.#onState = onState
    this.#backoff_ms = backoff_ms
  }

  /** Something waits, or the way may be open again. Resolves when there is nothing to do for now. */
  async kick(): Promise<void> {
    clearTimeout(this.#retry)
    this.#again = true
    if (this.#running) return
    this.#running = true
    try {
      while (this.#again) {
        this.#again = false
        await this.#drain()
      }
      this.#attempt = 0
      this.#onState('idle')
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error
      this.#pause(error)
    } finally {
      this.#running = false
    }
  }

  async #drain(): Promise<void> {
    for (;;) {
      const step = nextStep(await this.#waiting.list())
      if (step === null) return
      this.#onState('sending')
      if (step.do === 'photo') await this.#sendPhoto(step.entry)
      else await this.#sendEvents(step.entries)
      this.#attempt = 0
    }
  }

  #pause(error: ApiProblem): void {
    if (error.status === 401) return this.#onState('signed-out')
    this.#onState('later')
    this.#attempt += 1
    this.#retry = setTimeout(() => {
      const ready = error.status === 403 ? this.#server.renew().catch(() => undefined) : Promise.resolve()
      void ready.then(() => this.kick())
    }, this.#backoff_ms(this.#attempt))
  }

  /** A picture that the server will never take is dropped; the tap that it belongs to goes on. */
  async #sendPhoto(entry: Entry): Promise<void> {
    try {
      const { photo_id } = await this.#server.photo(entry)
      await this.#waiting.photoSent(entry, photo_id)
    } catch (error) {
      if (!hopeless(error)) throw error
      await this.#waiting.settled([], [{ ...refusalOf(entry, error.message), id: `${entry.event.id}-photo`, kind: 'photo' }])
      await this.#waiting.photoSent(entry, null)
    }
  }

  /** One malformed event must not hold the others back: a batch refused as a whole goes one by one. */
  async #sendEvents(entries: Entry[]): Promise<void> {
    let answer: Answer
    try {
      answer = await this.#server.events(entries.map(({ event }) => event))
    } catch (error) {
      if (!hopeless(error)) throw error
      const [only] = entries
      if (entries.length === 1 && only !== undefined) {
        return this.#waiting.settled([only.key], [refusalOf(only, error.message)])
      }
      for (const entry of entries) await this.#sendEvents([entry])
      return
    }
    const { keys, refused } = settle(entries, answer)
    if (keys.length === 0) throw new ApiProblem(0, { title: 'nothing was settled' })
    await this.#waiting.settled(keys, refused)
  }
}
