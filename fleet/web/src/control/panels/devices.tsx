import { signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, patch, post } from '../../shared/api'
import { attempt } from '../../shared/ui/attempt'
import { Badge } from '../../shared/ui/badge'
import { Button } from '../../shared/ui/button'
import { Icon } from '../../shared/ui/icons'
import { Notice } from '../../shared/ui/notice'
import type { Device, Feed, UnknownFrame } from '../../shared/wire'
import { say } from '../../shared/words'
import './devices.css'
import { tDevice } from './devices-strings'
import { FixAge, timeOf } from './parts'

const KINDS: readonly Device['kind'][] = ['gps', 'person', 'feed', 'weighbridge']
const PROTOCOLS = ['websocket', 'osmand', 'owntracks', 'traccar', 'ais140', 'gt06', 'pull'] as const

const listed = signal<readonly Device[] | null>(null)
const unknown = signal<readonly UnknownFrame[]>([])
const feeds = signal<readonly Feed[]>([])
const told = signal<{ id: string; token: string } | null>(null)

async function load(): Promise<void> {
  await attempt(async () => {
    const [found, frames, sources] = await Promise.all([
      get<Device[]>('/api/devices'),
      get<UnknownFrame[]>('/api/devices/unknown-frames'),
      get<Feed[]>('/api/devices/feeds'),
    ])
    listed.value = found
    unknown.value = frames
    feeds.value = sources
  })
}

/** The token is answered once: it stays in sight until it is dismissed. */
function Token() {
  if (told.value === null) return null
  return (
    <section class="card device-token" role="status">
      <div class="section-head">
        <h2>{tDevice('token', { id: told.value.id })}</h2>
        <Button look="plain" icon="close" aria-label={say('dismiss')} onClick={() => (told.value = null)} />
      </div>
      <code>{told.value.token}</code>
    </section>
  )
}

