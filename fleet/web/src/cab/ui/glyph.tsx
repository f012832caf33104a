/** Signs for the cab's large buttons, on a 24-unit grid; the shared icons are too small for them. */
const PATHS = {
  enter: 'M3 20V9l4-5h10l4 5v11M8 20v-8h8v8M12 12v8',
  mouth: 'M8 3v18M16 3v18M2 21h6M16 21h6M12 8v5M9.500 11l2.500 3 2.500-3',
  foot: 'M13 5.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3M9 21l2.500-6-2-3 1-5h3l2 3.500 3 1M14 15l2 6M10.500 7 7 9v3',
  gate: 'M4 21V6M20 21V6M4 9h16M8 9v12M12 9v12M16 9v12',
  lane_blocked: 'M3 9h18v5H3zM7 9l-3 5M12 9l-3 5M17 9l-3 5M6 14v6M18 14v6M6 9V6M18 9V6',
  not_out: 'M5 8h14M9 8V5h6v3M7 8l1 12h8l1-12M3 3l18 18',
  vehicle_full: 'M2 17V9h12v8M14 11h4l4 4v2h-2M2 17h2M8 17h6M6 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4M18 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4M3 9c1-4 3-5 5-5s4 1 5 5',
  not_found: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M15.500 15.500 21 21M8 8.200a2 2 0 1 1 3 1.700c-.7.400-1 .7-1 1.300M10 13.500v.1',
  other: 'M5 13.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3M12 13.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3M19 13.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3',
  done: 'M4 13l5.500 5.500L20 7',
  could_not: 'M6 6l12 12M18 6 6 18',
  unload: 'M12 3v11M7 9.500l5 5 5-5M4 16v4h16v-4',
  cup: 'M5 9h11v6a4 4 0 0 1-4 4H9a4 4 0 0 1-4-4zM16 10h2a2.500 2.500 0 0 1 0 5h-2M8 3v3M12 3v3',
  camera: 'M3 8h4l2-3h6l2 3h4v11H3zM12 17a4 4 0 1 0 0-8 4 4 0 0 0 0 8',
} as const

export type GlyphName = keyof typeof PATHS

export function Glyph({ name }: { name: GlyphName }) {
  return (
    <svg class="glyph" viewBox="0 0 24 24" aria-hidden>
      <path d={PATHS[name]} />
    </svg>
  )
}
