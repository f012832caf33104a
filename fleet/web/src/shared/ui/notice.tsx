import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from './icons'

/** What stands where there is nothing to show: empty, loading or failed. */
export function Notice({ icon, title, children }: { icon?: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="notice">
      {icon === undefined ? <span class="spinner" /> : <Icon name={icon} />}
      <strong>{title}</strong>
      {children}
    </div>
  )
}
