"""What a driver has been told to do next: the part of a route that no new stop may displace."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from fleet.org import queries as org
from routing.live.progress import DONE
from routing.models import Route, Visit, VisitKind, VisitStatus


def reached(visits: Sequence[Visit]) -> int:
    """Index behind the last visit that facts or the driver say is over; 0 before the first."""
    return max(
        (
            index + 1
            for index, visit in enumerate(visits)
            if visit.status in DONE or visit.report is not None
        ),
        default=0,
    )


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
