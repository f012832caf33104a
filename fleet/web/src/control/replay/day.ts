/** A vehicle's day, as `GET /api/vehicles/{id}/day` answers it. */
import { signal } from '@preact/signals'
import { get, withQuery } from '../../shared/api'
import type { LonLat } from '../../shared/wire'

interface Span {
  start_t: string
  end_t: string
}
export interface DayStop extends Span {
  duration_s: number
  lon: number
  lat: number
  place_id: string | null
  lane_id: string | null
  name: string
  name_hi: string
}
export interface DayTrip extends Span {
  distance_m: number
  from_place: string | null
  to_place: string | null
  ended_by: 'place' | 'ignition' | 'day'
}
export interface DaySilence extends Span {
  straight_m: number
}
export interface VehicleDay {
  vehicle_id: string
  service_date: string
  resolution: 'raw' | 'compact'
  track: [number, ...LonLat][]
  fixes: number
  marks: Record<string, number>
  distance_m: number
  moving_s: number
  standing_s: number
  silent_s: number
  halts: number
  stops: DayStop[]
  trips: DayTrip[]
  gaps: DaySilence[]
  passes: { lane_id: string }[]
}

/** The day last asked for; null while it is fetched. */
export const vehicleDay = signal<VehicleDay | null>(null)
let asked = ''

export async function loadDay(vehicleId: string, serviceDate: string): Promise<void> {
  const own = (asked = `${vehicleId} ${serviceDate}`)
  vehicleDay.value = null
  const path = `/api/vehicles/${encodeURIComponent(vehicleId)}/day`
  const found = await get<VehicleDay>(withQuery(path, { service_date: serviceDate, zoom: 12 }))
  if (asked === own) vehicleDay.value = found
}

export function exportPath(vehicleId: string, serviceDate: string, format: string): string {
  const path = `/api/vehicles/${encodeURIComponent(vehicleId)}/export`
  return withQuery(path, { service_date: serviceDate, format })
}
