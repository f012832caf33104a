/** The tablet's own position, asked for only where the driver allowed it. */
import { signal } from '@preact/signals'
import type { LonLat } from '../../shared/wire'

export const position = signal<LonLat | null>(null)
export const following = signal(false)

/** Shows the position from now on; the browser asks the driver the first time. */
export function follow(): void {
  if (following.peek() || navigator.geolocation === undefined) return
  following.value = true
  navigator.geolocation.watchPosition(
    ({ coords }) => (position.value = [coords.longitude, coords.latitude]),
    (error) => {
      if (error.code === error.PERMISSION_DENIED) following.value = false
    },
    { enableHighAccuracy: true, maximumAge: 5_000 },
  )
}

/** Goes on without a question where permission was given before. */
export async function followIfAllowed(): Promise<void> {
  const permission = await navigator.permissions?.query({ name: 'geolocation' })
  if (permission?.state === 'granted') follow()
}
