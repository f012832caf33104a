import type { ButtonHTMLAttributes, ComponentChildren } from 'preact'
import { Icon, type IconName } from './icons'

interface Props extends Omit<ButtonHTMLAttributes, 'icon' | 'disabled' | 'type'> {
  look?: 'normal' | 'primary' | 'danger' | 'plain'
  icon?: IconName
  /** Shows a spinner and holds further presses back. */
  busy?: boolean
  disabled?: boolean
  type?: 'button' | 'submit'
  children?: ComponentChildren
}

/** A button; without children it shows its icon alone and needs an `aria-label`. */
export function Button({ look = 'normal', icon, busy = false, disabled = false, type = 'button', children, class: extra, ...rest }: Props) {
  const names = ['button', look, children === undefined ? 'icon-only' : '', extra ?? '']
  return (
    <button {...rest} type={type} class={names.filter(Boolean).join(' ')} disabled={disabled || busy} aria-busy={busy}>
      {busy ? <span class="spinner" /> : icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  )
}
