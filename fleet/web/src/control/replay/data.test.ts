import { describe, expect, it } from 'vitest'
import { indexAt, LanesAt, lines, reelOf, replayOf, type ReplayWire, thenOf } from './data'

/** North for 100 s, standing for 100 s, silent for 300 s, then east. */
const REEL = {
  vehicle_id: 'T1',
  resolution: 'raw' as const,
  t: [1000, 100, 100, 300, 100],
  lon: [7_585_000, 0, 0, 0, 500],
  lat: [2_272_000, 500, 0, 100, 0],
  gaps: [3],
}
const WIRE: ReplayWire = {
  service_date: '2026-03-02',
  vehicles: [REEL],
  lanes: {
    lane_id: ['a', 'b', 'c'],
    vehicle_id: ['T1', 'T1', 'T2'],
    status: ['served', 'missed', 'pending'],
    began: [1010, null, null],
    known: [1050, 1693, null],
    probable: [true, false, false],
  },
}

describe('a reel', () => {
  const reel = reelOf(REEL)

  it('is summed up from its differences', () => {
    expect([...reel.t]).toEqual([1000, 1100, 1200, 1500, 1600])
    expect(reel.lat[1]).toBeCloseTo(22.725, 9)
    expect([...reel.silent]).toEqual([0, 0, 0, 1, 0])
  })

  it('tells where the vehicle was between its points', () => {
    expect(thenOf(reel, 1050)).toMatchObject({ state: 'moving', course_deg: 0 })
    expect(thenOf(reel, 1050)?.lat).toBeCloseTo(22.7225, 9)
    expect(thenOf(reel, 1150)?.state).toBe('standing')
    expect(thenOf(reel, 1550)?.course_deg).toBeCloseTo(90, 6)
  })

  it('stays where it was last heard while it is silent', () => {
    const silent = thenOf(reel, 1400)
    expect(silent?.state).toBe('silent')
    expect(silent?.lat).toBeCloseTo(22.725, 9)
  })

  it('is not shown before it is heard, and not long after', () => {
    expect(thenOf(reel, 999)).toBeNull()
    expect(thenOf(reel, 1000)).not.toBeNull()
    expect(thenOf(reel, 1610)?.state).toBe('standing')
    expect(thenOf(reel, 1900)?.state).toBe('silent')
    expect(thenOf(reel, 1600 + 1801)).toBeNull()
  })

  it('draws lines that end at a silence', () => {
    const { heard, silent } = lines(reel)
    expect(heard.map((line) => line.length)).toEqual([3, 2])
    expect(silent).toHaveLength(1)
  })
})

describe('indexAt', () => {
  it.each([
    [0, -1],
    [1, 0],
    [2.5, 1],
    [3, 2],
    [9, 2],
  ])('finds %d at %d', (t, index) => expect(indexAt(new Float64Array([1, 2, 3]), t)).toBe(index))

  it('finds nothing in nothing', () => expect(indexAt(new Float64Array(), 1)).toBe(-1))
})

describe('a replay', () => {
  const replay = replayOf(WIRE)
  if (replay === null) throw new Error('Expected a replay.')

  it('lasts from the first thing known to the last, in whole steps', () => {
    expect([replay.start, replay.end]).toEqual([1000, 1700])
  })

  it('knows of no day without fixes and plan', () => {
    const none = { ...WIRE, vehicles: [], lanes: { ...WIRE.lanes, lane_id: [] } }
    expect(replayOf(none)).toBeNull()
  })

  it('colours lanes as time passes, and takes it back', () => {
    const lanes = new LanesAt(replay)
    const statuses = (t: number): string[] => ['a', 'b', 'c'].map((id) => lanes.at(t).get(id)?.status ?? '')
    expect(statuses(1049)).toEqual(['pending', 'pending', 'pending'])
    expect(statuses(1050)).toEqual(['served', 'pending', 'pending'])
    expect(lanes.at(1060).get('a')?.probable).toBe(true)
    expect(statuses(1700)).toEqual(['served', 'missed', 'pending'])
    expect(statuses(1600)).toEqual(['served', 'pending', 'pending'])
    expect(statuses(0)).toEqual(['pending', 'pending', 'pending'])
  })

  it('answers the same map while nothing changes, and another one when something does', () => {
    const lanes = new LanesAt(replay)
    const none = lanes.at(1000)
    const before = lanes.at(1100)
    expect(before).not.toBe(none)
    expect(none.get('a')?.status).toBe('pending')
    expect(lanes.at(1600)).toBe(before)
    expect(lanes.at(1700)).not.toBe(before)
  })
})