function Register() {
  const busy = useSignal(false)
  const send = async (form: HTMLFormElement): Promise<void> => {
    const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''))
    busy.value = true
    const made = await attempt(() => post<{ id: string; token: string }>('/api/devices', given))
    busy.value = false
    if (made === undefined) return
    told.value = made
    form.reset()
    await load()
  }
  return (
    <details>
      <summary>{tDevice('add')}</summary>
      <form
        class="device-form"
        onSubmit={(event) => {
          event.preventDefault()
          void send(event.currentTarget)
        }}
      >
        <label>
          <span class="dim">{tDevice('label')}</span>
          <input class="field" name="label" required maxLength={200} />
        </label>
        <label>
          <span class="dim">{tDevice('id')}</span>
          <input class="field" name="id" maxLength={64} autocomplete="off" />
        </label>
        <label>
          <span class="dim">{tDevice('externalId')}</span>
          <input class="field" name="external_id" maxLength={120} autocomplete="off" />
        </label>
        <label>
          <span class="dim">{tDevice('kind')}</span>
          <select class="field" name="kind">
            {KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {tDevice(`kind.${kind}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="dim">{tDevice('protocol')}</span>
          <select class="field" name="protocol">
            <option value="">{tDevice('anyProtocol')}</option>
            {PROTOCOLS.map((protocol) => (
              <option key={protocol}>{protocol}</option>
            ))}
          </select>
        </label>
        <Button look="primary" type="submit" busy={busy.value}>
          {tDevice('register')}
        </Button>
      </form>
    </details>
  )
}

function Row({ device }: { device: Device }) {
  const busy = useSignal(false)
  const run = async <T,>(work: () => Promise<T>): Promise<T | undefined> => {
    busy.value = true
    const done = await attempt(work)
    if (done !== undefined) await load()
    busy.value = false
    return done
  }
  const renew = async (): Promise<void> => {
    if (!window.confirm(tDevice('newTokenSure'))) return
    const made = await run(() => post<{ id: string; token: string }>(`/api/devices/${device.id}/token`))
    if (made !== undefined) told.value = made
  }
  const able = { disabled: !device.disabled }
  return (
    <li class="device-row">
      <div class="row-top">
        <Icon name={device.kind === 'person' ? 'person' : 'device'} />
        <strong>{device.label}</strong>
        <span class="space" />
        {device.disabled ? <Badge tone="missed" icon="cross">{tDevice('disabled')}</Badge> : <FixAge of={device.last_t} />}
      </div>
      <span class="dim">
        {[device.id, device.external_id, tDevice(`kind.${device.kind}`), device.protocol, device.layout]
          .filter((part) => part !== null && part !== undefined)
          .join(' · ')}
      </span>
      <div class="row-top">
        <span>{device.vehicle_id ?? device.person_id ?? tDevice('nobody')}</span>
        <span class="space" />
        <Button busy={busy.value} onClick={() => void renew()}>
          {tDevice('newToken')}
        </Button>
        <Button busy={busy.value} onClick={() => void run(() => patch(`/api/devices/${device.id}`, able))}>
          {tDevice(device.disabled ? 'enable' : 'disable')}
        </Button>
      </div>
    </li>
  )
}

/** What came and nobody understood, with its bytes: the beginning of every new maker's layout. */
function Unknown() {
  const frames = unknown.value
  if (frames.length === 0) return <p class="device-row dim">{tDevice('unknownNone')}</p>
  return (
    <details>
      <summary>{tDevice('unknown', { n: frames.reduce((sum, { n }) => sum + n, 0) })}</summary>
      <ul class="rows">
        {frames.map((frame) => (
          <li key={frame.id} class="device-row">
            <strong>
              {[frame.protocol, frame.external_id, frame.device_id].filter((part) => part !== null).join(' · ')}{' '}
              {tDevice('from', { peer: frame.peer })}
            </strong>
            <span>{frame.why}</span>
            <span class="dim">{frame.detail}</span>
            <span class="dim numbers">{tDevice('came', { n: frame.n, time: timeOf(frame.at) })}</span>
            <code class="device-bytes" tabIndex={0}>
              {frame.text}
            </code>
            <code class="device-bytes dim" tabIndex={0}>
              {frame.bytes_hex}
            </code>
          </li>
        ))}
      </ul>
    </details>
  )
}

function Feeds() {
  if (feeds.value.length === 0) return null
  return (
    <section>
      <h2 class="device-row">{tDevice('feeds')}</h2>
      <ul class="rows">
        {feeds.value.map((feed) => (
          <li key={feed.name} class="device-row">
            <strong>{[feed.name, feed.host].filter((part) => part !== null).join(' · ')}</strong>
            {feed.fault !== null ? (
              <span class="flash">{feed.fault}</span>
            ) : (
              <span>
                {feed.last_ok_t === null
                  ? tDevice('feedNever')
                  : tDevice('feedOk', { n: feed.last_fixes, time: timeOf(feed.last_ok_t) })}
              </span>
            )}
            {feed.failures > 0 && (
              <span class="flash">{tDevice('feedFailed', { n: feed.failures, why: feed.last_error ?? '' })}</span>
            )}
            {feed.unknown_units.length > 0 && (
              <span class="dim">{tDevice('feedUnknown', { units: feed.unknown_units.join(', ') })}</span>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** All units, what they call themselves and when they were heard; for administrators. */
export function DevicesPanel() {
  const query = useSignal('')
  useEffect(() => void load(), [])
  const wanted = query.value.trim().toLowerCase()
  const all = listed.value
  const shown = (all ?? []).filter((device) =>
    [device.id, device.label, device.external_id, device.vehicle_id, device.person_id].some(
      (text) => text?.toLowerCase().includes(wanted) === true,
    ),
  )
  return (
    <>
      <div class="tools">
        <label class="search">
          <Icon name="search" />
          <input
            class="field"
            type="search"
            aria-label={tDevice('find')}
            placeholder={tDevice('find')}
            value={query.value}
            onInput={(event) => (query.value = event.currentTarget.value)}
          />
        </label>
      </div>
      <Token />
      <Register />
      <Unknown />
      <Feeds />
      {all === null ? (
        <Notice title={say('loading')} />
      ) : shown.length === 0 ? (
        <Notice icon="device" title={all.length === 0 ? tDevice('noDevices') : tDevice('noneSuch')} />
      ) : (
        <ul class="rows">
          {shown.map((device) => (
            <Row key={device.id} device={device} />
          ))}
        </ul>
      )}
    </>
  )
}
