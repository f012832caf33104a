"""The judgement on a lane for a day, from all its passes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from tracking.proof.calibration import DEFAULT, Calibration
from tracking.proof.track import LanePass, metres, union

State = Literal["served", "partly", "driven_through", "unknown", "not_visited"]
Reason = Literal["covered", "covered_in_part", "pace", "gap", "never_there"]

WHOLE = 0.8
"""A lane of which this share was served counts as served."""
PARTLY = 0.2
"""Less is no service."""
DRIVEN = 0.3
"""Less driven is no passage."""
JOIN_M = 15.0


@dataclass(frozen=True)
class Judgement:
    state: State
    served_fraction: float
    driven_fraction: float
    p_served: float
    """Probability that at least four fifths were served, as far as was seen."""
    reason: Reason
    values: Mapping[str, float] = field(default_factory=dict)
    """What the reason's sentence says: metres, seconds, metres a second."""


def judge(
    passes: Sequence[LanePass], length_m: float, calibration: Calibration = DEFAULT
) -> Judgement:
    """The judgement on one lane.

    Args:
        passes: of this lane on this day, of any vehicle, in any order.
    """
    if not passes:
        return Judgement("not_visited", 0.0, 0.0, 0.0, "never_there")
    length_m = max(length_m, 0.1)
    driven = union([piece for p in passes for piece in p.driven_m])
    served = union([piece for p in passes for piece in p.served_m])
    served_m = min(length_m, metres(served) + _holes(served, min(JOIN_M, length_m / 3)))
    driven_fraction = min(1.0, metres(driven) / length_m)
    served_fraction = min(1.0, served_m / length_m)
    p = probability(features(passes, served_fraction, length_m, calibration), calibration)
    hidden_m = sum(found.hidden_m for found in passes if found.gap)
    values = {
        "served_m": round(served_m, 1),
        "length_m": round(length_m, 1),
        "halts": float(sum(found.halts for found in passes)),
        "pace_mps": round(min((f.pace_mps for f in passes if f.driven_m), default=0.0), 2),
    }

    def said(state: State, reason: Reason) -> Judgement:
        return Judgement(
            state, round(served_fraction, 3), round(driven_fraction, 3), round(p, 3), reason, values
        )

    if p >= 0.5:
        return said("served", "covered")
    if hidden_m > 0 and served_m + hidden_m >= WHOLE * length_m:
        return said("unknown", "gap")
    if served_fraction >= PARTLY:
        return said("partly", "covered_in_part")
    if driven_fraction >= DRIVEN:
        return said("driven_through", "pace")
    return said("not_visited", "never_there")


def features(
    passes: Sequence[LanePass], served_fraction: float, length_m: float, calibration: Calibration
) -> tuple[float, ...]:
    """In the order of `calibration.FEATURES`."""
    service_s = standing_s = slow_m = offset_m = 0.0
    halts = driven = 0
    for p in passes:
        if not p.driven_m:
            continue
        driven += 1
        service_s += p.service_s
        standing_s += p.standing_s
        offset_m += p.offset_m
        if p.served_m:
            slow_m += p.slow_m
            halts += p.halts
    # Bounds keep every derivative by service positive: more of it is never less.
    slow = served_fraction if math.isnan(slow_m) else min(1.0, slow_m / length_m)
    pace = math.log(max(0.3, min(5.0, service_s * calibration.serve_mps / length_m)))
    size = math.log(max(30.0, min(300.0, length_m)) / 80.0)
    return (
        1.0,
        served_fraction,
        slow,
        pace,
        pace * pace,
        min(3.0, halts * 30.0 / max(30.0, length_m)),
        size,
        size * served_fraction,
        size * slow,
        min(1.0, standing_s / max(1.0, service_s)),
        min(30.0, offset_m / max(1, driven)) / 10.0,
    )


def probability(values: Sequence[float], calibration: Calibration) -> float:
    logit = math.sumprod(calibration.weights, values)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def _holes(pieces: Sequence[tuple[float, float]], join_m: float) -> float:
    """Metres of holes between pieces that are too short to be left out by a crew."""
    return sum(b[0] - a[1] for a, b in pairwise(pieces) if b[0] - a[1] <= join_m)
