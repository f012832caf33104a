"""How a running route stands against its plan. Pure.

`assess` looks at one route's visits in order and says which visits are missed, unknown or at
risk, how late the route is, and what comes next. It only judges; writing is the sweep's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleet.org.policy import Policy
from routing.models import VisitStatus

BEYOND = 3
"""Visits proved behind a pending one before the route counts as having moved on."""

NEAR = 3
"""Visits that a driver may be ahead of the last proof without anybody wondering."""

DONE = frozenset({VisitStatus.SERVED, VisitStatus.PARTLY})


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign that the route came to the visit at `index`; a driver's tap is `sure`."""

    t: datetime
    index: int
    sure: bool = False


def came_to(marks: Iterable[Mark]) -> int:
    """Index of the visit that the route has come to, -1 before the first.

    A vehicle may pass slowly through a lane that is hours ahead in its order. One such proof far
    ahead is not believed before a second one near it, else the visits between would be dropped
    from the driver's list and called missed.
    """
    at = -1
    doubted: int | None = None
    for mark in sorted(marks, key=lambda mark: (mark.t, mark.index)):
        if mark.index <= at:
            continue
        if mark.sure or mark.index - at <= NEAR:
            at, doubted = mark.index, None
        elif doubted is not None and 0 < abs(mark.index - doubted) <= NEAR:
            at, doubted = max(mark.index, doubted), None
        else:
            doubted = mark.index
    return at


@dataclass(frozen=True, slots=True)
class Step:
    """A visit as progress sees it, in order of the route."""

    visit_id: str
    work: bool
    planned_arrival: datetime
    planned_departure: datetime
    status: VisitStatus
    proved_t: datetime | None
    """When the route's own vehicle left it, by facts."""
    seen: VisitStatus | None = None
    """What facts say so far, where that is not yet an outcome: driven_through or unknown."""
    at_risk: bool = False
    """As it is announced now."""
    reported_t: datetime | None = None
    """When the driver tapped that it is over."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A time without any fix of the vehicle."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Assessment:
    outcomes: dict[str, VisitStatus] = field(default_factory=dict)
    """Visits that have come to an outcome without being proved."""
    at_risk: frozenset[str] = frozenset()
    late_s: int = 0
    next_visit_id: str | None = None
    closed: bool = False


def delay_s(steps: Sequence[Step], now: datetime) -> int:
    """Seconds by which the route runs behind its plan; negative when it is ahead.

    The delay at the last proved visit, or what the next one's planned arrival is overdue.
    """
    late = 0
    after = _came_to(steps)
    if after >= 0:
        last = steps[after]
        left_t = last.proved_t or last.reported_t
        assert left_t is not None
        late = int((left_t - last.planned_departure).total_seconds())
    for step in steps[after + 1 :]:
        if step.status is VisitStatus.PENDING:
            return max(late, int((now - step.planned_departure).total_seconds()))
    return late


def _came_to(steps: Sequence[Step]) -> int:
    proofs = [Mark(s.proved_t, i) for i, s in enumerate(steps) if s.proved_t is not None]
    taps = [Mark(s.reported_t, i, True) for i, s in enumerate(steps) if s.reported_t is not None]
    return came_to([*proofs, *taps])


def moved_on_t(steps: Sequence[Step], index: int, at: int) -> datetime | None:
    """When the route, which came to `at`, had proved `BEYOND` later working visits, if it has."""
    later = sorted(
        step.proved_t
        for step in steps[index + 1 : at + 1]
        if step.work and step.proved_t is not None
    )
    return later[BEYOND - 1] if len(later) >= BEYOND else None


def assess(
    steps: Sequence[Step],
    *,
    now: datetime,
    shift_end_t: datetime,
    silences: Sequence[Silence],
    policy: Policy,
) -> Assessment:
    """Judge every visit that is still pending.

    A pending visit is over when the route has moved on beyond it (`BEYOND` visits, and
    `missed_grace_s` later), or when the vehicle is home or its shift over since `missed_grace_s`.
    It is then unknown where the vehicle was silent while it should have been there, else what was
    seen, else missed.
    """
    grace = timedelta(seconds=policy.missed_grace_s)
    home_t = steps[-1].proved_t if steps and not steps[-1].work else None
    closed = now >= (shift_end_t if home_t is None else min(home_t, shift_end_t)) + grace
    late = delay_s(steps, now)
    outcomes: dict[str, VisitStatus] = {}
    at_risk: set[str] = set()
    next_id: str | None = None
    at = _came_to(steps)
    for index, step in enumerate(steps):
        if step.status is not VisitStatus.PENDING:
            continue
        moved = moved_on_t(steps, index, at)
        over = closed or (moved is not None and now >= moved + grace)
        if step.work and over:
            outcomes[step.visit_id] = _outcome(steps, index, silences, shift_end_t)
            continue
        if next_id is None and index > at and step.reported_t is None:
            next_id = step.visit_id
        if step.work and (late >= policy.at_risk_s or moved is not None):
            at_risk.add(step.visit_id)
    return Assessment(outcomes, frozenset(at_risk), late, None if closed else next_id, closed)


def _outcome(
    steps: Sequence[Step], index: int, silences: Sequence[Silence], shift_end_t: datetime
) -> VisitStatus:
    step = steps[index]
    if step.seen is not None:
        return step.seen
    before = max(
        (s.proved_t for s in steps[:index] if s.proved_t is not None),
        default=min(step.planned_arrival, shift_end_t),
    )
    after = min(
        (s.proved_t for s in steps[index + 1 :] if s.proved_t is not None and s.proved_t > before),
        default=shift_end_t,
    )
    needed = (step.planned_departure - step.planned_arrival) / 2
    for silence in silences:
        overlap = min(silence.until, after) - max(silence.since, before)
        if overlap >= needed and overlap > timedelta(0):
            return VisitStatus.UNKNOWN
    return VisitStatus.MISSED
