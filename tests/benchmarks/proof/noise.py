"""What a receiver makes of a true day: sampling, position noise, silences, Doppler speed, course.

`white`: independent errors of σ 4 m an axis. `ar1`: σ 8 m, correlated over 60 s: that is what a
cheap receiver's error looks like between buildings, where satellites and their echoes stay the same
for about as long as a vehicle takes to pass a block. `burst`: ar1 and echoes of up to 25 m.
`gaps`: ar1 and silences of 1-5 min. `mix`: all three.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tests.benchmarks.proof.town import Floats

WHITE_M, AR1_M, CORRELATION_S = 4.0, 8.0, 60.0
BURST_EVERY_S, BURST_S, BURST_M = 480.0, (30.0, 90.0), (15.0, 25.0)
GAP_EVERY_S, GAP_S = 4200.0, (60.0, 300.0)
SPEED_SIGMA, COURSE_SIGMA_DEG = 0.15, 4.0
STANDING_MPS = 0.5
"""Under it units repeat the last course."""


class Noise(StrEnum):
    NONE = "none"
    WHITE = "white"
    AR1 = "ar1"
    BURST = "burst"
    GAPS = "gaps"
    MIX = "mix"


@dataclass(frozen=True)
class Fixes:
    """Equal-length arrays by time; NaN where the unit does not measure."""

    t_s: Floats
    xy: Floats
    speed_mps: Floats
    course_deg: Floats


def observe(
    t_s: Floats, xy: Floats, noise: Noise, period_s: int, rng: np.random.Generator, *, doppler: bool
) -> Fixes:
    """Fixes of a truth given each second."""
    errors = _errors(len(t_s), noise, rng)
    velocity = np.gradient(xy, axis=0)
    speed = np.hypot(*velocity.T)
    told = np.where(speed > 0.05, np.maximum(0, speed + rng.normal(0, SPEED_SIGMA, len(t_s))), 0.0)
    course = np.degrees(np.arctan2(velocity[:, 0], velocity[:, 1]))
    course += rng.normal(0, 1, len(t_s)) * COURSE_SIGMA_DEG / np.maximum(speed, STANDING_MPS)
    last = np.maximum.accumulate(np.where(speed >= STANDING_MPS, np.arange(len(t_s)), 0))
    kept = np.arange(int(rng.integers(period_s)), len(t_s), period_s)
    if noise in (Noise.GAPS, Noise.MIX):
        kept = kept[~_silent(len(t_s), rng)[kept]]
    unknown = np.full(len(kept), np.nan)
    return Fixes(
        t_s[kept],
        (xy + errors)[kept],
        told[kept] if doppler else unknown,
        (course[last] % 360)[kept] if doppler else unknown,
    )


def _errors(n: int, noise: Noise, rng: np.random.Generator) -> Floats:
    if noise is Noise.NONE:
        return np.zeros((n, 2))
    if noise is Noise.WHITE:
        return rng.normal(0, WHITE_M, (n, 2))
    memory = math.exp(-1.0 / CORRELATION_S)
    fresh = rng.normal(0, AR1_M * math.sqrt(1 - memory**2), (n, 2))
    errors = np.empty((n, 2))
    at = rng.normal(0, AR1_M, 2)
    for i in range(n):
        at = memory * at + fresh[i]
        errors[i] = at
    if noise in (Noise.BURST, Noise.MIX):
        errors += _bursts(n, rng)
    return errors


def _bursts(n: int, rng: np.random.Generator) -> Floats:
    """Echoes: the position is pulled to one side and let go again."""
    pull = np.zeros((n, 2))
    at = rng.exponential(BURST_EVERY_S)
    while at < n:
        lasts = int(rng.uniform(*BURST_S))
        angle = rng.uniform(0, 2 * math.pi)
        shape = np.sin(np.linspace(0, math.pi, lasts)) * rng.uniform(*BURST_M)
        end = min(n, int(at) + lasts)
        part = shape[: end - int(at), None] * (math.cos(angle), math.sin(angle))
        pull[int(at) : end] += part
        at += lasts + rng.exponential(BURST_EVERY_S)
    return pull


def _silent(n: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    silent = np.zeros(n, dtype=bool)
    at = rng.exponential(GAP_EVERY_S)
    while at < n:
        lasts = rng.uniform(*GAP_S)
        silent[int(at) : int(at + lasts)] = True
        at += lasts + rng.exponential(GAP_EVERY_S)
    return silent
