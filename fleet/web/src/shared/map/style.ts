/** The city's own streets as a quiet ground for what moves on it: light and dark, two scripts. */
import devanagari from '../../../node_modules/@fontsource/noto-sans-devanagari/files/noto-sans-devanagari-devanagari-400-normal.woff2?url'
import devanagariBold from '../../../node_modules/@fontsource/noto-sans-devanagari/files/noto-sans-devanagari-devanagari-600-normal.woff2?url'
import latin from '../../../node_modules/@fontsource/noto-sans/files/noto-sans-latin-400-normal.woff2?url'
import latinBold from '../../../node_modules/@fontsource/noto-sans/files/noto-sans-latin-600-normal.woff2?url'
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl'
import type { Lang } from '../i18n'

export type Scheme = 'light' | 'dark'
export interface Look {
  scheme: Scheme
  lang: Lang
}

export const REGULAR = ['Noto Sans']
export const BOLD = ['Noto Sans Bold']

const DEVANAGARI = ['U+0900-097F', 'U+1CD0-1CF9', 'U+A8E0-A8FF']

interface Ground {
  land: string
  water: string
  green: string
  building: string
  rail: string
  minor: string
  major: string
  casing: string
  text: string
  halo: string
  waterText: string
}
export const GROUND: Record<Scheme, Ground> = {
  light: {
    land: '#f4f3f0',
    water: '#bcd7ea',
    green: '#dbe8d2',
    building: '#e7e3dc',
    rail: '#b4b0aa',
    minor: '#ffffff',
    major: '#fff3d6',
    casing: '#d9d5cd',
    text: '#4b5058',
    halo: '#ffffff',
    waterText: '#3f6f92',
  },
  dark: {
    land: '#14181d',
    water: '#142c3d',
    green: '#18261d',
    building: '#1c2127',
    rail: '#4a4f57',
    minor: '#2a3038',
    major: '#3a3a33',
    casing: '#0d1013',
    text: '#a9b2bd',
    halo: '#14181d',
    waterText: '#6e9fc2',
  },
}

/** The name in the person's language, or the only one there is. */
export function nameText(lang: Lang): ExpressionSpecification {
  const [first, second] = lang === 'hi' ? ['name_hi', 'name'] : ['name', 'name_hi']
  const wanted: ExpressionSpecification = ['coalesce', ['get', first], '']
  return ['case', ['!=', wanted, ''], wanted, ['coalesce', ['get', second], '']]
}

const MAJOR = ['motorway', 'trunk', 'primary', 'secondary', 'motorway_link', 'trunk_link', 'primary_link', 'secondary_link']
const MIDDLE = ['tertiary', 'tertiary_link', 'unclassified']

/** Width in pixels by zoom, for main streets, middle ones and lanes. */
function width(extra: number): ExpressionSpecification {
  const by = (major: number, middle: number, minor: number): ExpressionSpecification => [
    'match',
    ['get', 'class'],
    MAJOR,
    major + extra,
    MIDDLE,
    middle + extra,
    minor + extra,
  ]
  return ['interpolate', ['exponential', 1.5], ['zoom'], 10, by(1.2, 0.6, 0.2), 14, by(4.5, 3, 1.6), 18, by(20, 14, 9)]
}

export function basemap(archive: string, { scheme, lang }: Look): StyleSpecification {
  const c = GROUND[scheme]
  const source = 'streets'
  const name = nameText(lang)
  const layers: LayerSpecification[] = [
    { id: 'land', type: 'background', paint: { 'background-color': c.land } },
    { id: 'green', type: 'fill', source, 'source-layer': 'green', paint: { 'fill-color': c.green } },
    { id: 'water', type: 'fill', source, 'source-layer': 'water', paint: { 'fill-color': c.water } },
    {
      id: 'waterway',
      type: 'line',
      source,
      'source-layer': 'waterway',
      paint: { 'line-color': c.water, 'line-width': ['interpolate', ['linear'], ['zoom'], 10, 0.8, 16, 4] },
    },
    {
      id: 'building',
      type: 'fill',
      source,
      'source-layer': 'building',
      minzoom: 14,
      paint: { 'fill-color': c.building, 'fill-outline-color': c.casing },
    },
    {
      id: 'street-casing',
      type: 'line',
      source,
      'source-layer': 'street',
      minzoom: 13,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': c.casing, 'line-width': width(1.5) },
    },
    {
      id: 'street',
      type: 'line',
      source,
      'source-layer': 'street',
      layout: {
        'line-cap': 'round',
        'line-join': 'round',
        'line-sort-key': ['match', ['get', 'class'], MAJOR, 2, MIDDLE, 1, 0],
      },
      paint: { 'line-color': ['match', ['get', 'class'], MAJOR, c.major, c.minor], 'line-width': width(0) },
    },
    {
      id: 'rail',
      type: 'line',
      source,
      'source-layer': 'rail',
      paint: { 'line-color': c.rail, 'line-width': ['interpolate', ['linear'], ['zoom'], 10, 0.7, 16, 2.2] },
    },
    {
      id: 'rail-ties',
      type: 'line',
      source,
      'source-layer': 'rail',
      minzoom: 13,
      paint: { 'line-color': c.rail, 'line-width': 5, 'line-dasharray': [0.2, 2] },
    },
    {
      id: 'street-name',
      type: 'symbol',
      source,
      'source-layer': 'street',
      minzoom: 12.5,
      filter: ['any', ['has', 'name'], ['has', 'name_hi']],
      layout: {
        'symbol-placement': 'line',
        'text-field': name,
        'text-font': REGULAR,
        'text-size': ['interpolate', ['linear'], ['zoom'], 13, 10, 17, 13],
        'symbol-sort-key': ['match', ['get', 'class'], MAJOR, 0, MIDDLE, 1, 2],
        'symbol-spacing': 320,
      },
      paint: { 'text-color': c.text, 'text-halo-color': c.halo, 'text-halo-width': 1.4 },
    },
    {
      id: 'landmark',
      type: 'symbol',
      source,
      'source-layer': 'landmark',
      minzoom: 14,
      layout: {
        'text-field': name,
        'text-font': REGULAR,
        'text-size': 11,
        'text-max-width': 8,
        'text-padding': 6,
      },
      paint: { 'text-color': c.waterText, 'text-halo-color': c.halo, 'text-halo-width': 1.2 },
    },
  ]
  return {
    version: 8,
    // No `glyphs`: all text is drawn on this machine from these files.
    'font-faces': {
      'Noto Sans': [{ url: latin }, { url: devanagari, 'unicode-range': DEVANAGARI }],
      'Noto Sans Bold': [{ url: latinBold }, { url: devanagariBold, 'unicode-range': DEVANAGARI }],
    },
    sources: { streets: { type: 'vector', url: `pmtiles://${archive}` } },
    layers,
  }
}
