/** How outcomes and vehicles look on the map: colour, and width or dashes beside it. */
import type { Scheme } from '../../shared/map/style'
import type { VehicleLive, VisitStatus } from '../../shared/wire'

export const STATUSES: readonly VisitStatus[] = ['pending', 'served', 'partly', 'driven_through', 'missed', 'unknown']

interface LaneLook {
  colour: Record<Scheme, string>
  /** Factor on the lane's width. */
  width: number
  /** In line widths; a solid line has one long dash. */
  dash: [number, number]
}

export const LANE_LOOK: Record<VisitStatus, LaneLook> = {
  pending: { colour: { light: '#7b8694', dark: '#8b98a8' }, width: 0.65, dash: [1, 0] },
  served: { colour: { light: '#0f8a5f', dark: '#3ecf98' }, width: 1, dash: [1, 0] },
  partly: { colour: { light: '#b97a00', dark: '#f2be4a' }, width: 1.15, dash: [3, 1] },
  driven_through: { colour: { light: '#d9590f', dark: '#ff9d5c' }, width: 1.15, dash: [1.2, 1] },
  missed: { colour: { light: '#c2184a', dark: '#ff6b8d' }, width: 1.7, dash: [1, 0] },
  unknown: { colour: { light: '#7c55c9', dark: '#bb9cf5' }, width: 1, dash: [0.4, 1.2] },
}

/** A lane whose proof is provisional is drawn thinner in colour than a proved one. */
export const PROBABLE_OPACITY = 0.5

export const AT_RISK: Record<Scheme, string> = { light: '#f0a500', dark: '#ffce5c' }
export const ROUTE: Record<Scheme, string> = { light: '#1f5fbf', dark: '#78aef8' }
export const WARD: Record<Scheme, string> = { light: '#5a4a78', dark: '#b3a3d6' }

export const VEHICLE: Record<VehicleLive['state'], Record<Scheme, string>> = {
  moving: { light: '#1f5fbf', dark: '#78aef8' },
  standing: { light: '#3d4a5a', dark: '#c3cedb' },
  silent: { light: '#b3153f', dark: '#ff7a98' },
  never: { light: '#7b8694', dark: '#8b98a8' },
}
