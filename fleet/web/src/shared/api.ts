/** Calls to the server: JSON in, JSON out, RFC 9457 problems as one exception. */
import { lang } from './i18n'

export interface ProblemBody {
  type?: string
  title?: string
  status?: number
  detail?: string
  field?: string | null
  remedy?: string | null
}

/** A refusal that the server explained, or (status 0) a server that was not reached. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  readonly status: number
  readonly type: string
  readonly title: string
  readonly field: string | null
  readonly remedy: string | null

  constructor(status: number, body: ProblemBody) {
    super(body.detail ?? body.title ?? `HTTP ${status}`)
    this.status = status
    this.type = body.type ?? 'about:blank'
    this.title = body.title ?? ''
    this.field = body.field ?? null
    this.remedy = body.remedy ?? null
  }

  /** True when nothing answered: the same call may be sent again. */
  get unreachable(): boolean {
    return this.status === 0
  }
}

const CSRF = 'safai.csrf'
let whenSignedOut: () => void = () => undefined

/** Remembers the token that every change must carry; it lives as long as the tab. */
export function rememberCsrf(token: string): void {
  sessionStorage.setItem(CSRF, token)
}

/** Says what happens when the server no longer knows this session. */
export function onSignedOut(run: () => void): void {
  whenSignedOut = run
}

export interface Call {
  signal?: AbortSignal
  headers?: Record<string, string>
  /** False where 401 is an answer and not the end of a session (sign-in itself). */
  session?: boolean
}

async function call<T>(method: string, path: string, body: BodyInit | null, options: Call): Promise<T> {
  const headers: Record<string, string> = {
    Accept: 'application/json',
    'Accept-Language': lang.value,
    ...options.headers,
  }
  if (method !== 'GET') headers['X-CSRF-Token'] = sessionStorage.getItem(CSRF) ?? ''
  let response: Response
  try {
    response = await fetch(path, {
      method,
      body,
      headers,
      credentials: 'same-origin',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiProblem(0, { title: 'unreachable' })
  }
  if (response.ok) {
    return response.status === 204 ? (undefined as T) : ((await response.json()) as T)
  }
  if (response.status === 401 && options.session !== false) whenSignedOut()
  throw new ApiProblem(response.status, await problemOf(response))
}

async function problemOf(response: Response): Promise<ProblemBody> {
  try {
    return (await response.json()) as ProblemBody
  } catch {
    return { title: response.statusText } // a proxy's page, not ours
  }
}

export function get<T>(path: string, options: Call = {}): Promise<T> {
  return call('GET', path, null, options)
}

export function post<T>(path: string, body: unknown = {}, options: Call = {}): Promise<T> {
  return call('POST', path, JSON.stringify(body), {
    ...options,
    headers: { 'Content-Type': 'application/json', ...options.headers },
  })
}

export function patch<T>(path: string, body: unknown, options: Call = {}): Promise<T> {
  return call<T>('PATCH', path, JSON.stringify(body), {
    ...options,
    headers: { 'Content-Type': 'application/json', ...options.headers },
  })
}

/** Sends a file as it is; `clientId` lets the server know a second sending of the same file. */
export function postFile<T>(path: string, file: Blob, clientId: string, options: Call = {}): Promise<T> {
  return call('POST', path, file, {
    ...options,
    headers: {
      'Content-Type': file.type || 'application/octet-stream',
      'X-Client-Id': clientId,
      ...options.headers,
    },
  })
}

/** A path with its query; undefined values stay out. */
export function withQuery(path: string, query: Record<string, string | number | undefined>): string {
  const pairs = Object.entries(query).filter((pair) => pair[1] !== undefined)
  if (pairs.length === 0) return path
  return `${path}?${new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])).toString()}`
}
