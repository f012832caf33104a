import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { Icon } from '../../shared/ui/icons'
import { sos } from '../store/cab'
import { t } from '../strings'
import { keeping } from './doing'

const HOLD_MS = 2000

/** Calls the control room after two seconds of holding, by finger or key. */
export function Sos() {
  const holding = useSignal(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const release = (): void => {
    clearTimeout(timer.current)
    holding.value = false
  }
  const hold = (): void => {
    if (holding.value) return
    holding.value = true
    timer.current = setTimeout(() => {
      release()
      void keeping(sos)
    }, HOLD_MS)
  }
  useEffect(() => release, [])
  return (
    <button
      type="button"
      class={`button sos${holding.value ? ' holding' : ''}`}
      aria-label={t('sos')}
      onPointerDown={hold}
      onPointerUp={release}
      onPointerLeave={release}
      onPointerCancel={release}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={({ key }) => (key === 'Enter' || key === ' ') && hold()}
      onKeyUp={release}
      onBlur={release}
    >
      <Icon name="sos" />
      {holding.value ? t('sosHold') : t('sosShort')}
    </button>
  )
}
