import { useSignal } from '@preact/signals'
import { nameOf, number } from '../../shared/i18n'
import { Badge } from '../../shared/ui/badge'
import { Icon, type IconName } from '../../shared/ui/icons'
import type { RouteView, Visit, VisitKind } from '../../shared/wire'
import { target } from '../state/store'
import { TROUBLED } from '../state/views'
import { t } from '../strings'
import { OutcomeBadge, timeOf } from './parts'
import { Proof } from './proof'

const KIND: Record<VisitKind, IconName> = {
  start: 'arrow',
  lane: 'route',
  bin: 'bin',
  request: 'message',
  disposal: 'refresh',
  end: 'stop',
}

/** What the trails say about the visit. */
function evidenceText({ evidence }: Visit): string | null {
  if (evidence === null || evidence.start_t === null || evidence.end_t === null) return null
  const from = timeOf(evidence.start_t)
  const to = timeOf(evidence.end_t)
  const share = Math.round(evidence.served_fraction * 100)
  return evidence.pace_mps === null
    ? t('evidenceNoPace', { from, to, share })
    : t('evidence', { from, to, share, pace: number(evidence.pace_mps) })
}

function reportText({ report }: Visit): string | null {
  if (report === null) return null
  const reason = report.words || report.reason || t('noReason')
  return report.kind === 'could_not' ? t('report.could_not', { reason }) : t(`report.${report.kind}`)
}

function VisitRow({ visit, next }: { visit: Visit; next: boolean }) {
  const work = visit.kind === 'lane' || visit.kind === 'bin' || visit.kind === 'request'
  const evidence = work ? evidenceText(visit) : null
  const report = reportText(visit)
  const pending = work && visit.status === 'pending'
  return (
    <li class={`row visit${next ? ' selected' : ''}`}>
      <button
        type="button"
        class="row-hit"
        aria-current={next ? 'step' : undefined}
        onClick={() => (target.value = { point: [visit.lon, visit.lat], zoom: 17 })}
      >
        <span class="row-top">
          <Icon name={KIND[visit.kind]} label={t(`kind.${visit.kind}`)} />
          <span class="visit-name">
            {nameOf(visit) || (visit.kind === 'lane' ? t('unnamedLane') : t(`kind.${visit.kind}`))}
            {visit.request_code !== null && <span class="dim"> · {visit.request_code}</span>}
          </span>
          <span class="space" />
          {work && <OutcomeBadge status={visit.status} />}
          <span class="dim numbers">{timeOf(visit.eta ?? visit.planned_arrival)}</span>
        </span>
        {(evidence !== null || report !== null || visit.on_foot || (pending && (visit.at_risk || visit.locked))) && (
          <span class="visit-notes dim">
            {pending && visit.locked && <span>{t('locked')}</span>}
            {pending && visit.at_risk && (
              <Badge tone="partly" icon="alert">
                {t('atRisk')}
              </Badge>
            )}
            {visit.on_foot && <span>{t('onFoot')}</span>}
            {evidence !== null && <span class="numbers">{evidence}</span>}
            {visit.evidence !== null && visit.evidence.vehicle_id !== visit.vehicle_id && (
              <span>{t('evidenceBy', { vehicle: visit.evidence.vehicle_id })}</span>
            )}
            {visit.evidence?.provisional === true && <span>({t('provisional')})</span>}
            {report !== null && <span>{report}</span>}
          </span>
        )}
      </button>
      {work && visit.status !== 'pending' && <Proof visitId={visit.id} />}
    </li>
  )
}

const FILTERS = ['ahead', 'all', 'troubled'] as const
type Filter = (typeof FILTERS)[number]

/** The route's visits in driving order. */
export function VisitList({ view }: { view: RouteView }) {
  const filter = useSignal<Filter>('ahead')
  const next = view.visits.findIndex(({ id }) => id === view.next_visit_id)
  const wanted: Record<Filter, () => Visit[]> = {
    ahead: () => (next < 0 ? [] : view.visits.slice(next)),
    all: () => view.visits,
    troubled: () => view.visits.filter(({ status }) => TROUBLED.includes(status)),
  }
  const shown = wanted[filter.value]()
  return (
    <section>
      <div class="section-head">
        <h3>{t('visits')}</h3>
        <div class="switch" role="group" aria-label={t('filterVisits')}>
          {FILTERS.map((name) => (
            <button key={name} type="button" aria-pressed={filter.value === name} onClick={() => (filter.value = name)}>
              {t(`visits.${name}`)}
            </button>
          ))}
        </div>
      </div>
      {shown.length === 0 ? (
        <p class="dim">{t('noVisits')}</p>
      ) : (
        <ol class="rows">
          {shown.map((visit) => (
            <VisitRow key={visit.id} visit={visit} next={visit.id === view.next_visit_id} />
          ))}
        </ol>
      )}
    </section>
  )
}
