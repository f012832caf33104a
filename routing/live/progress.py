"""How a running route stands against its plan. Pure.

`assess` looks at one route's visits in order and says which visits are missed, unknown or at
risk, how late the route is, and what comes next. It only judges; writing is the sweep's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from fleet.org.policy import Policy
from routing.models import VisitStatus

SOON, SOON_PROVED, LATER_PROVED = 4, 2, 6
"""A route has moved on from a visit when so many of the next few working visits were proved, or so
many of all that follow: a vehicle may pass slowly along lanes that are hours ahead."""

NEAR = 3
"""Visits that a driver may be ahead of the last proof without anybody wondering."""

USUAL_SHARE = 0.9
"""A lane is seldom served in less than this of the time that it usually takes."""

REACH = 3
"""How many visits away a proof may be to say what time a visit had."""

TOUCHES = timedelta(seconds=30)
"""A silence this near a pass may hide the rest of it."""

STOOD_SHARE = 0.35
"""With less than this of its usual time between its neighbours, nobody served a point."""

MOST_SHARE = 1.15
"""What a visit took beyond this much of its usual time, its neighbour may have had."""

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
    began_t: datetime | None = None
    ended_t: datetime | None = None
    """When the vehicle came to it and left, as far as facts tell."""
    spent_s: float = 0.0
    """How long facts saw it served."""
    service_s: float = 0.0
    """How long it is planned to take; 0: nobody knows."""
    covered: float = 0.0
    """Share of a lane's length that was served."""
    point: bool = False
    """Proved by standing near it, which proves nothing where the crew had no time for it."""
    recheck: bool = False
    """It was judged, and has newer facts; or it was proved by standing only."""

    @property
    def waits(self) -> bool:
        """Whether it is to be judged."""
        return self.status is VisitStatus.PENDING or self.recheck


@dataclass(frozen=True, slots=True)
class Silence:
    """A time without any fix of the vehicle."""

    since: datetime
    until: datetime

    @property
    def duration_s(self) -> float:
        return (self.until - self.since).total_seconds()

    def within_s(self, other: Silence) -> float:
        """Seconds that both share."""
        shared = min(self.until, other.until) - max(self.since, other.since)
        return max(0.0, shared.total_seconds())


@dataclass(frozen=True, slots=True)
class Assessment:
    outcomes: dict[str, VisitStatus] = field(default_factory=dict)
    """Visits that have come to an outcome without being proved."""
    at_risk: frozenset[str] = frozenset()
    late_s: int = 0
    next_visit_id: str | None = None
    closed: bool = False
    rhythm: float = 1.0
    """Time that this crew takes today for what is planned to take 1."""


RHYTHM_LANES = 8
"""Lanes served whole that a crew's rhythm is read from, at least."""
RHYTHM_RANGE = 0.5, 2.0


def rhythm_of(steps: Sequence[Step], policy: Policy) -> float:
    """The median of time spent to time planned, over the lanes that were served from end to end.

    What households are worth in seconds is a guess; crews differ. Against its own rhythm a lane
    that was left early shows all the same.
    """
    shares = [
        step.spent_s / step.service_s
        for step in steps
        if step.service_s > 0
        and not step.point
        and step.covered >= max(0.95, policy.served_fraction)
    ]
    if len(shares) < RHYTHM_LANES:
        return 1.0
    low, high = RHYTHM_RANGE
    return min(high, max(low, median(shares)))


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
    """When the route, which came to `at`, had moved on from a visit, if it has."""
    later = [step for step in steps[index + 1 : at + 1] if step.work]
    soon = _nth_t(later[:SOON], SOON_PROVED)
    far = _nth_t(later, LATER_PROVED)
    return min((t for t in (soon, far) if t is not None), default=None)


def _nth_t(steps: Sequence[Step], n: int) -> datetime | None:
    """When the n-th of the visits had been proved."""
    times = sorted(step.proved_t for step in steps if step.proved_t is not None)
    return times[n - 1] if len(times) >= n else None


def assess(
    steps: Sequence[Step],
    *,
    now: datetime,
    shift_end_t: datetime,
    silences: Sequence[Silence],
    policy: Policy,
) -> Assessment:
    """Judge every visit that is still pending.

    A pending visit is over `missed_grace_s` after the route moved on from it, the vehicle came home
    or its shift ended. It is then unknown where the vehicle was silent while it should have been
    there, else what was seen, else missed.
    """
    grace = timedelta(seconds=policy.missed_grace_s)
    home_t = steps[-1].proved_t if steps and not steps[-1].work else None
    closed = now >= (shift_end_t if home_t is None else min(home_t, shift_end_t)) + grace
    late = delay_s(steps, now)
    outcomes: dict[str, VisitStatus] = {}
    at_risk: set[str] = set()
    next_id: str | None = None
    at = _came_to(steps)
    rhythm = rhythm_of(steps, policy)
    for index, step in enumerate(steps):
        if not step.waits:
            continue
        moved = moved_on_t(steps, index, at)
        over = closed or (moved is not None and now >= moved + grace)
        if step.work and over:
            outcomes[step.visit_id] = _outcome(steps, index, silences, shift_end_t, rhythm, policy)
            continue
        if step.recheck:
            continue
        if next_id is None and index > at and step.reported_t is None:
            next_id = step.visit_id
        if step.work and (late >= policy.at_risk_s or moved is not None):
            at_risk.add(step.visit_id)
    return Assessment(
        outcomes, frozenset(at_risk), late, None if closed else next_id, closed, rhythm
    )


