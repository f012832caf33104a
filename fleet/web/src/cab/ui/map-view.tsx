import { effect, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { lang } from '../../shared/i18n'
import type { GlMap } from '../../shared/map/engine'
import { scheme } from '../../shared/map/scheme'
import type { Look } from '../../shared/map/style'
import { Button } from '../../shared/ui/button'
import type { City } from '../../shared/wire'
import { say } from '../../shared/words'
import { addLayers, setMe, setWay } from '../map/layers'
import { overlay, view } from '../map/overlay'
import { follow, followIfAllowed, following, position } from '../map/position'
import * as state from '../store/state'
import { t } from '../strings'

type Engine = typeof import('../../shared/map/engine')

/** The way to the next stop. A map that cannot be drawn leaves the rest of the page as it is. */
export function MapView({ city }: { city: City }) {
  const place = useRef<HTMLDivElement>(null)
  const failed = useSignal(false)
  const whole = useRef<() => void>(() => undefined)

  useEffect(() => {
    const container = place.current
    if (container === null) return
    let gone = false
    let close = (): void => undefined
    void followIfAllowed()
    import('../../shared/map/engine').then(
      (engine) => {
        if (gone) return
        try {
          const shown = run(engine, container, city)
          close = shown.close
          whole.current = shown.whole
        } catch (error) {
          console.error(error) // no WebGL on this tablet
          failed.value = true
        }
      },
      () => (failed.value = true),
    )
    return () => {
      gone = true
      close()
    }
  }, [city.basemap])

  return (
    <div class="map" role="group" aria-label={t('mapOf')}>
      <div class="map-canvas" ref={place} />
      {failed.value ? (
        <p class="map-failed">{t('mapFailed')}</p>
      ) : (
        <div class="map-buttons">
          {!following.value && <Button icon="pin" aria-label={t('whereAmI')} onClick={follow} />}
          <Button icon="route" aria-label={t('wholeStop')} onClick={() => whole.current()} />
        </div>
      )}
    </div>
  )
}

function run(engine: Engine, container: HTMLElement, city: City): { whole: () => void; close: () => void } {
  const look = (): Look => ({ scheme: scheme.value, lang: lang.value })
  const stop = state.shown.peek()
  let drawn = look()
  const map: GlMap = engine.createMap(container, {
    archive: city.basemap,
    bounds: stop === null ? city.bbox : view(stop),
    look: drawn,
    words: { zoomIn: say('zoomIn'), zoomOut: say('zoomOut'), map: t('mapOf') },
  })
  const whole = (): void => {
    const visit = state.shown.peek()
    if (visit !== null) map.fitBounds(view(visit), { padding: 48, maxZoom: 17.5, duration: 500 })
  }
  let layers = (): void => undefined
  const overlays = (): void => {
    layers()
    addLayers(map, drawn)
    const ends = [
      effect(() => setWay(map, overlay(state.shown.value, state.road.value))),
      effect(() => setMe(map, position.value)),
    ]
    layers = () => ends.forEach((end) => end())
  }
  map.on('style.load', overlays)
  // Tiles that do not come (no network) leave the way on an empty ground.
  map.on('error', ({ error }) => console.debug(error.message))
  let at: string | undefined
  const ends = [
    effect(() => {
      const next = look()
      if (next.scheme === drawn.scheme && next.lang === drawn.lang) return
      drawn = next
      engine.restyle(map, city.basemap, next)
    }),
    effect(() => {
      const id = state.shown.value?.id
      if (id !== at) whole()
      at = id
    }),
  ]
  const resized = new ResizeObserver(() => map.resize())
  resized.observe(container)
  return {
    whole,
    close: () => {
      resized.disconnect()
      for (const end of ends) end()
      layers()
      map.remove()
    },
  }
}
