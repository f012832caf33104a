"""Calibration by self-training: a fleet's own tracks say how it serves and how it drives.

Expectation and maximisation over the two-state model (L. Baum et al., 1970): what the present
calibration takes for service gives new histograms of speed, until nothing changes. No truth is
needed; where the plan is known, only what happened on planned lanes need be given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tracking.proof.calibration import BINS, DEFAULT, SPEED_EDGES_MPS, Calibration
from tracking.proof.evidence import serving
from tracking.proof.graph import Floats
from tracking.proof.track import Proof

ROUNDS = 15
PRIOR_SAMPLES = 40.0
"""Weight of the start's histograms against the data."""
LEAST_SAMPLES = 600
"""About forty minutes; less data say nothing about a rhythm."""
_EDGES = np.array(SPEED_EDGES_MPS)


def fit(proofs: Sequence[Proof], start: Calibration = DEFAULT) -> Calibration:
    """The calibration that explains these proofs' speeds best.

    Args:
        proofs: made with `start`'s window; any number of vehicles and days of one class.

    Raises:
        ValueError: too little to learn from.
    """
    heard = [p for p in proofs if len(p.speed_mps)]
    known = sum(int(np.isfinite(p.speed_mps).sum()) for p in heard)
    if known < LEAST_SAMPLES:
        raise ValueError(f"Expected at least {LEAST_SAMPLES} samples of speed, got {known}.")
    bins = [np.digitize(p.speed_mps, _EDGES) for p in heard]
    prior = PRIOR_SAMPLES * np.array([start.serve, start.drive])
    now = start
    for _ in range(ROUNDS):
        counts = np.zeros((2, BINS))
        odds = now.log_odds()
        for proof, which in zip(heard, bins, strict=True):
            p = serving(proof.speed_mps, proof.change, odds, _EDGES)
            told = np.isfinite(proof.speed_mps)
            counts[0] += np.bincount(which[told], p[told], BINS)
            counts[1] += np.bincount(which[told], 1 - p[told], BINS)
        serve, drive = _smoothed(counts + prior)
        then = replace(
            now, serve=_rounded(serve), drive=_rounded(drive), serve_mps=round(_median(serve), 3)
        )
        done = max(abs(a - b) for a, b in zip(now.serve, then.serve, strict=True)) < 1e-4
        now = then
        if done:
            break
    return now


def _smoothed(counts: Floats) -> Floats:
    """Probabilities; neighbouring bins share a little, for the borders are arbitrary."""
    spread = counts.copy()
    spread[:, 1:-1] = 0.25 * counts[:, :-2] + 0.5 * counts[:, 1:-1] + 0.25 * counts[:, 2:]
    spread += 0.5
    return np.asarray(spread / spread.sum(axis=1, keepdims=True), np.float64)


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(float(v) for v in np.maximum(values, 1e-5).round(5))


def _median(serve: Floats) -> float:
    """Median speed of service, halts included, between the borders of its bin."""
    total = np.cumsum(serve)
    k = int(np.searchsorted(total, 0.5))
    low = 0.0 if k == 0 else SPEED_EDGES_MPS[k - 1]
    high = SPEED_EDGES_MPS[min(k, len(SPEED_EDGES_MPS) - 1)]
    before = 0.0 if k == 0 else float(total[k - 1])
    return max(0.2, low + (high - low) * (0.5 - before) / max(1e-9, float(serve[k])))
