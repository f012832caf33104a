import '../shared/base.css'
import '../shared/ui/ui.css'
import './signin.css'
import { signal } from '@preact/signals'
import { render } from 'preact'
import { ApiProblem, get, post, rememberCsrf } from '../shared/api'
import { initLanguage, nameOf, suggestLanguage } from '../shared/i18n'
import { Button } from '../shared/ui/button'
import { Icon } from '../shared/ui/icons'
import { LanguageSwitch } from '../shared/ui/language'
import type { City, Session, User } from '../shared/wire'
import { say } from '../shared/words'
import { t } from './strings'
import { destination } from './destination'

const busy = signal(false)
const trouble = signal<string | null>(null)
const city = signal<City | null>(null)

function enter(user: User): void {
  location.replace(destination(user.role, new URLSearchParams(location.search).get('next')))
}

async function submit(event: SubmitEvent): Promise<void> {
  event.preventDefault()
  const form = new FormData(event.currentTarget as HTMLFormElement)
  busy.value = true
  trouble.value = null
  try {
    const body = { username: String(form.get('username')).trim(), password: String(form.get('password')) }
    const session = await post<Session>('/api/sign-in', body, { session: false })
    rememberCsrf(session.csrf)
    suggestLanguage(session.user.lang)
    enter(session.user)
  } catch (error) {
    busy.value = false
    if (!(error instanceof ApiProblem)) throw error
    trouble.value = error.unreachable ? say('unreachable') : error.status === 401 ? t('wrong') : error.message
    document.querySelector<HTMLInputElement>('#password')?.select()
  }
}

function SignIn() {
  return (
    <>
      <header>
        <LanguageSwitch />
      </header>
      <main>
        <form class="card" onSubmit={(event) => void submit(event)} aria-labelledby="title">
          <div class="brand">
            <Icon name="truck" />
            <div>
              <h1 id="title">{t('title')}</h1>
              <p>{city.value === null ? say('appName') : nameOf(city.value)}</p>
            </div>
          </div>
          <label for="username">{t('username')}</label>
          <input id="username" name="username" autocomplete="username" autocapitalize="none" required autofocus />
          <label for="password">{t('password')}</label>
          <input id="password" name="password" type="password" autocomplete="current-password" required />
          <p class="trouble" role="alert">
            {trouble.value !== null && (
              <>
                <Icon name="alert" />
                {trouble.value}
              </>
            )}
          </p>
          <Button look="primary" type="submit" busy={busy.value}>
            {t('enter')}
          </Button>
          <a href="/">{t('resident')}</a>
        </form>
      </main>
    </>
  )
}

initLanguage()
const root = document.querySelector('#app')
if (root !== null) render(<SignIn />, root)
// Already signed in: go on. Otherwise the form is there; the city's name is an ornament.
void get<Session>('/api/me', { session: false }).then(
  (session) => {
    rememberCsrf(session.csrf)
    enter(session.user)
  },
  () => undefined,
)
void get<City>('/api/city', { session: false }).then(
  (found) => (city.value = found),
  () => undefined,
)
