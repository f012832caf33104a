import { signal } from '@preact/signals'
import { Button } from './button'
import { Icon } from './icons'

export interface Toast {
  id: number
  look: 'info' | 'good' | 'bad'
  text: string
  remedy?: string | undefined
}

const toasts = signal<Toast[]>([])
let last = 0

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

/** Tells the person something; bad news stays until it is dismissed. */
export function toast(look: Toast['look'], text: string, remedy?: string): void {
  const id = ++last
  toasts.value = [...toasts.value.slice(-3), { id, look, text, remedy }]
  if (look !== 'bad') setTimeout(() => dismiss(id), 6000)
}

/** The place where toasts appear; one per page. */
export function Toasts({ dismissLabel }: { dismissLabel: string }) {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, look, text, remedy }) => (
        <div key={id} class={`toast ${look}`}>
          <Icon name={look === 'bad' ? 'alert' : look === 'good' ? 'check' : 'message'} />
          <div>
            {text}
            {remedy !== undefined && <small>{remedy}</small>}
          </div>
          <Button look="plain" icon="close" aria-label={dismissLabel} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  )
}
