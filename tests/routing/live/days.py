"""Facts as tracking records them, delivered by a real relay."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.clock import SteppedClock
from fleet.kit.ids import new_id
from fleet.kit.outbox import OutboxRow, Relay, emit, failures
from fleet.kit.times import iso
from fleet.kit.web import Kit
from routing.live.sweep import sweep
from routing.models import Judgement, Route, Visit
from routing.plans import queries
from routing.wiring import handlers
from tests.routing.plans.planning import routes
from tests.routing.plans.town import DAY
from tracking.facts.models import Dwell, GeofencePass, LaneTraversal


def deliver(kit: Kit) -> None:
    """Hand every event to routing's handlers."""
    relay = Relay(kit.db, kit.hub, handlers, kit.monotonic)
    relay.pump()
    relay.release()
    with kit.db.reading() as session:
        assert failures(session) == []


def traverse(kit: Kit, visit: Visit, served: float = 1.0, *, late_s: float = 0, **more: Any) -> str:
    """A pass along a visit's lane at its planned time and `late_s`; the fact's id."""
    assert visit.lane_id is not None
    values: dict[str, Any] = {
        "id": new_id("ltr"),
        "version": 1,
        "lane_id": visit.lane_id,
        "vehicle_id": "T1",
        "service_date": DAY,
        "start_t": visit.planned_arrival + timedelta(seconds=late_s),
        "end_t": visit.planned_departure + timedelta(seconds=late_s),
        "forward": True,
        "served_fraction": served,
        "driven_fraction": 1.0,
        "service_s": 60.0,
        "halts": 2,
        "standing_s": 30.0,
        "offset_m": 3.0,
        "gap": False,
        "hidden_m": 0.0,
        "pace_mps": 1.2,
        "provisional": True,
    } | more
    for what in ("served", "driven"):
        spans = [[0.0, values[f"{what}_fraction"]]] if values[f"{what}_fraction"] else []
        values.setdefault(f"{what}_spans", spans)
    with kit.db.unit_of_work() as session:
        row = LaneTraversal(**values)
        session.add(row)
        emit(session, "tracking.lanes_traversed", row.id, {"passes": [row.view()]})
    deliver(kit)
    return row.id


def correct(kit: Kit, traversal_id: str, served: float, driven: float = 1.0) -> None:
    """Tracking thinks again about a pass."""
    with kit.db.unit_of_work() as session:
        row = session.get_one(LaneTraversal, traversal_id)
        row.served_fraction, row.driven_fraction = served, driven
        row.served_spans = [[0.0, served]] if served else []
        row.driven_spans = [[0.0, driven]] if driven else []
        row.version += 1
        emit(session, "tracking.lanes_traversed", row.id, {"passes": [row.view()]})
    deliver(kit)


def judgements(kit: Kit, visit: Visit) -> list[tuple[str, str]]:
    """(status, reason) of all that was ever said of a visit, oldest first."""
    with kit.db.reading() as session:
        rows = session.scalars(
            select(Judgement).where(Judgement.visit_id == visit.id).order_by(Judgement.n)
        )
        return [(row.status, row.reason) for row in rows]


def stand(kit: Kit, at: tuple[float, float], start: datetime, seconds: float) -> None:
    """T1 stood somewhere."""
    with kit.db.unit_of_work() as session:
        row = Dwell(
            id=new_id("dwl"),
            vehicle_id="T1",
            lon=at[0],
            lat=at[1],
            start_t=start,
            end_t=start + timedelta(seconds=seconds),
            ended=True,
        )
        session.add(row)
        data = {
            "id": row.id,
            "vehicle_id": "T1",
            "lon": at[0],
            "lat": at[1],
            "start_t": iso(row.start_t),
            "end_t": iso(row.end_t),
            "ended": True,
        }
        emit(session, "tracking.dwelled", row.id, data)
    deliver(kit)


def stay(
    kit: Kit, place_id: str, kind: str, entered: datetime, left: datetime | None = None
) -> None:
    """T1 came to a place, and left it."""
    with kit.db.unit_of_work() as session:
        row = GeofencePass(
            id=new_id("gfp"),
            vehicle_id="T1",
            place_id=place_id,
            place_kind=kind,
            entered_t=entered,
            left_t=left,
        )
        session.add(row)
        for topic, t in (("entered", entered), ("left", left)):
            if t is not None:
                data = {
                    "id": row.id,
                    "vehicle_id": "T1",
                    "place_id": place_id,
                    "place_kind": kind,
                    "t": iso(t),
                }
                emit(session, f"tracking.geofence_{topic}", row.id, data)
    deliver(kit)


def advance(kit: Kit, to: datetime) -> None:
    """City time moves on, and the sweep looks."""
    assert isinstance(kit.clock, SteppedClock)
    kit.clock.set(to)
    sweep(kit, to)


def west(session: Session) -> tuple[Route, list[Visit]]:
    """T1's route and its visits."""
    route = next(route for route in routes(session) if route.vehicle_id == "T1")
    return route, list(queries.visits(session, route.id))


def lanes(kit: Kit) -> list[Visit]:
    """The lanes that T1 enters, in order."""
    with kit.db.reading() as session:
        return [v for v in west(session)[1] if v.kind == "lane" and not v.is_point]


def read(kit: Kit, visit: Visit) -> Visit:
    with kit.db.reading() as session:
        return session.get_one(Visit, visit.id)


def told(kit: Kit, topic: str) -> list[dict[str, Any]]:
    """Data of the events of a topic, in order."""
    with kit.db.reading() as session:
        rows = session.scalars(
            select(OutboxRow).where(OutboxRow.topic == topic).order_by(OutboxRow.id)
        )
        return [row.data for row in rows]
