"""How many premises stand along each lane: from a list, or estimated from population."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from fleet.org.cityfiles.premises import PremiseRow
from fleet.org.derive.plane import Plane
from fleet.org.policy import Policy
from fleet.roads.lanes import LaneSegment

FRONTAGE: Final[Mapping[str, float]] = {
    "living_street": 1.2,
    "residential": 1.0,
    "pedestrian": 1.0,
    "unclassified": 0.7,
    "road": 0.7,
    "tertiary": 0.5,
    "service": 0.4,
    "secondary": 0.35,
    "primary": 0.2,
}
"""Assumed premises per metre of a street class, against a residential street's; others 0."""
NO_FRONTAGE_SERVICE: Final = frozenset({"driveway", "parking_aisle", "drive-through", "emergency"})


@dataclass(frozen=True, slots=True)
class Premises:
    households: int = 0
    shops: int = 0
    institutions: int = 0
    bulk: int = 0


def frontage(lane: LaneSegment) -> float:
    """Relative number of premises that a lane would have: its length, weighed by its class."""
    if lane.service in NO_FRONTAGE_SERVICE:
        return 0.0
    weight = 1.0 if lane.service == "alley" else FRONTAGE.get(lane.highway, 0.0)
    return weight * lane.length_m


def snapped(
    premises: Sequence[PremiseRow],
    lanes: Sequence[LaneSegment],
    lines: Sequence[BaseGeometry],
    plane: Plane,
    within_m: float,
) -> tuple[list[Premises], list[PremiseRow]]:
    """Premises of each lane, and those that stand too far from every lane.

    A premise belongs to the nearest lane that has frontage, else to the nearest of any class: who
    lives beside a trunk road usually opens to the street behind.
    """
    counts: list[Counter[str]] = [Counter() for _ in lanes]
    left = list(premises)
    fronts = [i for i, lane in enumerate(lanes) if frontage(lane) > 0]
    for candidates in (fronts, range(len(lanes))):
        if not left or not len(candidates):
            continue
        tree = STRtree([lines[i] for i in candidates])
        points = shapely.points(plane.xy([(p.lon, p.lat) for p in left]))
        pairs = tree.query_nearest(points, max_distance=within_m, all_matches=False)
        for premise, lane in pairs.T.tolist():
            counts[candidates[lane]][left[premise].kind] += left[premise].count
        taken = set(pairs[0].tolist())
        left = [premise for i, premise in enumerate(left) if i not in taken]
    return [Premises(c["household"], c["shop"], c["institution"], c["bulk"]) for c in counts], left


def estimated(
    lanes: Sequence[LaneSegment],
    wards: Sequence[int],
    populations: Sequence[int | None],
    policy: Policy,
) -> list[Premises]:
    """Premises of each lane, spread over its ward by frontage.

    Args:
        wards: ward index of each lane.
        populations: of each ward; None: `policy.households_per_km` of frontage.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for i, ward in enumerate(wards):
        members[ward].append(i)
    spread = [Premises()] * len(lanes)
    for ward, indices in members.items():
        shares = [frontage(lanes[i]) for i in indices]
        population = populations[ward]
        if population is None:
            households = round(sum(shares) / 1000 * policy.households_per_km)
        else:
            households = round(population / policy.persons_per_household)
        homes = whole_shares(households, shares)
        shops = whole_shares(round(households * policy.shops_per_household), shares)
        for i, home, shop in zip(indices, homes, shops, strict=True):
            spread[i] = Premises(households=home, shops=shop)
    return spread


def whole_shares(total: int, weights: Sequence[float]) -> list[int]:
    """`total` split into whole numbers by weight, by largest remainder; they add up to it.

    >>> whole_shares(10, [1.0, 1.0, 1.0])
    [4, 3, 3]
    >>> whole_shares(5, [0.0, 0.0])
    [0, 0]
    """
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    exact = [total * weight / whole for weight in weights]
    shares = [floor(part) for part in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares
