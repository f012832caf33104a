/** City time on a tablet whose own clock may be wrong, between and without contacts. */

/** What the server said at the last contact; kept over a restart of the page. */
export interface Contact {
  /** City time then. */
  city_ms: number
  /** The tablet's clock then. */
  own_ms: number
  /** City seconds for each second of ours; 0 where the city's clock stands between steps. */
  rate: number
}

/** A tablet that never heard a server trusts its own clock. */
export function cityTime(contact: Contact | null, own_ms: number): number {
  if (contact === null) return own_ms
  return contact.city_ms + Math.max(0, own_ms - contact.own_ms) * contact.rate
}

/** City time as a tap carries it: whole seconds, so that texts of times sort as times do. */
export function tapTime(city_ms: number): string {
  return new Date(city_ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Minutes behind (positive) or ahead of a planned time; an expectation that has passed by counts as now. */
export function lateMinutes(planned: string, expected: string | null, now_ms: number): number {
  const at_ms = Math.max(expected === null ? now_ms : Date.parse(expected), now_ms)
  return Math.round((at_ms - Date.parse(planned)) / 60_000)
}
