import { ApiProblem } from '../api'
import { say } from '../words'
import { toast } from './toast'

/** What a failed call should be told as. */
export function troubleText(error: ApiProblem): string {
  return error.unreachable ? say('unreachable') : error.message || say('failed')
}

/** Runs a call that the person asked for; a refusal is told with its remedy, and undefined comes back. */
export async function attempt<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error
    toast('bad', troubleText(error), error.remedy ?? undefined)
    return undefined
  }
}
