"""Which ticket ends which trip, and whether the two agree. Pure.

The bridge's clock may be off: where a station's tickets are all early or late by the same time,
that is taken off first. Then each ticket goes to the nearest stay of its vehicle at its station,
one ticket a stream and trip.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Final, Literal

type How = Literal["agrees", "other_station", "other_time"]

OFFSET_TICKETS: Final = 5
"""Fewer tickets say nothing about a station's clock."""
OFFSET_SPREAD_S: Final = 300.0
"""Half of the tickets are within this of the station's offset, else it is no clock."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A trip's stay at its station."""

    trip_id: str
    vehicle_id: str
    station_id: str
    arrived_t: datetime
    left_t: datetime


@dataclass(frozen=True, slots=True)
class Slip:
    """A ticket: one stream of one vehicle at one station, by the bridge's clock."""

    ticket_id: str
    vehicle_id: str
    station_id: str
    stream: str | None
    in_t: datetime
    out_t: datetime


@dataclass(frozen=True, slots=True)
class TieRule:
    tolerance_s: float
    far_s: float


@dataclass(frozen=True, slots=True)
class Tie:
    trip_id: str
    how: How


def ties(
    stops: Sequence[Stop],
    slips: Sequence[Slip],
    rule: TieRule,
    was_elsewhere: Callable[[Slip], bool],
) -> dict[str, Tie]:
    """By ticket: the trip that it ends. A ticket that is left out ends none that is known.

    First those that agree; then, of vehicles that are known to have been elsewhere, those that
    were at another station at that time, and those whose time is off, with the nearest stay at
    their station. Nearest first throughout.

    Args:
        was_elsewhere: whether its fixes leave no doubt that the vehicle was not at the station at
            the ticket's time, told by a right clock.
    """
    by_vehicle: dict[str, list[Stop]] = defaultdict(list)
    for stop in stops:
        by_vehicle[stop.vehicle_id].append(stop)
    offsets = clock_offsets_s(by_vehicle, slips, rule.far_s)
    left = [_by_right_clock(slip, offsets.get(slip.station_id, 0.0)) for slip in slips]
    found: dict[str, Tie] = {}
    taken: set[tuple[str, str]] = set()

    def take(how: How, *, same_station: bool, within_s: float) -> None:
        pairs = sorted(
            (*apart, slip.ticket_id, stop.trip_id, slip.stream or "")
            for slip in left
            for stop in by_vehicle.get(slip.vehicle_id, ())
            if (stop.station_id == slip.station_id) == same_station
            and (apart := _apart_s(slip, stop))[0] <= within_s
        )
        for _, _, ticket_id, trip_id, stream in pairs:
            if ticket_id not in found and (trip_id, stream) not in taken:
                found[ticket_id] = Tie(trip_id, how)
                taken.add((trip_id, stream))
        left[:] = [slip for slip in left if slip.ticket_id not in found]

    take("agrees", same_station=True, within_s=rule.tolerance_s)
    left[:] = [slip for slip in left if was_elsewhere(slip)]
    take("other_station", same_station=False, within_s=rule.tolerance_s)
    take("other_time", same_station=True, within_s=rule.far_s)
    return found


def clock_offsets_s(
    by_vehicle: Mapping[str, Sequence[Stop]], slips: Iterable[Slip], far_s: float
) -> dict[str, float]:
    """By station: how many seconds its clock is ahead, where its tickets agree about it."""
    apart: dict[str, list[float]] = defaultdict(list)
    for slip in slips:
        own = [
            (_middle(slip.in_t, slip.out_t) - _middle(stop.arrived_t, stop.left_t)).total_seconds()
            for stop in by_vehicle.get(slip.vehicle_id, ())
            if stop.station_id == slip.station_id
        ]
        if own and abs(nearest := min(own, key=abs)) <= far_s / 2:
            apart[slip.station_id].append(nearest)
    found = {}
    for station_id, values in apart.items():
        offset = median(values)
        spread = median(abs(value - offset) for value in values)
        if len(values) >= OFFSET_TICKETS and spread <= OFFSET_SPREAD_S:
            found[station_id] = offset
    return found


def _by_right_clock(slip: Slip, ahead_s: float) -> Slip:
    ahead = timedelta(seconds=ahead_s)
    return replace(slip, in_t=slip.in_t - ahead, out_t=slip.out_t - ahead)


def _apart_s(slip: Slip, stop: Stop) -> tuple[float, float]:
    """Seconds between two intervals (0: they overlap), and between their middles."""
    gap = max(stop.arrived_t - slip.out_t, slip.in_t - stop.left_t, timedelta(0))
    middles = _middle(slip.in_t, slip.out_t) - _middle(stop.arrived_t, stop.left_t)
    return gap.total_seconds(), abs(middles.total_seconds())


def _middle(start: datetime, end: datetime) -> datetime:
    return start + (end - start) / 2


def implausible(
    net_kg: Mapping[str | None, float],
    payload: Sequence[tuple[frozenset[str], float]],
    *,
    least_kg: float,
    most_share: float,
) -> bool:
    """Whether a trip's weights cannot be: next to nothing, or far over the payload.

    Args:
        net_kg: by the tickets' stream; None: mixed.
        payload: chambers as (streams, kg); empty: unknown, and nothing is too heavy.
    """
    whole = sum(net_kg.values())
    if whole < least_kg:
        return True
    room = sum(kg for _, kg in payload)
    if room <= 0:
        return False
    if whole > room * most_share:
        return True
    for stream, kg in net_kg.items():
        own = sum(room_kg for streams, room_kg in payload if stream in streams)
        if stream is not None and own > 0 and kg > own * most_share:
            return True
    return False
