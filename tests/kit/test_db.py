"""Both databases: what a unit of work and a reading promise."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base, Database, now_of
from fleet.kit.errors import Busy, Conflict
from tests.conftest import START


class Thing(Base):
    __tablename__ = "test_things"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime | None]
    data: Mapped[dict[str, Any] | None]
    parent: Mapped[str | None] = mapped_column(sa.ForeignKey("test_things.id"))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's way


def names(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Thing.name).order_by(Thing.id)))


def test_a_unit_of_work_commits_at_its_end_and_tells_its_listeners(db: Database) -> None:
    told: list[list[str]] = []
    db.on_commit(lambda: told.append(names(db)))
    with db.unit_of_work() as session:
        session.add(Thing(id="a", name="A"))
        session.flush()
        assert names(db) == []
    assert told == [["A"]]


def test_a_unit_of_work_rolls_back_on_an_error(db: Database) -> None:
    def fail() -> None:
        with db.unit_of_work() as session:
            session.add(Thing(id="a", name="A"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(db) == []


def test_a_reading_keeps_its_snapshot_and_refuses_to_write(db: Database) -> None:
    with db.unit_of_work() as session:
        session.add(Thing(id="a", name="A"))
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Thing.id))) == 1
        with db.unit_of_work() as writing:
            writing.add(Thing(id="b", name="B"))
        assert session.scalar(sa.select(sa.func.count(Thing.id))) == 1
    with db.reading() as session, pytest.raises(DBAPIError):
        session.execute(sa.delete(Thing))
    assert names(db) == ["A", "B"]


@pytest.mark.parametrize("offset_h", [0, 5.5, -11])
def test_times_come_back_aware_and_equal(db: Database, offset_h: float) -> None:
    at = datetime(2026, 3, 1, 23, 59, 59, 123456, timezone(timedelta(hours=offset_h)))
    with db.unit_of_work() as session:
        session.add(Thing(id="a", name="A", at=at))
    with db.reading() as session:
        found = session.scalars(sa.select(Thing).where(Thing.at == at)).one().at
    assert found == at
    assert found.tzinfo is UTC


def test_a_naive_time_is_refused(db: Database) -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001 - the case
    with pytest.raises(StatementError, match="offset"), db.unit_of_work() as session:
        session.add(Thing(id="a", name="A", at=naive))


def test_json_comes_back_and_none_is_null(db: Database) -> None:
    with db.unit_of_work() as session:
        session.add(Thing(id="a", name="A", data={"kg": 1.5, "list": [1, None, "गली"]}))
        session.add(Thing(id="b", name="B", data=None))
    with db.reading() as session:
        assert session.get_one(Thing, "a").data == {"kg": 1.5, "list": [1, None, "गली"]}
        assert session.scalars(sa.select(Thing.id).where(Thing.data.is_(None))).all() == ["b"]


def test_the_clock_is_the_citys(db: Database) -> None:
    with db.reading() as session:
        assert now_of(session) == START


@pytest.mark.parametrize(
    "thing",
    [
        pytest.param({"id": "a", "name": "other"}, id="same-primary-key"),
        pytest.param({"id": "b", "name": "A"}, id="same-unique-value"),
        pytest.param({"id": "b", "name": "B", "parent": "nobody"}, id="missing-parent"),
    ],
)
def test_constraints_become_conflicts(db: Database, thing: dict[str, str]) -> None:
    with db.unit_of_work() as session:
        session.add(Thing(id="a", name="A"))
    with pytest.raises(Conflict) as caught, db.unit_of_work() as session:
        session.add(Thing(**thing))
    assert caught.value.remedy


def test_an_outdated_version_becomes_a_conflict(db: Database) -> None:
    with db.unit_of_work() as session:
        session.add(Thing(id="a", name="A"))
    with db.reading() as session:
        outdated = session.get_one(Thing, "a")
    with db.unit_of_work() as session:
        session.get_one(Thing, "a").name = "newer"
    outdated.name = "older"
    with pytest.raises(Conflict), db.unit_of_work() as session:
        session.add(outdated)
    assert names(db) == ["newer"]


def test_writers_of_one_process_all_get_their_turn(db: Database) -> None:
    def add(number: int) -> None:
        for step in range(5):
            with db.unit_of_work() as session:
                session.add(Thing(id=f"{number}.{step}", name=f"{number}.{step}"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(db)) == 40


def test_a_writer_that_waits_in_vain_is_told_busy(db: Database, db_url: str) -> None:
    with db.unit_of_work() as session:
        session.add(Thing(id="a", name="A"))
    impatient = Database.open(db_url, writer_wait_s=0.05)
    with db.unit_of_work() as session:
        session.get_one(Thing, "a").name = "B"
        session.flush()
        with pytest.raises(Busy) as caught, impatient.unit_of_work() as second:
            second.execute(sa.update(Thing).values(name="C"))
    impatient.close()
    assert caught.value.status == 503
    assert names(db) == ["B"]


def test_a_writer_behind_another_thread_is_told_busy(tmp_path: Path) -> None:
    db = Database.open(f"sqlite:///{tmp_path / 'x.sqlite3'}", writer_wait_s=0.05)
    with db.unit_of_work() as first:
        first.execute(sa.text("SELECT 1"))
        with pytest.raises(Busy), db.unit_of_work() as second:
            second.execute(sa.text("SELECT 1"))
    with db.unit_of_work() as third:
        assert third.scalar(sa.text("SELECT 1")) == 1


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="Expected"):
        Database.open(url)
