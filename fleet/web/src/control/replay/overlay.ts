/**
 * The replayed vehicles, drawn on a canvas over the map: sixty frames a second without a new
 * picture of the map for each.
 */
import { effect } from '@preact/signals'
import type { GlMap } from '../../shared/map/engine'
import { GROUND, type Look, type Scheme } from '../../shared/map/style'
import type { VehicleLive } from '../../shared/wire'
import { vehicleDrawing } from '../map/images'
import { ROUTE } from '../map/look'
import { thenOf } from './data'
import * as replay from './state'

const SPRITE = 32
const HIT = 18
const NAMES_FROM_ZOOM = 12.5

type Sprites = Record<VehicleLive['state'], HTMLCanvasElement>

function sprites(scheme: Scheme, ratio: number): Sprites {
  const make = (state: VehicleLive['state']): HTMLCanvasElement => {
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = SPRITE * ratio
    const pen = canvas.getContext('2d')
    pen?.scale(ratio, ratio)
    if (pen !== null) vehicleDrawing(state, scheme)(pen)
    return canvas
  }
  return { moving: make('moving'), standing: make('standing'), silent: make('silent'), never: make('never') }
}

interface Shown {
  id: string
  x: number
  y: number
}

/** Draws while a replay is open, until the returned function is called. */
export function replayOverlay(map: GlMap, look: Look): () => void {
  const canvas = document.createElement('canvas')
  canvas.className = 'replay-overlay'
  canvas.setAttribute('aria-hidden', 'true')
  map.getCanvasContainer().append(canvas)
  const found = canvas.getContext('2d')
  let frame = 0
  let before_ms = 0
  let shown: Shown[] = []
  const ratio = Math.max(1, devicePixelRatio)
  const drawn = sprites(look.scheme, Math.ceil(ratio))

  const draw = (pen: CanvasRenderingContext2D): void => {
    const { clientWidth: width, clientHeight: height } = map.getCanvas()
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
      canvas.style.width = `${width}px`
      canvas.style.height = `${height}px`
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    pen.clearRect(0, 0, width, height)
    shown = []
    const day = replay.replay.peek()
    if (day === null) return
    const size = SPRITE * (map.getZoom() < 12 ? 0.6 : 0.85)
    const named = map.getZoom() >= NAMES_FROM_ZOOM
    const chosen = replay.replayVehicle.peek()
    pen.font = '700 11px "Noto Sans", sans-serif'
    pen.textAlign = 'center'
    pen.lineJoin = 'round'
    for (const [id, reel] of day.reels) {
      const then = thenOf(reel, replay.now_s())
      if (then === null) continue
      const { x, y } = map.project([then.lon, then.lat])
      if (x < -SPRITE || y < -SPRITE || x > width + SPRITE || y > height + SPRITE) continue
      shown.push({ id, x, y })
      if (id === chosen) ring(pen, x, y, ROUTE[look.scheme])
      pen.save()
      pen.translate(x, y)
      if (then.state === 'moving') pen.rotate((then.course_deg * Math.PI) / 180)
      pen.drawImage(drawn[then.state], -size / 2, -size / 2, size, size)
      pen.restore()
      if (named || id === chosen) name(pen, id, x, y + size / 2 + 10, look.scheme)
    }
  }
  const run = (now_ms: number): void => {
    replay.pass(now_ms - before_ms, now_ms)
    before_ms = now_ms
    if (found !== null) draw(found)
    frame = replay.playing.peek() ? requestAnimationFrame(run) : 0
  }
  /** One frame, or all that follow while it plays. */
  const ask = (): void => {
    if (frame !== 0) return
    before_ms = performance.now()
    frame = requestAnimationFrame(run)
  }
  const stop = effect(() => {
    // Anything that changes the picture asks for a frame; while it plays frames follow by themselves.
    void [replay.replay.value, replay.playing.value, replay.shownAt.value, replay.replayVehicle.value]
    ask()
  })
  const moved = map.on('move', ask)
  const clicked = map.on('click', ({ point }) => {
    if (replay.replay.peek() === null) return
    const near = shown
      .map(({ id, x, y }) => ({ id, away: Math.hypot(x - point.x, y - point.y) }))
      .filter(({ away }) => away <= HIT)
      .sort((a, b) => a.away - b.away)[0]
    if (near !== undefined) replay.chooseVehicle(near.id)
  })
  return () => {
    stop()
    moved.unsubscribe()
    clicked.unsubscribe()
    cancelAnimationFrame(frame)
    canvas.remove()
  }
}

function ring(pen: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
  pen.beginPath()
  pen.arc(x, y, 18, 0, 2 * Math.PI)
  pen.globalAlpha = 0.18
  pen.fillStyle = colour
  pen.fill()
  pen.globalAlpha = 1
  pen.lineWidth = 2
  pen.strokeStyle = colour
  pen.stroke()
}

function name(pen: CanvasRenderingContext2D, id: string, x: number, y: number, scheme: Scheme): void {
  const { text, halo } = GROUND[scheme]
  pen.lineWidth = 3.5
  pen.strokeStyle = halo
  pen.strokeText(id, x, y)
  pen.fillStyle = text
  pen.fillText(id, x, y)
}
