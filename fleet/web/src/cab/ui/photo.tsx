import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Visit } from '../../shared/wire'
import { keepPicture } from '../store/cab'
import * as state from '../store/state'
import { t } from '../strings'
import { Glyph } from './glyph'
import { preview, shrink } from './picture'

/** A photo for the resident who asked: wished for, never demanded. */
export function Picture({ visit }: { visit: Visit }) {
  const failed = useSignal(false)
  const canvas = useRef<HTMLCanvasElement>(null)
  const taken = state.picture.value?.visit_id === visit.id ? state.picture.value.photo : null
  useEffect(() => {
    if (taken !== null && canvas.current !== null) void preview(taken, canvas.current)
  }, [taken])

  const take = async (input: HTMLInputElement): Promise<void> => {
    const file = input.files?.[0]
    if (file === undefined) return
    try {
      await keepPicture(visit, await shrink(file))
      failed.value = false
    } catch {
      failed.value = true
    }
    input.value = ''
  }

  return (
    <div class="photo">
      {taken !== null && <canvas ref={canvas} role="img" aria-label={t('photoOf')} />}
      <label class="button">
        <Glyph name="camera" />
        {taken === null ? t('photoTake') : t('photoAgain')}
        <input class="unseen" type="file" accept="image/*" capture="environment" onChange={(event) => void take(event.currentTarget)} />
      </label>
      <p class={failed.value ? 'bad' : ''}>
        {failed.value ? t('photoFailed') : taken === null ? t('photoFor') : t('photoKept')}
      </p>
    </div>
  )
}
