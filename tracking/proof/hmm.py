"""The most likely lane, direction and position of each node: a hidden Markov model.

A state is a lane driven one way; both ways are states, on one-way streets too. Nearness and heading
speak for a state, and so does a way from the state before that is as long as the vehicle moved
(after P. Newson and J. Krumm, "Hidden Markov map matching through noise and sparseness", 2009, with
turns at a price).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tracking.proof.compiled import compiled
from tracking.proof.graph import CELL_M, Floats, GraphArrays, Ints
from tracking.proof.ways import way

WITHIN_M = 60.0
LANES = 8
"""Nearest lanes looked at for each node."""
SIGMA_M = 12.0
BETA_M = 8.0
HEADING_SIGMA = math.radians(35.0)
HEADING_FROM_MPS = 1.0
HEADING_MOST = 6.0
"""A heading costs no more than this: a vehicle in reverse gear looks the other way."""
BACK_M = 25.0
"""Noise may move a vehicle back along its way this far without a turn."""
TURN_MID_LANE, TURN_AT_NODE, TURN_IN_DEAD_END = 6.0, 4.0, 1.0
WRONG_WAY = 1.5
"""Price of entering a one-way street against its direction."""
BREAK = 20.0
"""Price of a step that no way explains; a new chain begins."""
KEEP_WITHIN = 15.0
"""States this much dearer than a node's cheapest are not looked at."""

SAME, VIA, TURN, TURN_VIA, NO_WAY = 0, 1, 2, 3, -1


