import { post } from '../shared/api'
import { clockSeconds, dayName, duration } from '../shared/format'
import { nameOf } from '../shared/i18n'
import { attempt } from '../shared/ui/attempt'
import { Button } from '../shared/ui/button'
import { Icon } from '../shared/ui/icons'
import { LanguageSwitch } from '../shared/ui/language'
import type { City } from '../shared/wire'
import { say } from '../shared/words'
import { ReplayBadge, ReplayButton } from './replay/bar'
import { replayDate } from './replay/state'
import { cityNow, ownNow } from './state/clock'
import { link, user } from './state/store'
import { t } from './strings'

function CityClock({ city }: { city: City }) {
  const now = cityNow.value
  if (now === null) return null
  const { mode, rate } = city.clock
  return (
    <div class="clock" aria-label={t('cityTime')} role="timer">
      <Icon name="clock" />
      <b class="numbers">{clockSeconds(now, city.tz)}</b>
      <span class="dim">{dayName(now, city.tz)}</span>
      {mode === 'scaled' && <span class="chip numbers">{t('rate', { factor: rate })}</span>}
      {mode === 'stepped' && <span class="chip">{t('stepped')}</span>}
    </div>
  )
}

function LinkPill() {
  const now = link.value
  const text =
    now.kind === 'connecting'
      ? t('link.connecting')
      : now.kind === 'live'
        ? t('link.live')
        : now.since_ms === null
          ? t('link.never')
          : t('link.lost', { age: duration((ownNow.value - now.since_ms) / 1000) })
  const tone = { connecting: 'pending', live: 'served', lost: 'missed' }[now.kind]
  return (
    <span class={`badge link tone-${tone}`}>
      <Icon name={now.kind === 'lost' ? 'silent' : 'link'} />
      {text}
    </span>
  )
}

export async function signOut(): Promise<void> {
  await attempt(() => post('/api/sign-out'))
  location.assign('/sign-in')
}

export function TopBar({ city }: { city: City }) {
  return (
    <header class="topbar">
      <span class="logo">
        <Icon name="truck" />
      </span>
      <h1>
        {nameOf(city)} <span class="dim">{t('title')}</span>
      </h1>
      {replayDate.value === null ? (
        <>
          <CityClock city={city} />
          <div role="status">
            <LinkPill />
          </div>
        </>
      ) : (
        <ReplayBadge serviceDate={replayDate.value} />
      )}
      <span class="space" />
      {replayDate.value === null && <ReplayButton city={city} />}
      <LanguageSwitch />
      <span class="user">
        <Icon name="person" />
        {user.value?.name}
      </span>
      <Button look="plain" onClick={() => void signOut()}>
        {t('signOut')}
      </Button>
      <span class="unseen">{say('appName')}</span>
    </header>
  )
}
