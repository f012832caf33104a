"""Service or passage: two hidden states over the speed along the way."""

from __future__ import annotations

import math

import numpy as np

from tracking.proof.compiled import compiled
from tracking.proof.graph import Floats

SAMPLE_S = 4.0
HALT_CAP_S = 30.0
"""A halt counts no longer than this: waiting at a crossing is not service."""
LEAST_WINDOW_S = 8.0


@compiled
def samples(
    z: Floats, t_in: Floats, t_out: Floats, start: int, stop: int, window_s: float
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Speed along a chain's way, in steps of time in which long halts are cut short.

    Returns:
        For each sample the z it reaches from, the z it reaches to, seconds, and the mean speed in
        the window around it (NaN: too little time to tell); and for each node the shortened time.
    """
    n = stop - start
    knot_s, knot_z = np.empty(2 * n), np.empty(2 * n)
    at = 0.0
    for k in range(n):
        if k > 0:
            at += t_in[start + k] - t_out[start + k - 1]
        knot_s[2 * k], knot_z[2 * k] = at, z[start + k]
        at += min(t_out[start + k] - t_in[start + k], HALT_CAP_S)
        knot_s[2 * k + 1], knot_z[2 * k + 1] = at, z[start + k]
    m = max(1, math.ceil(at / SAMPLE_S))
    width = at / m
    low, high, speed = np.empty(m), np.empty(m), np.empty(m)
    edge = np.empty(m + 1)
    i = 0
    for q in range(m + 1):
        edge[q], i = _at(knot_s, knot_z, i, q * width)
    left, right = 0, 0
    for q in range(m):
        low[q], high[q] = edge[q], edge[q + 1]
        middle = (q + 0.5) * width
        begin, end = max(0.0, middle - window_s / 2), min(at, middle + window_s / 2)
        a, left = _at(knot_s, knot_z, left, begin)
        b, right = _at(knot_s, knot_z, right, end)
        speed[q] = (b - a) / (end - begin) if end - begin >= LEAST_WINDOW_S else math.nan
    return low, high, np.full(m, width), speed, knot_s


@compiled
def _at(knot_s: Floats, knot_z: Floats, i: int, s: float) -> tuple[float, int]:
    """z at a moment; i is where the last search, for an earlier moment, ended."""
    while i + 2 < len(knot_s) and knot_s[i + 1] <= s:
        i += 1
    span = knot_s[i + 1] - knot_s[i]
    share = (s - knot_s[i]) / span if span > 0 else 1.0
    return knot_z[i] + min(1.0, max(0.0, share)) * (knot_z[i + 1] - knot_z[i]), i


@compiled
def bin_of(edges: Floats, speed: float) -> int:
    k = 0
    while k < len(edges) and speed >= edges[k]:
        k += 1
    return k


@compiled
def serving(
    speed: Floats, width_s: float, log_odds: Floats, edges: Floats, to_drive: float, to_serve: float
) -> Floats:
    """Probability of service at each sample (forward and backward pass).

    Args:
        to_drive: rate at which service ends, per second; `to_serve`: at which it begins.
    """
    n = len(speed)
    stop, begin = 1 - math.exp(-to_drive * width_s), 1 - math.exp(-to_serve * width_s)
    odds = np.empty(n)
    for k in range(n):
        value = speed[k]
        odds[k] = math.exp(log_odds[bin_of(edges, value)]) if math.isfinite(value) else 1.0
    forward = np.empty(n)
    p = to_serve / (to_serve + to_drive)
    for k in range(n):
        if k > 0:
            p = p * (1 - stop) + (1 - p) * begin
        p = p * odds[k] / (p * odds[k] + 1 - p)
        forward[k] = p
    result = np.empty(n)
    s, d = 1.0, 1.0
    for k in range(n - 1, -1, -1):
        both = forward[k] * s
        result[k] = both / (both + (1 - forward[k]) * d)
        es, ed = s * odds[k], d
        s = (1 - stop) * es + stop * ed
        d = begin * es + (1 - begin) * ed
        scale = s + d
        s, d = s / scale, d / scale
    return result


@compiled
def moment(z: Floats, t_in: Floats, t_out: Floats, start: int, stop: int, at: float) -> float:
    """When z was first reached in a chain."""
    low, high = start, stop - 1
    if at <= z[start]:
        return float(t_in[start])
    while low < high:
        middle = (low + high) // 2
        if z[middle] < at:
            low = middle + 1
        else:
            high = middle
    if z[low] < at:
        return float(t_out[stop - 1])
    span = z[low] - z[low - 1]
    share = (at - z[low - 1]) / span if span > 0 else 1.0
    return float(t_out[low - 1] + share * (t_in[low] - t_out[low - 1]))
