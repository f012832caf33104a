"""A request's life in the database: made once, followed, returned to the queue, closed by proof."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

import routing.models  # noqa: F401 - every table of the fixture's database
from feedback.requests import follow, queries, service
from feedback.requests.evidence import Verdict
from feedback.requests.models import Request, Status
from feedback.requests.schemas import RequestCreate
from feedback.wiring import handlers  # noqa: F401 - registers the catalogue
from fleet.kit.db import Database
from fleet.kit.errors import Conflict, Malformed, NotFound, Refused
from fleet.kit.outbox import Event, OutboxRow
from fleet.kit.times import iso
from fleet.org.models import City, Ward, Zone
from fleet.org.policy import Policy
from fleet.people.models import Role
from fleet.people.scope import Scope

NOW = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
TZ = ZoneInfo("Asia/Kolkata")
LOCATED = service.Located("W1", "Z1", "w1:1:2")
MISSED = Verdict("confirmed_missed", "evidence.driven_through", {"vehicle": "MP09-1", "at": NOW})
ALL = Scope("u", "Control room", Role.DISPATCHER, None, "en")


@pytest.fixture
def city(db: Database) -> Database:
    """A database with one ward in one zone."""
    square = {
        "type": "Polygon",
        "coordinates": [[[75, 22], [76, 22], [76, 23], [75, 23], [75, 22]]],
    }
    with db.unit_of_work() as session:
        session.add(
            City(
                id=1,
                name="Town",
                name_hi="नगर",
                tz="Asia/Kolkata",
                lang="hi",
                bbox=[75, 22, 76, 23],
                policy=Policy().model_dump(mode="json"),
                fingerprint="f",
                estimated=[],
                imported_at=NOW,
            )
        )
        session.add(Zone(id="Z1", name="One", name_hi="एक"))
        session.flush()
        session.add(
            Ward(
                id="W1",
                zone_id="Z1",
                name="First",
                name_hi="पहला",
                population=1,
                geometry=square,
                lon=75.5,
                lat=22.5,
                west=75,
                south=22,
                east=76,
                north=23,
            )
        )
    return db


def body(**changes: Any) -> RequestCreate:
    fields = {
        "client_id": "client-0001",
        "service_code": "missed_pickup",
        "lon": 75.5,
        "lat": 22.5,
        "words": "@nobody came",
    }
    return RequestCreate(**(fields | changes))


def make(db: Database, **changes: Any) -> Request:
    with db.unit_of_work() as session:
        return service.create(
            session, body(**changes), located=LOCATED, verdict=MISSED, nearest=None, now=NOW
        )


def visit_event(request: Request, **changes: Any) -> Event:
    visit = {
        "id": "vis_1",
        "route_id": "rte_1",
        "vehicle_id": "MP09-1",
        "kind": "request",
        "ref": request.id,
        "status": "pending",
        "planned_arrival": iso(NOW + timedelta(minutes=40)),
        "evidence": None,
        "report": None,
    }
    return Event(1, "routing.visit_changed", "vis_1", visit | changes, NOW + timedelta(hours=1))


def place(db: Database, request: Request) -> None:
    with db.unit_of_work() as session:
        found = queries.staff_request(session, ALL, request.id)
        service.stop_placed(
            session,
            found,
            visit_id="vis_1",
            route_id="rte_1",
            vehicle_id="MP09-1",
            eta=NOW + timedelta(minutes=40),
            now=NOW,
        )


def handled(db: Database, event: Event) -> Request:
    with db.unit_of_work() as session:
        follow.follow_visit(session, event)
    with db.reading() as session:
        return queries.staff_request(session, ALL, event.data["ref"])


def test_a_repeated_report_is_the_same_request_and_another_body_is_refused(city):
    made = make(city)
    with city.reading() as session:
        again = service.repeated(session, body())
        assert again is not None
        assert again.id == made.id
        with pytest.raises(Conflict):
            service.repeated(session, body(words="something else"))


def test_a_report_is_announced_with_its_full_state(city):
    made = make(city)
    with city.reading() as session:
        (row,) = session.scalars(select(OutboxRow).where(OutboxRow.topic == service.TOPIC))
    assert row.key == made.id
    assert row.data["status"] == "checked"
    assert row.data["verdict_texts"]["en"] == "MP09-1 drove through at 10:30 without collecting."
    assert row.data["promised_at"] == iso(NOW + timedelta(hours=12))


def test_the_public_page_has_no_contact_and_keeps_a_residents_words(city):
    made = make(city, contact="98260 00000")
    with city.reading() as session:
        shown = queries.public_view(queries.public_request(session, made.code.lower()), TZ, "hi")
    assert "contact" not in shown.model_dump()
    assert shown.words == "@nobody came"
    assert [entry.key for entry in shown.timeline] == ["timeline.received", "timeline.checked"]
    assert shown.timeline[0].text == "आपका अनुरोध मिल गया है।"


def test_another_zone_sees_nothing(city):
    made = make(city)
    elsewhere = Scope("u", "Other", Role.DISPATCHER, frozenset({"Z2"}), "en")
    with city.reading() as session:
        assert queries.requests(session, elsewhere) == []
        with pytest.raises(NotFound):
            queries.staff_request(session, elsewhere, made.id)


def test_proof_closes_and_only_then_may_the_resident_rate(city):
    made = make(city)
    place(city, made)
    with city.unit_of_work() as session, pytest.raises(Refused):
        service.rate(session, queries.public_request(session, made.code), "neutral", "", NOW)
    proof = {"end_t": iso(NOW + timedelta(minutes=50))}
    closed = handled(city, visit_event(made, status="served", evidence=proof))
    assert closed.status == Status.CLOSED
    with city.unit_of_work() as session:
        service.rate(session, queries.public_request(session, made.code), "satisfied", "", NOW)
    with city.reading() as session:
        shown = queries.public_view(queries.public_request(session, made.code), TZ, "en")
    assert (shown.rating, shown.may_rate) == ("satisfied", False)
    assert shown.timeline[-1].text == "You answered: satisfied."


def test_a_tap_reports_and_does_not_close(city):
    made = make(city)
    place(city, made)
    report = {"kind": "done", "reason": None, "photo_id": None}
    assert handled(city, visit_event(made, report=report)).status == Status.DONE


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"report": {"kind": "could_not", "reason": "lane_blocked"}},
            "The crew could not do it: the lane was blocked. It goes back to the control room.",
        ),
        (
            {"status": "missed"},
            "The vehicle did not reach it. It goes back to the control room.",
        ),
    ],
)
def test_a_stop_that_fails_returns_to_the_queue_and_the_resident_is_told(city, changes, text):
    made = make(city)
    place(city, made)
    back = handled(city, visit_event(made, **changes))
    assert (back.status, back.visit_id, back.eta) == (Status.CHECKED, None, None)
    with city.reading() as session:
        shown = queries.public_view(queries.public_request(session, made.code), TZ, "en")
    assert shown.timeline[-1].text == text


def test_a_stop_of_tomorrows_plan_is_told_once_it_is_planned(city):
    made = make(city)
    with city.unit_of_work() as session:
        found = queries.staff_request(session, ALL, made.id)
        service.stop_deferred(session, found, to=date(2026, 3, 3), now=NOW)
    planned = handled(city, visit_event(made))
    assert (planned.visit_id, planned.deferred_to) == ("vis_1", None)


def test_whoever_saw_an_older_version_must_look_again(city):
    made = make(city)
    place(city, made)
    with city.reading() as session, pytest.raises(Conflict):
        service.expect_version(queries.staff_request(session, ALL, made.id), made.version)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"service_code": "moon"}, "service_code"), ({"photo_ids": ["pho_none"]}, "photo_ids")],
)
def test_bad_input_names_the_field_and_the_remedy(city, changes, field):
    with pytest.raises(Malformed) as refused:
        make(city, **changes)
    assert refused.value.field == field
    assert refused.value.remedy


def test_a_place_outside_every_ward_is_refused(city):
    with city.reading() as session, pytest.raises(Malformed) as refused:
        service.locate(session, 70.0, 22.5)
    assert refused.value.type == "outside-city"
