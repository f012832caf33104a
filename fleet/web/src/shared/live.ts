/**
 * A socket that comes back.
 *
 * An open WebSocket stays `open` but silent when the network goes, so silence is watched: the
 * server sends something at least every ten seconds.
 */

export type LinkState =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** `since_ms`: when the last message came (as Date.now()), null when none ever did. */
  | { kind: 'lost'; since_ms: number | null; attempt: number }

export interface Message {
  type: string
}

export interface LiveOptions<M extends Message> {
  /** Asked at each attempt, so that a resume can name the last number seen. */
  url: () => string
  onMessage: (message: M) => void
  onState: (state: LinkState) => void
  /** The server refused this session (close code 4401 or 4403): trying again is of no use. */
  onRefused?: () => void
  open?: (url: string) => WebSocket
  silence_ms?: number
  backoff_ms?: (attempt: number) => number
}

const REFUSED = new Set([4401, 4403])

/** Doubles from half a second to fifteen, with a jitter so that a city does not come at once. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  return Math.min(15_000, 500 * 2 ** Math.max(0, attempt - 1)) * (0.75 + random() / 2)
}

export class LiveSocket<M extends Message> {
  readonly #options: LiveOptions<M>
  #socket: WebSocket | null = null
  #silence: ReturnType<typeof setTimeout> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #attempt = 0
  #heard_ms: number | null = null
  #running = false

  constructor(options: LiveOptions<M>) {
    this.#options = options
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    globalThis.addEventListener?.('online', this.#now)
    this.#options.onState({ kind: 'connecting' })
    this.#connect()
  }

  stop(): void {
    this.#running = false
    globalThis.removeEventListener?.('online', this.#now)
    clearTimeout(this.#retry)
    this.#drop()
  }

  /** Leaves the present connection and opens another at once. */
  restart(): void {
    this.#drop()
    clearTimeout(this.#retry)
    if (this.#running) this.#connect()
  }

  readonly #now = (): void => {
    if (this.#socket === null) this.restart()
  }

  #connect(): void {
    const open = this.#options.open ?? ((url: string) => new WebSocket(url))
    const socket = open(this.#options.url())
    this.#socket = socket
    this.#watch()
    socket.onmessage = (event: MessageEvent<string>) => {
      const message = JSON.parse(event.data) as M
      this.#watch()
      this.#heard_ms = Date.now()
      if (this.#attempt > 0 || message.type !== 'ping') this.#options.onState({ kind: 'live' })
      this.#attempt = 0
      if (message.type !== 'ping') this.#options.onMessage(message)
    }
    socket.onclose = (event: CloseEvent) => {
      if (REFUSED.has(event.code)) {
        this.stop()
        this.#options.onRefused?.()
        return
      }
      this.#lost()
    }
  }

  #watch(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => this.#lost(), this.#options.silence_ms ?? 25_000)
  }

  #lost(): void {
    this.#drop()
    if (!this.#running) return
    this.#attempt += 1
    this.#options.onState({ kind: 'lost', since_ms: this.#heard_ms, attempt: this.#attempt })
    const wait = (this.#options.backoff_ms ?? backoff)(this.#attempt)
    this.#retry = setTimeout(() => this.#connect(), wait)
  }

  #drop(): void {
    clearTimeout(this.#silence)
    const socket = this.#socket
    this.#socket = null
    if (socket === null) return
    socket.onmessage = socket.onclose = null
    socket.close()
  }
}

/** Absolute address of one of our sockets. */
export function socketUrl(path: string): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`
}
