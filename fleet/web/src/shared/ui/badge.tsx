import type { ComponentChildren } from 'preact'
import type { VisitStatus } from '../wire'
import { Icon, type IconName } from './icons'

export type Tone = 'pending' | 'served' | 'partly' | 'driven' | 'missed' | 'unknown' | 'info'

/** A state in colour, icon and words. */
export function Badge({ tone, icon, children }: { tone: Tone; icon: IconName; children: ComponentChildren }) {
  return (
    <span class={`badge tone-${tone}`}>
      <Icon name={icon} />
      {children}
    </span>
  )
}

/** How each outcome of a visit looks, everywhere. */
export const OUTCOMES: Record<VisitStatus, { tone: Tone; icon: IconName }> = {
  pending: { tone: 'pending', icon: 'clock' },
  served: { tone: 'served', icon: 'check' },
  partly: { tone: 'partly', icon: 'half' },
  driven_through: { tone: 'driven', icon: 'forward' },
  missed: { tone: 'missed', icon: 'cross' },
  unknown: { tone: 'unknown', icon: 'help' },
}
