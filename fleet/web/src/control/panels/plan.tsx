import { signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { post } from '../../shared/api'
import { addDays, kilometres, serviceDay } from '../../shared/format'
import { nameOf, number } from '../../shared/i18n'
import { attempt } from '../../shared/ui/attempt'
import { Badge } from '../../shared/ui/badge'
import { Button } from '../../shared/ui/button'
import { Notice } from '../../shared/ui/notice'
import type { Job, PlanSummary } from '../../shared/wire'
import { say } from '../../shared/words'
import { fleet, jobs, keepJob, loadPlans, planFor, plans, state, wards } from '../state/store'
import { t } from '../strings'
import { tPlan } from './plan-strings'
import { timeOf } from './parts'
import { PlanPreview } from './preview'

/** The planning job that this person started last. */
const started = signal<string | null>(null)
const opened = signal<string | null>(null)
const chosenWards = signal<ReadonlySet<string>>(new Set())

/** Our own job, or (after a reload, or from a colleague) the one under way. */
function jobShown(): Job | undefined {
  if (started.value !== null) return jobs.value.get(started.value)
  return [...jobs.value.values()].find(
    ({ kind, status }) => kind.includes('plan') && (status === 'queued' || status === 'running'),
  )
}

interface ChoiceProps {
  title: string
  options: readonly { id: string; name: string }[]
  chosen: ReadonlySet<string>
  set: (chosen: ReadonlySet<string>) => void
}

function Choice({ title, options, chosen, set }: ChoiceProps) {
  const toggle = (id: string): void => {
    const next = new Set(chosen)
    if (!next.delete(id)) next.add(id)
    set(next)
  }
  return (
    <details class="choose">
      <summary>
        <strong>{title}</strong>
        <span class="dim numbers">{chosen.size === 0 ? tPlan('everything') : tPlan('chosen', { n: chosen.size })}</span>
      </summary>
      <ul>
        {options.map(({ id, name }) => (
          <li key={id}>
            <label>
              <input type="checkbox" checked={chosen.has(id)} onChange={() => toggle(id)} />
              {name}
            </label>
          </li>
        ))}
      </ul>
      {chosen.size > 0 && (
        <Button look="plain" onClick={() => set(new Set())}>
          {tPlan('clear')}
        </Button>
      )}
    </details>
  )
}

function Order({ date }: { date: string }) {
  const busy = useSignal(false)
  const job = jobShown()
  const working = job?.status === 'queued' || job?.status === 'running'
  const partial = chosenWards.value.size + planFor.value.size > 0
  const order = async (): Promise<void> => {
    busy.value = true
    const body = {
      service_date: date,
      ...(chosenWards.value.size > 0 ? { wards: [...chosenWards.value] } : {}),
      ...(planFor.value.size > 0 ? { vehicles: [...planFor.value] } : {}),
    }
    const made = await attempt(() => post<Job>('/api/plans', body))
    busy.value = false
    if (made === undefined) return
    keepJob(made)
    started.value = made.id
    opened.value = null
  }
  const wardNames = (wards.value?.features ?? []).map(({ properties }) => ({
    id: properties.ward_id,
    name: nameOf(properties),
  }))
  return (
    <section class="card">
      <h2>{tPlan('newPlan')}</h2>
      <Choice title={tPlan('wards')} options={wardNames} chosen={chosenWards.value} set={(next) => (chosenWards.value = next)} />
      <Choice
        title={tPlan('planVehicles')}
        options={fleet.value.map(({ id }) => ({ id, name: id }))}
        chosen={planFor.value}
        set={(next) => (planFor.value = next)}
      />
      <Button look="primary" icon="route" busy={busy.value} disabled={working} onClick={() => void order()}>
        {tPlan(partial ? 'runPlan' : 'runPlanAll')}
      </Button>
      {job !== undefined && <JobProgress job={job} />}
    </section>
  )
}

function JobProgress({ job }: { job: Job }) {
  const working = job.status === 'queued' || job.status === 'running'
  const cancel = async (): Promise<void> => {
    const next = await attempt(() => post<Job>(`/api/jobs/${job.id}/cancel`))
    if (next !== undefined) keepJob(next)
  }
  return (
    <div class="job" role="status">
      <div class="row-top">
        {working && <span class="spinner" />}
        <strong>{tPlan(`job.${job.status}`)}</strong>
        <span class="dim">{job.message}</span>
        <span class="space" />
        <span class="numbers">{Math.round(job.progress * 100)}%</span>
        {working && <Button onClick={() => void cancel()}>{tPlan('cancelJob')}</Button>}
      </div>
      {working && <progress aria-label={tPlan('jobProgress')} value={job.progress} max={1} />}
      {job.error !== null && <p class="refusal">{job.error}</p>}
    </div>
  )
}

export function PlanStatus({ status }: { status: string }) {
  if (status === 'published') return <Badge tone="served" icon="check">{tPlan('published')}</Badge>
  if (status === 'superseded') return <Badge tone="pending" icon="clock">{tPlan('superseded')}</Badge>
  return <Badge tone="info" icon="help">{tPlan('draft')}</Badge>
}

function PlanRow({ plan }: { plan: PlanSummary }) {
  const made = tPlan('madeAt', { time: timeOf(plan.created_at) })
  return (
    <li class={`row${opened.value === plan.id ? ' selected' : ''}`}>
      <button
        type="button"
        class="row-hit"
        aria-expanded={opened.value === plan.id}
        onClick={() => (opened.value = opened.value === plan.id ? null : plan.id)}
      >
        <span class="row-top">
          <PlanStatus status={plan.status} />
          <span>{plan.shift ?? tPlan('shiftAny')}</span>
          <span class="space" />
          <span class="dim numbers">{made}</span>
        </span>
        <span class="dim numbers">
          {tPlan('routes')} {number(plan.vehicles)} · {tPlan('planVisits')} {number(plan.visits)} · {kilometres(plan.km)} ·{' '}
          {tPlan('hoursValue', { h: plan.hours })}
          {plan.unplanned > 0 && ` · ${tPlan('notPlanned')} ${number(plan.unplanned)}`}
        </span>
      </button>
      {opened.value === plan.id && <PlanPreview plan={plan} />}
    </li>
  )
}

/** Plans of a date, and a new one for chosen wards or vehicles. */
export function PlanPanel() {
  const today = state.value.serviceDate ?? ''
  const date = useSignal(today)
  const loading = useSignal(true)
  useEffect(() => {
    loading.value = true
    void attempt(() => loadPlans(date.value)).then(() => (loading.value = false))
  }, [date.value])

  // A finished job of ours opens its plan.
  const job = started.value === null ? undefined : jobs.value.get(started.value)
  const made = job?.status === 'done' ? job.result?.['plan_id'] : undefined
  useEffect(() => {
    if (typeof made !== 'string') return
    opened.value = made
    void attempt(() => loadPlans(date.value))
  }, [made])

  const list = [...plans.value.values()]
    .filter((plan) => plan.service_date === date.value)
    .sort((a, b) => b.created_at.localeCompare(a.created_at))
  return (
    <>
      <div class="tools">
        <label>
          <span class="dim">{tPlan('planDate')}</span>{' '}
          <input
            class="field"
            type="date"
            value={date.value}
            onChange={(event) => event.currentTarget.value !== '' && (date.value = event.currentTarget.value)}
          />
        </label>
        <span class="space" />
        <div class="switch" role="group" aria-label={tPlan('planDate')}>
          {[0, 1].map((days) => {
            const day = addDays(today, days)
            return (
              <button key={day} type="button" aria-pressed={date.value === day} onClick={() => (date.value = day)}>
                {days === 0 ? tPlan('today') : t('tomorrow')}
              </button>
            )
          })}
        </div>
      </div>
      <Order date={date.value} />
      <h2 class="section-title">{tPlan('plans', { date: serviceDay(date.value) })}</h2>
      {loading.value && list.length === 0 ? (
        <Notice title={say('loading')} />
      ) : list.length === 0 ? (
        <Notice icon="route" title={tPlan('noPlans')}>
          <p>{tPlan('noPlansHint')}</p>
        </Notice>
      ) : (
        <ul class="rows">
          {list.map((plan) => (
            <PlanRow key={plan.id} plan={plan} />
          ))}
        </ul>
      )}
    </>
  )
}
