import '../shared/base.css'
import '../shared/ui/ui.css'
import './layout.css'
import './panels/alarms.css'
import './panels/panels.css'
import './panels/plan.css'
import { signal } from '@preact/signals'
import { render } from 'preact'
import { ApiProblem, get, onSignedOut, rememberCsrf } from '../shared/api'
import { initLanguage, suggestLanguage } from '../shared/i18n'
import { troubleText } from '../shared/ui/attempt'
import { Button } from '../shared/ui/button'
import { Notice } from '../shared/ui/notice'
import type { City, Session } from '../shared/wire'
import { say } from '../shared/words'
import { App } from './app'
import type { Places } from './map/places'
import type { Wards } from './map/wards'
import { cityTime, startTicking } from './state/clock'
import { loadDrivers } from './state/crew'
import * as store from './state/store'
import { t } from './strings'
import { signOut } from './topbar'

const trouble = signal<ApiProblem | null>(null)

function toSignIn(): void {
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`)
}

async function start(): Promise<void> {
  trouble.value = null
  try {
    const [session, city] = await Promise.all([get<Session>('/api/me'), get<City>('/api/city')])
    rememberCsrf(session.csrf)
    suggestLanguage(session.user.lang)
    store.user.value = session.user
    if (session.user.role !== 'admin' && session.user.role !== 'dispatcher') return
    cityTime.setRate(city.clock.rate)
    store.city.value = city
    startTicking()
    store.connect(toSignIn)
    const [wards, places] = await Promise.all([
      get<Wards>('/api/wards'),
      get<Places>('/api/places'),
      loadDrivers(),
    ])
    store.wards.value = wards
    store.places.value = places
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error
    if (error.status !== 401) trouble.value = error
  }
}

function Page() {
  if (trouble.value !== null) {
    return (
      <Notice icon="alert" title={t('loadFailed')}>
        <p>{troubleText(trouble.value)}</p>
        {trouble.value.remedy !== null && <p>{trouble.value.remedy}</p>}
        <Button look="primary" icon="refresh" onClick={() => void start()}>
          {say('tryAgain')}
        </Button>
      </Notice>
    )
  }
  const role = store.user.value?.role
  if (role === 'driver' || role === 'operator') {
    return (
      <Notice icon="person" title={t('notYours')}>
        <p>{t('notYoursHint')}</p>
        <a class="button primary" href={role === 'driver' ? '/cab/' : '/'}>
          {t('goOn')}
        </a>
        <Button onClick={() => void signOut()}>{t('signOut')}</Button>
      </Notice>
    )
  }
  if (store.city.value === null) return <Notice title={say('loading')} />
  return <App city={store.city.value} />
}

initLanguage()
onSignedOut(toSignIn)
const root = document.querySelector('#app')
if (root !== null) render(<Page />, root)
void start()
