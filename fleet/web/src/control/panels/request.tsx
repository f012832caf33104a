import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { ApiProblem, get, post } from '../../shared/api'
import { duration, metres, serviceDay } from '../../shared/format'
import { lang, nameOf } from '../../shared/i18n'
import { attempt } from '../../shared/ui/attempt'
import { Badge, type Tone } from '../../shared/ui/badge'
import { Button } from '../../shared/ui/button'
import type { IconName } from '../../shared/ui/icons'
import { toast } from '../../shared/ui/toast'
import type { RequestSummary, StopAnswer, Verdict } from '../../shared/wire'
import { say } from '../../shared/words'
import { cityNow } from '../state/clock'
import { city, keepRequest, selectedRequest, showRequest, showVehicle } from '../state/store'
import { stageOf } from '../state/views'
import { t } from '../strings'
import { ageOf, timeOf } from './parts'

/** The request that a call is under way for. */
export const busyWith = signal<string | null>(null)
const closing = signal<string | null>(null)
/** Why the last wish for a stop was refused, by request. */
const refusals = signal<ReadonlyMap<string, string>>(new Map())

const VERDICTS: Record<Verdict, { tone: Tone; icon: IconName }> = {
  confirmed_missed: { tone: 'missed', icon: 'cross' },
  partly: { tone: 'partly', icon: 'half' },
  served: { tone: 'served', icon: 'check' },
  cannot_tell: { tone: 'unknown', icon: 'help' },
}

export function startClosing(id: string): void {
  selectedRequest.value = id
  closing.value = id
}

/** Runs a change of a request; when it changed meanwhile, its present state is fetched. */
async function change<T>(request: RequestSummary, run: () => Promise<T>): Promise<T | undefined> {
  busyWith.value = request.id
  try {
    return await attempt(async () => {
      try {
        return await run()
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 409) {
          keepRequest(await get<RequestSummary>(`/api/requests/${request.id}`))
        }
        throw error
      }
    })
  } finally {
    busyWith.value = null
  }
}

export async function placeStop(request: RequestSummary, when: 'today' | 'tomorrow'): Promise<void> {
  const { id, code, version } = request
  const answer = await change(request, () => post<StopAnswer>(`/api/requests/${id}/stop`, { version, when }))
  if (answer === undefined) return
  const said = new Map(refusals.value)
  if (answer.placed) {
    said.delete(id)
    toast('good', t('placed', { code, vehicle: answer.vehicle_id, time: timeOf(answer.planned_arrival) }))
  } else {
    const later = answer.deferred_to === null ? '' : ` ${t('deferred', { date: serviceDay(answer.deferred_to) })}`
    if (when === 'today') {
      said.set(id, `${t('notPlaced', { code, reason: answer.reason })}${later}`)
    }
    toast('info', when === 'today' ? t('notPlaced', { code, reason: answer.reason }) : `${code}:${later}`)
  }
  refusals.value = said
}

function CloseForm({ request }: { request: RequestSummary }) {
  const note = useRef<HTMLTextAreaElement>(null)
  useEffect(() => note.current?.focus(), [])
  const close = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const { id, code, version } = request
    const words = note.current?.value.trim() ?? ''
    const done = await change(request, () => post<RequestSummary>(`/api/requests/${id}/close`, { version, words }))
    if (done === undefined) return
    closing.value = null
    toast('good', t('closed', { code }))
  }
  return (
    <form
      class="close-form"
      onSubmit={(event) => void close(event)}
      onKeyDown={(event) => event.key === 'Escape' && (closing.value = null)}
    >
      <label for={`note-${request.id}`}>{t('closeNote')}</label>
      <textarea class="field" id={`note-${request.id}`} ref={note} rows={2} required maxLength={2000} />
      <div class="actions">
        <Button look="primary" type="submit" busy={busyWith.value === request.id}>
          {t('closeDo')}
        </Button>
        <Button onClick={() => (closing.value = null)}>{say('cancel')}</Button>
      </div>
    </form>
  )
}

function Promised({ request }: { request: RequestSummary }) {
  const { promised_at } = request
  if (promised_at === null || stageOf(request) === 'closed') return null
  const late = cityNow.value !== null && Date.parse(promised_at) < cityNow.value
  return (
    <span class={late ? 'bad-text' : 'dim'}>
      {late ? t('overdue', { time: timeOf(promised_at) }) : t('promised', { time: timeOf(promised_at) })}
    </span>
  )
}

