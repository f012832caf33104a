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
KEEP_WITHIN = 10.0
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
def between(
    first: Ints,
    node: Ints,
    metres: npt.NDArray[np.float32],
    via: Ints,
    degree: Ints,
    a: int,
    leave: int,
    b: int,
    enter: int,
) -> tuple[float, float]:
    """Metres between two nodes and the price of turns, when lane a is left and lane b entered."""
    price = 0.0
    if leave == enter:
        if a == b:
            price = TURN_IN_DEAD_END if degree[leave] == 1 else TURN_AT_NODE
        return 0.0, price
    there = way(first, node, leave, enter)
    if there < 0:
        return np.inf, np.inf
    if via[there] == a:
        price += TURN_IN_DEAD_END if degree[leave] == 1 else TURN_AT_NODE
    if via[way(first, node, enter, leave)] == b:
        price += TURN_IN_DEAD_END if degree[enter] == 1 else TURN_AT_NODE
    return float(metres[there]), price


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
) -> tuple[Ints, npt.NDArray[np.int8], Ints]:
    """Viterbi.

    Returns:
        The chosen state of each node (-1: no lane near), how it was come to (SAME lane on, VIA the
        lane's end, a TURN in the lane, such a turn and then VIA its other end), and its chain:
        nodes of one chain follow each other without a silence or a break.
    """
    n = len(x)
    total = np.empty(len(lane))
    back = np.full(len(lane), -1, np.int32)
    come = np.full(len(lane), NO_WAY, np.int8)
    linked = np.zeros(n, np.bool_)
    rank = np.empty(2 * LANES, np.int32)
    length, oneway, ends, degree = g.length, g.oneway, g.ends, g.degree
    near_first, near_node, near_m, near_lane = g.near_first, g.near_node, g.near_m, g.near_lane
    # Neighbours in time ask for the same pairs of lanes. All is written out in one loop, for a
    # function called here would count references to each array that it gets, every time.
    size = 1024
    while size < 16 * n and size < 16384:
        size *= 2
    known = np.full(size, np.int64(-1))
    known_m, known_price = np.empty(size), np.empty(size)
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
        # From the cheapest on: what is dearer already than the best way found need not be asked.
        ranked = 0
        for i in range(first[k - 1], first[k]):
            r = ranked
            while r > 0 and total[rank[r - 1]] > total[i]:
                rank[r] = rank[r - 1]
                r -= 1
            rank[r] = i
            ranked += 1
        for j in range(first[k], first[k + 1]):
            b, db, ub = lane[j], direction[j], along[j]
            wrong = WRONG_WAY if oneway[b] and db == 1 else 0.0
            best, origin, how = total[rank[0]] + BREAK, rank[0], NO_WAY
            for r in range(ranked):
                i = rank[r]
                so_far = total[i]
                if so_far >= best:
                    break
                a, da, ua = lane[i], direction[i], along[i]
                if a == b and da == db and ub - ua >= -BACK_M:
                    price = so_far + abs(ub - ua - moved) / BETA_M
                    if price < best:
                        best, origin, how = price, i, SAME
                    continue
                if a == b and da != db:
                    price = abs(abs(length[a] - ub - ua) - moved) / BETA_M
                    price += so_far + TURN_MID_LANE + wrong
                    if price < best:
                        best, origin, how = price, i, TURN
                for turned in range(2):
                    so_far += turned * TURN_MID_LANE + (1 - turned) * wrong
                    if so_far >= best or (turned == 1 and a == b):
                        break
                    leave = 1 - da if turned == 0 else da
                    key = ((np.int64(a) << 32) | np.int64(b)) * 4 + 2 * leave + db
                    slot = (key ^ (key >> 11) ^ (key >> 30)) & (size - 1)
                    if known[slot] != key:
                        known[slot] = key
                        known_m[slot], known_price[slot] = between(
                            near_first, near_node, near_m, near_lane, degree,
                            a, ends[a, leave], b, ends[b, db],
                        )  # fmt: skip
                    if known_m[slot] == np.inf:
                        continue
                    rest = length[a] - ua if turned == 0 else ua
                    price = abs(rest + known_m[slot] + ub - moved) / BETA_M
                    price += so_far + known_price[slot]
                    if price < best:
                        best, origin, how = price, i, VIA + 2 * turned
            total[j], back[j], come[j] = best + cost[j], origin, how
    chosen = np.full(n, -1, np.int32)
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
    chain, hows = np.zeros(n, np.int32), np.full(n, NO_WAY, np.int8)
    for k in range(n):
        if linked[k]:
            hows[k] = come[chosen[k]]
        if k > 0:
            chain[k] = chain[k - 1] + (0 if linked[k] and hows[k] != NO_WAY else 1)
    return chosen, hows, chain
