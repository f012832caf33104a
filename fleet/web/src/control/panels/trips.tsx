import { signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, post, postFile, withQuery } from '../../shared/api'
import { duration, kilograms, kilometres } from '../../shared/format'
import { newId } from '../../shared/ids'
import { number } from '../../shared/i18n'
import { attempt } from '../../shared/ui/attempt'
import { Badge, type Tone } from '../../shared/ui/badge'
import { Button } from '../../shared/ui/button'
import { Icon, type IconName } from '../../shared/ui/icons'
import { Notice } from '../../shared/ui/notice'
import { toast } from '../../shared/ui/toast'
import type { LedgerEntry, Ticket, TicketsReceived } from '../../shared/wire'
import { say } from '../../shared/words'
import { state } from '../state/store'
import { timeOf } from './parts'
import './trips.css'
import { tTrip } from './trips-strings'

const LOOKS: Record<LedgerEntry['agreement'], { tone: Tone; icon: IconName }> = {
  agrees: { tone: 'served', icon: 'check' },
  no_ticket: { tone: 'pending', icon: 'clock' },
  no_gps: { tone: 'unknown', icon: 'help' },
  other_station: { tone: 'missed', icon: 'cross' },
  other_time: { tone: 'missed', icon: 'cross' },
  weight_implausible: { tone: 'partly', icon: 'alert' },
}
type Show = 'all' | 'no' | 'unknown'
const SHOWS: readonly Show[] = ['all', 'no', 'unknown']

const entries = signal<readonly LedgerEntry[] | null>(null)
const opened = signal<string | null>(null)
const received = signal<TicketsReceived | null>(null)

async function load(date: string): Promise<void> {
  const found = await attempt(() => get<LedgerEntry[]>(withQuery('/api/trips', { service_date: date })))
  if (found !== undefined) entries.value = found
}

function TicketLine({ ticket }: { ticket: Ticket }) {
  return (
    <li class="row-top">
      <strong>{tTrip('ticket', { number: ticket.number })}</strong>
      <span>{tTrip(`stream.${ticket.stream ?? 'mixed'}`)}</span>
      <span class="space" />
      <span class="numbers">
        {timeOf(ticket.time_in)} · {kilograms(ticket.net_kg)} <span class="dim">{tTrip('weighed')}</span>
      </span>
    </li>
  )
}

function Excuse({ entry, date }: { entry: LedgerEntry; date: string }) {
  const words = useSignal('')
  const busy = useSignal(false)
  const send = async (said: string): Promise<void> => {
    busy.value = true
    const done = await attempt(() => post(`/api/trips/${entry.id}/excuse`, { words: said }))
    if (done !== undefined) await load(date)
    busy.value = false
    words.value = ''
  }
  const { excused } = entry
  if (excused !== null) {
    return (
      <>
        <p>{tTrip('excusedBy', { name: excused.by_name, time: timeOf(excused.at), words: excused.words })}</p>
        <Button busy={busy.value} onClick={() => void send('')}>
          {tTrip('withdraw')}
        </Button>
      </>
    )
  }
  if (entry.payable === 'yes') return null
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void send(words.value.trim())
      }}
    >
      <label>
        <span class="dim">{tTrip('excuseWords')}</span>
        <textarea
          class="field"
          rows={2}
          maxLength={500}
          value={words.value}
          onInput={(event) => (words.value = event.currentTarget.value)}
        />
      </label>
      <Button type="submit" look="primary" icon="check" busy={busy.value} disabled={words.value.trim() === ''}>
        {tTrip('keep')}
      </Button>
    </form>
  )
}

function Row({ entry, date }: { entry: LedgerEntry; date: string }) {
  const open = opened.value === entry.id
  const at = entry.arrived_t ?? entry.tickets[0]?.time_in
  const facts = [
    at !== undefined && tTrip('arrived', { station: entry.station_id, time: timeOf(at) }),
    entry.stay_s !== null && tTrip('stay', { time: duration(entry.stay_s) }),
    entry.start_t !== null && tTrip('started', { time: timeOf(entry.start_t) }),
    entry.km !== null && kilometres(entry.km),
    entry.trip_id !== null && tTrip('lanes', { n: entry.lanes_served }),
    entry.wards.length > 0 && tTrip('wards', { wards: entry.wards.join(', ') }),
  ].filter((fact) => fact !== false)
  return (
    <li class={`row${open ? ' selected' : ''}`} data-entry={entry.id}>
      <button
        type="button"
        class="row-hit"
        aria-expanded={open}
        onClick={() => (opened.value = open ? null : entry.id)}
      >
        <span class="row-top">
          <strong>{entry.vehicle_id}</strong>
          <span>{entry.number === null ? tTrip('ticketOnly') : tTrip('trip', { n: entry.number })}</span>
          <Badge {...LOOKS[entry.agreement]}>{tTrip(`agreement.${entry.agreement}`)}</Badge>
          <span class="space" />
          {entry.net_kg !== null && <span class="numbers">{kilograms(entry.net_kg)}</span>}
          <span class={entry.payable === 'no' ? 'bad-text' : 'dim'}>{tTrip(`payable.${entry.payable}`)}</span>
        </span>
        <span class="dim">{facts.join(' · ')}</span>
      </button>
      {open && (
        <div class="trip-more">
          {entry.contractor !== '' && <span class="dim">{entry.contractor}</span>}
          <ul>
            {entry.tickets.map((ticket) => (
              <TicketLine key={ticket.id} ticket={ticket} />
            ))}
          </ul>
          <Excuse entry={entry} date={date} />
        </div>
      )}
    </li>
  )
}

