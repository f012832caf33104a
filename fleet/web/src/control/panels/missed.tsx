import { useSignal } from '@preact/signals'
import { number } from '../../shared/i18n'
import { nameOf } from '../../shared/i18n'
import { boundsOf, grow } from '../../shared/map/geometry'
import { OUTCOMES } from '../../shared/ui/badge'
import { Button } from '../../shared/ui/button'
import { Icon } from '../../shared/ui/icons'
import { Notice } from '../../shared/ui/notice'
import type { LonLat, VisitStatus } from '../../shared/wire'
import { say } from '../../shared/words'
import { driverName } from '../state/crew'
import { laneById, needWards, selectedLane } from '../state/lanes'
import { fleet, lanes, planFor, routes, showVehicle, tab, target } from '../state/store'
import { laneCounts, type MissedGroup, missedGroups, TROUBLED } from '../state/views'
import { t } from '../strings'
import { OutcomeBadge } from './parts'

/** Chooses a lane and flies to it, where its ward is loaded. */
export function showLane(id: string): void {
  selectedLane.value = id
  const lane = laneById.value.get(id)
  const box = lane === undefined ? null : boundsOf(lane.geometry.coordinates as LonLat[])
  if (box !== null) target.value = { bounds: grow(box, 60) }
}

function Group({ group }: { group: MissedGroup }) {
  const open = useSignal(false)
  const { vehicleId, counts, total } = group
  const name = vehicleId ?? t('noVehicleGroup')
  const driver = fleet.value.find(({ id }) => id === vehicleId)?.driver ?? null
  const toggle = (): void => {
    open.value = !open.value
    const wards = [...routes.value.values()].filter((r) => r.vehicle_id === vehicleId).flatMap((r) => r.ward_ids)
    if (open.value) needWards(wards)
  }
  return (
    <li class="row group">
      <button type="button" class="row-hit" aria-expanded={open.value} aria-label={t('expand', { vehicle: name })} onClick={toggle}>
        <span class="row-top">
          <strong>{name}</strong>
          {driver !== null && <span class="dim">{driverName(driver)}</span>}
          <span class="space" />
          <b class="numbers">{t('missedShare', { n: total })}</b>
        </span>
        <span class="row-top">
          {TROUBLED.filter((status) => (counts[status] ?? 0) > 0).map((status) => (
            <span key={status} class={`badge tone-${OUTCOMES[status].tone}`}>
              <Icon name={OUTCOMES[status].icon} />
              {say(`status.${status}`)} <span class="numbers">{number(counts[status] ?? 0)}</span>
            </span>
          ))}
        </span>
      </button>
      {open.value && (
        <>
          {vehicleId !== null && (
            <div class="actions">
              <Button icon="truck" onClick={() => showVehicle(vehicleId)}>
                {t('showVehicle', { vehicle: vehicleId })}
              </Button>
              <Button
                icon="refresh"
                onClick={() => {
                  planFor.value = new Set([vehicleId])
                  tab.value = 'plan'
                }}
              >
                {t('replanVehicle')}
              </Button>
            </div>
          )}
          <ul class="lanes">
            {group.laneIds.map((id) => {
              const state = lanes.value.get(id)
              const lane = laneById.value.get(id)
              return (
                <li key={id}>
                  <button type="button" onClick={() => showLane(id)}>
                    <span>{(lane !== undefined && nameOf(lane.properties)) || t('unnamedLane')}</span>
                    {lane !== undefined && (
                      <span class="dim numbers">{t('households', { n: lane.properties.households })}</span>
                    )}
                    <span class="space" />
                    {state !== undefined && <OutcomeBadge status={state.status} />}
                  </button>
                </li>
              )
            })}
          </ul>
        </>
      )}
    </li>
  )
}

/** Lanes without good service, grouped by vehicle. */
export function MissedPanel() {
  const statuses = useSignal<ReadonlySet<VisitStatus>>(new Set<VisitStatus>(['missed', 'driven_through', 'partly']))
  const counts = laneCounts(lanes.value)
  const groups = missedGroups(lanes.value, statuses.value)
  const toggle = (status: VisitStatus): void => {
    const next = new Set(statuses.value)
    if (!next.delete(status)) next.add(status)
    statuses.value = next
  }
  return (
    <>
      <div class="tools">
        <div class="switch wide" role="group" aria-label={t('tab.missed')}>
          {TROUBLED.map((status) => (
            <button key={status} type="button" aria-pressed={statuses.value.has(status)} onClick={() => toggle(status)}>
              {say(`status.${status}`)} <span class="numbers">{number(counts[status])}</span>
            </button>
          ))}
        </div>
      </div>
      {groups.length === 0 ? (
        <Notice icon="check" title={t('noMissed')}>
          <p>{t('noMissedHint')}</p>
        </Notice>
      ) : (
        <ul class="rows">
          {groups.map((group) => (
            <Group key={group.vehicleId ?? ''} group={group} />
          ))}
        </ul>
      )}
    </>
  )
}
