"""The policy's own click: ordered once, and only for a confirmed miss that waits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

import routing.models  # noqa: F401 - every table of the fixture's database
from feedback.requests import auto
from fleet.kit.jobs import Job
from fleet.kit.outbox import Event
from fleet.org.models import City
from fleet.org.policy import Policy

NOW = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
WAITING = {
    "id": "req_1",
    "status": "checked",
    "verdict": "confirmed_missed",
    "visit_id": None,
}


def told(db: Any, *, allowed: bool, **changes: Any) -> list[Job]:
    """The jobs after a request with these fields was announced twice."""
    with db.unit_of_work() as session:
        session.add(
            City(
                id=1,
                name="Town",
                name_hi="नगर",
                tz="Asia/Kolkata",
                lang="hi",
                bbox=[75, 22, 76, 23],
                policy=Policy(auto_insert=allowed).model_dump(mode="json"),
                fingerprint="f",
                estimated=[],
                imported_at=NOW,
            )
        )
    for n in (1, 2):
        with db.unit_of_work() as session:
            auto.ask(session, Event(n, auto.TOPIC, "req_1", WAITING | changes, NOW))
    with db.reading() as session:
        return list(session.scalars(select(Job)))


def test_a_confirmed_miss_is_ordered_once(db):
    (job,) = told(db, allowed=True)
    assert (job.kind, job.payload) == ("auto_stop", {"request_id": "req_1"})


@pytest.mark.parametrize(
    ("allowed", "changes"),
    [
        (False, {}),
        (True, {"verdict": "cannot_tell"}),
        (True, {"verdict": "served"}),
        (True, {"status": "stop_planned", "visit_id": "vis_1"}),
        (True, {"status": "closed"}),
    ],
    ids=["policy says no", "cannot tell", "served", "has its stop", "closed"],
)
def test_anything_else_waits_for_people(db, allowed, changes):
    assert told(db, allowed=allowed, **changes) == []
