/** What the tablet keeps: taps that wait, refusals not read yet, and the last that it knew. */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { City, RouteView, User } from '../../shared/wire'
import type { Contact } from '../model/clock'
import type { Agreed } from '../model/difference'
import type { Entry, Refusal } from '../model/outbox'
import type { LocalReport } from '../model/stops'
import type { Waiting } from './sender'

/** Everything under a name of its own; what a shift left behind is overwritten by the next. */
export interface Kept {
  user: User
  city: City
  vehicle: string | null
  route: RouteView | null
  contact: Contact
  reports: readonly LocalReport[]
  agreed: Agreed
  /** Start of the present break, null outside one. */
  break: string | null
  /** A picture taken for a visit and not sent off with a tap yet: a camera may restart the page. */
  picture: { visit_id: string; photo: Blob } | null
}

interface Schema extends DBSchema {
  outbox: { key: number; value: Entry }
  refused: { key: string; value: Refusal }
  kept: { key: string; value: unknown }
}

export class CabStore implements Waiting {
  readonly #db: IDBPDatabase<Schema>
  /** Whose taps are sent; another driver's wait until that driver signs in. */
  userId: string | null = null
  onChange: () => void = () => undefined

  private constructor(db: IDBPDatabase<Schema>) {
    this.#db = db
  }

  static async open(): Promise<CabStore> {
    const db = await openDB<Schema>('safai-cab', 1, {
      upgrade(fresh) {
        fresh.createObjectStore('outbox', { keyPath: 'key', autoIncrement: true })
        fresh.createObjectStore('refused', { keyPath: 'id' })
        fresh.createObjectStore('kept')
      },
    })
    return new CabStore(db)
  }

  async keep<K extends keyof Kept>(name: K, value: Kept[K]): Promise<void> {
    await this.#db.put('kept', value, name)
  }

  async kept<K extends keyof Kept>(name: K): Promise<Kept[K] | undefined> {
    return (await this.#db.get('kept', name)) as Kept[K] | undefined
  }

  async forget(...names: (keyof Kept)[]): Promise<void> {
    const change = this.#db.transaction('kept', 'readwrite')
    await Promise.all([...names.map((name) => change.store.delete(name)), change.done])
  }

  /** Durable once it resolves: only then may the driver be told that the tap counts. */
  async add(entry: Omit<Entry, 'key'>): Promise<void> {
    await this.#db.add('outbox', entry as Entry)
    this.onChange()
  }

  async all(): Promise<Entry[]> {
    return this.#db.getAll('outbox')
  }

  async list(): Promise<Entry[]> {
    return (await this.all()).filter((entry) => entry.user_id === this.userId)
  }

  async photoSent(entry: Entry, photoId: string | null): Promise<void> {
    await this.#db.put('outbox', { ...entry, photo: null, event: { ...entry.event, photo_id: photoId } })
  }

  async settled(keys: number[], refused: Refusal[]): Promise<void> {
    const change = this.#db.transaction(['outbox', 'refused'], 'readwrite')
    await Promise.all([
      ...keys.map((key) => change.objectStore('outbox').delete(key)),
      ...refused.map((one) => change.objectStore('refused').put(one)),
      change.done,
    ])
    this.onChange()
  }

  async refusals(): Promise<Refusal[]> {
    return (await this.#db.getAll('refused')).filter((one) => one.user_id === this.userId)
  }

  async read(refusal: Refusal): Promise<void> {
    await this.#db.delete('refused', refusal.id)
    this.onChange()
  }
}
