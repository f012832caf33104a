/** Symbols drawn on a canvas: sharp on any screen, nothing to fetch. */
import type { GlMap } from '../../shared/map/engine'
import { GROUND, type Scheme } from '../../shared/map/style'
import type { PlaceProperties, VehicleLive } from '../../shared/wire'
import { VEHICLE } from './look'

const SIZE = 32

export type Draw = (pen: CanvasRenderingContext2D) => void

/** Adds a drawing of 32 units a side under an id. */
function addDrawing(map: GlMap, id: string, draw: Draw): void {
  const ratio = Math.max(2, Math.ceil(devicePixelRatio))
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIZE * ratio
  const pen = canvas.getContext('2d')
  if (pen === null) return
  pen.scale(ratio, ratio)
  pen.lineJoin = pen.lineCap = 'round'
  draw(pen)
  if (map.hasImage(id)) map.removeImage(id)
  map.addImage(id, pen.getImageData(0, 0, canvas.width, canvas.height), { pixelRatio: ratio })
}

function filled(pen: CanvasRenderingContext2D, fill: string, edge: string, path: (pen: CanvasRenderingContext2D) => void): void {
  pen.beginPath()
  path(pen)
  pen.lineWidth = 4.5
  pen.strokeStyle = edge
  pen.stroke()
  pen.fillStyle = fill
  pen.fill()
}

/** Shape tells the state: an arrow moves, a square stands, a crossed ring is silent. */
export function vehicleDrawing(state: VehicleLive['state'], scheme: Scheme): Draw {
  const edge = GROUND[scheme].halo
  const colour = VEHICLE[state][scheme]
  if (state === 'moving') {
    return (pen) =>
      filled(pen, colour, edge, () => {
        pen.moveTo(16, 4)
        pen.lineTo(25.5, 26)
        pen.lineTo(16, 21.5)
        pen.lineTo(6.5, 26)
        pen.closePath()
      })
  }
  if (state === 'standing') {
    return (pen) => {
      filled(pen, colour, edge, () => pen.roundRect(7, 7, 18, 18, 4))
      pen.fillStyle = edge
      pen.fillRect(11.7, 11.5, 3, 9)
      pen.fillRect(17.3, 11.5, 3, 9)
    }
  }
  return (pen) => {
    filled(pen, edge, edge, () => pen.arc(16, 16, 9, 0, 2 * Math.PI))
    pen.beginPath()
    pen.arc(16, 16, 8.5, 0, 2 * Math.PI)
    pen.moveTo(10, 10)
    pen.lineTo(22, 22)
    pen.lineWidth = 2.6
    pen.strokeStyle = colour
    pen.stroke()
  }
}

export function addVehicleImages(map: GlMap, scheme: Scheme): void {
  for (const state of ['moving', 'standing', 'silent', 'never'] as const) {
    addDrawing(map, `vehicle-${state}`, vehicleDrawing(state, scheme))
  }
}

export type PinState = 'open' | 'planned' | 'done'
export const PIN: Record<PinState, Record<Scheme, string>> = {
  open: { light: '#b3153f', dark: '#ff7a98' },
  planned: { light: '#8a5a00', dark: '#f2be4a' },
  done: { light: '#0a7350', dark: '#4fd1a0' },
}

/** Pins of residents' requests; a sign inside tells the state. */
export function addPinImages(map: GlMap, scheme: Scheme): void {
  const edge = GROUND[scheme].halo
  const signs: Record<PinState, Draw> = {
    open: (pen) => {
      pen.moveTo(16, 7.5)
      pen.lineTo(16, 13)
      pen.moveTo(16, 16.6)
      pen.lineTo(16, 16.7)
    },
    planned: (pen) => {
      pen.moveTo(16, 8)
      pen.lineTo(16, 12.5)
      pen.lineTo(19, 14.5)
    },
    done: (pen) => {
      pen.moveTo(12, 12.5)
      pen.lineTo(15, 15.5)
      pen.lineTo(20.5, 9.5)
    },
  }
  for (const state of ['open', 'planned', 'done'] as const) {
    addDrawing(map, `pin-${state}`, (pen) => {
      filled(pen, PIN[state][scheme], edge, () => {
        pen.moveTo(16, 29)
        pen.bezierCurveTo(11, 22, 6.5, 18, 6.5, 12.500)
        pen.arc(16, 12.5, 9.5, Math.PI, 0)
        pen.bezierCurveTo(25.5, 18, 21, 22, 16, 29)
      })
      pen.beginPath()
      signs[state](pen)
      pen.lineWidth = 2.6
      pen.strokeStyle = edge
      pen.stroke()
    })
  }
}

/** Depot, transfer station and plant: a house, a funnel and a leaf in a plate. */
export function addPlaceImages(map: GlMap, scheme: Scheme): void {
  const ink = GROUND[scheme].text
  const paper = GROUND[scheme].halo
  const signs: Record<PlaceProperties['kind'], Draw> = {
    depot: (pen) => {
      pen.moveTo(9.5, 15.5)
      pen.lineTo(16, 10)
      pen.lineTo(22.5, 15.5)
      pen.moveTo(11.500, 14.500)
      pen.lineTo(11.500, 22)
      pen.lineTo(20.500, 22)
      pen.lineTo(20.500, 14.500)
    },
    transfer_station: (pen) => {
      pen.moveTo(10, 14)
      pen.lineTo(21, 14)
      pen.lineTo(18, 11)
      pen.moveTo(22, 18.5)
      pen.lineTo(11, 18.5)
      pen.lineTo(14, 21.5)
    },
    plant: (pen) => {
      pen.moveTo(11, 22)
      pen.bezierCurveTo(11, 14, 15, 10.500, 22, 10)
      pen.bezierCurveTo(22, 17, 18, 20.500, 12.500, 19)
    },
  }
  for (const kind of ['depot', 'transfer_station', 'plant'] as const) {
    addDrawing(map, `place-${kind}`, (pen) => {
      filled(pen, ink, paper, () => pen.roundRect(5, 5, 22, 22, 5))
      pen.beginPath()
      signs[kind](pen)
      pen.lineWidth = 2
      pen.strokeStyle = paper
      pen.stroke()
    })
  }
}
