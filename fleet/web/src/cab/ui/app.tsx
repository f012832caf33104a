import { useEffect } from 'preact/hooks'
import { clockTime } from '../../shared/format'
import { Button } from '../../shared/ui/button'
import { Notice } from '../../shared/ui/notice'
import { say } from '../../shared/words'
import { pause, signOut } from '../store/cab'
import * as state from '../store/state'
import { t } from '../strings'
import { Actions } from './actions'
import { doing, resting } from './doing'
import { Glyph } from './glyph'
import { MapView } from './map-view'
import { SignIn } from './signin'
import { Sos } from './sos'
import { StopCard } from './stop-card'
import { StopList } from './stop-list'
import { LastTap, Strips } from './strips'
import { TopBar } from './topbar'

export function App() {
  useEffect(() => {
    document.title = `${t('title')} · ${say('appName')}`
  })
  if (!state.ready.value && !state.signedOut.value) return <Notice title={say('loading')} />
  if (state.signedOut.value) return <SignIn />
  return (
    <div class="cab">
      <TopBar />
      <Strips />
      {state.route.value === null ? <NoRoute /> : <Working />}
    </div>
  )
}

function Working() {
  const visit = state.shown.value
  const since = state.breakSince.value
  // On a phone the list pushes the stop out of sight.
  useEffect(() => scrollTo({ top: 0 }), [visit?.id])
  return (
    <main>
      <div class="now">
        {since !== null ? (
          <section class="stop">
            <Glyph name="cup" />
            <h1>{t('onBreak', { time: clockTime(since, state.tz.value) })}</h1>
          </section>
        ) : visit === null ? (
          <Notice icon="check" title={t('allDone')}>
            <p>{t('allDoneHint')}</p>
          </Notice>
        ) : (
          <StopCard visit={visit} />
        )}
        <LastTap />
        <div class="buttons">
          {since !== null ? (
            <div class="actions">
              <Button look="primary" class="main-action" disabled={resting.value} onClick={() => void doing(() => pause(false))}>
                {t('breakEnd')}
              </Button>
            </div>
          ) : (
            visit !== null && <Actions key={visit.id} visit={visit} />
          )}
          <div class="always">
            {since === null && (
              <Button disabled={resting.value} onClick={() => void doing(() => pause(true))}>
                <Glyph name="cup" />
                {t('breakStart')}
              </Button>
            )}
            <Sos />
          </div>
        </div>
      </div>
      <div class="way">
        {state.city.value !== null && <MapView city={state.city.value} />}
        <StopList>
          <Foot />
        </StopList>
      </div>
    </main>
  )
}

function NoRoute() {
  const lacksVehicle = state.vehicle.value === null
  return (
    <main class="none">
      <Notice icon="route" title={t(lacksVehicle ? 'noVehicle' : 'noRoute')}>
        <p>{t(lacksVehicle ? 'noVehicleHint' : 'noRouteHint')}</p>
      </Notice>
      <Sos />
      <Foot />
    </main>
  )
}

function Foot() {
  return (
    <footer>
      {state.renewed.value && <Button onClick={() => location.reload()}>{t('newVersion')}</Button>}
      <span>{state.user.value?.name}</span>
      <Button look="plain" onClick={() => void signOut()}>
        {t('signOut')}
      </Button>
    </footer>
  )
}
