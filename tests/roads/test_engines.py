"""Both adapters of the road engine answer alike, and truly."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fleet.roads.build import build_dataset
from fleet.roads.embedded import EmbeddedEngine
from fleet.roads.engine import UNREACHABLE, RoadEngine, RoadEngines
from fleet.roads.lanes import lanes_of, length_m
from fleet.roads.osm import read_network
from fleet.roads.profile import VehicleProfile
from fleet.roads.reach import reachable
from fleet.roads.routed import RoadsUnavailable, RoutedEngine
from fleet.roads.routed_process import routed_url, wait_ready
from tests.roads.conftest import TIPPER, free_port, no_progress, served
from tests.roads.towns import point, write_town

NOWHERE = (70.0, 10.0)


def metres(*nodes: int) -> float:
    return length_m([point(node) for node in nodes])


def test_distances_and_times_along_a_street(town: RoadEngine) -> None:
    table = town.table([point(1), point(3)])
    assert table.distance_m.dtype == np.int32
    assert table.distance_m[0, 1] == pytest.approx(metres(1, 2, 3), abs=2)
    assert table.duration_s[0, 1] == pytest.approx(metres(1, 2, 3) / (16 / 3.6), abs=2)
    assert table.distance_m[0, 0] == table.duration_s[0, 0] == 0


def test_a_one_way_street_is_driven_one_way(town: RoadEngine) -> None:
    table = town.table([point(2), point(4)])
    assert table.distance_m[0, 1] == pytest.approx(metres(2, 4), abs=2)
    assert table.distance_m[1, 0] == pytest.approx(metres(4, 5, 3, 2), abs=3)


def test_rows_are_points_and_columns_destinations(town: RoadEngine) -> None:
    table = town.table([point(1), point(2), point(3)], [point(4)])
    assert table.duration_s.shape == (3, 1)
    assert table.duration_s.argmin() == 1
    assert town.table([], [point(1)]).duration_s.shape == (0, 1)


def test_islands_barriers_and_places_without_roads_are_unreachable(town: RoadEngine) -> None:
    table = town.table([point(1), point(7), point(9), NOWHERE])
    out = table.duration_s == UNREACHABLE
    assert out[0].tolist() == [False, True, True, True]
    assert out[:, 0].tolist() == [False, True, True, True]
    assert (out == (table.distance_m == UNREACHABLE)).all()


def test_a_private_street_is_a_destination(town: RoadEngine) -> None:
    table = town.table([point(1), point(11)])
    assert (table.duration_s < UNREACHABLE).all()


def test_a_route_follows_the_streets(town: RoadEngine) -> None:
    route = town.route([point(4), point(2), point(1)])
    assert route.reachable
    assert route.coordinates == tuple(point(n) for n in (4, 5, 3, 2, 1))
    assert [leg.coordinates[-1] for leg in route.legs] == [point(2), point(1)]
    assert route.distance_m == pytest.approx(sum(leg.distance_m for leg in route.legs))
    table = town.table([point(4), point(2), point(1)])
    assert route.duration_s == pytest.approx(
        int(table.duration_s[0, 1] + table.duration_s[1, 2]), abs=2
    )


@pytest.mark.parametrize("lost", [point(7), NOWHERE], ids=["island", "nowhere"])
def test_a_route_with_an_impossible_leg_keeps_the_others(
    town: RoadEngine, lost: tuple[float, float]
) -> None:
    route = town.route([point(1), point(3), lost])
    assert not route.reachable
    assert route.duration_s == route.distance_m == UNREACHABLE
    assert [leg.duration_s == UNREACHABLE for leg in route.legs] == [False, True]
    assert route.legs[1].coordinates == ()
    assert route.coordinates == tuple(point(n) for n in (1, 2, 3))


def test_a_route_to_where_one_stands_is_empty_but_possible(town: RoadEngine) -> None:
    route = town.route([point(1), point(1)])
    assert (route.reachable, route.distance_m, route.duration_s) == (True, 0, 0)


def test_the_nearest_street_is_one_that_fits(town: RoadEngine) -> None:
    lon, lat = point(1)
    snap = town.nearest((lon + 0.001, lat + 0.0001))
    assert (snap.lon, snap.lat) == pytest.approx((lon + 0.001, lat), abs=1e-6)
    assert snap.distance_m == pytest.approx(11.1, abs=0.2)
    assert town.nearest(point(6)).distance_m == pytest.approx(metres(2, 6), abs=2)
    assert town.nearest(NOWHERE).distance_m == UNREACHABLE


@pytest.mark.parametrize("bad", [(200.0, 0.0), (0.0, 95.0), (float("nan"), 0.0)])
def test_what_is_no_position_is_refused(town: RoadEngine, bad: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"Expected \(lon, lat\)"):
        town.table([point(1), bad])
    with pytest.raises(ValueError, match="at least 2 points"):
        town.route([point(1)])


def test_adapters_agree_on_a_real_quarter(quarter_network: Path, quarter_dataset: Path) -> None:
    lanes = lanes_of(read_network(quarter_network))
    dice = random.Random(4)
    points = [dice.choice(lane.geometry) for lane in dice.choices(lanes, k=60)]
    embedded = EmbeddedEngine(quarter_dataset)
    with served(quarter_dataset) as routed:
        inside, outside = embedded.table(points), routed.table(points)
        assert np.array_equal(inside.duration_s, outside.duration_s)
        assert np.array_equal(inside.distance_m, outside.distance_m)
        assert embedded.route(points) == routed.route(points)
        assert embedded.nearest(points[0]) == routed.nearest(points[0])
    assert (inside.duration_s < UNREACHABLE).all()


def test_reachable_lanes_are_reached_from_each_other(
    quarter_network: Path, quarter_dataset: Path
) -> None:
    lanes = lanes_of(read_network(quarter_network))
    ids = reachable(lanes, TIPPER)
    middles = [lane.geometry[len(lane.geometry) // 2] for lane in lanes if lane.id in ids]
    table = EmbeddedEngine(quarter_dataset).table(middles)
    assert len(middles) > 30
    assert (table.duration_s < UNREACHABLE).all()


@pytest.mark.parametrize("width_m", [0.9, 1.6, 4.0])
def test_may_enter_says_what_the_profile_does(
    quarter_network: Path, tmp_path: Path, width_m: float
) -> None:
    profile = VehicleProfile("any", width_m)
    for network in (quarter_network, write_town(tmp_path / "network.osm")):
        dataset = build_dataset(network, profile, tmp_path / network.stem, no_progress)
        engine = EmbeddedEngine(dataset)
        for lane in lanes_of(read_network(network)):
            (a, b), (c, d) = lane.geometry[:2]
            on_it = engine.nearest(((a + c) / 2, (b + d) / 2)).distance_m < 0.5
            assert on_it == profile.may_enter(lane), lane.id


def test_a_turn_across_traffic_costs_more(tmp_path: Path) -> None:
    """From 1 over 2 to 4 is a left turn: cheap where traffic keeps left."""
    network = write_town(tmp_path / "network.osm")
    times = {}
    for left_hand in (True, False):
        profile = VehicleProfile("any", 1.6, left_hand=left_hand)
        dataset = build_dataset(network, profile, tmp_path / str(left_hand), no_progress)
        times[left_hand] = EmbeddedEngine(dataset).route([point(1), point(4)]).duration_s
    assert times[True] + 2 < times[False]


def test_speed_and_factor_of_the_class_count(tmp_path: Path) -> None:
    network = write_town(tmp_path / "network.osm")
    profile = VehicleProfile("slow", 1.6, speeds_kmh={"residential": 10}, factor=0.5)
    dataset = build_dataset(network, profile, tmp_path / "slow", no_progress)
    route = EmbeddedEngine(dataset).route([point(1), point(2)])
    assert route.duration_s == pytest.approx(route.distance_m / (5 / 3.6), rel=0.02)


def test_an_engine_that_is_down_is_a_problem_with_a_remedy() -> None:
    url = routed_url(free_port())
    with pytest.raises(RoadsUnavailable) as caught:
        RoutedEngine(url).table([point(1), point(2)])
    assert caught.value.status == 503
    assert caught.value.remedy
    assert not wait_ready(url, limit_s=0)


def test_an_unknown_class_names_the_known_ones(town: RoadEngine) -> None:
    engines = RoadEngines({"tipper": town})
    assert list(engines) == ["tipper"]
    with pytest.raises(KeyError, match=r"compactor.*\['tipper'\]"):
        engines["compactor"]


def test_a_server_process_does_not_load_the_bindings() -> None:
    code = (
        "import sys, fleet.roads.routed, fleet.roads.engine, fleet.roads.wiring, "
        "fleet.roads.routed_process; sys.exit('osrm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
