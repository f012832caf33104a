"""What a fleet's service looks like in speeds, and how evidence is weighed."""

from __future__ import annotations

import json
import math
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
    evidence: float = 0.35
    """Weight of one sample: windows overlap, so samples repeat each other."""
    silent_serve_mps: float = 1.6
    silent_between_mps: float = 1.6
    """In a silence a lane may be served this fast, and be reached this fast."""

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


def _smooth(centre_mps: float, spread: float, standing: float) -> tuple[float, ...]:
    """A log-normal rhythm with a share of standing, on the bins."""
    edges = np.array(SPEED_EDGES_MPS)
    z = (np.log(edges) - math.log(centre_mps)) / spread
    below = np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in z])
    mass = np.diff(np.r_[0.0, below, 1.0])
    mass = (1 - standing) * mass
    mass[0] += standing
    mass = mass + 0.002
    return tuple(float(round(m, 5)) for m in mass / mass.sum())


DEFAULT = Calibration(
    serve=_smooth(1.15, 0.45, 0.08),
    drive=_smooth(5.0, 0.45, 0.03),
    serve_mps=1.15,
    weights=(-8.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
)
