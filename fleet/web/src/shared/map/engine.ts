/** maplibre-gl, made ready for our pages. Import it lazily: it weighs more than all the rest. */
import 'maplibre-gl/dist/maplibre-gl.css'
import { addProtocol, Map as GlMap, NavigationControl, ScaleControl, setWorkerUrl } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import { Protocol } from 'pmtiles'
import type { Bounds } from './geometry'
import { basemap, type Look } from './style'

export type { GlMap }

setWorkerUrl(workerUrl) // the bundled default is not among our files
addProtocol('pmtiles', new Protocol().tile)

export interface MapOptions {
  archive: string
  bounds: Bounds
  look: Look
  /** The controls' tooltips. */
  words: { zoomIn: string; zoomOut: string; map: string }
}

/** Absolute address of the archive: its reader takes no relative one. */
function absolute(archive: string): string {
  return new URL(archive, location.href).href
}

export function createMap(container: HTMLElement, { archive, bounds, look, words }: MapOptions): GlMap {
  const map = new GlMap({
    container,
    style: basemap(absolute(archive), look),
    bounds,
    fitBoundsOptions: { padding: 24 },
    fadeDuration: 0,
    attributionControl: { compact: true, customAttribution: '© OpenStreetMap' },
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    locale: {
      'NavigationControl.ZoomIn': words.zoomIn,
      'NavigationControl.ZoomOut': words.zoomOut,
      'Map.Title': words.map,
    },
  })
  map.touchZoomRotate.disableRotation()
  map.addControl(new NavigationControl({ showCompass: false }), 'top-right')
  map.addControl(new ScaleControl({ maxWidth: 90 }), 'bottom-right')
  return map
}

/** Draws the ground again in another scheme or language; overlays must be added again after it. */
export function restyle(map: GlMap, archive: string, look: Look): void {
  map.setStyle(basemap(absolute(archive), look), { diff: false })
}