/** What became of a file of tickets: each line that was not stored, with its remedy. */
function Report() {
  const report = received.value
  if (report === null || report.refused.length + report.warnings.length === 0) return null
  const many = [
    ...(report.refused.length > 0 ? [tTrip('refusedLines', { n: report.refused.length })] : []),
    ...(report.warnings.length > 0 ? [tTrip('warnedLines', { n: report.warnings.length })] : []),
  ]
  return (
    <section class="card" role="status">
      <div class="section-head">
        <h2>{many.join(' · ')}</h2>
        <Button look="plain" icon="close" aria-label={say('dismiss')} onClick={() => (received.value = null)} />
      </div>
      <ul class="trip-faults">
        {[...report.refused, ...report.warnings].map((fault, at) => (
          <li key={at}>
            <strong>{tTrip('line', { line: fault.line ?? 0, field: fault.field })}</strong> {fault.reason}{' '}
            <span class="dim">{fault.remedy}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Bring({ date }: { date: string }) {
  const busy = useSignal(false)
  const bring = async (input: HTMLInputElement): Promise<void> => {
    const file = input.files?.[0]
    if (file === undefined) return
    busy.value = true
    const body = new Blob([file], { type: 'text/csv' })
    const report = await attempt(() => postFile<TicketsReceived>('/api/tickets/csv', body, newId()))
    busy.value = false
    input.value = '' // the same file may be chosen again, corrected
    if (report === undefined) return
    received.value = report
    toast('good', tTrip('brought', { stored: report.stored, same: report.same }))
    await load(date)
  }
  return (
    <label class="button normal trip-file" aria-busy={busy.value}>
      {busy.value ? <span class="spinner" /> : <Icon name="list" />}
      {tTrip('bring')}
      <input
        type="file"
        accept=".csv,text/csv,text/plain"
        disabled={busy.value}
        onChange={(event) => void bring(event.currentTarget)}
      />
    </label>
  )
}

/** The trip ledger of a date: what was weighed, what GPS says to it, and what is to be paid. */
export function TripsPanel() {
  const date = useSignal(state.value.serviceDate ?? '')
  const query = useSignal('')
  const show = useSignal<Show>('all')
  useEffect(() => {
    entries.value = null
    void load(date.value)
  }, [date.value])
  const wanted = query.value.trim().toLowerCase()
  const all = entries.value ?? []
  const found = all.filter(
    ({ vehicle_id, contractor }) =>
      vehicle_id.toLowerCase().includes(wanted) || contractor.toLowerCase().includes(wanted),
  )
  const shown = found.filter(({ payable }) => show.value === 'all' || payable === show.value)
  const kg = found.reduce((sum, { net_kg }) => sum + (net_kg ?? 0), 0)
  return (
    <>
      <div class="tools trip-tools">
        <input
          class="field"
          type="date"
          aria-label={tTrip('date')}
          value={date.value}
          onChange={(event) => event.currentTarget.value !== '' && (date.value = event.currentTarget.value)}
        />
        <label class="search">
          <Icon name="search" />
          <input
            class="field"
            type="search"
            aria-label={tTrip('find')}
            placeholder={tTrip('find')}
            value={query.value}
            onInput={(event) => (query.value = event.currentTarget.value)}
          />
        </label>
        <div class="switch wide" role="group" aria-label={tTrip('show')}>
          {SHOWS.map((each) => (
            <button key={each} type="button" aria-pressed={show.value === each} onClick={() => (show.value = each)}>
              {tTrip(`show.${each}`)}{' '}
              <span class="numbers">
                {number(each === 'all' ? found.length : found.filter(({ payable }) => payable === each).length)}
              </span>
            </button>
          ))}
        </div>
      </div>
      <div class="trip-sum">
        <strong class="numbers">
          {tTrip('sum', { n: found.filter(({ trip_id }) => trip_id !== null).length, kg: kilograms(kg) })}
        </strong>
        <span class="dim">{tTrip('unknownHint')}</span>
        <div class="row-top">
          <Bring date={date.value} />
          <a
            class="button normal"
            href={withQuery('/api/trips', { service_date: date.value, format: 'csv' })}
            download={`trips-${date.value}.csv`}
          >
            {tTrip('download')}
          </a>
        </div>
      </div>
      <Report />
      {entries.value === null ? (
        <Notice title={say('loading')} />
      ) : shown.length === 0 ? (
        <Notice icon="truck" title={all.length === 0 ? tTrip('noTrips') : tTrip('noneSuch')}>
          {all.length === 0 && <p>{tTrip('noTripsHint')}</p>}
        </Notice>
      ) : (
        <ul class="rows">
          {shown.map((entry) => (
            <Row key={entry.id} entry={entry} date={date.value} />
          ))}
        </ul>
      )}
    </>
  )
}