@compiled
def candidates(
    g: GraphArrays, x: Floats, y: Floats, speed: Floats, course: Floats, spread: Floats
) -> tuple[Ints, Ints, npt.NDArray[np.int8], Floats, Floats, Floats]:
    """States of each node.

    Returns:
        Where each node's states begin [nodes + 1]; lane, direction (0 as drawn, 1 against it),
        metres travelled along it in that direction, cost, and metres from the lane.
    """
    n = len(x)
    first = np.zeros(n + 1, np.int32)
    room = n * 2 * LANES
    lane, way_ = np.empty(room, np.int32), np.empty(room, np.int8)
    along, cost, off = np.empty(room), np.empty(room), np.empty(room)
    near_lane, near_d2 = np.empty(64, np.int32), np.empty(64)
    near_m, near_heading = np.empty(64), np.empty(64)
    count = 0
    for k in range(n):
        row = int((y[k] - g.south) // CELL_M)
        column = int((x[k] - g.west) // CELL_M)
        found = 0
        if -1 <= row <= g.rows and -1 <= column <= g.columns:
            for r in range(row - 1, row + 2):
                key = r * g.columns + column - 1
                c = np.searchsorted(g.cell_key, key)
                while c < len(g.cell_key) and g.cell_key[c] <= key + 2:
                    for q in range(g.cell_first[c], g.cell_first[c + 1]):
                        p = g.cell_point[q]
                        ax, ay = g.x[p], g.y[p]
                        dx, dy = g.x[p + 1] - ax, g.y[p + 1] - ay
                        share = ((x[k] - ax) * dx + (y[k] - ay) * dy) / (dx * dx + dy * dy)
                        share = min(1.0, max(0.0, share))
                        ox, oy = x[k] - ax - share * dx, y[k] - ay - share * dy
                        d2 = ox * ox + oy * oy
                        if d2 > WITHIN_M * WITHIN_M:
                            continue
                        of = g.lane_of_point[p]
                        slot = 0
                        while slot < found and near_lane[slot] != of:
                            slot += 1
                        if slot == found:
                            if found == 64:
                                continue
                            found += 1
                            near_lane[slot], near_d2[slot] = of, np.inf
                        if d2 < near_d2[slot]:
                            near_d2[slot] = d2
                            near_m[slot] = g.m[p] + share * (g.m[p + 1] - g.m[p])
                            near_heading[slot] = math.atan2(dx, dy)
                    c += 1
        heading = speed[k] >= HEADING_FROM_MPS and math.isfinite(course[k])
        variance = HEADING_SIGMA**2 + spread[k] ** 2
        best = np.inf
        begin = count
        for _ in range(min(LANES, found)):
            s = 0
            for q in range(1, found):
                if near_d2[q] < near_d2[s]:
                    s = q
            d2 = near_d2[s]
            near_d2[s] = np.inf
            if d2 / (2 * SIGMA_M**2) > best + KEEP_WITHIN:
                break
            for direction in range(2):
                price = d2 / (2 * SIGMA_M**2)
                if heading:
                    turned = course[k] - near_heading[s] + direction * math.pi
                    turned = abs((turned + math.pi) % (2 * math.pi) - math.pi)
                    price += min(turned * turned / (2 * variance), HEADING_MOST)
                of = near_lane[s]
                lane[count], way_[count], cost[count] = of, direction, price
                along[count] = near_m[s] if direction == 0 else g.length[of] - near_m[s]
                off[count] = math.sqrt(d2)
                best = min(best, price)
                count += 1
        # Drop what is hopeless.
        keep = begin
        for q in range(begin, count):
            if cost[q] <= best + KEEP_WITHIN:
                lane[keep], way_[keep], cost[keep] = lane[q], way_[q], cost[q]
                along[keep], off[keep] = along[q], off[q]
                keep += 1
        count = keep
        first[k + 1] = count
    return first, lane[:count], way_[:count], along[:count], cost[:count], off[:count]


@compiled
def turn_price(g: GraphArrays, node: int) -> float:
    return TURN_IN_DEAD_END if g.degree[node] == 1 else TURN_AT_NODE


@compiled
def through(g: GraphArrays, a: int, leave: int, b: int, enter: int) -> tuple[float, float]:
    """Metres between two nodes and the price of turns, when lane a is left and lane b entered."""
    if leave == enter:
        return 0.0, (turn_price(g, leave) if a == b else 0.0)
    w = way(g.near_first, g.near_node, leave, enter)
    if w < 0:
        return np.inf, np.inf
    price = 0.0
    if g.near_lane[w] == a:
        price += turn_price(g, leave)
    if g.near_lane[way(g.near_first, g.near_node, enter, leave)] == b:
        price += turn_price(g, enter)
    return g.near_m[w], price


@compiled
def step(
    g: GraphArrays, a: int, da: int, ua: float, b: int, db: int, ub: float, moved: float
) -> tuple[float, int]:
    """Cost of coming from one state to another `moved` metres away, and how."""
    length = g.length[a]
    if a == b and da == db and ub - ua >= -BACK_M:
        return abs(ub - ua - moved) / BETA_M, SAME
    wrong = WRONG_WAY if g.oneway[b] and db == 1 else 0.0
    leave, enter = g.ends[a, 1 - da], g.ends[b, db]
    way_m, price = through(g, a, leave, b, enter)
    best, how = np.inf, NO_WAY
    if way_m < np.inf:
        best = abs(length - ua + way_m + ub - moved) / BETA_M + price + wrong
        how = VIA
    if a == b and da != db:
        back = abs(length - ub - ua)
        price = TURN_MID_LANE + abs(back - moved) / BETA_M + wrong
        if price < best:
            best, how = price, TURN
    elif best > TURN_MID_LANE:
        leave = g.ends[a, da]
        way_m, price = through(g, a, leave, b, enter)
        if way_m < np.inf:
            price += TURN_MID_LANE + abs(ua + way_m + ub - moved) / BETA_M + wrong
            if price < best:
                best, how = price, TURN_VIA
    return best, how


@compiled
def search(
    g: GraphArrays,
    first: Ints,
    lane: Ints,
    direction: npt.NDArray[np.int8],
    along: Floats,
    cost: Floats,
    x: Floats,
    y: Floats,
    t_in: Floats,
    t_out: Floats,
    gap_s: float,
) -> tuple[Ints, Ints]:
    """Viterbi.

    Returns:
        The chosen state of each node (-1: no lane near), and its chain: nodes of one chain follow
        each other without a silence or a break.
    """
    n = len(x)
    total = np.empty(len(lane))
    back = np.full(len(lane), -1, np.int32)
    chosen = np.full(n, -1, np.int32)
    chain = np.zeros(n, np.int32)
    broken = np.zeros(len(lane), np.bool_)
    linked = np.zeros(n, np.bool_)
    for k in range(n):
        linked[k] = (
            k > 0
            and first[k] > first[k - 1]
            and first[k + 1] > first[k]
            and t_in[k] - t_out[k - 1] <= gap_s
        )
        if not linked[k]:
            for j in range(first[k], first[k + 1]):
                total[j] = cost[j]
            continue
        moved = math.hypot(x[k] - x[k - 1], y[k] - y[k - 1])
        cheapest = first[k - 1]
        for i in range(first[k - 1], first[k]):
            if total[i] < total[cheapest]:
                cheapest = i
        for j in range(first[k], first[k + 1]):
            best, origin = total[cheapest] + BREAK, cheapest
            broken[j] = True
            for i in range(first[k - 1], first[k]):
                if total[i] >= best:
                    continue
                price, _ = step(
                    g, lane[i], direction[i], along[i], lane[j], direction[j], along[j], moved
                )
                if total[i] + price < best:
                    best, origin = total[i] + price, i
                    broken[j] = False
            total[j], back[j] = best + cost[j], origin
    for k in range(n - 1, -1, -1):
        if first[k + 1] == first[k]:
            continue
        if k + 1 < n and linked[k + 1]:
            chosen[k] = back[chosen[k + 1]]
        else:
            best_j = first[k]
            for j in range(first[k], first[k + 1]):
                if total[j] < total[best_j]:
                    best_j = j
            chosen[k] = best_j
    for k in range(1, n):
        new = not linked[k] or (chosen[k] >= 0 and broken[chosen[k]])
        chain[k] = chain[k - 1] + (1 if new else 0)
    return chosen, chain
