import { useSignal } from '@preact/signals'
import type { RefObject } from 'preact'
import { Button } from '../../shared/ui/button'
import type { Visit } from '../../shared/wire'
import { say } from '../../shared/words'
import { report } from '../store/cab'
import { t } from '../strings'
import { doing } from './doing'
import { Glyph } from './glyph'
import { stopName } from './words'

const REASONS = ['lane_blocked', 'not_out', 'vehicle_full', 'not_found', 'other'] as const
const AT_A_STATION = new Set<string>(['lane_blocked', 'other'])

/** Why a stop could not be done: one tap answers. */
export function Reasons({ visit, dialog }: { visit: Visit; dialog: RefObject<HTMLDialogElement | null> }) {
  const note = useSignal('')
  const reasons = visit.kind === 'disposal' ? REASONS.filter((reason) => AT_A_STATION.has(reason)) : REASONS
  const choose = (reason: string): void => {
    dialog.current?.close()
    void doing(() => report('could_not', visit, { reason, words: note.value.trim() || null }))
  }
  return (
    <dialog ref={dialog} class="why" aria-labelledby="why-title">
      <h2 id="why-title">{t('why')}</h2>
      <p>{stopName(visit)}</p>
      <div class="reasons">
        {reasons.map((reason) => (
          <button key={reason} type="button" class="button reason" onClick={() => choose(reason)}>
            <Glyph name={reason} />
            {t(`reason_${reason}`)}
          </button>
        ))}
      </div>
      <label for="note">{t('note')}</label>
      <input id="note" maxLength={1000} value={note.value} onInput={(event) => (note.value = event.currentTarget.value)} />
      <Button onClick={() => dialog.current?.close()}>{say('cancel')}</Button>
    </dialog>
  )
}
