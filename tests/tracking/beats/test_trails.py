"""From stored passes to a file that the city's importer reads, on both databases."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from fleet.kit.settings import Settings
from fleet.kit.times import local_midnight
from fleet.kit.web import Kit
from fleet.org.assignments import assign
from fleet.org.customs import customary_s
from fleet.org.importer import import_city
from fleet.org.models import Beat, Lane
from fleet.org.queries import beats
from tests.conftest import START
from tests.org import town
from tracking.beats.trails import TodaysBeat, beats_json, store_customs, todays_beats
from tracking.facts.models import LaneTraversal

KOLKATA = ZoneInfo("Asia/Kolkata")
SINCE = date(2026, 2, 16)
GALLI = "w201:905:901"


def passed(kit: Kit, day: date, vehicle: str, lane: str, t_s: float, served: float = 1.0) -> None:
    start = local_midnight(day, KOLKATA) + timedelta(seconds=t_s)
    known: dict[str, Any] = {
        "id": f"{day}{vehicle}{lane}{t_s}",
        "lane_id": lane,
        "vehicle_id": vehicle,
        "service_date": day,
        "start_t": start,
        "end_t": start + timedelta(seconds=60),
        "forward": True,
        "gap": False,
        "provisional": False,
        "served_fraction": served,
        "served_spans": [],
        "driven_spans": [],
    }
    rest = {c.key for c in LaneTraversal.__table__.columns if not c.nullable} - known.keys()
    with kit.db.unit_of_work() as session:
        session.add(LaneTraversal(**known, **dict.fromkeys(rest, 0)))


def imported(kit: Kit, folder: Path) -> None:
    import_city(kit.db, kit.settings, folder, progress=lambda part, text: None)


@pytest.fixture
def folder(kit: Kit, tmp_path: Path) -> Path:
    made = town.write_town(tmp_path / "town")
    imported(kit, made)
    return made


@pytest.fixture
def driven(kit: Kit, folder: Path) -> list[str]:
    """V1 drives four lanes on seven mornings and one at night; V2's unit is dead."""
    with kit.db.reading() as session:
        lanes = [lane.id for lane in session.query(Lane).filter(Lane.service_mode == "enter")]
    mine = lanes[:4]
    for n in range(7):
        day = SINCE + timedelta(days=n)
        for i, lane in enumerate(mine):
            passed(kit, day, "V1", lane, 7 * 3600 + 600 * i + 60 * (n % 3))
        passed(kit, day, "V1", lanes[5], 9 * 3600, served=0.2)
        passed(kit, day, "V1", mine[0], 25 * 3600)
    return mine


def learnt(kit: Kit) -> dict[tuple[str, str], TodaysBeat]:
    with kit.db.reading() as session:
        found = todays_beats(session, SINCE, 14, START)
    return {(beat.vehicle_id, beat.shift): beat for beat in found}


def test_lanes_in_the_order_driven_by_vehicle_and_shift(kit: Kit, driven: list[str]) -> None:
    found = learnt(kit)
    beat = found["V1", "morning"]
    told = [lane.lane_id for lane in beat.lanes if lane.lane_id in driven]
    assert (beat.id, beat.days, told) == ("B1", 7, driven)
    assert beat.lanes[0].usual_s == 7 * 3600 + 60
    night = found["V1", "night"]
    assert night.id == "V1-night"
    assert night.lanes[0].usual_s == 25 * 3600


def test_what_trails_do_not_tell_stays_as_it_was(kit: Kit, driven: list[str]) -> None:
    """The beat of the dead unit, and lanes that nobody was seen to serve; none is in two beats."""
    with kit.db.reading() as session:
        before = {beat.id: beat.lane_ids for beat in beats(session)}
    found = learnt(kit)
    two = found["V2", "morning"]
    assert (two.days, two.lanes) == (0, ())
    told = {lane.lane_id for lane in found["V1", "morning"].lanes}
    assert list(two.kept) == [lane for lane in before["B2"] if lane not in told]
    assert list(found["V1", "morning"].kept) == [id for id in before["B1"] if id not in told]


def test_a_lane_on_foot_goes_with_its_street(kit: Kit, driven: list[str]) -> None:
    with kit.db.unit_of_work() as session:
        galli = session.get_one(Lane, GALLI)
        assert galli.on_foot
        galli.access_lane_id = driven[1]
    lanes = [lane.lane_id for lane in learnt(kit)["V1", "morning"].lanes]
    assert lanes.index(GALLI) > lanes.index(driven[1])
    assert lanes.index(GALLI) < lanes.index(driven[2])


def test_a_beat_is_that_of_whoever_serves_it_now(kit: Kit, driven: list[str]) -> None:
    with kit.db.unit_of_work() as session:
        assign(session, "vehicle_beat", "V3", "B2", START)
    assert learnt(kit)["V3", "morning"].id == "B2"


def test_the_file_comes_back_through_the_importer(
    kit: Kit, driven: list[str], folder: Path
) -> None:
    found = list(learnt(kit).values())
    (folder / "beats.csv").unlink()
    (folder / "beats.json").write_text(json.dumps(beats_json(found)), "utf-8")
    imported(kit, folder)
    with kit.db.reading() as session:
        stored = {beat.id: beat for beat in beats(session)}
        assert {id: beat.lane_ids for id, beat in stored.items()} == {
            beat.id: [*(lane.lane_id for lane in beat.lanes), *beat.kept] for beat in found
        }
        assert customary_s(session, driven[2], "V1", "morning") == 7 * 3600 + 1200 + 60
        assert customary_s(session, driven[0], "V1", "night") == 25 * 3600
        assert session.get(Beat, "B1") is not None


def test_customs_are_stored_and_replaced(kit: Kit, driven: list[str]) -> None:
    found = list(learnt(kit).values())
    for _ in range(2):
        with kit.db.unit_of_work() as session:
            stored = store_customs(session, found)
    assert stored == sum(len(beat.lanes) for beat in found)
    with kit.db.reading() as session:
        assert customary_s(session, driven[0], "V1", "morning") == 7 * 3600 + 60


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fleet.main import cli_track
    from fleet.main.serve import prepare

    data = tmp_path / "data"
    monkeypatch.setenv("SAFAI_DATA_DIR", str(data))
    kit = prepare(Settings(data_dir=data))
    imported(kit, town.write_town(tmp_path / "town"))
    with kit.db.reading() as session:
        (lane, *_) = beats(session)[0].lane_ids
    for n in range(5):
        passed(kit, SINCE + timedelta(days=n), "V1", lane, 7 * 3600)
    kit.db.close()
    written = tmp_path / "beats.json"
    arguments = ["learn-beats", "--since", SINCE.isoformat(), "--write", str(written)]
    result = CliRunner().invoke(cli_track.app, arguments)
    assert result.exit_code == 0, result.output
    assert "B1" in result.output
    assert "07:00" in result.output
    told = {beat["beat"]: beat for beat in json.loads(written.read_text("utf-8"))}
    assert (told["B1"]["lanes"][0], told["B1"]["usual_t"][0]) == (lane, "07:00:00")
    later = ["learn-beats", "--since", "2026-06-01", "--no-store"]
    empty = CliRunner().invoke(cli_track.app, later)
    assert empty.exit_code == 1
    assert "Nothing was learnt" in empty.output
