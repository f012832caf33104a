/** City time between two messages: the server's last word, run on at the city's rate. */
import { signal } from '@preact/signals'

const monotonic = (): number => performance.now()

export class CityTime {
  #at_ms: number | null = null
  #heard_ms = 0
  #rate = 1
  readonly #monotonic: () => number

  constructor(now: () => number = monotonic) {
    this.#monotonic = now
  }

  /** A stepped clock stands between its steps: rate 0. */
  setRate(rate: number): void {
    this.#rate = rate
  }

  sync(iso: string): void {
    this.#at_ms = Date.parse(iso)
    this.#heard_ms = this.#monotonic()
  }

  now_ms(): number | null {
    if (this.#at_ms === null) return null
    return this.#at_ms + (this.#monotonic() - this.#heard_ms) * this.#rate
  }
}

export const cityTime = new CityTime()

/** City time in milliseconds, renewed each second of ours: what ages in lists are counted from. */
export const cityNow = signal<number | null>(null)
/** Our own time, renewed with it: for the age of the link. */
export const ownNow = signal(Date.now())

export function startTicking(): () => void {
  const timer = setInterval(() => {
    cityNow.value = cityTime.now_ms()
    ownNow.value = Date.now()
  }, 1000)
  return () => clearInterval(timer)
}
