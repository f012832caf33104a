import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { Button } from '../../shared/ui/button'
import type { Visit, VisitKind } from '../../shared/wire'
import { report } from '../store/cab'
import { t } from '../strings'
import { doing, resting } from './doing'
import { Glyph, type GlyphName } from './glyph'
import { Picture } from './photo'
import { Reasons } from './reasons'

const MOST_KG = 50_000

/** What the driver can say about a stop. Give it the visit's id as key: nothing typed moves on to the next. */
export function Actions({ visit }: { visit: Visit }) {
  const why = useRef<HTMLDialogElement>(null)
  const kg = useSignal('')
  const kgWrong = useSignal(false)
  const { label, glyph } = mainAction(visit.kind)

  const finish = (): void => {
    if (visit.kind !== 'disposal') return void doing(() => report('done', visit))
    const weighed = weight(kg.value)
    kgWrong.value = weighed === undefined
    if (weighed !== undefined) void doing(() => report('unload', visit, { kg: weighed }))
  }

  return (
    <div class="actions">
      {visit.kind === 'request' && <Picture visit={visit} />}
      {visit.kind === 'disposal' && (
        <div class="kg">
          <label for="kg">{t('kg')}</label>
          <input
            id="kg"
            inputMode="decimal"
            autocomplete="off"
            value={kg.value}
            aria-invalid={kgWrong.value}
            aria-describedby="kg-wrong"
            onInput={(event) => (kg.value = event.currentTarget.value)}
          />
          <p id="kg-wrong" class="bad">
            {kgWrong.value && t('kgWrong')}
          </p>
        </div>
      )}
      <Button look="primary" class="main-action" disabled={resting.value} onClick={finish}>
        <Glyph name={glyph} />
        {label}
      </Button>
      {visit.kind !== 'start' && visit.kind !== 'end' && (
        <Button class="second-action" disabled={resting.value} onClick={() => why.current?.showModal()}>
          <Glyph name="could_not" />
          {t('couldNot')}
        </Button>
      )}
      <Reasons visit={visit} dialog={why} />
    </div>
  )
}

function mainAction(kind: VisitKind): { label: string; glyph: GlyphName } {
  switch (kind) {
    case 'start':
      return { label: t('setOff'), glyph: 'done' }
    case 'end':
      return { label: t('arrived'), glyph: 'done' }
    case 'disposal':
      return { label: t('unloaded'), glyph: 'unload' }
    default:
      return { label: t('done'), glyph: 'done' }
  }
}

/** The weight in kg, null when none was written, undefined when it is no weight. */
function weight(text: string): number | null | undefined {
  const written = text.trim().replace(',', '.')
  if (written === '') return null
  const value = Number(written)
  return value >= 0 && value <= MOST_KG ? value : undefined
}
