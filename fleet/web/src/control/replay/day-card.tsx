import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { duration, kilometres } from '../../shared/format'
import { nameOf, number } from '../../shared/i18n'
import { attempt } from '../../shared/ui/attempt'
import { Icon } from '../../shared/ui/icons'
import { Notice } from '../../shared/ui/notice'
import { say } from '../../shared/words'
import { timeOf } from '../panels/parts'
import { places, state } from '../state/store'
import { type DayTrip, exportPath, loadDay, vehicleDay, type VehicleDay } from './day'
import { goTo, replay, seek } from './state'
import { t } from './strings'
import './replay.css'

const FORMATS = ['csv', 'gpx', 'geojson'] as const
const epoch = (iso: string): number => Date.parse(iso) / 1000

function Figures({ day }: { day: VehicleDay }) {
  const aside = Object.values(day.marks).reduce((sum, n) => sum + n, 0)
  return (
    <dl class="facts day-figures">
      <dt>{t('driven')}</dt>
      <dd class="numbers">{kilometres(day.distance_m / 1000)}</dd>
      <dt>{t('moving')}</dt>
      <dd class="numbers">{duration(day.moving_s)}</dd>
      <dt>{t('standing')}</dt>
      <dd class="numbers">{duration(day.standing_s)}</dd>
      {day.silent_s > 0 && (
        <>
          <dt>{t('silent')}</dt>
          <dd class="numbers">{duration(day.silent_s)}</dd>
        </>
      )}
      <dt>{t('halts')}</dt>
      <dd class="numbers">{number(day.halts)}</dd>
      <dt>{t('passes')}</dt>
      <dd class="numbers">{number(new Set(day.passes.map((pass) => pass.lane_id)).size)}</dd>
      <dt>{t('fixes')}</dt>
      <dd class="numbers">
        {number(day.fixes)}
        {aside > 0 && <span class="dim">{t('setAside', { n: aside })}</span>}
      </dd>
    </dl>
  )
}

function placeName(id: string | null, ended: DayTrip['ended_by'] | null): string {
  if (id === null) return ended === 'ignition' ? t('engineOff') : t('onTheWay')
  const found = places.value?.features.find(({ properties }) => properties.id === id)
  return found === undefined ? id : nameOf(found.properties) || id
}

/** A time that, in a replay, leads to itself. */
function Moment({ start_t, end_t, go }: { start_t: string; end_t: string; go: () => void }) {
  const words = `${timeOf(start_t)}–${timeOf(end_t)}`
  if (replay.value === null) return <span class="numbers">{words}</span>
  return (
    <button type="button" class="moment numbers" aria-label={t('seek', { time: timeOf(start_t) })} onClick={go}>
      {words}
    </button>
  )
}

function Lists({ day }: { day: VehicleDay }) {
  return (
    <>
      {day.trips.length > 0 && (
        <section>
          <h3>
            {t('trips')} <span class="dim numbers">{number(day.trips.length)}</span>
          </h3>
          <ul class="day-list">
            {day.trips.map((trip) => (
              <li key={trip.start_t}>
                <Moment {...trip} go={() => seek(epoch(trip.start_t))} />
                <span class="day-what">
                  {t('trip', { from: placeName(trip.from_place, null), to: placeName(trip.to_place, trip.ended_by) })}
                </span>
                <span class="numbers">{kilometres(trip.distance_m / 1000)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {day.stops.length > 0 && (
        <section>
          <h3>
            {t('stops')} <span class="dim numbers">{number(day.stops.length)}</span>
          </h3>
          <ul class="day-list">
            {day.stops.map((stop) => (
              <li key={stop.start_t}>
                <Moment {...stop} go={() => goTo([stop.lon, stop.lat], epoch(stop.start_t))} />
                <span class="day-what">{nameOf(stop) || t('noName')}</span>
                <span class="numbers">{duration(stop.duration_s)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {day.gaps.length > 0 && (
        <section>
          <h3>
            {t('gaps')} <span class="dim numbers">{number(day.gaps.length)}</span>
          </h3>
          <ul class="day-list">
            {day.gaps.map((gap) => (
              <li key={gap.start_t}>
                <Moment {...gap} go={() => seek(epoch(gap.start_t))} />
                <span class="day-what" />
                <span class="numbers">{duration(epoch(gap.end_t) - epoch(gap.start_t))}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

/** What a vehicle did on a service date, and its files. */
export function DayCard({ vehicleId, serviceDate }: { vehicleId: string; serviceDate: string }) {
  useEffect(() => {
    void attempt(() => loadDay(vehicleId, serviceDate))
  }, [vehicleId, serviceDate])
  const day = vehicleDay.value
  if (day === null || day.vehicle_id !== vehicleId || day.service_date !== serviceDate) {
    return <Notice title={say('loading')} />
  }
  if (day.fixes === 0) return <Notice icon="silent" title={t('noDay')} />
  return (
    <section class="day-card" aria-label={t('day')}>
      {day.resolution === 'compact' && <p class="dim">{t('compact')}</p>}
      <Figures day={day} />
      <Lists day={day} />
      <p class="day-files">
        <span class="dim">{t('export')}</span>
        {FORMATS.map((format) => (
          <a key={format} class="button" href={exportPath(vehicleId, serviceDate, format)} download>
            <Icon name="save" />
            {format === 'geojson' ? 'GeoJSON' : format.toUpperCase()}
          </a>
        ))}
      </p>
    </section>
  )
}

/** The running day of a vehicle, worked out when it is unfolded. */
export function DayFold({ vehicleId }: { vehicleId: string }) {
  const open = useSignal(false)
  const today = state.value.serviceDate
  if (today === null) return null
  return (
    <details class="day-fold" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>{t('day')}</summary>
      {open.value && <DayCard vehicleId={vehicleId} serviceDate={today} />}
    </details>
  )
}
