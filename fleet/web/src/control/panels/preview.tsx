import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, post } from '../../shared/api'
import { kilometres } from '../../shared/format'
import { nameOf, number } from '../../shared/i18n'
import { attempt } from '../../shared/ui/attempt'
import { Button } from '../../shared/ui/button'
import { Notice } from '../../shared/ui/notice'
import { toast } from '../../shared/ui/toast'
import type { PlanSummary, PlanView, Unplanned } from '../../shared/wire'
import { say } from '../../shared/words'
import { keepPlan } from '../state/store'
import { t } from '../strings'
import { tPlan } from './plan-strings'

function signed(value: number, text: string): string {
  return `${value > 0 ? '+' : value < 0 ? '−' : '±'}${text}`
}

/** The plan's numbers beside those of the plan that is published now. */
function Comparison({ view }: { view: PlanView }) {
  const before = view.compared_to
  const hours = (h: number): string => tPlan('hoursValue', { h })
  const lines = [
    { name: tPlan('km'), now: view.km, by: before?.km ?? null, text: kilometres },
    { name: tPlan('hours'), now: view.hours, by: before?.hours ?? null, text: hours },
  ]
  return (
    <>
      <table class="numbers">
        <thead>
          <tr>
            <td />
            <th scope="col">{tPlan('thisPlan')}</th>
            {lines.some(({ by }) => by !== null) && (
              <>
                <th scope="col">{tPlan('compared')}</th>
                <th scope="col">{tPlan('difference')}</th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ name, now, by, text }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{text(now)}</td>
              {by !== null && (
                <>
                  <td>{text(now - by)}</td>
                  <td class={by > 0 ? 'more' : 'less'}>{signed(by, text(Math.abs(by)))}</td>
                </>
              )}
            </tr>
          ))}
          <tr>
            <th scope="row">{tPlan('routes')}</th>
            <td>{number(view.vehicles)}</td>
          </tr>
          <tr>
            <th scope="row">{tPlan('planVisits')}</th>
            <td>{number(view.visits)}</td>
          </tr>
          {view.cost !== null && (
            <tr>
              <th scope="row">{tPlan('cost')}</th>
              <td>{hours(view.cost / 3600)}</td>
            </tr>
          )}
        </tbody>
      </table>
      {before !== null && before.plan_id !== null && <p class="dim">{tPlan('movedLanes', { n: before.moved })}</p>}
    </>
  )
}

/** What could not be planned, by reason. */
function LeftOut({ entries }: { entries: readonly Unplanned[] }) {
  if (entries.length === 0) return <p class="dim">{tPlan('unplannedNone')}</p>
  const byReason = new Map<string, Unplanned[]>()
  for (const entry of entries) byReason.set(entry.reason, [...(byReason.get(entry.reason) ?? []), entry])
  return (
    <section>
      <h3>
        {tPlan('unplannedTitle')} <span class="numbers">({number(entries.length)})</span>
      </h3>
      {[...byReason].map(([reason, list]) => (
        <details key={reason} class="choose">
          <summary>
            <span>{reason}</span>
            <b class="numbers">{number(list.length)}</b>
          </summary>
          <ul>
            {list.map((entry) => (
              <li key={entry.ref}>{nameOf(entry) || t('unnamedLane')}</li>
            ))}
          </ul>
        </details>
      ))}
    </section>
  )
}

export function PlanPreview({ plan }: { plan: PlanSummary }) {
  const view = useSignal<PlanView | null>(null)
  const busy = useSignal(false)
  useEffect(() => {
    void attempt(() => get<PlanView>(`/api/plans/${plan.id}`)).then((found) => {
      if (found !== undefined) view.value = found
    })
  }, [plan.id, plan.version])

  const publish = async (): Promise<void> => {
    busy.value = true
    const done = await attempt(() =>
      post<PlanSummary>(`/api/plans/${plan.id}/publish`, { version: plan.version }),
    )
    busy.value = false
    if (done === undefined) return
    keepPlan(done)
    toast('good', tPlan('publishedNow'))
  }
  if (view.value === null) return <Notice title={say('loading')} />
  return (
    <div class="preview">
      <Comparison view={view.value} />
      <LeftOut entries={view.value.unplanned} />
      {plan.status === 'draft' && (
        <Button look="primary" icon="check" busy={busy.value} onClick={() => void publish()}>
          {tPlan('publish')}
        </Button>
      )}
    </div>
  )
}
