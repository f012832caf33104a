"""What a driver has been told to do next: the part of a route that no new stop may displace."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from fleet.kit.times import parse_iso
from fleet.org import queries as org
from routing.live.progress import DONE, Mark, came_to
from routing.models import Route, Visit, VisitKind, VisitStatus


def reached(visits: Sequence[Visit]) -> int:
    """Index behind the visit that the route has come to, by facts and taps; 0 before the first."""
    proofs = [
        Mark(visit.proved_t, index)
        for index, visit in enumerate(visits)
        if visit.proved_t is not None and visit.status in DONE
    ]
    taps = [
        Mark(parse_iso(visit.report["t"]), index, True)
        for index, visit in enumerate(visits)
        if visit.report is not None
    ]
    return came_to([*proofs, *taps]) + 1


def next_visit(visits: Sequence[Visit]) -> Visit | None:
    """The first visit behind the last one done that is neither served nor reported."""
    return next(
        (
            visit
            for visit in visits[reached(visits) :]
            if visit.status == VisitStatus.PENDING and visit.report is None
        ),
        None,
    )


def locked_until(visits: Sequence[Visit], ahead: int) -> int:
    """Index of the first visit that a new stop may come before.

    What is over stays, then `ahead` visits that the driver has been told (the next one among
    them); the start of the shift is none of them.
    """
    at = reached(visits)
    told = 0
    while at < len(visits) and told < ahead:
        told += visits[at].kind != VisitKind.START and visits[at].status == VisitStatus.PENDING
        at += 1
    return max(1, min(at, len(visits) - 1))


def locked_ids(session: Session, route: Route, visits: Sequence[Visit]) -> frozenset[str]:
    """Visits ahead of the driver that stay where they are."""
    if not visits:
        return frozenset()
    ahead = org.policy(session).locked_visits
    until = locked_until(visits, ahead)
    return frozenset(v.id for v in visits[reached(visits) : until])
