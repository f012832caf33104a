"""Service or passage: two hidden states over the speed along the way."""

from __future__ import annotations

import math

import numpy as np

from tracking.proof.compiled import compiled
from tracking.proof.graph import Floats

SAMPLE_S = 2.5
HALT_CAP_S = 30.0
"""A halt counts no longer than this: waiting at a crossing is not service."""
NODE_M = 10.0
"""Noise may show a change at a junction this far from it."""
IDLE_RATE = 1 / 3600
"""Changes per second that need no way."""
LEAST_WINDOW = 0.6
"""Less of a window than this says nothing of the speed."""


@compiled
def samples(
    z: Floats, t_in: Floats, t_out: Floats, start: int, stop: int, window_s: float, halt_s: float
) -> tuple[Floats, Floats, float, Floats]:
    """Speed along a chain's way, in steps of time in which long halts are cut short.

    Returns:
        For each sample the z it reaches from and the z it reaches to; the seconds of a sample; and
        the mean speed in the window around each (NaN: too little time to tell).
    """
    n = stop - start
    knot_s, knot_z = np.empty(2 * n), np.empty(2 * n)
    at = 0.0
    for k in range(n):
        if k > 0:
            at += t_in[start + k] - t_out[start + k - 1]
        knot_s[2 * k], knot_z[2 * k] = at, z[start + k]
        at += min(t_out[start + k] - t_in[start + k], halt_s)
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
        speed[q] = (b - a) / (end - begin) if end - begin >= LEAST_WINDOW * window_s else math.nan
    return low, high, width, speed


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
def changes(
    low: Floats, high: Floats, width_s: float, nodes: Floats, at_node: float, per_m: float
) -> Floats:
    """Probability that service begins or ends between the sample before and each sample.

    Crews begin and end at junctions: `at_node` is the probability there, spread over where noise
    may show it; `per_m` the rate elsewhere.

    Args:
        nodes: z of the ends of lanes passed, rising.
    """
    n = len(low)
    result = np.empty(n)
    first = 0
    for q in range(n):
        a = (low[q] + high[q]) / 2 if q == 0 else (low[q - 1] + high[q - 1]) / 2
        b = (low[q] + high[q]) / 2
        while first < len(nodes) and nodes[first] + NODE_M < a:
            first += 1
        rate = per_m * (b - a) + IDLE_RATE * width_s
        k = first
        while k < len(nodes) and nodes[k] - NODE_M < b:
            inside = min(b, nodes[k] + NODE_M) - max(a, nodes[k] - NODE_M)
            rate += at_node * max(0.0, inside) / (2 * NODE_M)
            k += 1
        result[q] = min(0.5, 1 - math.exp(-rate))
    return result


@compiled
def serving(speed: Floats, change: Floats, log_odds: Floats, edges: Floats) -> Floats:
    """Probability of service at each sample (forward and backward pass)."""
    n = len(speed)
    odds = np.empty(n)
    for k in range(n):
        value = speed[k]
        odds[k] = math.exp(log_odds[bin_of(edges, value)]) if math.isfinite(value) else 1.0
    forward = np.empty(n)
    p = 0.5
    for k in range(n):
        p = p + change[k] * (1 - 2 * p)
        p = p * odds[k] / (p * odds[k] + 1 - p)
        forward[k] = p
    result = np.empty(n)
    s, d = 1.0, 1.0
    for k in range(n - 1, -1, -1):
        both = forward[k] * s
        result[k] = both / (both + (1 - forward[k]) * d)
        es, ed = s * odds[k], d
        s = (1 - change[k]) * es + change[k] * ed
        d = change[k] * es + (1 - change[k]) * ed
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
