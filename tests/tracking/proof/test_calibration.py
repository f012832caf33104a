"""Calibrations: their file, and learning one from tracks."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tests.tracking.proof import drives
from tests.tracking.proof.drives import drive, legs, town
from tracking.proof import DEFAULT, Calibration, judge, prove
from tracking.proof.fit import fit

GRAPH = town()
ROUTE = ["main1", "+main2", "+cross1", "-north1", "-cross0", "main2", "+main3", "main4", "-main4",
         "+cross2", "-north2", "+-cross1", "-main2", "-main1"]  # fmt: skip


def test_json_both_ways() -> None:
    assert Calibration.from_json(DEFAULT.to_json()) == DEFAULT


@pytest.mark.parametrize(
    "change",
    [
        {"serve": [0.5, 0.5]},
        {"weights": [1.0]},
        {"speed_edges_mps": [1.0]},
        {"serve": [0.0] * 22},
        {"unknown": 1},
    ],
    ids=["few-bins", "few-weights", "other-bins", "no-probability", "other-field"],
)
def test_other_files_are_refused(change: dict[str, object]) -> None:
    data = json.loads(DEFAULT.to_json()) | change
    with pytest.raises(ValueError, match="Expected"):
        Calibration.from_json(json.dumps(data))


def test_a_file_that_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        Calibration.from_json("no")


def test_too_little_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        fit([prove(drive(GRAPH, legs("main1", "main2")), GRAPH)])


def test_a_rolling_crew_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without halts at 9 km/h: the built-in tipper misses half, its own calibration finds it."""
    monkeypatch.setattr(drives, "CRAWL_MPS", 2.5)
    monkeypatch.setattr(drives, "HALT_S", 1)
    tracks = [drive(GRAPH, legs(*ROUTE), seed=seed) for seed in range(16)]
    learned = fit([prove(track, GRAPH) for track in tracks[:8]])
    assert DEFAULT.serve_mps < learned.serve_mps < 3.0
    served = {"cross1", "main3", "cross2"}

    def found(calibration: Calibration) -> int:
        hits = 0
        for track in tracks[8:]:
            for p in prove(track, GRAPH, calibration).passes:
                told = judge([p], float(GRAPH.length_m[p.lane]), calibration)
                hits += GRAPH.ids[p.lane] in served and told.state == "served"
        return hits

    assert found(learned) > found(DEFAULT)
    assert found(learned) >= 0.9 * 8 * 4


def test_learning_what_is_known_changes_little() -> None:
    tracks = [drive(GRAPH, legs(*ROUTE), seed=seed) for seed in range(8)]
    learned = fit([prove(track, GRAPH) for track in tracks])
    again = fit([prove(track, GRAPH, learned) for track in tracks], learned)
    assert np.allclose(learned.serve, again.serve, atol=0.03)
    assert learned.weights == DEFAULT.weights
    assert dataclasses.replace(learned, serve_mps=1.0) != DEFAULT
