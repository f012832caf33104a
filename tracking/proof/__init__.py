"""Proof of service from positions: pure, on machine code. Web processes must not import it."""

from tracking.proof.calibration import DEFAULT, Calibration
from tracking.proof.graph import LaneGraph, LaneShape
from tracking.proof.judge import Judgement, judge
from tracking.proof.track import LanePass, Proof, Track, prove

__all__ = [
    "DEFAULT",
    "Calibration",
    "Judgement",
    "LaneGraph",
    "LanePass",
    "LaneShape",
    "Proof",
    "Track",
    "judge",
    "prove",
]
