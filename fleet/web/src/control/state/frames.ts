/** Bursts of messages become one change per animation frame. */

type Frame = (run: () => void) => unknown

/**
 * Collects what is pushed and hands it on once per frame.
 *
 * A hidden tab has no frames: a timer then does the work, so that nothing piles up for hours.
 */
export class FrameBatch<M> {
  #waiting: M[] = []
  #planned = false
  readonly #flush: (batch: readonly M[]) => void
  readonly #frame: Frame

  constructor(flush: (batch: readonly M[]) => void, frame: Frame = nextFrame) {
    this.#flush = flush
    this.#frame = frame
  }

  push(message: M): void {
    this.#waiting.push(message)
    if (this.#planned) return
    this.#planned = true
    this.#frame(() => {
      this.#planned = false
      const batch = this.#waiting
      this.#waiting = []
      this.#flush(batch)
    })
  }
}

function nextFrame(run: () => void): void {
  if (document.hidden) setTimeout(run, 250)
  else requestAnimationFrame(run)
}
