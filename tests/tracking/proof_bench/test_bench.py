"""The benchmark of proof on a small grid: that its truth is one, and that its scores hang on it."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from fleet.roads.lanes import lanes_of
from fleet.roads.network import Network, Way
from fleet.roads.osm import read_network
from tests.benchmarks.proof import baselines, files, score
from tests.benchmarks.proof.__main__ import main
from tests.benchmarks.proof.crew import SERVED_FROM
from tests.benchmarks.proof.noise import Noise
from tests.benchmarks.proof.ours import Prover
from tests.benchmarks.proof.report import Options, outings, run
from tests.benchmarks.proof.score import Answer, Said
from tests.benchmarks.proof.town import Town, harden, plain

SIZE = 13
OPTIONS = Options(Noise.WHITE, 5, wards=1)


@pytest.fixture(scope="module")
def town() -> Town:
    """A bent grid of blocks of 70-110 m with some back-lanes and stubs."""
    rng = np.random.default_rng(5)
    across, along = (np.cumsum(rng.uniform(70, 110, SIZE)) / 111_320.0 for _ in range(2))
    jitter = rng.normal(0, 3, (SIZE, SIZE, 2)) / 111_320.0
    nodes = {
        1 + i * SIZE + j: (75.86 + across[i] + jitter[i, j, 0], 0.2 + along[j] + jitter[i, j, 1])
        for i in range(SIZE)
        for j in range(SIZE)
    }
    rows = [tuple(1 + i * SIZE + j for j in range(SIZE)) for i in range(SIZE)]
    columns = [tuple(1 + i * SIZE + j for i in range(SIZE)) for j in range(SIZE)]
    ways = tuple(
        Way(number, refs, {"highway": "residential", **({"oneway": "yes"} if number == 3 else {})})
        for number, refs in enumerate([*rows, *columns], start=1)
    )
    return harden(plain(Network(nodes, ways, (), (), ())), back_lanes=12, stubs=15)


def test_scores_hang_on_the_truth(town):
    prover = Prover(town)
    true = run(town, [1], OPTIONS, prover, None).as_dict()
    shuffled = run(town, [1], Options(Noise.WHITE, 5, wards=1, shuffle_truth=True), prover, None)
    assert true["f1"] > 0.9
    assert true["mcc"] > 0.6
    # Three lanes of four are served, so chance alone scores three quarters.
    assert abs(shuffled.as_dict()["mcc"]) < 0.25
    assert shuffled.as_dict()["f1"] < true["f1"] - 0.1


def test_an_outing_is_possible_and_repeats(town):
    (first,), (again,) = list(outings(town, 2, OPTIONS)), list(outings(town, 2, OPTIONS))
    assert np.array_equal(first.fixes.xy, again.fixes.xy)
    day = first.day
    steps = np.hypot(*np.diff(day.xy, axis=0).T)
    assert steps.max() < 12  # metres a second; turning costs the keeping to the left some
    assert all(0 <= day.served[lane] <= day.driven[lane] <= 1 for lane in day.ward.planned)
    kinds = [
        sum(day.is_served(lane) for lane in day.ward.planned),
        sum(day.is_driven_through(lane) for lane in day.ward.planned),
        sum(0 < day.served[lane] < SERVED_FROM for lane in day.ward.planned),
        sum(day.driven[lane] == 0 for lane in day.ward.planned),
    ]
    assert min(kinds) > 0
    assert day.wrong_way_m > 0


def test_noise_does_not_change_the_truth(town):
    (white,) = outings(town, 2, OPTIONS)
    (mixed,) = outings(town, 2, Options(Noise.MIX, 10, wards=1))
    assert np.array_equal(white.day.xy, mixed.day.xy)
    assert np.diff(white.fixes.t_s).max() == 5
    assert np.isnan(
        next(outings(town, 2, Options(Noise.AR1, 5, doppler=False, wards=1))).fixes.speed_mps
    ).all()


def test_back_lanes_and_stubs_join_the_network(town, tmp_path):
    assert (town.back_lanes, town.stubs) == (12, 15)
    added = [lane for lane in town.lanes if lane.name == "back-lane"]
    assert len(added) == 12
    assert all(not lane.dead_end for lane in added)
    town.write(tmp_path / "town.osm")
    read = lanes_of(read_network(tmp_path / "town.osm"))
    assert {lane.id for lane in read} == {lane.id for lane in town.lanes}


def test_the_road_engine_finds_a_clean_track(town, tmp_path):
    """Without noise the match covers what was driven, and the buffer too."""
    (outing,) = outings(town, 3, Options(Noise.NONE, 5, wards=1))
    planned = outing.day.ward.planned
    with baselines.Matcher(town, tmp_path) as matcher:
        trails = matcher.match(outing.fixes)
    matched = baselines.matched(town, trails, planned)
    paced = baselines.paced(town, trails, planned)
    driven = {lane: outing.day.driven[lane] >= SERVED_FROM for lane in planned}
    assert sum(matched[lane] == driven[lane] for lane in planned) >= 0.95 * len(planned)
    assert sum(paced.values()) < sum(matched.values())
    for trail in trails:
        assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairwise(trail))
    buffered = baselines.buffered(town, outing.fixes, planned)
    assert all(buffered[lane] for lane in planned if driven[lane])


def test_outside_answers_are_scored(town, tmp_path, capsys):
    outing = next(outings(town, 1, OPTIONS))
    files.write(tmp_path, town, [outing])
    lanes = json.loads((tmp_path / files.TRUTH).read_text())["lanes"]
    assert len(lanes) == len(outing.day.ward.planned)
    told = [
        {**{key: lane[key] for key in ("vehicle", "way", "to_node", "from_node")}, "state": state}
        for lane in lanes
        for state in ["served" if lane["is_served"] else "driven_through"]
    ]
    (tmp_path / "told.json").write_text(json.dumps({"lanes": told}))
    truth = str(tmp_path / files.TRUTH)
    assert main(["--score", str(tmp_path / "told.json"), "--truth", truth]) == 0
    assert json.loads(capsys.readouterr().out)["f1"] == 1.0


def test_a_missing_network_is_said(tmp_path, capsys):
    assert main(["--osm", str(tmp_path / "none.osm")]) == 2
    assert "none.osm" in capsys.readouterr().err


def answer(served: bool, said: Said, ward: str = "a", through: bool = False) -> Answer:
    return Answer(ward, served, through, said)


def test_unknown_is_left_out_or_wrong():
    answers = [
        *[answer(True, Said.SERVED)] * 8,
        answer(True, Said.UNKNOWN),
        answer(False, Said.UNKNOWN),
        answer(False, Said.NOT),
    ]
    assert score.decided(answers).f1 == 1.0
    assert score.unknown_wrong(answers) == score.Table(8, 1, 1, 1)
    assert score.unknown_share(answers) == pytest.approx(2 / 11)


def test_the_worst_ward_counts_alone():
    answers = [
        answer(True, Said.SERVED),
        answer(True, Said.SERVED, "b"),
        answer(True, Said.NOT, "b"),
    ]
    assert score.worst_ward(answers) == pytest.approx(2 / 3)
    assert score.through_called_served([answer(False, Said.SERVED, through=True)]) == 1
