"""What a stop is called."""

from __future__ import annotations

import numpy as np

from fleet.kit.web import Kit
from fleet.org.models import City, Lane
from tests.tracking.conftest import DEPOT
from tests.tracking.drives import EAST, NORTH, ORIGIN, Town
from tracking.history.day import Where
from tracking.history.names import names


def asked(kit: Kit, *places: tuple[float, float]) -> list[Where]:
    lon, lat = (np.array(c) for c in zip(*places, strict=True))
    with kit.db.reading() as session:
        return list(names(session)(lon, lat))


def middle(streets: Town, lane: str) -> tuple[float, float]:
    x, y = streets.lanes[lane].mean(axis=0)
    return ORIGIN[0] + x / EAST, ORIGIN[1] + y / NORTH


def test_a_place_goes_before_a_lane_and_far_away_is_nowhere(kit: Kit, streets: Town) -> None:
    lane = asked(kit, middle(streets, "v1.0"), DEPOT, (ORIGIN[0] + 1, ORIGIN[1]))
    assert lane == [
        Where(lane_id="v1.0", name="v1.0", name_hi="v1.0"),
        Where(place_id="depot", name="depot", name_hi="depot"),
        Where(),
    ]


def test_another_import_brings_other_names(kit: Kit, streets: Town) -> None:
    at = middle(streets, "v1.0")
    assert asked(kit, at)[0].name == "v1.0"
    with kit.db.unit_of_work() as session:
        session.get_one(Lane, "v1.0").name = "Long Lane"
        session.get_one(City, 1).fingerprint = "f2"
    assert asked(kit, at)[0].name == "Long Lane"
