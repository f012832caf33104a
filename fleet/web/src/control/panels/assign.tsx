import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { attempt } from '../../shared/ui/attempt'
import { Notice } from '../../shared/ui/notice'
import { toast } from '../../shared/ui/toast'
import { say } from '../../shared/words'
import { assign, devices, drivers, loadDevices, loadDrivers, vehicleOfDriver } from '../state/crew'
import { fleet, loadFleet } from '../state/store'
import { t } from '../strings'

interface Props {
  kind: 'device_vehicle' | 'crew_vehicle'
  vehicleId: string
  done: () => void
}

/** The second of two taps: which device or driver belongs to the vehicle from now on. */
export function AssignChoice({ kind, vehicleId, done }: Props) {
  const loading = useSignal(true)
  const busy = useSignal(false)
  useEffect(() => {
    loading.value = true
    void attempt(kind === 'device_vehicle' ? loadDevices : loadDrivers).then(() => (loading.value = false))
  }, [kind])

  const options =
    kind === 'device_vehicle'
      ? devices.value.map(({ id, label, vehicle_id }) => ({ id, name: label || id, holds: vehicle_id }))
      : drivers.value.map(({ id, name }) => ({ id, name, holds: vehicleOfDriver.value.get(id) ?? null }))
  // Free ones first: taking one out of another vehicle is the rarer wish.
  const others = options
    .filter(({ holds }) => holds !== vehicleId)
    .sort((a, b) => Number(a.holds !== null) - Number(b.holds !== null) || a.name.localeCompare(b.name))

  const held = fleet.value.find((vehicle) => vehicle.id === vehicleId)
  const instead = (kind === 'device_vehicle' ? held?.device_id : held?.driver) ?? null
  const choose = async (id: string, name: string): Promise<void> => {
    busy.value = true
    const made = await attempt(async () => {
      await assign(kind, id, vehicleId, instead)
      await loadFleet()
      return true
    })
    busy.value = false
    if (made !== true) return
    toast('good', t('assigned', { subject: name, vehicle: vehicleId }))
    done()
  }
  return (
    <fieldset class="card choice" disabled={busy.value}>
      <legend>{t(kind === 'device_vehicle' ? 'chooseDevice' : 'chooseDriver', { vehicle: vehicleId })}</legend>
      {loading.value ? (
        <Notice title={say('loading')} />
      ) : others.length === 0 ? (
        <p class="dim">{t(kind === 'device_vehicle' ? 'noDevices' : 'noDrivers')}</p>
      ) : (
        <ul>
          {others.map(({ id, name, holds }) => (
            <li key={id}>
              <button type="button" onClick={() => void choose(id, name)}>
                <span>{name}</span>
                <span class="dim">{holds === null ? t('free') : t('inVehicle', { vehicle: holds })}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </fieldset>
  )
}
