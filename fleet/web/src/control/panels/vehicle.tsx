import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { kilograms, kilometres } from '../../shared/format'
import { nameOf, number } from '../../shared/i18n'
import { boundsOf, grow } from '../../shared/map/geometry'
import { attempt } from '../../shared/ui/attempt'
import { Badge } from '../../shared/ui/badge'
import { Button } from '../../shared/ui/button'
import { Notice } from '../../shared/ui/notice'
import type { RouteView } from '../../shared/wire'
import { say } from '../../shared/words'
import { DayFold } from '../replay/day-card'
import { driverName } from '../state/crew'
import { openRoute, planFor, selectedVehicle, selectedView, showVehicle, tab, target } from '../state/store'
import type { VehicleRow } from '../state/views'
import { t } from '../strings'
import { AssignChoice } from './assign'
import { FixAge, LateBadge, Progress, StateBadge, timeOf } from './parts'
import { VisitList } from './visits'

function Facts({ row }: { row: VehicleRow }) {
  const { vehicle, live, route } = row
  const changing = useSignal<'device_vehicle' | 'crew_vehicle' | null>(null)
  const change = (kind: 'device_vehicle' | 'crew_vehicle'): void => {
    changing.value = changing.value === kind ? null : kind
  }
  return (
    <>
      <dl class="facts">
        <dt>{t('driver')}</dt>
        <dd>
          <span>{vehicle?.driver == null ? t('nobody') : driverName(vehicle.driver)}</span>
          <Button
            aria-label={t('changeDriver')}
            aria-expanded={changing.value === 'crew_vehicle'}
            onClick={() => change('crew_vehicle')}
          >
            {t('change')}
          </Button>
        </dd>
        <dt>{t('device')}</dt>
        <dd>
          <span>{vehicle?.device_id ?? live?.device_id ?? t('noDevice')}</span>
          <Button
            aria-label={t('changeDevice')}
            aria-expanded={changing.value === 'device_vehicle'}
            onClick={() => change('device_vehicle')}
          >
            {t('change')}
          </Button>
        </dd>
        {vehicle !== null && (
          <>
            <dt>{t('class')}</dt>
            <dd>
              {vehicle.class_id}
              {vehicle.contractor !== null && ` · ${vehicle.contractor}`}
            </dd>
          </>
        )}
        {route !== null && (
          <>
            <dt>{t('shift')}</dt>
            <dd class="numbers">
              {route.shift} · {timeOf(route.start_t)}–{timeOf(route.end_t)}
            </dd>
            <dt>{t('tab.plan')}</dt>
            <dd class="numbers">
              {kilometres(route.km)} · {t('trips', { n: route.trips })} ·{' '}
              {kilograms(Object.values(route.kg).reduce((sum, kg) => sum + kg, 0))}
            </dd>
          </>
        )}
      </dl>
      {changing.value !== null && (
        <AssignChoice kind={changing.value} vehicleId={row.id} done={() => (changing.value = null)} />
      )}
    </>
  )
}

function NextStop({ view }: { view: RouteView }) {
  const next = view.visits.find((visit) => visit.id === view.next_visit_id)
  if (next === undefined) return <p class="card dim">{t('allDone')}</p>
  return (
    <button
      type="button"
      class="card next"
      onClick={() => (target.value = { point: [next.lon, next.lat], zoom: 17 })}
    >
      <span class="dim">{t('nextStop')}</span>
      <strong>{nameOf(next) || (next.kind === 'lane' ? t('unnamedLane') : t(`kind.${next.kind}`))}</strong>
      <span class="dim numbers">
        {next.eta === null
          ? t('planned', { time: timeOf(next.planned_arrival) })
          : t('eta', { time: timeOf(next.eta) })}
        {next.households > 0 && ` · ${t('households', { n: next.households })}`}
      </span>
    </button>
  )
}

/** One vehicle: who, where, how far, what next, and every visit with its outcome. */
export function VehicleDetails({ row }: { row: VehicleRow }) {
  const { live, route } = row
  const view = selectedView.value
  const routeId = route?.id
  useEffect(() => {
    if (routeId !== undefined && view === null) void attempt(() => openRoute(routeId))
  }, [routeId, view])

  const showRoute = (): void => {
    const box = view === null ? null : boundsOf(view.visits.flatMap((visit) => visit.path))
    if (box !== null) target.value = { bounds: grow(box, 100) }
  }
  const replan = (): void => {
    planFor.value = new Set([row.id])
    tab.value = 'plan'
  }
  return (
    <div class="details">
      <div class="details-head">
        <Button look="plain" icon="back" aria-label={t('backToList')} onClick={() => (selectedVehicle.value = null)} />
        <h2>{row.id}</h2>
        <StateBadge state={live?.state ?? 'never'} />
        {route !== null && route.pending > 0 && <LateBadge late_s={route.late_s} />}
        <span class="space" />
        <FixAge of={live?.t ?? null} />
      </div>
      {(live?.state === 'moving' || live?.state === 'standing') && (
        <p class="dim numbers">
          {t('speed', { kmh: Math.round((live.speed_mps ?? 0) * 3.6) })}
          {live.load_kg !== null && ` · ${t('load', { kg: kilograms(live.load_kg) })}`}
        </p>
      )}
      <div class="actions">
        {live?.lon != null && (
          <Button icon="pin" onClick={() => showVehicle(row.id)}>
            {t('showOnMap')}
          </Button>
        )}
        {route !== null && (
          <Button icon="route" disabled={view === null} onClick={showRoute}>
            {t('showRoute')}
          </Button>
        )}
        <Button icon="refresh" onClick={replan}>
          {t('replanVehicle')}
        </Button>
      </div>
      <Facts row={row} />
      <DayFold vehicleId={row.id} />
      {route === null ? (
        <Notice icon="route" title={t('noRoute')} />
      ) : (
        <>
          <Progress done={row.done} total={row.total} troubled={route.missed + route.driven_through + route.partly} />
          <div class="tally">
            <Badge tone="served" icon="check">
              {say('status.served')} {number(route.served)}
            </Badge>
            {route.partly > 0 && (
              <Badge tone="partly" icon="half">
                {say('status.partly')} {number(route.partly)}
              </Badge>
            )}
            {route.driven_through > 0 && (
              <Badge tone="driven" icon="forward">
                {say('status.driven_through')} {number(route.driven_through)}
              </Badge>
            )}
            {route.missed > 0 && (
              <Badge tone="missed" icon="cross">
                {say('status.missed')} {number(route.missed)}
              </Badge>
            )}
            {route.unknown > 0 && (
              <Badge tone="unknown" icon="help">
                {say('status.unknown')} {number(route.unknown)}
              </Badge>
            )}
            <Badge tone="pending" icon="clock">
              {say('status.pending')} {number(route.pending)}
            </Badge>
          </div>
          {view === null ? (
            <Notice title={say('loading')} />
          ) : (
            <>
              <NextStop view={view} />
              <VisitList view={view} />
            </>
          )}
        </>
      )}
    </div>
  )
}
