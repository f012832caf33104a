"""What facts say about one visit. Pure.

A lane is proved by slow passes along it, a point by standing near it. Passes of all vehicles
count together: two halves served by two vehicles are one lane served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fleet.org.policy import Policy
from routing.demand import Point, distance_m
from routing.models import VisitStatus
from tracking.facts.stretch import Spans, covered

type Reason = Literal[
    "covered",
    "covered_and_timed",
    "covered_in_part",
    "left_early",
    "pace",
    "silent",
    "stood",
    "stood_shortly",
    "lifted",
    "at_place",
    "never_there",
    "no_time",
    "withdrawn",
]
"""Why a visit was judged so; the catalogue has a sentence for each."""

POINT_SHARE = 0.5
"""Share of the planned service time that a crew must stand at a point for it to be served."""


@dataclass(frozen=True, slots=True)
class LanePass:
    """One traversal of a lane, from tracking."""

    vehicle_id: str
    start_t: datetime
    end_t: datetime
    served: Spans
    driven: Spans
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
    """What facts say of a visit. `settled`: no later pass is needed to call it so."""

    status: VisitStatus
    reason: Reason
    start_t: datetime
    end_t: datetime
    vehicle_id: str
    served_fraction: float
    driven_fraction: float
    pace_mps: float | None
    provisional: bool
    spent_s: float = 0.0

    @property
    def settled(self) -> bool:
        return self.status is VisitStatus.SERVED

    @property
    def probable(self) -> bool:
        """Standing there is all that speaks for it."""
        return self.reason in ("stood", "stood_shortly")


def lane_outcome(
    passes: Sequence[LanePass], policy: Policy, *, service_s: float = 0.0
) -> Outcome | None:
    """The outcome that all passes of a lane add up to; None where nobody came.

    Length and time are judged together. Most of the lane was passed at service pace, in at least
    `least_time_share` of the time it takes (`service_s`; 0: unknown): served. Where noise hides
    the pace of a lane that was driven whole, `full_time_share` of the time makes up for it. A
    vehicle that left long before it could have been at every door was not.

    What a silence may hide is for the whole route to say (`routing.live.progress`).
    """
    driving = sorted((p for p in passes if p.driven), key=lambda p: (p.start_t, p.end_t))
    found: Outcome | None = None
    for n in range(1, len(driving) + 1):
        found = _adding_up(driving[:n], policy, service_s)
        if found is not None and found.settled:
            break  # who comes by once more does not serve it again
    return found


def _adding_up(passes: Sequence[LanePass], policy: Policy, service_s: float) -> Outcome | None:
    served = covered([span for p in passes for span in p.served])
    driven = covered([span for p in passes for span in p.driven])
    proving = [p for p in passes if p.served]
    spent_s = sum(p.duration_s for p in proving)
    share = spent_s / service_s if service_s > 0 else None
    found = _lane_status(served, driven, share, policy)
    if found is None:
        return None
    best = max(passes, key=lambda p: (covered(p.served), covered(p.driven), p.end_t))
    telling = proving or passes
    return Outcome(
        status=found[0],
        reason=found[1],
        start_t=min(p.start_t for p in telling),
        end_t=max(p.end_t for p in telling),
        vehicle_id=best.vehicle_id,
        served_fraction=round(served, 3),
        driven_fraction=round(driven, 3),
        pace_mps=best.pace_mps,
        provisional=any(p.provisional for p in passes),
        spent_s=round(spent_s, 1),
    )


def _lane_status(
    served: float, driven: float, share: float | None, policy: Policy
) -> tuple[VisitStatus, Reason] | None:
    """Status and reason; `share` is of the planned time, None where nobody knows it."""
    if served >= policy.served_fraction and (share is None or share >= policy.least_time_share):
        return VisitStatus.SERVED, "covered"
    timed = share is not None and share >= policy.full_time_share
    if served >= policy.partly_fraction and driven >= policy.served_fraction and timed:
        return VisitStatus.SERVED, "covered_and_timed"
    if served >= policy.served_fraction:
        return VisitStatus.PARTLY, "left_early"
    if served >= policy.partly_fraction:
        return VisitStatus.PARTLY, "covered_in_part"
    if driven >= policy.partly_fraction:
        return VisitStatus.DRIVEN_THROUGH, "pace"
    return None


@dataclass(frozen=True, slots=True)
class LiftAt:
    """A lifting gear or a scale told that a bin was emptied."""

    lift_id: str
    lon: float
    lat: float
    t: datetime


def share_lifts(
    lifts: Sequence[LiftAt], bins: Sequence[PointNeed], within_m: float
) -> Mapping[str, LiftAt]:
    """One lift to one bin, the nearest pairs first; a lift too far from every bin proves none."""
    pairs = sorted(
        (distance_m(need.at, (lift.lon, lift.lat)), lift.t, need.visit_id, lift.lift_id)
        for lift in lifts
        for need in bins
    )
    by_id = {lift.lift_id: lift for lift in lifts}
    found: dict[str, LiftAt] = {}
    for apart_m, _, visit_id, lift_id in pairs:
        if apart_m <= within_m and visit_id not in found and lift_id in by_id:
            found[visit_id] = by_id.pop(lift_id)
    return found


def lift_outcome(lift: LiftAt, vehicle_id: str) -> Outcome:
    """A bin that was emptied: the one point that is proved, not only probable."""
    return Outcome(
        status=VisitStatus.SERVED,
        reason="lifted",
        start_t=lift.t,
        end_t=lift.t,
        vehicle_id=vehicle_id,
        served_fraction=1.0,
        driven_fraction=1.0,
        pace_mps=0.0,
        provisional=False,
    )


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
    served = stood_s >= enough_s
    return Outcome(
        status=VisitStatus.SERVED if served else VisitStatus.PARTLY,
        reason="stood" if served else "stood_shortly",
        start_t=min(dwell.start_t for dwell, _ in shares),
        end_t=max(dwell.end_t for dwell, _ in shares),
        vehicle_id=vehicle_id,
        served_fraction=round(fraction, 3),
        driven_fraction=1.0,
        pace_mps=0.0,
        provisional=True,
        spent_s=round(stood_s, 1),
    )
