/** Small pieces that several panels use. */
import { clockTime, duration } from '../../shared/format'
import { Badge, OUTCOMES } from '../../shared/ui/badge'
import type { VehicleLive, VisitStatus } from '../../shared/wire'
import type { IconName } from '../../shared/ui/icons'
import type { Tone } from '../../shared/ui/badge'
import { say } from '../../shared/words'
import { cityNow } from '../state/clock'
import { city } from '../state/store'
import { LATE_S } from '../state/views'
import { t } from '../strings'

/** Time of day in the city. */
export function timeOf(iso: string): string {
  return clockTime(iso, city.value?.tz ?? 'UTC')
}

/** Seconds of city time since then; renders again each second where it is read. */
export function ageOf(iso: string): number {
  return Math.max(0, ((cityNow.value ?? Date.parse(iso)) - Date.parse(iso)) / 1000)
}

export function FixAge({ of }: { of: string | null }) {
  if (of === null) return <span class="dim">{t('noFix')}</span>
  return (
    <span class="dim numbers" title={t('fixAge', { age: duration(ageOf(of)) })}>
      {duration(ageOf(of))}
    </span>
  )
}

const STATES: Record<VehicleLive['state'], { tone: Tone; icon: IconName }> = {
  moving: { tone: 'info', icon: 'arrow' },
  standing: { tone: 'pending', icon: 'standing' },
  silent: { tone: 'missed', icon: 'silent' },
  never: { tone: 'pending', icon: 'silent' },
}

export function StateBadge({ state }: { state: VehicleLive['state'] }) {
  return <Badge {...STATES[state]}>{t(`state.${state}`)}</Badge>
}

export function OutcomeBadge({ status }: { status: VisitStatus }) {
  return <Badge {...OUTCOMES[status]}>{say(`status.${status}`)}</Badge>
}

/** Late, early or on time; nothing under two minutes is worth a word. */
export function LateBadge({ late_s }: { late_s: number }) {
  if (Math.abs(late_s) < 120) return null
  const minutes = duration(Math.abs(late_s))
  if (late_s < 0) return <Badge tone="served" icon="clock">{t('early', { minutes })}</Badge>
  return (
    <span class={late_s >= LATE_S ? 'flash' : ''}>
      <Badge tone={late_s >= LATE_S ? 'missed' : 'partly'} icon="clock">
        {t('late', { minutes })}
      </Badge>
    </span>
  )
}

export function Progress({ done, total, troubled }: { done: number; total: number; troubled: number }) {
  const share = (part: number): string => `${total === 0 ? 0 : (100 * part) / total}%`
  return (
    <div
      class="progress"
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
      aria-label={t('progress', { done, total })}
    >
      <i class="good" style={{ width: share(done - troubled) }} />
      <i class="bad" style={{ width: share(troubled) }} />
    </div>
  )
}
