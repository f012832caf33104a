import { useSignal } from '@preact/signals'
import { Icon } from '../../shared/ui/icons'
import { Notice } from '../../shared/ui/notice'
import { Badge } from '../../shared/ui/badge'
import { number } from '../../shared/i18n'
import { rows, selectedRow, selectedVehicle, showVehicle } from '../state/store'
import { sortedRows, type VehicleRow, type VehicleSort } from '../state/views'
import { driverName } from '../state/crew'
import { t } from '../strings'
import { FixAge, LateBadge, Progress, StateBadge } from './parts'
import { VehicleDetails } from './vehicle'

const SORTS: readonly VehicleSort[] = ['trouble', 'name', 'progress']

function Row({ row }: { row: VehicleRow }) {
  const { live, route, vehicle } = row
  return (
    <li class="row" data-vehicle={row.id}>
      <button type="button" class="row-hit" onClick={() => showVehicle(row.id)}>
        <span class="row-top">
          <strong>{row.id}</strong>
          <StateBadge state={live?.state ?? 'never'} />
          {vehicle?.spare === true && (
            <Badge tone="pending" icon="truck">
              {t('spare')}
            </Badge>
          )}
          {route !== null && route.pending > 0 && <LateBadge late_s={route.late_s} />}
          <span class="space" />
          <FixAge of={live?.t ?? null} />
        </span>
        {route === null ? (
          <span class="dim">{t('noRoute')}</span>
        ) : (
          <span class="row-bottom">
            <Progress done={row.done} total={row.total} troubled={route.missed + route.driven_through + route.partly} />
            <span class="numbers">
              {number(row.done)}/{number(row.total)}
            </span>
          </span>
        )}
        {vehicle?.driver != null && <span class="dim row-who">{driverName(vehicle.driver)}</span>}
      </button>
    </li>
  )
}

/** All vehicles, or the chosen one's details. */
export function VehiclesPanel() {
  const query = useSignal('')
  const sort = useSignal<VehicleSort>('trouble')
  if (selectedVehicle.value !== null && selectedRow.value !== null) return <VehicleDetails row={selectedRow.value} />
  if (rows.value.length === 0) {
    return (
      <Notice icon="truck" title={t('noVehicles')}>
        <p>{t('noVehiclesHint')}</p>
      </Notice>
    )
  }
  const wanted = query.value.trim().toLowerCase()
  const shown = rows.value.filter(
    ({ id, vehicle }) =>
      id.toLowerCase().includes(wanted) ||
      (vehicle?.driver != null && driverName(vehicle.driver).toLowerCase().includes(wanted)),
  )
  return (
    <>
      <div class="tools">
        <label class="search">
          <Icon name="search" />
          <input
            class="field"
            type="search"
            aria-label={t('searchVehicle')}
            placeholder={t('searchVehicle')}
            value={query.value}
            onInput={(event) => (query.value = event.currentTarget.value)}
          />
        </label>
        <select
          class="field"
          aria-label={t('sort')}
          value={sort.value}
          onChange={(event) => (sort.value = event.currentTarget.value as VehicleSort)}
        >
          {SORTS.map((by) => (
            <option key={by} value={by}>
              {t(`sort.${by}`)}
            </option>
          ))}
        </select>
      </div>
      {shown.length === 0 ? (
        <Notice icon="search" title={t('noMatch', { query: query.value })} />
      ) : (
        <ul class="rows">
          {sortedRows(shown, sort.value).map((row) => (
            <Row key={row.id} row={row} />
          ))}
        </ul>
      )}
    </>
  )
}