function Pass({ request }: { request: RequestSummary }) {
  const { nearest_pass: pass, verdict } = request
  if (verdict === null) return null
  if (pass === null) return <p class="dim">{t('noPass')}</p>
  const { vehicle_id: vehicle, distance_m } = pass
  return (
    <p class="dim numbers">
      {t('nearestPass', { vehicle, time: timeOf(pass.t), distance: metres(distance_m) })}
    </p>
  )
}

/** One request of the queue: what was said, what the trails say, what to do. */
export function RequestCard({ request, selected }: { request: RequestSummary; selected: boolean }) {
  const { id, code, photo_ids, verdict, vehicle_id } = request
  const category = city.value?.categories.find((c) => c.service_code === request.service_code)
  const stage = stageOf(request)
  const busy = busyWith.value === id
  const refusal = refusals.value.get(id)
  const words = request.verdict_texts?.[lang.value] ?? request.verdict_text
  return (
    <li class={`row request${selected ? ' selected' : ''}`} data-request={id} aria-current={selected}>
      <button type="button" class="row-hit" onClick={() => showRequest(id)}>
        <span class="row-top">
          <strong>{category === undefined ? request.service_code : nameOf(category)}</strong>
          <span class="space" />
          <span class="dim numbers">{t('requestAge', { age: duration(ageOf(request.created_at)) })}</span>
        </span>
        <span class="row-top">
          {verdict !== null && <Badge {...VERDICTS[verdict]}>{t(`verdict.${verdict}`)}</Badge>}
          {verdict === null && category?.kind === 'miss' && (
            <Badge tone="pending" icon="clock">
              {t('unchecked')}
            </Badge>
          )}
          <Badge tone={stage === 'open' ? 'info' : stage === 'planned' ? 'partly' : 'served'} icon={stage === 'open' ? 'message' : stage === 'planned' ? 'clock' : 'check'}>
            {t(`stage.${stage}`)}
          </Badge>
          <Promised request={request} />
        </span>
        {request.address && <span class="dim">{request.address}</span>}
      </button>
      <div class="request-body">
        <div class="request-words">
          {request.words && <blockquote lang={request.lang}>{request.words}</blockquote>}
          {words && <p>{words}</p>}
          <Pass request={request} />
          {request.deferred_to !== null && stage !== 'closed' && (
            <p class="dim">{t('deferredTo', { date: serviceDay(request.deferred_to) })}</p>
          )}
          {request.rating !== null && <p class="dim">{t(`rating.${request.rating}`)}</p>}
        </div>
        {photo_ids[0] !== undefined && (
          <a class="thumb" href={`/api/photos/${photo_ids[0]}`} target="_blank" rel="noreferrer" aria-label={t('openPhoto', { code })}>
            <img src={`/api/photos/${photo_ids[0]}`} alt={t('photo', { code })} loading="lazy" />
            {photo_ids.length > 1 && <b class="numbers">+{photo_ids.length - 1}</b>}
          </a>
        )}
      </div>
      {refusal !== undefined && stage !== 'closed' && (
        <p class="refusal" role="status">
          {refusal}
        </p>
      )}
      {closing.value === id ? (
        <CloseForm request={request} />
      ) : (
        stage !== 'closed' && (
          <div class="actions">
            {stage === 'open' && (
              <>
                <Button look={selected ? 'primary' : 'normal'} busy={busy} onClick={() => void placeStop(request, 'today')}>
                  {t('stopToday')}
                </Button>
                <Button disabled={busy} onClick={() => void placeStop(request, 'tomorrow')}>
                  {t('tomorrow')}
                </Button>
              </>
            )}
            <Button disabled={busy} onClick={() => startClosing(id)}>
              {t('closeIt')}
            </Button>
            {vehicle_id !== null && stage === 'planned' && (
              <Button look="plain" icon="truck" onClick={() => showVehicle(vehicle_id)}>
                {t('vehicleComing', { vehicle: vehicle_id })}
              </Button>
            )}
            <span class="space" />
            <a class="code" href={`/r/${code}`} target="_blank" rel="noreferrer" title={t('residentPage')}>
              {code}
            </a>
          </div>
        )
      )}
    </li>
  )
}
