"""From a track to passes, in machine code from end to end."""

from __future__ import annotations

import numpy as np

from tracking.proof.compiled import compiled
from tracking.proof.evidence import HALT_CAP_S, bin_of, changes, moment, samples, serving
from tracking.proof.graph import Floats, GraphArrays, Ints
from tracking.proof.hmm import candidates, search
from tracking.proof.nodes import STANDING_MPS, nodes_of
from tracking.proof.passes import (
    MOUTH_M,
    containing,
    group,
    pieces_on,
    runs,
    snapped,
    snaps,
    united,
)
from tracking.proof.path import travel
from tracking.proof.silence import doubts

HALT_LEAST_S = 4.0

# Columns of the table of passes.
LANE, START, END, FORWARD, SERVICE, HALTS, STANDING, PACE, OFFSET, DRIVEN_FROM, DRIVEN_TO, \
    SERVED_TO, SLOW = range(13)  # fmt: skip
COLUMNS = 13


@compiled
def prove_track(
    g: GraphArrays,
    t: Floats,
    x: Floats,
    y: Floats,
    speed: Floats,
    course: Floats,
    gap_s: float,
    window_s: float,
    halt_s: float,
    at_node: float,
    per_m: float,
    log_odds: Floats,
    edges: Floats,
    silent_serve_mps: float,
    silent_between_mps: float,
) -> tuple[Floats, Floats, Floats, Ints, Floats, Floats, Floats, Ints]:
    """Table of passes [passes, COLUMNS] with rows into the table of intervals [from, to].

    Then doubts [lane, since, until, metres]; lane of each fix; at each sample the speed, the
    probability of a change and that of service; whether each fix stands (-1: no position).
    """
    of, t_in, t_out, nx, ny, ns, nc, spread = nodes_of(t, x, y, speed, course, gap_s)
    first, lane, direction, along, cost, off = candidates(g, nx, ny, ns, nc, spread)
    chosen, hows, chain = search(
        g, first, lane, direction, along, cost, nx, ny, t_in, t_out, gap_s
    )  # fmt: skip
    z, visit, v_lane, v_dir, v_zero, v_in, v_out, v_chain = travel(
        g, chosen, hows, chain, lane, direction, along
    )
    n, visits = len(nx), len(v_lane)
    start_s, end_s = np.empty(visits), np.empty(visits)
    service_s, standing_s, slow_m = np.zeros(visits), np.zeros(visits), np.zeros(visits)
    halts, off2, heard = np.zeros(visits), np.zeros(visits), np.zeros(visits)
    lane_of_node = np.full(n, -1, np.int32)
    piece_visit = np.empty(64, np.int32)
    piece_from, piece_to = np.empty(64), np.empty(64)
    pieces = 0
    all_speed, all_p, all_change = np.empty(64), np.empty(64), np.empty(64)
    sampled = 0
    start = 0
    v = 0
    while start < n:
        stop = start + 1
        while stop < n and chain[stop] == chain[start]:
            stop += 1
        if chosen[start] < 0:
            start = stop
            continue
        last = v
        while last < visits and v_chain[last] == chain[start]:
            last += 1
        low, high, width, mean = samples(z, t_in, t_out, start, stop, window_s, halt_s)
        change = changes(low, high, width, v_in[v + 1 : last], at_node, per_m)
        # The first sample of a chain comes after nothing.
        change[0] = 0.5
        p = serving(mean, change, log_odds, edges)
        while sampled + len(p) > len(all_p):
            all_p = np.concatenate((all_p, np.empty(len(all_p))))
            all_speed = np.concatenate((all_speed, np.empty(len(all_speed))))
            all_change = np.concatenate((all_change, np.empty(len(all_change))))
        all_change[sampled : sampled + len(p)] = change
        all_p[sampled : sampled + len(p)] = p
        all_speed[sampled : sampled + len(p)] = mean
        sampled += len(p)
        own = v
        while v < visits and v_chain[v] == chain[start]:
            start_s[v] = moment(z, t_in, t_out, start, stop, v_in[v])
            end_s[v] = max(start_s[v], moment(z, t_in, t_out, start, stop, v_out[v]))
            v += 1
        for k in range(start, stop):
            w = visit[k]
            lane_of_node[k] = v_lane[w]
            stood = t_out[k] - t_in[k]
            start_s[w], end_s[w] = min(start_s[w], t_in[k]), max(end_s[w], t_out[k])
            if stood >= HALT_LEAST_S:
                halts[w] += 1
                standing_s[w] += min(stood, HALT_CAP_S)
            off2[w] += off[chosen[k]] ** 2
            heard[w] += 1
        runs_from, runs_to = runs(p, low, high)
        for q in range(len(p)):
            middle = (low[q] + high[q]) / 2
            w = containing(v_out, own, v, middle)
            if p[q] >= 0.5:
                service_s[w] += width
            if not (mean[q] < np.inf) or log_odds[bin_of(edges, mean[q])] >= 0:
                slow_m[w] += high[q] - low[q]
        w = own
        for q in range(len(runs_from)):
            begin = snapped(v_in, v_out, own, v, runs_from[q])
            end = snapped(v_in, v_out, own, v, runs_to[q])
            while w < v - 1 and v_out[w] <= begin:
                w += 1
            inside = w
            while inside < v and v_in[inside] < end:
                lo, hi = max(begin, v_in[inside]), min(end, v_out[inside])
                if hi > lo:
                    if pieces == len(piece_visit):
                        piece_visit = np.concatenate((piece_visit, np.empty(pieces, np.int32)))
                        piece_from = np.concatenate((piece_from, np.empty(pieces)))
                        piece_to = np.concatenate((piece_to, np.empty(pieces)))
                    piece_visit[pieces], piece_from[pieces], piece_to[pieces] = inside, lo, hi
                    pieces += 1
                inside += 1
        start = stop
    piece_first = np.searchsorted(piece_visit[:pieces], np.arange(visits + 1))
    order, pass_first = group(v_lane, start_s, end_s)
    table = np.empty((len(pass_first) - 1, COLUMNS))
    intervals = np.empty((2 * visits + 2 * pieces + 2, 2))
    rows, used = 0, 0
    for i in range(len(pass_first) - 1):
        members = order[pass_first[i] : pass_first[i + 1]]
        of_lane = v_lane[members[0]]
        length = g.length[of_lane]
        snap_low, snap_high = snaps(g, of_lane)
        m = len(members)
        a, b = np.empty(m), np.empty(m)
        count = 0
        for w in members:
            count += piece_first[w + 1] - piece_first[w]
        c, d = np.empty(count), np.empty(count)
        count = 0
        net, served_net, drove = 0.0, 0.0, 0.0
        for q in range(m):
            w = members[q]
            a[q], b[q] = pieces_on(v_in[w], v_out[w], v_zero[w], v_dir[w], length)
            sign = 1.0 if v_dir[w] == 0 else -1.0
            net += sign * (b[q] - a[q])
            drove += b[q] - a[q]
            for piece in range(piece_first[w], piece_first[w + 1]):
                c[count], d[count] = pieces_on(
                    piece_from[piece], piece_to[piece], v_zero[w], v_dir[w], length
                )
                served_net += sign * (d[count] - c[count])
                count += 1
        lows, highs = united(a, b, length, snap_low, snap_high)
        driven = np.sum(highs - lows)
        if driven < min(MOUTH_M, length / 2):
            continue
        row = table[rows]
        row[DRIVEN_FROM] = used
        for q in range(len(lows)):
            intervals[used, 0], intervals[used, 1] = lows[q], highs[q]
            used += 1
        row[DRIVEN_TO] = used
        lows, highs = united(c, d, length, snap_low, snap_high)
        for q in range(len(lows)):
            intervals[used, 0], intervals[used, 1] = lows[q], highs[q]
            used += 1
        row[SERVED_TO] = used
        row[LANE] = of_lane
        row[START], row[END] = start_s[members[0]], np.max(end_s[members])
        forward = served_net if abs(served_net) > 1.0 else net
        row[FORWARD] = 1.0 if forward >= 0 else 0.0
        row[SERVICE], row[HALTS] = np.sum(service_s[members]), np.sum(halts[members])
        row[SLOW] = np.sum(slow_m[members])
        row[STANDING] = np.sum(standing_s[members])
        took = 0.0
        for w in members:
            took += end_s[w] - start_s[w]
        row[PACE] = drove / max(took, 1.0)
        row[OFFSET] = np.sqrt(np.sum(off2[members]) / max(1.0, np.sum(heard[members])))
        rows += 1
    d_lane, d_since, d_until, d_hidden = doubts(
        g, nx, ny, t_in, t_out, lane_of_node, gap_s, silent_serve_mps, silent_between_mps
    )
    doubt = np.empty((len(d_lane), 4))
    for i in range(len(d_lane)):
        doubt[i, 0], doubt[i, 1] = d_lane[i], d_since[i]
        doubt[i, 2], doubt[i, 3] = d_until[i], d_hidden[i]
    lane_of_fix = np.full(len(t), -1, np.int32)
    standing = np.full(len(t), -1, np.int32)
    for i in range(len(t)):
        if of[i] >= 0:
            lane_of_fix[i] = lane_of_node[of[i]]
            standing[i] = 1 if ns[of[i]] < STANDING_MPS else 0
    return (
        table[:rows], intervals[:used], doubt, lane_of_fix,
        all_speed[:sampled], all_change[:sampled], all_p[:sampled], standing,
    )  # fmt: skip
