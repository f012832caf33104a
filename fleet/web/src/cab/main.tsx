import '../shared/base.css'
import '../shared/ui/ui.css'
import './cab.css'
import './actions.css'
import './way.css'
import './layout.css'
import { render } from 'preact'
import { initLanguage } from '../shared/i18n'
import { start } from './store/cab'
import * as state from './store/state'
import { App } from './ui/app'

/** Files for a start without a network; absent where a page came over plain HTTP from another machine. */
function keepOffline(): void {
  const container = navigator.serviceWorker
  if (container === undefined || import.meta.env.DEV) return
  const first = container.controller === null
  container.addEventListener('controllerchange', () => (state.renewed.value = !first))
  void container.register('/cab/sw.js', { scope: '/cab/' })
}

/** A screen that sleeps hides the next stop. */
async function stayAwake(): Promise<void> {
  if (document.visibilityState !== 'visible') return
  await navigator.wakeLock?.request('screen').catch(() => undefined) // refused on a low battery
}

initLanguage()
const root = document.querySelector('#app')
if (root !== null) render(<App />, root)
void start()
keepOffline()
void stayAwake()
document.addEventListener('visibilitychange', () => void stayAwake())
