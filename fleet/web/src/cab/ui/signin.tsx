import { useSignal } from '@preact/signals'
import { ApiProblem } from '../../shared/api'
import { Button } from '../../shared/ui/button'
import { Icon } from '../../shared/ui/icons'
import { LanguageSwitch } from '../../shared/ui/language'
import { say } from '../../shared/words'
import { signIn } from '../store/cab'
import * as state from '../store/state'
import { t } from '../strings'

/** Sign-in inside the page: what waits to be sent stays where it is. */
export function SignIn() {
  const busy = useSignal(false)
  const trouble = useSignal<string | null>(null)
  const waiting = state.unsent.value + state.othersUnsent.value

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    busy.value = true
    trouble.value = null
    try {
      await signIn(String(form.get('username')).trim(), String(form.get('password')))
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error
      trouble.value = error.unreachable ? say('unreachable') : error.status === 401 ? t('wrong') : [error.message, error.remedy].filter(Boolean).join(' ')
    } finally {
      busy.value = false
    }
  }

  return (
    <main class="signin">
      <form onSubmit={(event) => void submit(event)} aria-labelledby="title">
        <div class="signin-head">
          <h1 id="title">{t('signIn')}</h1>
          <LanguageSwitch />
        </div>
        {waiting > 0 && <p role="status">{t('keptHere', { n: waiting })}</p>}
        {state.notDriver.value && <p class="bad">{t('notDriver')}</p>}
        <label for="username">{t('username')}</label>
        <input id="username" name="username" autocomplete="username" autocapitalize="none" required />
        <label for="password">{t('password')}</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <p class="bad" role="alert">
          {trouble.value !== null && (
            <>
              <Icon name="alert" />
              {trouble.value}
            </>
          )}
        </p>
        <Button look="primary" type="submit" busy={busy.value}>
          {t('signIn')}
        </Button>
      </form>
    </main>
  )
}
