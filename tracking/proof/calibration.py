"""What a fleet's service looks like in speeds, and how evidence is weighed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from tracking.proof.graph import Floats

SPEED_EDGES_MPS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0,
                   3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 10.0)  # fmt: skip
"""Borders of the bins of mean speed over a window; below the first and above the last are two."""
BINS = len(SPEED_EDGES_MPS) + 1
FEATURES = ("bias", "served", "slow", "pace", "pace_squared", "halts", "length",
            "length_served", "length_slow", "standing", "offset")  # fmt: skip


@dataclass(frozen=True)
class Calibration:
    """One vehicle class's rhythm. JSON both ways; `tracking.proof.fit` makes another."""

    serve: tuple[float, ...]
    """Probability of each bin of mean speed while the crew serves."""
    drive: tuple[float, ...]
    serve_mps: float
    """Median speed of service, halts included."""
    weights: tuple[float, ...]
    """Of FEATURES, in the log odds that a lane was served."""
    change_at_node: float = 0.25
    change_per_m: float = 0.0004
    """Probability that service begins or ends at a junction, and on a metre of way elsewhere."""
    window_s: float = 8.0
    halt_s: float = 10.0
    """A halt counts no longer than this as a sign of service."""
    evidence: float = 0.5
    """Weight of one sample: windows overlap, so samples repeat each other."""

    def __post_init__(self) -> None:
        if len(self.serve) != BINS or len(self.drive) != BINS:
            raise ValueError(f"Expected {BINS} bins of speed.")
        if len(self.weights) != len(FEATURES):
            raise ValueError(f"Expected {len(FEATURES)} weights.")
        if min(*self.serve, *self.drive) <= 0:
            raise ValueError("Expected positive probabilities.")

    def log_odds(self) -> Floats:
        """What one sample of each bin says for service."""
        ratio = np.log(np.array(self.serve) / np.array(self.drive))
        return np.asarray(np.clip(self.evidence * ratio, -3.0, 3.0), np.float64)

    def to_json(self) -> str:
        return json.dumps({"speed_edges_mps": SPEED_EDGES_MPS, **asdict(self)}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises ValueError where the text is no calibration of this version."""
        data: dict[str, Any] = json.loads(text)
        if tuple(data.pop("speed_edges_mps", ())) != SPEED_EDGES_MPS:
            raise ValueError("Expected the speed bins of this version.")
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        try:
            return cls(**fields)
        except TypeError as error:
            raise ValueError("Expected the fields of a calibration.") from error


DEFAULT = Calibration(
    serve=(
        0.16658,
        0.11652,
        0.10574,
        0.11058,
        0.11002,
        0.10338,
        0.08955,
        0.07034,
        0.04973,
        0.03165,
        0.0185,
        0.0113,
        0.00789,
        0.00469,
        0.00208,
        0.00088,
        0.00033,
        0.00013,
        7e-05,
        3e-05,
        1e-05,
        1e-05,
    ),
    drive=(
        0.00039,
        0.00052,
        0.00092,
        0.00162,
        0.00244,
        0.00332,
        0.00443,
        0.00604,
        0.0082,
        0.01106,
        0.01495,
        0.02698,
        0.04858,
        0.06924,
        0.0929,
        0.12445,
        0.15211,
        0.17783,
        0.16168,
        0.07802,
        0.01397,
        0.00035,
    ),
    serve_mps=1.001,
    weights=(-5.5, 5.061, 4.099, 1.685, 0.681, 0.404, -4.096, 3.328, 1.925, -0.77, -0.082),
)
"""A door-to-door tipper: crawls at 5-8 km/h, halts each 15-60 m, drives at 20-25 km/h between.
Learned on two simulators of truth with different rules and noises; `fit` makes a fleet's own.
"""
