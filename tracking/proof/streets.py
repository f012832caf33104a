"""Judgements on the streets of a network, for files of fixes from anywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from fleet.kit.times import iso
from fleet.roads.lanes import LaneSegment
from tracking.proof.calibration import DEFAULT, Calibration
from tracking.proof.fixes_csv import Trail
from tracking.proof.graph import Floats, LaneGraph, LaneShape
from tracking.proof.judge import State, judge
from tracking.proof.track import GAP_S, LanePass, Track, prove

NIGHT_S = 3 * 3600.0
"""Where no time zone is given, a day ends when no vehicle is heard for this long."""


@dataclass(frozen=True)
class LaneReport:
    """A lane that a file's vehicles touched on a day."""

    day: str
    lane: str
    way: int
    from_node: int
    to_node: int
    length_m: float
    state: State
    reason: str
    served_fraction: float
    driven_fraction: float
    p_served: float
    first_t: str
    last_t: str
    direction: Literal["forward", "backward", "both"]
    """Against the lane from `from_node` to `to_node`; for a lane nobody was seen in, a guess."""
    vehicles: list[str]
    gap: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def graph_of(segments: Iterable[LaneSegment]) -> LaneGraph:
    return LaneGraph.build(LaneShape(s.id, s.geometry, s.oneway) for s in segments)


def report(
    segments: Sequence[LaneSegment],
    graph: LaneGraph,
    trails: Mapping[str, Trail],
    calibration: Calibration = DEFAULT,
    *,
    gap_s: float = GAP_S,
    tz: tzinfo | None = None,
) -> list[LaneReport]:
    """The lanes touched, by day and in the order of the segments.

    Args:
        tz: days are local dates there; None: they are parted by nights without fixes, and named
            by the date of their first fix in UTC.
    """
    day_of = _days(trails.values(), tz)
    found: dict[tuple[str, int], list[tuple[str, LanePass]]] = defaultdict(list)
    for vehicle, trail in trails.items():
        track = trail.on(graph.plane)
        for part in _parts(track):
            for one in prove(part, graph, calibration, gap_s=gap_s).passes:
                found[day_of(one.start_s), one.lane].append((vehicle, one))
    by_id = {segment.id: segment for segment in segments}
    reports = []
    for (day, lane), passes in sorted(found.items()):
        told = _report(
            day, by_id[graph.ids[lane]], float(graph.length_m[lane]), passes, calibration
        )
        if told.state != "not_visited":
            reports.append(told)
    return reports


def _report(
    day: str,
    segment: LaneSegment,
    length_m: float,
    passes: Sequence[tuple[str, LanePass]],
    calibration: Calibration,
) -> LaneReport:
    judgement = judge([one for _, one in passes], length_m, calibration)
    seen = [(v, one) for v, one in passes if one.driven_m] or list(passes)
    served = [(v, one) for v, one in seen if one.served_m]
    telling = served if served and judgement.state in ("served", "partly") else seen
    forward = {one.forward for _, one in telling}
    return LaneReport(
        day=day,
        lane=segment.id,
        way=segment.way,
        from_node=segment.from_node,
        to_node=segment.to_node,
        length_m=round(segment.length_m, 1),
        state=judgement.state,
        reason=judgement.reason,
        served_fraction=judgement.served_fraction,
        driven_fraction=judgement.driven_fraction,
        p_served=judgement.p_served,
        first_t=_iso(min(one.start_s for _, one in telling)),
        last_t=_iso(max(one.end_s for _, one in telling)),
        direction="both" if len(forward) == 2 else "forward" if True in forward else "backward",
        vehicles=sorted({v for v, _ in telling}),
        gap=any(one.gap for _, one in passes),
    )


def _parts(track: Track) -> Iterable[Track]:
    """A track cut where the unit slept for a night: what it did meanwhile is not asked."""
    cuts = np.flatnonzero(np.diff(track.t_s) >= NIGHT_S) + 1
    bounds = [0, *cuts.tolist(), len(track.t_s)]
    for start, stop in pairwise(bounds):
        s = slice(start, stop)
        yield Track(track.t_s[s], track.x[s], track.y[s], track.speed_mps[s], track.course_deg[s])


def _days(trails: Iterable[Trail], tz: tzinfo | None) -> Callable[[float], str]:
    """The day of an instant."""
    if tz is not None:
        return lambda t_s: datetime.fromtimestamp(t_s, UTC).astimezone(tz).date().isoformat()
    times: Floats = np.sort(np.concatenate([trail.t_s for trail in trails]))
    starts = times[np.r_[True, np.diff(times) >= NIGHT_S]]

    def day_of(t_s: float) -> str:
        start = starts[max(0, int(np.searchsorted(starts, t_s, "right")) - 1)]
        return datetime.fromtimestamp(float(start), UTC).date().isoformat()

    return day_of


def _iso(t_s: float) -> str:
    return iso(datetime.fromtimestamp(round(t_s), UTC))
