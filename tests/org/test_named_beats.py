"""`beats.json`: beats that name their lanes, and the times at which people expect them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.kit.web import Kit
from fleet.org import queries
from fleet.org.cityfiles import folder as files
from fleet.org.customs import customary_s, customary_times, replace_customs
from fleet.org.importer import check_city, import_city
from fleet.org.models import CustomaryTime
from fleet.roads.faults import Fault, FaultyInputError

from . import town

BEAT = {
    "beat": "B1",
    "vehicle": "V1",
    "shift": "morning",
    "lanes": ["w100:1:2", "w150:1:11", "w999:1:2"],
    "usual_t": ["06:30:00", "26:00", None],
    "spread_s": [60.5, 0, None],
    "days": [9, 8, 0],
}


def write(tmp_path: Path, beats: Any, **more: str | None) -> Path:
    texts = {"beats_csv": None, "beats_json": json.dumps(beats)} | more
    return town.write_town(tmp_path / "town", **texts)


def test_lanes_stand_in_their_order_with_their_times(kit: Kit, tmp_path: Path) -> None:
    """A lane that the map lacks is left out, with a warning."""
    folder = write(tmp_path, [BEAT])
    report = import_city(kit.db, kit.settings, folder, progress=lambda part, text: None)
    (fault,) = [f for f in report.warnings if f.file == "beats.json"]
    assert (fault.row, fault.field, fault.fatal) == (1, "lanes", False)
    with kit.db.reading() as session:
        (beat,) = queries.beats(session)
        assert (beat.vehicle_id, beat.lane_ids) == ("V1", BEAT["lanes"][:2])
        assert customary_s(session, "w100:1:2", "V1", "morning") == 6.5 * 3600
        assert customary_s(session, "w150:1:11", "V1", "morning") == 26 * 3600
        assert customary_s(session, "w999:1:2", "V1", "morning") is None


def test_no_beat_of_the_shift_has_a_lane_that_another_names(tmp_path: Path) -> None:
    drawn = "beat,vehicle,shift,landmarks\nB2,V2,morning,राम मंदिर\n"
    before = check_city(write(tmp_path, [], beats_csv=drawn)).derived.beats["B2"]
    named = [BEAT | {"lanes": before[:3], "usual_t": None, "spread_s": None, "days": None}]
    after = check_city(write(tmp_path, named, beats_csv=drawn)).derived.beats
    assert after["B1"] == before[:3]
    assert after["B2"] == before[3:]


@pytest.mark.parametrize(
    ("beats", "field"),
    [
        ([BEAT | {"lanes": "w100:1:2"}], "lanes"),
        ([BEAT | {"lanes": [1]}], "lanes"),
        ([BEAT | {"usual_t": ["06:30"]}], "usual_t"),
        ([BEAT | {"usual_t": ["soon", None, None]}], "usual_t"),
        ([BEAT | {"days": ["x", None, None]}], "days"),
        ([BEAT | {"vehicle": "V9"}], "vehicle"),
        ([BEAT, BEAT | {"beat": "B2", "vehicle": "V2"}], "lanes"),
        ([7], None),
        ({"beat": "B1"}, None),
        (None, None),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, beats: Any, field: str | None) -> None:
    faults: list[Fault] = []
    files.read(write(tmp_path, beats), faults)
    assert ("beats.json", field) in {(fault.file, fault.field) for fault in faults}
    assert all(fault.remedy for fault in faults)
    with pytest.raises(FaultyInputError):
        check_city(tmp_path / "town")


def custom(lane: str, vehicle: str, usual_s: float, days: int = 5) -> CustomaryTime:
    return CustomaryTime(
        lane_id=lane, shift="morning", vehicle_id=vehicle, usual_s=usual_s, spread_s=60, days=days
    )


def test_a_stand_in_is_held_to_the_custom_of_the_lane(kit: Kit) -> None:
    """The vehicle's own custom first, then that with the most days."""
    with kit.db.unit_of_work() as session:
        replace_customs(session, [custom("a", "V1", 100), custom("a", "V2", 200, 9)])
        replace_customs(session, [custom("b", "V3", 300)])
    with kit.db.reading() as session:
        assert customary_s(session, "a", "V1", "morning") == 100
        assert customary_s(session, "a", "V9", "morning") == 200
        assert customary_s(session, "a", "V1", "night") is None
        assert customary_times(session, ["a", "b", "c"], "V1", "morning") == {"a": 100, "b": 300}
    with kit.db.unit_of_work() as session:
        replace_customs(session, [custom("c", "V1", 400)])
        assert customary_times(session, "abc", "V1", "morning") == {"a": 200, "b": 300, "c": 400}
