import { chooseLanguage, lang, LANGUAGES } from '../i18n'
import { say } from '../words'

/** The languages, each in its own script. */
export function LanguageSwitch() {
  return (
    <div class="switch" role="group" aria-label={say('language')}>
      {LANGUAGES.map(({ id, name }) => (
        <button key={id} type="button" lang={id} aria-pressed={lang.value === id} onClick={() => chooseLanguage(id)}>
          {name}
        </button>
      ))}
    </div>
  )
}
