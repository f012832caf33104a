/** The cab's few layers over the city's streets. */
import type { GeoJSONSource } from 'maplibre-gl'
import type { GlMap } from '../../shared/map/engine'
import { BOLD, GROUND, type Look } from '../../shared/map/style'
import type { LonLat } from '../../shared/wire'
import type { Role } from './overlay'

const WAY = 'way'
const ME = 'me'
const COLOURS = {
  light: { approach: '#1f5fbf', lane: '#0a7350', later: '#6b7685', me: '#b3261e' },
  dark: { approach: '#78aef8', lane: '#4fd1a0', later: '#7f8b99', me: '#ff8b7e' },
} as const
const role = (one: Role): ['==', ['get', 'role'], Role] => ['==', ['get', 'role'], one]
const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] }

export function addLayers(map: GlMap, { scheme }: Look): void {
  const colour = COLOURS[scheme]
  const { halo } = GROUND[scheme]
  const round = { 'line-cap': 'round', 'line-join': 'round' } as const
  map.addSource(WAY, { type: 'geojson', data: EMPTY })
  map.addSource(ME, { type: 'geojson', data: EMPTY })
  map.addLayer({
    id: 'later',
    type: 'line',
    source: WAY,
    filter: role('later'),
    layout: round,
    paint: { 'line-color': colour.later, 'line-width': 3, 'line-opacity': 0.55 },
  })
  map.addLayer({
    id: 'lane-halo',
    type: 'line',
    source: WAY,
    filter: role('lane'),
    layout: round,
    paint: { 'line-color': halo, 'line-width': 15 },
  })
  map.addLayer({
    id: 'lane',
    type: 'line',
    source: WAY,
    filter: role('lane'),
    layout: round,
    paint: { 'line-color': colour.lane, 'line-width': 10 },
  })
  map.addLayer({
    id: 'approach-halo',
    type: 'line',
    source: WAY,
    filter: role('approach'),
    layout: round,
    paint: { 'line-color': halo, 'line-width': 12 },
  })
  map.addLayer({
    id: 'approach',
    type: 'line',
    source: WAY,
    filter: role('approach'),
    layout: round,
    paint: { 'line-color': colour.approach, 'line-width': 8 },
  })
  map.addLayer({
    id: 'arrows',
    type: 'symbol',
    source: WAY,
    filter: ['in', ['get', 'role'], ['literal', ['lane', 'approach']]],
    layout: {
      'symbol-placement': 'line',
      'symbol-spacing': 70,
      'text-field': '›',
      'text-font': BOLD,
      'text-size': 30,
      'text-offset': [0, -0.08],
      'text-keep-upright': false,
      'text-allow-overlap': true,
      'text-ignore-placement': true,
    },
    paint: {
      'text-color': ['match', ['get', 'role'], 'lane', colour.lane, colour.approach],
      'text-halo-color': halo,
      'text-halo-width': 2.5,
    },
  })
  map.addLayer({
    id: 'stop',
    type: 'circle',
    source: WAY,
    filter: role('stop'),
    paint: { 'circle-radius': 11, 'circle-color': colour.lane, 'circle-stroke-color': halo, 'circle-stroke-width': 4 },
  })
  map.addLayer({
    id: 'me',
    type: 'circle',
    source: ME,
    paint: { 'circle-radius': 9, 'circle-color': colour.me, 'circle-stroke-color': halo, 'circle-stroke-width': 4 },
  })
}

export function setWay(map: GlMap, way: GeoJSON.FeatureCollection): void {
  void map.getSource<GeoJSONSource>(WAY)?.setData(way)
}

export function setMe(map: GlMap, at: LonLat | null): void {
  const features: GeoJSON.Feature[] =
    at === null ? [] : [{ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: at } }]
  void map.getSource<GeoJSONSource>(ME)?.setData({ type: 'FeatureCollection', features })
}
