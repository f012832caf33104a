import { signal } from '@preact/signals'
import * as state from '../store/state'

const REST_MS = 800

/** True for a moment after a tap: a second tap of the same finger must not count for the next stop. */
export const resting = signal(false)

/** Runs what a tap asks for, once. */
export async function doing(run: () => Promise<void>): Promise<void> {
  if (resting.peek()) return
  resting.value = true
  setTimeout(() => (resting.value = false), REST_MS)
  await keeping(run)
}

/** A store that fails is told, and nothing is shown as done. */
export async function keeping(run: () => Promise<void>): Promise<void> {
  try {
    await run()
    state.notKept.value = false
  } catch (error) {
    console.error(error)
    state.notKept.value = true
  }
}
