import type { User } from '../shared/wire'

const HOME: Record<User['role'], string> = {
  admin: '/control',
  dispatcher: '/control',
  operator: '/control',
  driver: '/cab/',
}

/** Where a person goes after signing in: where they came from, if it is a page of ours. */
export function destination(role: User['role'], next: string | null): string {
  // `//host` and `/\host` are other hosts to a browser.
  const ours = next !== null && /^\/(?![/\\])/.test(next)
  return ours && next !== '/sign-in' ? next : HOME[role]
}
