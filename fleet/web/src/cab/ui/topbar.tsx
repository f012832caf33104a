import { chooseLanguage, lang, LANGUAGES } from '../../shared/i18n'
import { Icon } from '../../shared/ui/icons'
import * as state from '../store/state'
import { t } from '../strings'

/** Vehicle, progress, what is not sent yet, and the other language. */
export function TopBar() {
  const { done, all, trips_done, trips } = state.done.value
  const other = LANGUAGES.find(({ id }) => id !== lang.value)
  return (
    <header class="top">
      <strong class="vehicle">
        <Icon name="truck" />
        {state.vehicle.value ?? '—'}
      </strong>
      {all > 0 && (
        <div class="progress numbers">
          <label for="progress">{t('done_n', { n: done, all })}</label>
          {trips > 0 && <span>{t('trips_n', { n: trips_done, all: trips })}</span>}
          <progress id="progress" max={all} value={done} />
        </div>
      )}
      <LinkStatus />
      {other !== undefined && (
        <button type="button" class="button" lang={other.id} onClick={() => chooseLanguage(other.id)}>
          {other.name}
        </button>
      )}
    </header>
  )
}

function LinkStatus() {
  const { kind } = state.link.value
  const unsent = state.unsent.value
  const others = state.othersUnsent.value
  return (
    <div class="link">
      <span class={`link-state ${kind}`}>
        <Icon name={kind === 'lost' ? 'silent' : 'link'} />
        {t(kind === 'live' ? 'linked' : kind === 'lost' ? 'unlinked' : 'linking')}
      </span>
      <span class={unsent > 0 ? 'waits' : ''} role="status">
        {unsent > 0 ? t('notSent', { n: unsent }) : t('allSent')}
        {others > 0 && ` · ${t('notSentOthers', { n: others })}`}
      </span>
    </div>
  )
}
