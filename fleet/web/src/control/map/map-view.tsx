import { effect, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { lang } from '../../shared/i18n'
import type { GlMap } from '../../shared/map/engine'
import type { Bounds } from '../../shared/map/geometry'
import { scheme } from '../../shared/map/scheme'
import type { Look } from '../../shared/map/style'
import { Notice } from '../../shared/ui/notice'
import type { City } from '../../shared/wire'
import { say } from '../../shared/words'
import { coverageOf, keepCoverage } from '../replay/coverage'
import { replayOverlay } from '../replay/overlay'
import { chosenLines, replayDate, shownLanes } from '../replay/state'
import { trailLayer } from '../replay/trail'
import { laneFeatures, needWards, selectedLane, wardsWithin } from '../state/lanes'
import * as store from '../state/store'
import { t } from '../strings'
import { lanesLayer } from './lanes'
import type { Layer } from './layer'
import { placesLayer } from './places'
import { requestsLayer } from './requests'
import { routeAhead, routeLayer } from './route'
import { vehiclesLayer } from './vehicles'
import { wardsLayer } from './wards'

/** From here on lanes can be told apart; a small city is shown whole. */
const LANES_FROM_ZOOM = 12
const FEW_WARDS = 6

/** The city's map; what moves on it comes from the store. */
export function MapView({ city }: { city: City }) {
  const place = useRef<HTMLDivElement>(null)
  const failed = useSignal(false)

  useEffect(() => {
    const container = place.current
    if (container === null) return
    let gone = false
    let close = (): void => undefined
    void import('../../shared/map/engine').then(
      (engine) => {
        if (gone) return
        try {
          close = run(engine, container, city)
        } catch (error) {
          console.error(error)
          failed.value = true
        }
      },
      () => (failed.value = true),
    )
    return () => {
      gone = true
      close()
    }
  }, [city])

  return (
    <div class="map">
      <div class="map-canvas" ref={place} />
      {failed.value && (
        <Notice icon="alert" title={t('mapFailed')}>
          <p>{t('mapFailedHint')}</p>
        </Notice>
      )}
    </div>
  )
}

type Engine = typeof import('../../shared/map/engine')

function run(engine: Engine, container: HTMLElement, city: City): () => void {
  const look = (): Look => ({ scheme: scheme.value, lang: lang.value })
  const first = look()
  const map = engine.createMap(container, {
    archive: city.basemap,
    bounds: city.bbox,
    look: first,
    words: { zoomIn: say('zoomIn'), zoomOut: say('zoomOut'), map: say('map') },
  })
  let overlays = (): void => undefined
  const rebuild = (): void => {
    overlays()
    overlays = addOverlays(map, look())
  }
  map.on('style.load', rebuild)
  let drawn = first
  const stops = [
    effect(() => {
      const next = look()
      if (next.scheme === drawn.scheme && next.lang === drawn.lang) return
      drawn = next
      overlays() // before their images go with the old style
      overlays = () => undefined
      engine.restyle(map, city.basemap, next)
    }),
    effect(() => {
      const to = store.target.value
      if (to === null) return
      if ('point' in to) {
        map.easeTo({ center: to.point, zoom: Math.max(map.getZoom(), to.zoom ?? 0), duration: 600 })
      } else {
        map.fitBounds(to.bounds, { padding: 60, maxZoom: 17, duration: 600 })
      }
    }),
    effect(() => {
      if (store.wards.value !== null) loadVisible(map)
    }),
  ]
  map.on('moveend', () => loadVisible(map))
  const resized = new ResizeObserver(() => map.resize())
  resized.observe(container)
  return () => {
    resized.disconnect()
    for (const stop of stops) stop()
    overlays()
    map.remove()
  }
}

/** Adds every overlay and keeps its data current until the returned function is called. */
function addOverlays(map: GlMap, look: Look): () => void {
  const ends: (() => void)[] = []
  const keep = <D,>(layer: Layer<D>, data: () => D | null): void => {
    const stop = effect(() => {
      const next = data()
      if (next !== null) layer.set(next)
    })
    ends.unshift(() => {
      stop()
      layer.remove()
    })
  }
  keep(wardsLayer(map, look), () => store.wards.value)
  keep(
    lanesLayer(map, look, (id) => (selectedLane.value = id)),
    () => ({
      features: laneFeatures.value,
      // Coverage is a picture of the same lines: only one of the two is shown.
      live: coverageOf.value === null ? shownLanes.value : new Map(),
      hidden: store.hidden.value,
      selected: selectedLane.value,
    }),
  )
  keep(routeLayer(map, look), () => {
    const view = replayDate.value === null ? store.selectedView.value : null
    return view === null ? { line: [], stops: [] } : routeAhead(view.visits, view.next_visit_id)
  })
  keep(trailLayer(map, look), () => ({ way: chosenLines.value }))
  keep(placesLayer(map, look), () => store.places.value)
  keep(requestsLayer(map, look, store.showRequest), () => ({
    requests: replayDate.value === null ? [...store.requests.value.values()] : [],
    selected: store.selectedRequest.value,
  }))
  keep(vehiclesLayer(map, look, store.showVehicle), () => ({
    vehicles: replayDate.value === null ? store.vehicles.value.values() : [],
    selected: store.selectedVehicle.value,
  }))
  ends.unshift(keepCoverage(map, look), replayOverlay(map, look))
  return () => ends.forEach((end) => end())
}

function loadVisible(map: GlMap): void {
  const wards = store.wards.peek()
  if (wards === null) return
  if (map.getZoom() < LANES_FROM_ZOOM && wards.features.length > FEW_WARDS) return
  const box = map.getBounds()
  const bounds: Bounds = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()]
  needWards(wardsWithin(wards, bounds))
}
