import { useEffect } from 'preact/hooks'
import { number } from '../shared/i18n'
import { Icon, type IconName } from '../shared/ui/icons'
import { Notice } from '../shared/ui/notice'
import { Toasts } from '../shared/ui/toast'
import type { City } from '../shared/wire'
import { say } from '../shared/words'
import { LaneCard, Legend } from './legend'
import { MapView } from './map/map-view'
import { AlarmsPanel, CriticalAlert } from './panels/alarms'
import { DevicesPanel } from './panels/devices'
import { MissedPanel } from './panels/missed'
import { PlanPanel } from './panels/plan'
import { RequestsPanel } from './panels/requests'
import { TripsPanel } from './panels/trips'
import { VehiclesPanel } from './panels/vehicles'
import { ReplayBar } from './replay/bar'
import { CoverageToggle, coverageOf } from './replay/coverage'
import { ReplayPanel } from './replay/panel'
import { replayDate } from './replay/state'
import { alarms, lanes, ready, requests, state, tab, user, type Tab } from './state/store'
import { criticalCount, laneCounts, stageOf, urgentCount } from './state/views'
import { t } from './strings'
import { TopBar } from './topbar'

const TABS: readonly { id: Tab; icon: IconName; panel: () => preact.JSX.Element; count?: () => number; urgent?: boolean; admin?: true }[] = [
  { id: 'vehicles', icon: 'truck', panel: VehiclesPanel },
  {
    id: 'requests',
    icon: 'message',
    panel: RequestsPanel,
    count: () => [...requests.value.values()].filter((r) => stageOf(r) === 'open').length,
  },
  {
    id: 'missed',
    icon: 'cross',
    panel: MissedPanel,
    count: () => {
      // A lane that is being served counts as partly until its end is reached: no alarm.
      const { missed, driven_through } = laneCounts(lanes.value)
      return missed + driven_through
    },
  },
  { id: 'plan', icon: 'route', panel: PlanPanel },
  { id: 'trips', icon: 'list', panel: TripsPanel },
  {
    id: 'alarms',
    icon: 'bell',
    panel: AlarmsPanel,
    count: () => urgentCount(alarms.value.values()),
    urgent: true,
  },
  { id: 'devices', icon: 'device', panel: DevicesPanel, admin: true },
]
/** Those of the account's role. */
const tabs = (): typeof TABS => TABS.filter(({ admin }) => admin !== true || user.value?.role === 'admin')

function Tabs() {
  const move = (event: KeyboardEvent, at: number): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    const own = tabs()
    const next = own[(at + step + own.length) % own.length]
    if (next === undefined) return
    tab.value = next.id
    document.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus()
  }
  return (
    <div class="tabs" role="tablist" aria-label={t('panels')}>
      {tabs().map(({ id, icon, count, urgent }, at) => {
        const n = count?.() ?? 0
        return (
          <button
            key={id}
            id={`tab-${id}`}
            type="button"
            role="tab"
            aria-selected={tab.value === id}
            aria-controls="panel"
            tabIndex={tab.value === id ? 0 : -1}
            onClick={() => (tab.value = id)}
            onKeyDown={(event) => move(event, at)}
          >
            <Icon name={icon} />
            <span>{t(`tab.${id}`)}</span>
            {n > 0 && <b class={`count numbers${urgent === true ? ' urgent' : ''}`}>{number(n)}</b>}
          </button>
        )
      })}
    </div>
  )
}

export function App({ city }: { city: City }) {
  useEffect(() => {
    const critical = criticalCount(alarms.value.values())
    document.title = `${critical > 0 ? `(${number(critical)}!) ` : ''}${t('title')} · ${city.name}`
  })
  const Panel = tabs().find(({ id }) => id === tab.value)?.panel ?? VehiclesPanel
  return (
    <div class="control">
      <TopBar city={city} />
      <main>
        <div class={`map-side${replayDate.value === null ? '' : ' replaying'}`}>
          <MapView city={city} />
          <div class="over">
            <LaneCard />
            <CoverageToggle today={state.value.serviceDate ?? city.service_date} />
            {coverageOf.value === null && <Legend />}
          </div>
          <ReplayBar city={city} />
        </div>
        {replayDate.value === null ? (
          <aside class="side" aria-label={t('panels')}>
            <Tabs />
            <div class="panel" id="panel" role="tabpanel" aria-labelledby={`tab-${tab.value}`}>
              {ready.value ? <Panel /> : <Notice title={say('loading')} />}
            </div>
          </aside>
        ) : (
          <aside class="side replaying" aria-label={t('panels')}>
            <div class="panel">
              <ReplayPanel />
            </div>
          </aside>
        )}
      </main>
      <CriticalAlert />
      <Toasts dismissLabel={say('dismiss')} />
    </div>
  )
}
