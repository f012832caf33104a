"""Dated assignments: one holder at any instant, and a history that is only added to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fleet.kit.db import Database
from fleet.kit.errors import Conflict, Malformed, NotFound, Problem
from fleet.kit.outbox import OutboxRow
from fleet.org.assignments import Kind, assign, history, holder, release, subjects
from fleet.org.models import Assignment, Beat, Place, Vehicle, VehicleClass

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
VEHICLES = ("V1", "V2", "V3")
BEATS = {"B1": "morning", "B2": "morning", "B3": "evening"}


def after(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def add_fleet(session: Session) -> None:
    session.add(
        VehicleClass(
            id="tipper", width_m=1.5, speeds_kmh={}, factor=1.0, fuel="cng", fixed_cost_s=3600
        )
    )
    session.add(
        Place(
            id="D", kind="depot", name="D", name_hi="D", lon=75.8, lat=22.7, service_s=0, streams=[]
        )
    )
    session.flush()
    session.add_all(
        Vehicle(id=v, class_id="tipper", depot_id="D", contractor="", spare=False, compartments=[])
        for v in VEHICLES
    )
    session.flush()
    session.add_all(
        Beat(id=b, vehicle_id="V1", shift=shift, landmarks=[], lane_ids=[])
        for b, shift in BEATS.items()
    )
    session.flush()


def test_a_moved_device_leaves_its_history_behind(db: Database) -> None:
    with db.unit_of_work() as session:
        add_fleet(session)
        first = assign(session, "device_vehicle", "dev1", "V1", T0)
        second = assign(session, "device_vehicle", "dev1", "V2", after(30))
    with db.reading() as session:
        assert [row.id for row in history(session, "device_vehicle", "dev1")] == [
            second.id,
            first.id,
        ]
        assert holder(session, "device_vehicle", "dev1", after(-1)) is None
        assert holder(session, "device_vehicle", "dev1", after(29.9)) == "V1"
        assert holder(session, "device_vehicle", "dev1", after(30)) == "V2"


def test_a_vehicle_carries_several_devices(db: Database) -> None:
    with db.unit_of_work() as session:
        add_fleet(session)
        assign(session, "device_vehicle", "dev2", "V1", T0)
        assign(session, "device_vehicle", "dev1", "V1", T0)
        assert subjects(session, "device_vehicle", "V1", T0) == ["dev1", "dev2"]


def test_a_vehicle_has_a_beat_in_each_shift_and_a_beat_one_vehicle(db: Database) -> None:
    with db.unit_of_work() as session:
        add_fleet(session)
        assign(session, "vehicle_beat", "V1", "B1", T0)
        assign(session, "vehicle_beat", "V1", "B3", T0)
        assert holder(session, "vehicle_beat", "V1", T0, slot="morning") == "B1"
        assert holder(session, "vehicle_beat", "V1", T0, slot="evening") == "B3"
        assign(session, "vehicle_beat", "V2", "B1", after(5))
        assert holder(session, "vehicle_beat", "V1", after(5), slot="morning") is None
        assert subjects(session, "vehicle_beat", "B1", after(5)) == ["V2"]
        assert subjects(session, "vehicle_beat", "B1", after(4)) == ["V1"]


def test_the_same_again_changes_nothing(db: Database) -> None:
    with db.unit_of_work() as session:
        add_fleet(session)
        first = assign(session, "crew_vehicle", "usr1", "V1", T0)
        assert assign(session, "crew_vehicle", "usr1", "V1", after(9)).id == first.id
        assert len(history(session, "crew_vehicle", "usr1")) == 1


def test_released_means_nothing_held(db: Database) -> None:
    with db.unit_of_work() as session:
        add_fleet(session)
        assign(session, "crew_vehicle", "usr1", "V1", T0)
        [ended] = release(session, "crew_vehicle", "usr1", after(10))
        assert ended.to_at == after(10)
        assert holder(session, "crew_vehicle", "usr1", after(10)) is None
        assert holder(session, "crew_vehicle", "usr1", after(9)) == "V1"


def test_each_change_is_an_event_with_its_full_state(db: Database) -> None:
    with db.unit_of_work() as session:
        add_fleet(session)
        first = assign(session, "device_vehicle", "dev1", "V1", T0)
        second = assign(session, "device_vehicle", "dev1", "V2", after(1))
    with db.reading() as session:
        rows = session.scalars(select(OutboxRow).order_by(OutboxRow.id)).all()
    assert [(row.topic, row.key) for row in rows] == [
        ("org.assignment_changed", key) for key in (first.id, first.id, second.id)
    ]
    assert [row.data["to_t"] for row in rows] == [None, "2026-03-02T01:01:00Z", None]
    assert rows[-1].data["object"] == "V2"


def test_the_past_is_not_rewritten(db: Database) -> None:
    with db.unit_of_work() as session:
        add_fleet(session)
        assign(session, "device_vehicle", "dev1", "V1", T0)
    with pytest.raises(Conflict) as refused, db.unit_of_work() as session:
        assign(session, "device_vehicle", "dev1", "V2", after(-1))
    assert refused.value.field == "at"
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("kind", "subject", "object", "error", "field"),
    [
        ("device_vehicle", "dev1", "V9", NotFound, "object"),
        ("crew_vehicle", "usr1", "", NotFound, "object"),
        ("vehicle_beat", "V9", "B1", NotFound, "subject"),
        ("vehicle_beat", "V1", "B9", NotFound, "object"),
        ("crew_device", "usr1", "dev1", Malformed, "kind"),
    ],
)
def test_what_does_not_exist_is_refused(
    db: Database, kind: Kind, subject: str, object: str, error: type[Problem], field: str
) -> None:
    with db.unit_of_work() as session:
        add_fleet(session)
    with pytest.raises(error) as refused, db.unit_of_work() as session:
        assign(session, kind, subject, object, T0)
    assert refused.value.field == field


@pytest.fixture(scope="module")
def one_db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all examples: making tables takes longer than an example."""
    db = Database.open(f"sqlite:///{tmp_path_factory.mktemp('assignments') / 'a.sqlite3'}")
    db.create_all()
    with db.unit_of_work() as session:
        add_fleet(session)
    yield db
    db.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from([("device_vehicle", "d1"), ("device_vehicle", "d2"), ("crew_vehicle", "c")]
                        + [("vehicle_beat", v) for v in VEHICLES]),
        st.integers(0, 2),
        st.integers(-3, 10),
        st.booleans(),
    ),
    max_size=9,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_at_most_one_holder_and_no_rewriting(
    one_db: Database,
    steps: list[tuple[tuple[Kind, str], int, int, bool]],
) -> None:
    """Whatever is assigned and released, in whatever order of times."""
    db = one_db
    with db.unit_of_work() as session:
        session.execute(delete(Assignment))
    ended: dict[str, tuple[str, str, datetime, datetime]] = {}
    now = 0
    for (kind, subject), index, step, releases in steps:
        now += step
        target = list(BEATS if kind == "vehicle_beat" else VEHICLES)[index]
        try:
            with db.unit_of_work() as session:
                if releases:
                    release(session, kind, subject, after(now))
                else:
                    row = assign(session, kind, subject, target, after(now))
                    assert (row.object, row.to_at) == (target, None)
        except Conflict:
            pass
        with db.reading() as session:
            rows = session.scalars(select(Assignment)).all()
        _never_two_at_once(rows)
        for row in rows:
            if row.to_at is not None:
                state = (row.subject, row.object, row.from_at, row.to_at)
                assert ended.setdefault(row.id, state) == state
        assert ended.keys() <= {row.id for row in rows}


def _never_two_at_once(rows: Sequence[Assignment]) -> None:
    for i, a in enumerate(rows):
        for b in rows[i + 1 :]:
            rivals = a.kind == b.kind and (
                (a.subject, a.slot) == (b.subject, b.slot)
                or (a.kind == "vehicle_beat" and a.object == b.object)
            )
            apart = (a.to_at is not None and a.to_at <= b.from_at) or (
                b.to_at is not None and b.to_at <= a.from_at
            )
            assert not rivals or apart, (a, b)
