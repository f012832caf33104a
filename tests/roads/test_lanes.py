"""Lanes between junctions."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.roads.lanes import LaneSegment, derive_lanes, lanes_of, length_m
from fleet.roads.network import Way
from fleet.roads.osm import read_network
from fleet.roads.profile import VehicleProfile
from fleet.roads.reach import reachable
from fleet.roads.widths import width_of
from tests.roads.towns import write_town

POINTS = {n: (75 + n / 1000, 22 + (n * n % 7) / 1000) for n in range(40)}


def lanes(*ways: tuple[tuple[int, ...], dict[str, str]]) -> list[LaneSegment]:
    return derive_lanes(
        [Way(i, nodes, {"highway": "residential", **tags}) for i, (nodes, tags) in enumerate(ways)],
        POINTS,
    )


def nodes_of(*ways: tuple[tuple[int, ...], dict[str, str]]) -> list[tuple[int, ...]]:
    return [lane.nodes for lane in lanes(*ways)]


def test_a_way_is_cut_where_another_touches_it() -> None:
    cut = lanes(((1, 2, 3, 4), {"name": "A"}), ((3, 9), {}))
    assert [lane.id for lane in cut] == ["w0:1:3", "w0:3:4", "w1:3:9"]
    assert cut[0].geometry == (POINTS[1], POINTS[2], POINTS[3])
    assert cut[0].length_m == pytest.approx(length_m([POINTS[1], POINTS[2], POINTS[3]]))


def test_a_way_that_crosses_itself_is_cut_there() -> None:
    pieces = nodes_of(((1, 2, 3, 4, 2, 5), {}))
    assert pieces == [(1, 2), (2, 3, 4), (4, 2), (2, 5)], "the loop is halved too"


def test_a_closed_way_is_split_into_two_lanes() -> None:
    halves = nodes_of(((1, 2, 3, 4, 1), {}))
    assert len(halves) == 2
    assert halves[0][0] == halves[1][-1] == 1
    assert halves[0][-1] == halves[1][0]


def test_joining_the_same_junctions_again_keeps_ids_apart() -> None:
    ids = [lane.id for lane in lanes(((1, 2, 3, 1, 9, 3), {}), ((3, 7), {}))]
    assert len(set(ids)) == len(ids)
    assert "w0:1:3" in ids


@pytest.mark.parametrize(
    ("tags", "nodes", "oneway"),
    [
        ({}, (1, 2), False),
        ({"oneway": "yes"}, (1, 2), True),
        ({"oneway": "-1"}, (2, 1), True),
        ({"junction": "roundabout"}, (1, 2), True),
        ({"junction": "roundabout", "oneway": "no"}, (1, 2), False),
        ({"highway": "motorway"}, (1, 2), True),
        ({"oneway": "yes", "oneway:motor_vehicle": "no"}, (1, 2), False),
    ],
)
def test_one_way_lanes_run_in_driving_direction(
    tags: dict[str, str], nodes: tuple[int, ...], oneway: bool
) -> None:
    (lane,) = lanes(((1, 2), tags))
    assert (lane.nodes, lane.oneway) == (nodes, oneway)


def test_dead_ends_private_and_closed_lanes_say_so() -> None:
    cut = lanes(
        ((1, 2, 3, 1), {}),
        ((2, 4), {"highway": "service", "service": "driveway", "access": "private"}),
        ((3, 5), {"access": "yes", "motor_vehicle": "no"}),
    )
    told = {lane.nodes: (lane.dead_end, lane.private, lane.closed, lane.service) for lane in cut}
    assert told == {
        (1, 2): (False, False, False, ""),
        (2, 3): (False, False, False, ""),
        (3, 1): (False, False, False, ""),
        (2, 4): (True, True, False, "driveway"),
        (3, 5): (True, False, True, ""),
    }


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"width": "3.5"}, (3.5, True)),
        ({"width": "3,5 m", "maxwidth": "2"}, (2.0, True)),
        ({"width": "12'6\""}, (12 * 0.3048 + 6 * 0.0254, True)),
        ({"width": "narrow", "highway": "residential"}, (6.0, False)),
        ({"highway": "service", "service": "alley"}, (2.5, False)),
        ({"highway": "service"}, (4.0, False)),
        ({"highway": "elsewhere"}, (4.0, False)),
    ],
)
def test_width_from_tags_or_class(tags: dict[str, str], expected: tuple[float, bool]) -> None:
    assert width_of(tags) == (pytest.approx(expected[0]), expected[1])


def test_islands_narrow_lanes_and_one_way_exits_are_out_of_reach(tmp_path: Path) -> None:
    town = lanes_of(read_network(write_town(tmp_path / "network.osm")))
    cart = VehicleProfile("cart", 0.9)
    tipper = VehicleProfile("tipper", 1.6)
    assert {lane.id for lane in town} - reachable(town, tipper) == {"w5:2:6", "w6:7:8"}
    assert {lane.id for lane in town} - reachable(town, cart) == {"w6:7:8"}
    way_out = lanes(((1, 2, 3, 1), {}), ((3, 5), {"oneway": "yes"}))
    assert "w1:3:5" not in reachable(way_out, tipper)
    assert reachable([], tipper) == frozenset()


@st.composite
def walks(draw: st.DrawFn) -> list[tuple[int, ...]]:
    """Ways as lists of nodes; they may cross themselves, each other and run in loops."""
    node = st.integers(0, 12)
    ways = draw(st.lists(st.lists(node, min_size=2, max_size=9), min_size=1, max_size=5))
    thinned = [tuple(b for a, b in pairwise([None, *way]) if a != b) for way in ways]
    return [way for way in thinned if len(way) > 1] or [(0, 1)]


@given(walks())
def test_lanes_cover_each_way_exactly(ways: list[tuple[int, ...]]) -> None:
    cut = lanes(*((way, {}) for way in ways))
    by_way: dict[int, list[LaneSegment]] = defaultdict(list)
    for lane in cut:
        by_way[lane.way].append(lane)
    for number, way in enumerate(ways):
        pieces = by_way[number]
        joined = [pieces[0].nodes[0], *(node for lane in pieces for node in lane.nodes[1:])]
        assert tuple(joined) == way
        whole_m = length_m([POINTS[node] for node in way])
        assert sum(lane.length_m for lane in pieces) == pytest.approx(whole_m, abs=1e-6)
    assert len({lane.id for lane in cut}) == len(cut)
    ends = {node for lane in cut for node in (lane.from_node, lane.to_node)}
    inner = [node for lane in cut for node in lane.nodes[1:-1]]
    assert not ends & set(inner), "a junction inside a lane"
    assert len(set(inner)) == len(inner)
    assert all(lane.from_node != lane.to_node for lane in cut)
