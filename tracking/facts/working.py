"""What one vehicle's track says: passes along lanes, standing, comings and goings. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import numpy as np

from tracking.facts.service_day import service_day
from tracking.facts.stretch import DwellFact, LaneFact, StayFact, Stretch, instant
from tracking.facts.town import Town
from tracking.proof.places import stands, stays
from tracking.proof.track import LanePass, Proof, Track, prove

OPEN_S = 20.0
"""A pass that ends this near the vehicle's last movement may go on."""
LONGEST_HALT_S = 900.0
"""After standing this long a vehicle is not waited for."""


def facts_of(
    town: Town,
    vehicle_id: str,
    track: Track,
    *,
    since: datetime,
    until: datetime,
    known_from: datetime,
    inside: Collection[str],
    ended: bool = False,
    final: bool = False,
) -> tuple[Stretch, datetime | None]:
    """All facts of a track.

    Args:
        since, until, known_from, final: as `Stretch` has them.
        inside: places at which the vehicle was before the track begins.
        ended: nothing follows on the track soon, so that no pass goes on.

    Returns:
        The stretch, and where the earliest pass begins that may go on.
    """
    stretch = Stretch(vehicle_id, since, until, known_from, final=final)
    if len(track.t_s) == 0:
        return stretch, None
    proof = prove(track, town.graph, town.calibration(vehicle_id), gap_s=float(town.rules.gap_s))
    open_s = float("inf") if ended else _goes_on_from(proof, track)
    own_shifts = town.shifts.get(vehicle_id, ())
    for found in proof.passes:
        if not found.driven_m:
            continue  # only a silence names it: a doubt about half a ward is no fact
        start_t = instant(found.start_s)
        length_m = float(town.graph.length_m[found.lane])
        stretch.lanes.append(
            LaneFact(
                lane_id=town.graph.ids[found.lane],
                service_date=service_day(start_t, town.tz, own_shifts),
                start_t=start_t,
                end_t=instant(found.end_s),
                forward=found.forward,
                served_spans=_shares(found.served_m, length_m),
                driven_spans=_shares(found.driven_m, length_m),
                service_s=round(found.service_s, 1),
                halts=found.halts,
                pace_mps=round(found.pace_mps, 2),
                standing_s=round(found.standing_s, 1),
                offset_m=round(found.offset_m, 1),
                gap=found.gap,
                hidden_m=found.hidden_m,
                open=found.end_s >= open_s,
            )
        )
    for stand in stands(track, town.rules.stop_dwell_s):
        lon, lat = town.graph.plane.to_degrees(stand.x, stand.y)
        stretch.dwells.append(
            DwellFact(lon, lat, instant(stand.start_s), instant(stand.end_s), stand.ended)
        )
    numbers = {place.id: n for n, place in enumerate(town.places)}
    for stay in stays(
        track,
        town.place_x,
        town.place_y,
        town.rules.geofence_radius_m,
        inside={numbers[i] for i in inside if i in numbers},
    ):
        place = town.places[stay.place]
        left_t = None if stay.left_s is None else instant(stay.left_s)
        stretch.stays.append(StayFact(place.id, place.kind, instant(stay.entered_s), left_t))
    return stretch, _open_from(proof.passes, open_s)


def _goes_on_from(proof: Proof, track: Track) -> float:
    """Passes that end from here on may go on: a halt belongs to its pass once it is over."""
    moving = np.flatnonzero(~proof.standing)
    last_s = float(track.t_s[-1])
    moved_s = float(track.t_s[moving[-1]]) if len(moving) else last_s
    return max(moved_s, last_s - LONGEST_HALT_S) - OPEN_S


def _open_from(passes: Collection[LanePass], open_s: float) -> datetime | None:
    starts = [found.start_s for found in passes if found.end_s >= open_s]
    return instant(min(starts)) if starts else None


def _shares(stretches_m: Iterable[tuple[float, float]], length_m: float) -> list[list[float]]:
    return [[round(a / length_m, 3), round(b / length_m, 3)] for a, b in stretches_m]
