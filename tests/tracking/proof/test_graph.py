"""Lanes, their ends, and the ways between them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tracking.proof.drives import LINES, degrees, town
from tracking.proof import LaneGraph, LaneShape
from tracking.proof.ways import way

GRAPH = town()
INDEX = {name: n for n, name in enumerate(GRAPH.ids)}


def test_lengths_are_metres() -> None:
    assert GRAPH.length_m[INDEX["main2"]] == pytest.approx(120, abs=0.1)
    assert GRAPH.length_m[INDEX["oneway"]] == pytest.approx(80 + 150 + 0, abs=0.1)


def test_lanes_that_meet_share_a_node() -> None:
    ends = GRAPH.arrays.ends
    assert ends[INDEX["main2"], 1] == ends[INDEX["main3"], 0] == ends[INDEX["cross1"], 0]
    assert GRAPH.arrays.degree[ends[INDEX["stub"], 1]] == 1


def test_shortest_ways_between_ends() -> None:
    a, ends = GRAPH.arrays, GRAPH.arrays.ends
    west, east = int(ends[INDEX["main2"], 0]), int(ends[INDEX["main3"], 1])
    there = way(a.near_first, a.near_node, west, east)
    assert a.near_m[there] == pytest.approx(240, abs=0.2)
    assert GRAPH.ids[a.near_lane[there]] == "main2"
    back = way(a.near_first, a.near_node, east, west)
    assert GRAPH.ids[a.near_lane[back]] == "main3"
    far = int(ends[INDEX["main4"], 1])
    assert way(a.near_first, a.near_node, west, far) == -1


def test_every_segment_is_found_from_cells_around_it() -> None:
    """Any point within 50 m of a lane has it in its nine cells."""
    a = GRAPH.arrays
    rng = np.random.default_rng(1)
    for lane, name in enumerate(GRAPH.ids):
        line = np.array(LINES[name], float)
        at = rng.uniform(0, 1, (50, 1)) * (line[1] - line[0]) + line[0]
        at += rng.uniform(-35, 35, at.shape)
        lon, lat = np.array([degrees(*p) for p in at]).T
        x, y = GRAPH.plane.to_m(lon, lat)
        for px, py in zip(x, y, strict=True):
            row, column = int((py - a.south) // 60), int((px - a.west) // 60)
            keys = {r * a.columns + c for r in range(row - 1, row + 2)
                    for c in range(column - 1, column + 2)}  # fmt: skip
            cells = [n for n, key in enumerate(a.cell_key) if key in keys]
            points = [q for c in cells for q in a.cell_point[a.cell_first[c] : a.cell_first[c + 1]]]
            assert lane in set(a.lane_of_point[points])


def test_lines_without_length_are_left_out() -> None:
    point = degrees(0, 0)
    graph = LaneGraph.build(
        [
            LaneShape("empty", []),
            LaneShape("point", [point, point]),
            LaneShape("lane", [point, point, degrees(50, 0)]),
        ]
    )
    assert graph.ids == ("lane",)
    assert len(graph.arrays.x) == 2
