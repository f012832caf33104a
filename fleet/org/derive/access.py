"""How each lane is served: entered, from its mouth, from a gate, or on foot from a feeder point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from fleet.org.derive.plane import Plane
from fleet.org.derive.walking import walks
from fleet.org.policy import Policy
from fleet.roads.lanes import LaneSegment
from fleet.roads.profile import VehicleProfile
from fleet.roads.reach import reachable

type ServiceMode = Literal["enter", "mouth", "feeder", "gate"]
MODES: Final[tuple[ServiceMode, ...]] = ("enter", "mouth", "feeder", "gate")


@dataclass(frozen=True, slots=True)
class Access:
    """How a lane is served. `stand` is where the vehicle waits; None when it enters."""

    mode: ServiceMode
    profiles: tuple[str, ...] = ()
    """Vehicle classes that fit, and get there and back."""
    stand: tuple[float, float] | None = None
    stand_lane: str | None = None
    stand_profiles: tuple[str, ...] = ()
    walk_m: float = 0.0


def accesses(
    lanes: Sequence[LaneSegment],
    lines: Sequence[BaseGeometry],
    profiles: Sequence[VehicleProfile],
    policy: Policy,
    plane: Plane,
    *,
    preferred: Collection[str] = (),
    overrides: Mapping[str, ServiceMode] | None = None,
) -> list[Access]:
    """The access of each lane of a whole network.

    Args:
        lines: the lanes in metres.
        preferred: lanes (those of the city) on which a vehicle rather stands.
        overrides: mode by lane id, where somebody knows better; `enter` only where a class fits.
    """
    reaching = _reaching(lanes, profiles)
    overrides = overrides or {}
    ends = _ends(lanes)
    modes = [
        _mode(lane, fits, policy, overrides.get(lane.id))
        for lane, fits in zip(lanes, reaching, strict=True)
    ]
    driven = [i for i, mode in enumerate(modes) if mode == "enter"]
    at_node: dict[int, list[int]] = defaultdict(list)
    for i in driven:
        at_node[lanes[i].from_node].append(i)
        at_node[lanes[i].to_node].append(i)
    on_foot = walks(
        at_node.keys(), [lane for lane, m in zip(lanes, modes, strict=True) if m != "enter"]
    )
    tree = STRtree([lines[i] for i in driven])

    def standing(i: int) -> Access:
        lane, mode = lanes[i], modes[i]
        reached = [on_foot[n] for n in (lane.from_node, lane.to_node) if n in on_foot]
        if reached:
            walk = min(reached, key=lambda w: (w.metres, w.node))
            beside = at_node[walk.node]
            stand, walk_m = ends[walk.node], walk.metres
        elif driven:
            [nearest] = tree.query_nearest(lines[i], all_matches=False).tolist()
            beside = [driven[nearest]]
            street = lines[beside[0]]
            point = street.interpolate(street.project(lines[i].interpolate(0.5, normalized=True)))
            stand, walk_m = plane.lonlat(point.x, point.y), point.distance(lines[i])
        else:
            return Access(mode)
        host = min(
            beside, key=lambda j: (lanes[j].id not in preferred, -len(reaching[j]), lanes[j].id)
        )
        classes = sorted({profile for j in beside for profile in reaching[j]})
        return Access(mode, reaching[i], stand, lanes[host].id, tuple(classes), round(walk_m, 1))

    return [
        Access("enter", reaching[i], stand_profiles=reaching[i])
        if modes[i] == "enter"
        else standing(i)
        for i in range(len(lanes))
    ]


def _reaching(
    lanes: Sequence[LaneSegment], profiles: Sequence[VehicleProfile]
) -> list[tuple[str, ...]]:
    reached = {p.id: reachable(lanes, p) for p in sorted(profiles, key=lambda p: p.id)}
    return [tuple(id for id, ids in reached.items() if lane.id in ids) for lane in lanes]


def _mode(
    lane: LaneSegment, fits: tuple[str, ...], policy: Policy, override: ServiceMode | None
) -> ServiceMode:
    if not fits:
        return override if override in ("mouth", "gate") else "feeder"
    if override is not None:
        return override
    if lane.private:
        return "gate"
    tight = lane.width_m < policy.turning_width_m and lane.length_m <= policy.mouth_length_m
    return "mouth" if lane.dead_end and tight else "enter"


def _ends(lanes: Sequence[LaneSegment]) -> dict[int, tuple[float, float]]:
    return {
        node: point
        for lane in lanes
        for node, point in (
            (lane.from_node, lane.geometry[0]),
            (lane.to_node, lane.geometry[-1]),
        )
    }
