import { clockSeconds, serviceDay } from '../../shared/format'
import { attempt } from '../../shared/ui/attempt'
import { Badge } from '../../shared/ui/badge'
import { Button } from '../../shared/ui/button'
import type { City } from '../../shared/wire'
import { say } from '../../shared/words'
import { state } from '../state/store'
import { STEP_S } from './data'
import * as replay from './state'
import { t } from './strings'
import './replay.css'

/** Opens the replay of the running service date. */
export function ReplayButton({ city }: { city: City }) {
  const today = state.value.serviceDate ?? city.service_date
  return (
    <Button icon="history" onClick={() => void attempt(() => replay.openReplay(today))}>
      {t('open')}
    </Button>
  )
}

/** Says that what is shown is not now. */
export function ReplayBadge({ serviceDate: date }: { serviceDate: string }) {
  return (
    <Badge tone="partly" icon="history">
      {t('shown', { date: serviceDay(date) })}
    </Badge>
  )
}

/** Date, play, time line and speed, over the map's lower edge. */
export function ReplayBar({ city }: { city: City }) {
  const date = replay.replayDate.value
  if (date === null) return null
  const day = replay.replay.value
  const at = replay.shownAt.value
  const time = day === null ? '' : clockSeconds(at * 1000, city.tz)
  const playing = replay.playing.value
  return (
    <section class="replay-bar" aria-label={t('bar')}>
      <input
        class="field"
        type="date"
        aria-label={t('date')}
        value={date}
        max={state.value.serviceDate ?? city.service_date}
        onChange={({ currentTarget: { value } }) => {
          if (value !== '') void attempt(() => replay.openReplay(value))
        }}
      />
      <Button
        look="primary"
        icon={playing ? 'pause' : 'play'}
        aria-label={playing ? t('pause') : t('play')}
        disabled={day === null}
        onClick={replay.togglePlaying}
      />
      <output class="replay-clock numbers" aria-live="off">
        <b>{time || '––:––:––'}</b>
        <span class="dim">{serviceDay(date)}</span>
      </output>
      {day === null ? (
        <p class="replay-line dim" role="status">
          {replay.opening.value ? say('loading') : t('nothing')}
        </p>
      ) : (
        <input
          class="replay-line"
          type="range"
          aria-label={t('time')}
          aria-valuetext={time}
          min={day.start}
          max={day.end}
          step={STEP_S}
          value={at}
          onInput={(event) => replay.seek(Number(event.currentTarget.value))}
        />
      )}
      <select
        class="field"
        aria-label={t('speed')}
        value={replay.speed.value}
        onChange={(event) => (replay.speed.value = Number(event.currentTarget.value))}
      >
        {replay.SPEEDS.map((n) => (
          <option key={n} value={n}>
            {t('factor', { n })}
          </option>
        ))}
      </select>
      <Button icon="close" onClick={replay.leaveReplay}>
        {t('leave')}
      </Button>
    </section>
  )
}
