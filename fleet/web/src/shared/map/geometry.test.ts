import { expect, test } from 'vitest'
import { boundsOf, grow, labelPoint, middleOf, overlaps, pointsOf } from './geometry'

const square = (x: number, y: number, side: number): number[][] => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
  [x, y],
]

test('bounds hold every point, and nothing has none', () => {
  expect(boundsOf([])).toBeNull()
  expect(boundsOf([[75.9, 22.7], [75.8, 22.8]])).toEqual([75.8, 22.7, 75.9, 22.8])
})

test('boxes that only touch overlap', () => {
  expect(overlaps([0, 0, 1, 1], [1, 1, 2, 2])).toBe(true)
  expect(overlaps([0, 0, 1, 1], [1.1, 0, 2, 2])).toBe(false)
})

test('a kilometre is wider in degrees of longitude away from the equator', () => {
  const [west, south] = grow([10, 60, 10, 60], 1000)
  expect(60 - south).toBeCloseTo(0.00898, 5)
  expect(10 - west).toBeCloseTo(0.01797, 5)
})

test('a name stands in the larger of two pieces', () => {
  const two: GeoJSON.MultiPolygon = {
    type: 'MultiPolygon',
    coordinates: [[square(0, 0, 1)], [square(10, 10, 4)]],
  }
  expect(labelPoint(two)).toEqual([12, 12])
  expect(labelPoint({ type: 'Polygon', coordinates: [square(3, 3, 0)] })).toBeNull()
})

test('points of nested geometries', () => {
  const mixed: GeoJSON.GeometryCollection = {
    type: 'GeometryCollection',
    geometries: [
      { type: 'Point', coordinates: [1, 2] },
      { type: 'MultiLineString', coordinates: [[[3, 4], [5, 6]], [[7, 8]]] },
    ],
  }
  expect([...pointsOf(mixed)]).toEqual([[1, 2], [3, 4], [5, 6], [7, 8]])
})

test('the middle of a line', () => {
  expect(middleOf([])).toBeNull()
  expect(middleOf([[0, 0], [1, 1], [2, 2]])).toEqual([1, 1])
})
