"""What facts say about one visit. Pure.

A lane is proved by slow passes along it, a point by standing near it. Passes of all vehicles
count together: two halves served by two vehicles are one lane served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleet.org.policy import Policy
from routing.demand import Point, distance_m
from routing.models import VisitStatus

UNSEEN_M = 30.0
"""Length of a lane that noise and the time between fixes may hide at its two ends together."""
POINT_SHARE = 0.5
"""Share of the planned service time that a crew must stand at a point for it to be served."""


@dataclass(frozen=True, slots=True)
class LanePass:
    """One traversal of a lane, from tracking. Fractions are of the lane's length, 0 to 1."""

    vehicle_id: str
    start_t: datetime
    end_t: datetime
    served_fraction: float
    driven_fraction: float
    gap: bool
    pace_mps: float | None
    provisional: bool

    @property
    def duration_s(self) -> float:
        return (self.end_t - self.start_t).total_seconds()


@dataclass(frozen=True, slots=True)
class Dwell:
    """A vehicle stood at (lon, lat)."""

    lon: float
    lat: float
    start_t: datetime
    end_t: datetime

    @property
    def duration_s(self) -> float:
        return (self.end_t - self.start_t).total_seconds()


@dataclass(frozen=True, slots=True)
class PointNeed:
    """A point visit that waits for a dwell; `planned_t` breaks ties."""

    visit_id: str
    at: Point
    service_s: float
    planned_t: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known about a visit. `settled`: no later pass is needed to call it so."""

    status: VisitStatus
    start_t: datetime
    end_t: datetime
    vehicle_id: str
    served_fraction: float
    driven_fraction: float
    pace_mps: float | None
    provisional: bool
    gap: bool = False

    @property
    def settled(self) -> bool:
        return self.status is VisitStatus.SERVED


def lane_outcome(
    passes: Sequence[LanePass],
    own: str,
    policy: Policy,
    *,
    service_s: float = 0.0,
    length_m: float = 0.0,
) -> Outcome | None:
    """The outcome that all passes of a lane add up to; None where nobody came.

    Where on the lane a pass was slow is not told, so that fractions of several passes add up, to
    1 at most; a pass that was slow at a corner only (below `partly_fraction`) adds nothing.

    Length is judged with time, against the planned `service_s` (0: unknown). The noise of the
    fixes hides up to `UNSEEN_M` of the lane's `length_m`, much of a short dead end, and a vehicle
    that halted there long enough did serve it. One that left long before it could have was not at
    every door.

    A gap in the trail of the vehicle that should come (`own`) leaves a lane unknown
    that is not proved: the silence may hide the service. Part served in plain sight stays part.
    """
    if not passes:
        return None
    proving = [p for p in passes if p.served_fraction >= policy.partly_fraction]
    served = min(1.0, sum(p.served_fraction for p in proving))
    seen = min(1.0, sum(p.served_fraction for p in proving if not p.gap))
    time_share = sum(p.duration_s for p in proving) / service_s if service_s > 0 else None
    driven = min(1.0, sum(p.driven_fraction for p in passes))
    best = max(passes, key=lambda p: (p.served_fraction, p.driven_fraction, p.end_t))
    gap = any(p.gap and p.vehicle_id == own for p in passes)
    unseen_m = (1 - served) * length_m
    if _wholly(served, unseen_m, time_share, gap, policy):
        status = VisitStatus.SERVED
    elif seen >= policy.partly_fraction:
        status = VisitStatus.PARTLY
    elif gap:
        status = VisitStatus.UNKNOWN
    elif served >= policy.partly_fraction:
        status = VisitStatus.PARTLY
    elif driven >= policy.partly_fraction:
        status = VisitStatus.DRIVEN_THROUGH
    else:
        return None
    telling = proving or passes
    return Outcome(
        status=status,
        start_t=min(p.start_t for p in telling),
        end_t=max(p.end_t for p in telling),
        vehicle_id=best.vehicle_id,
        served_fraction=round(served, 3),
        driven_fraction=round(driven, 3),
        pace_mps=best.pace_mps,
        provisional=any(p.provisional for p in passes),
        gap=gap,
    )


def _wholly(
    served: float, unseen_m: float, time_share: float | None, gap: bool, policy: Policy
) -> bool:
    if time_share is None or gap:
        return served >= policy.served_fraction
    if served >= policy.served_fraction:
        return time_share >= policy.least_time_share
    seen_enough = served >= policy.partly_fraction and unseen_m <= UNSEEN_M
    return seen_enough and time_share >= policy.full_time_share


def share_dwells(
    dwells: Sequence[Dwell], points: Sequence[PointNeed], policy: Policy
) -> Mapping[str, list[tuple[Dwell, float]]]:
    """Hand each dwell's seconds to the visits near it: nearest first, then by planned time.

    One stand may serve several lanes from one access point; its seconds are not counted twice.
    A visit takes at most its planned service time. What is left over goes to the nearest visit.
    """
    shares: dict[str, list[tuple[Dwell, float]]] = {}
    taken: dict[str, float] = {}
    for dwell in sorted(dwells, key=lambda d: (d.start_t, d.end_t)):
        near = sorted(
            (
                (round(distance_m(point.at, (dwell.lon, dwell.lat)), -1), point.planned_t, point)
                for point in points
                if distance_m(point.at, (dwell.lon, dwell.lat)) <= policy.stop_within_m
            ),
            key=lambda found: (found[0], found[1], found[2].visit_id),
        )
        left_s = dwell.duration_s
        for _, _, point in near:
            share_s = min(left_s, point.service_s - taken.get(point.visit_id, 0.0))
            if share_s > 0:
                shares.setdefault(point.visit_id, []).append((dwell, share_s))
                taken[point.visit_id] = taken.get(point.visit_id, 0.0) + share_s
                left_s -= share_s
    return shares


def point_outcome(
    shares: Sequence[tuple[Dwell, float]], need: PointNeed, vehicle_id: str, policy: Policy
) -> Outcome | None:
    """The outcome of a point visit from its shares of dwells; None when nobody stood there.

    Standing proves little by itself (without a lift or a scale), so it is always provisional.
    """
    stood_s = sum(share_s for _, share_s in shares)
    if stood_s < min(policy.stop_dwell_s, need.service_s):
        return None
    enough_s = max(min(policy.stop_dwell_s, need.service_s), POINT_SHARE * need.service_s)
    fraction = min(1.0, stood_s / enough_s)
    return Outcome(
        status=VisitStatus.SERVED if stood_s >= enough_s else VisitStatus.PARTLY,
        start_t=min(dwell.start_t for dwell, _ in shares),
        end_t=max(dwell.end_t for dwell, _ in shares),
        vehicle_id=vehicle_id,
        served_fraction=round(fraction, 3),
        driven_fraction=1.0,
        pace_mps=0.0,
        provisional=True,
    )
