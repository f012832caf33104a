"""Our own method, fed as any caller feeds it: fixes in, judgements out."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.proof.noise import Fixes
from tests.benchmarks.proof.score import Said
from tests.benchmarks.proof.town import Town
from tracking.proof import (
    DEFAULT,
    Calibration,
    Judgement,
    LaneGraph,
    LanePass,
    LaneShape,
    Proof,
    Track,
    judge,
    prove,
)

DAY_STARTS_S = 1_764_000_000
_WARM_FIXES = 200


@dataclass(frozen=True)
class Told:
    judgements: dict[int, Judgement]
    """Of every lane with a pass."""
    proof: Proof
    cpu_s: float
    fixes: int

    def said(self, lane: int) -> Said:
        found = self.judgements.get(lane)
        if found is None:
            return Said.NOT
        if found.state == "unknown":
            return Said.UNKNOWN
        return Said.SERVED if found.state == "served" else Said.NOT

    def driven(self, lane: int) -> float:
        found = self.judgements.get(lane)
        return 0.0 if found is None else found.driven_fraction


class Prover:
    def __init__(self, town: Town, calibration: Calibration = DEFAULT) -> None:
        self._town = town
        self.calibration = calibration
        self.graph = LaneGraph.build(
            [LaneShape(lane.id, lane.geometry, lane.oneway) for lane in town.lanes]
        )
        self._own = {lane.id: number for number, lane in enumerate(town.lanes)}
        self._warm = False

    def tell(self, fixes: Fixes) -> Told:
        """CPU time is that of `prove` and `judge` on compiled code."""
        track = self.track(fixes)
        if not self._warm:
            few = slice(0, _WARM_FIXES)
            prove(
                Track(
                    track.t_s[few],
                    track.x[few],
                    track.y[few],
                    track.speed_mps[few],
                    track.course_deg[few],
                ),
                self.graph,
                self.calibration,
            )
            self._warm = True
        began = time.process_time()
        proof = prove(track, self.graph, self.calibration)
        passes: dict[int, list[LanePass]] = defaultdict(list)
        for found in proof.passes:
            passes[found.lane].append(found)
        lengths = self.graph.length_m
        judged = {
            lane: judge(of_lane, float(lengths[lane]), self.calibration)
            for lane, of_lane in passes.items()
        }
        cpu_s = time.process_time() - began
        ids = self.graph.ids
        return Told(
            {self._own[ids[lane]]: judgement for lane, judgement in judged.items()},
            proof,
            cpu_s,
            len(fixes.t_s),
        )

    def track(self, fixes: Fixes) -> Track:
        lonlat = self._town.plane.degrees(fixes.xy)
        x, y = self.graph.plane.to_m(lonlat[:, 0], lonlat[:, 1])
        return Track(
            fixes.t_s + DAY_STARTS_S,
            np.ascontiguousarray(x),
            np.ascontiguousarray(y),
            fixes.speed_mps,
            fixes.course_deg,
        )