def _outcome(
    steps: Sequence[Step],
    index: int,
    silences: Sequence[Silence],
    shift_end_t: datetime,
    rhythm: float,
    policy: Policy,
) -> VisitStatus:
    """What a visit has come to: what was seen, unless a silence was long enough for the rest.

    Only a silence counts between the visits proved before and after it in the route's order. A
    visit at which the vehicle was never seen has only what those visits, and others that were seen
    in part, did not need of it themselves.
    """
    step = steps[index]
    enough_s = policy.least_time_share * rhythm * step.service_s
    had_s = _time_for(steps, index, rhythm)
    if step.point and step.spent_s > 0:
        return _stood(step, had_s, rhythm)
    if step.covered >= policy.served_fraction and max(had_s or 0.0, step.spent_s) >= enough_s:
        return VisitStatus.SERVED
    first = next((i for i in range(index - 1, -1, -1) if steps[i].proved_t is not None), None)
    last = next((i for i in range(index + 1, len(steps)) if _after(steps, first, i)), None)
    since = min(step.planned_arrival, shift_end_t)
    until = shift_end_t
    if first is not None:
        since = steps[first].proved_t or since
    if last is not None:
        until = steps[last].began_t or steps[last].proved_t or until
    between = Silence(since, until)
    silent_s = sum(silence.within_s(between) for silence in silences)
    if step.spent_s > 0 and step.began_t is not None and step.ended_t is not None:
        # What it left undone may be in a silence that begins, ends or lies in its own pass.
        own = Silence(step.began_t - TOUCHES, step.ended_t + TOUCHES)
        touching = [silence for silence in silences if silence.within_s(own) > 0]
        silent_s = max(silent_s, sum(silence.duration_s for silence in touching))
    if silent_s <= 0:
        return step.seen or VisitStatus.MISSED
    others = range(
        0 if first is None else first, len(steps) if last is None else min(last + 1, len(steps))
    )
    owed_s = 0.0
    if step.spent_s <= 0:
        owed_s = sum(
            max(0.0, USUAL_SHARE * rhythm * steps[i].service_s - steps[i].spent_s)
            for i in others
            if steps[i].spent_s > 0
        )
    missing_s = max(0.0, enough_s - step.spent_s)
    if silent_s - owed_s >= missing_s:
        return VisitStatus.UNKNOWN
    return step.seen or VisitStatus.MISSED


def _time_for(steps: Sequence[Step], index: int, rhythm: float) -> float | None:
    """Seconds that the vehicle had for a visit between those before and after it; None: unknown.

    A halt near a lane's end may be matched to the next street, or to the neighbour's time.
    """
    reach = 1 if steps[index].point else REACH
    first = _proved_near(steps, index, -1, reach)
    last = _proved_near(steps, index, 1, reach)
    if first is None or last is None:
        return None
    before, after = steps[first], steps[last]
    if before.proved_t is None or after.began_t is None or before.proved_t > after.began_t:
        return None
    path = steps[first : last + 1]
    driving = sum(
        (b.planned_arrival - a.planned_departure for a, b in pairwise(path)), timedelta(0)
    )
    others_s = sum(
        rhythm * near.service_s for near in path[1:-1] if near is not steps[index] and near.work
    )
    between_s = (after.began_t - before.proved_t - driving).total_seconds() - others_s
    beyond_s = sum(
        max(0.0, near.spent_s - MOST_SHARE * rhythm * near.service_s)
        for near in (before, after)
        if near.service_s > 0
    )
    return between_s + beyond_s


def _proved_near(steps: Sequence[Step], index: int, way: int, reach: int) -> int | None:
    """The next proved visit before (-1) or after (1) one, not further than `reach` away."""
    for n in range(1, reach + 1):
        at = index + way * n
        if 0 <= at < len(steps) and steps[at].proved_t is not None:
            return at
    return None


def _stood(step: Step, had_s: float | None, rhythm: float) -> VisitStatus:
    """A vehicle that serves the street at whose end a point lies stands near the point as well."""
    if had_s is not None and had_s < STOOD_SHARE * rhythm * step.service_s:
        return VisitStatus.MISSED
    return step.status if step.status in DONE else step.seen or VisitStatus.MISSED


def _after(steps: Sequence[Step], first: int | None, i: int) -> bool:
    """Whether a visit was proved, later than the one proved before."""
    proved_t = steps[i].proved_t
    before = None if first is None else steps[first].proved_t
    return proved_t is not None and (before is None or proved_t > before)
