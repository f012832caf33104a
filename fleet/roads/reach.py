"""Which lanes a vehicle class can get to and come back from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from fleet.roads.lanes import LaneSegment
from fleet.roads.profile import VehicleProfile


def reachable(lanes: Iterable[LaneSegment], profile: VehicleProfile) -> frozenset[str]:
    """Ids of the lanes that the class may enter and that hang together both ways.

    That is the largest set of junctions of which each can be driven to from each (by length of
    its lanes); what lies outside is an island, a one-way street out of the map, or shut off by
    lanes that are too narrow.
    """
    open_lanes = [lane for lane in lanes if profile.may_enter(lane)]
    group = _strong_groups(open_lanes)
    length_m: dict[int, float] = defaultdict(float)
    for lane in open_lanes:
        if group[lane.from_node] == group[lane.to_node]:
            length_m[group[lane.from_node]] += lane.length_m
    if not length_m:
        return frozenset()
    largest = max(length_m, key=lambda g: (length_m[g], -g))
    return frozenset(
        lane.id
        for lane in open_lanes
        if group[lane.from_node] == largest and group[lane.to_node] == largest
    )


def _strong_groups(lanes: Iterable[LaneSegment]) -> dict[int, int]:
    """Strongly connected components of the junctions (Kosaraju, without recursion)."""
    ahead: dict[int, list[int]] = defaultdict(list)
    behind: dict[int, list[int]] = defaultdict(list)
    nodes: dict[int, None] = {}
    for lane in lanes:
        nodes[lane.from_node] = nodes[lane.to_node] = None
        ahead[lane.from_node].append(lane.to_node)
        behind[lane.to_node].append(lane.from_node)
        if not lane.oneway:
            ahead[lane.to_node].append(lane.from_node)
            behind[lane.from_node].append(lane.to_node)
    group: dict[int, int] = {}
    for number, root in enumerate(reversed(_finishing_order(nodes, ahead))):
        stack = [root]
        while stack:
            node = stack.pop()
            if node not in group:
                group[node] = number
                stack.extend(n for n in behind[node] if n not in group)
    return group


def _finishing_order(nodes: Iterable[int], ahead: Mapping[int, list[int]]) -> list[int]:
    order: list[int] = []
    seen: set[int] = set()
    for root in nodes:
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(ahead[root]))]
        while stack:
            node, rest = stack[-1]
            following = next((n for n in rest if n not in seen), None)
            if following is None:
                order.append(node)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(ahead[following])))
    return order
