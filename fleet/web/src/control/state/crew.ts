/** Who drives and which device rides: names beside the identifiers, and the change of hands. */
import { computed, signal } from '@preact/signals'
import { get, post } from '../../shared/api'
import type { Assignment, Device, Driver } from '../../shared/wire'
import { fleet } from './store'

export const devices = signal<readonly Device[]>([])
export const drivers = signal<readonly Driver[]>([])

const names = computed(() => new Map(drivers.value.map(({ id, name }) => [id, name])))

export function driverName(id: string): string {
  return names.value.get(id) ?? id
}

/** Which vehicle a driver is in now. */
export const vehicleOfDriver = computed(
  () => new Map(fleet.value.flatMap(({ id, driver }) => (driver === null ? [] : [[driver, id] as const]))),
)

export async function loadDevices(): Promise<void> {
  const all = await get<Device[]>('/api/devices')
  devices.value = all.filter(({ kind, disabled }) => kind === 'gps' && !disabled)
}

export async function loadDrivers(): Promise<void> {
  drivers.value = await get<Driver[]>('/api/drivers')
}

/**
 * Gives the vehicle another device or driver from now on.
 *
 * The server lets a vehicle carry several, so the one it had is released by us.
 */
export async function assign(
  kind: 'device_vehicle' | 'crew_vehicle',
  subject: string,
  vehicleId: string,
  instead: string | null,
): Promise<void> {
  await post<Assignment>('/api/assignments', { kind, subject, object: vehicleId })
  if (instead !== null) await post<Assignment>('/api/assignments', { kind, subject: instead, object: null })
}
