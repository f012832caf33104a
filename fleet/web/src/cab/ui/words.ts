/** Stops in a driver's words. */
import { nameOf } from '../../shared/i18n'
import type { Visit, VisitKind } from '../../shared/wire'
import { t } from '../strings'
import type { GlyphName } from './glyph'

export function stopName(stop: { name: string | null; name_hi: string | null; kind: VisitKind }): string {
  return nameOf(stop) || t(`kind_${stop.kind}`)
}

/** How the stop is served, null where that says itself. */
export function modeOf(visit: Visit): { glyph: GlyphName; words: string } | null {
  if (visit.kind !== 'lane' && visit.kind !== 'request') return null
  if (visit.on_foot) return { glyph: 'foot', words: t('mode_feeder') }
  switch (visit.service_mode) {
    case 'enter':
      return { glyph: 'enter', words: t('mode_enter') }
    case 'mouth':
      return { glyph: 'mouth', words: t('mode_mouth') }
    case 'feeder':
      return { glyph: 'foot', words: t('mode_feeder') }
    case 'gate':
      return { glyph: 'gate', words: t('mode_gate') }
    case null:
      return null
  }
}
