"""What stands in for files that a folder lacks, so that a bare street network can be tried.

Everything here is made up from the network alone, is the same each time, and is marked as
estimated where people see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from fleet.org.cityfiles.classes import ClassRow
from fleet.org.cityfiles.fleet import Chamber, VehicleRow
from fleet.org.cityfiles.places import PlaceRow
from fleet.org.cityfiles.wards import WardRow
from fleet.org.derive.demand import frontage
from fleet.org.derive.plane import Plane
from fleet.org.policy import STREAMS, Policy
from fleet.roads.lanes import LaneSegment

CLASSES: Final = (ClassRow("tipper", 1.6, {}, 0.9, "cng", None),)
CHAMBERS: Final = (
    Chamber(("wet",), 350.0, 0.9),
    Chamber(("dry", "sanitary", "special"), 250.0, 2.2),
)
LOADS_A_SHIFT: Final = 2.5
"""Trips of a two-chamber tipper in a shift, as reported from Indian cities."""
_MARGIN: Final = 1e-4
WARDS_A_ZONE: Final = 5


def grid_wards(
    lanes: Sequence[LaneSegment], bbox: tuple[float, float, float, float], count: int
) -> list[WardRow]:
    """`count` rectangles that share out the network's bounding box, with equal street length.

    Raises:
        ValueError: fewer streets than wards.
    """
    if not 0 < count <= len(lanes):
        raise ValueError(f"Expected from 1 to {len(lanes)} wards, got {count}.")
    middles = _middles(lanes)
    lengths = np.array([lane.length_m for lane in lanes])
    west, south, east, north = bbox
    box = (west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN)
    cells = _split(middles, lengths, box, count)
    return [
        WardRow(
            id=f"{number:02d}",
            zone_id=str((number - 1) // WARDS_A_ZONE + 1),
            name=f"Ward {number}",
            name_hi=f"वार्ड {number}",
            population=None,
            geometry=shapely.box(*cell),
            row=0,
        )
        for number, cell in enumerate(cells, start=1)
    ]


def places(lanes: Sequence[LaneSegment], plane: Plane) -> list[PlaceRow]:
    """A depot near the middle of the streets that vehicles reach, and a station at their edge."""
    middles = plane.xy(_middles(lanes))
    centre = np.median(middles, axis=0)
    away = np.hypot(*(middles - centre).T)
    depot, station = int(np.argmin(away)), int(np.argmax(away))
    return [
        _place("depot", "depot", "Depot", "डिपो", lanes[depot], ()),
        _place(
            "station",
            "transfer_station",
            "Transfer station",
            "ट्रांसफर स्टेशन",
            lanes[station],
            STREAMS,
        ),
    ]


def vehicles(
    kg_day: float, class_id: str, depot_id: str, policy: Policy, *, at_least: int
) -> list[VehicleRow]:
    """As many tippers as the city's waste fills, one in ten of them more as spares."""
    limits = [sum(policy.stream_share[s] for s in c.streams) * kg_day / c.kg for c in CHAMBERS] + [
        sum(policy.stream_share[s] * kg_day / policy.density_kg_m3[s] for s in c.streams) / c.m3
        for c in CHAMBERS
    ]
    working = max(at_least, ceil(max(limits) / LOADS_A_SHIFT))
    spare = ceil(working / 10)
    return [
        VehicleRow(f"T{i:03d}", class_id, depot_id, "", i > working, CHAMBERS, 0)
        for i in range(1, working + spare + 1)
    ]


def street_households(lanes: Sequence[LaneSegment], policy: Policy) -> float:
    """Households that the whole network would have, for sizing a fleet."""
    return sum(map(frontage, lanes)) / 1000 * policy.households_per_km


def _middles(lanes: Sequence[LaneSegment]) -> npt.NDArray[np.float64]:
    lines = [shapely.LineString(lane.geometry) for lane in lanes]
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    return np.asarray(shapely.get_coordinates(middles), dtype=np.float64)


def _split(
    points: npt.NDArray[np.float64],
    lengths: npt.NDArray[np.float64],
    box: tuple[float, float, float, float],
    count: int,
) -> list[tuple[float, float, float, float]]:
    if count == 1:
        return [box]
    west, south, east, north = box
    spans = (east - west) * np.cos(np.radians((south + north) / 2)), north - south
    axis = 0 if spans[0] >= spans[1] else 1
    order = np.argsort(points[:, axis], kind="stable")
    first = count // 2
    wanted = lengths.sum() * first / count
    along, so_far = points[order, axis], np.cumsum(lengths[order])
    cuts = np.arange(first, len(points) - (count - first) + 1)
    # A cut runs between two streets, never along the middles of several.
    clear = cuts[along[cuts] - along[cuts - 1] > _MARGIN / 10]
    cuts = clear if len(clear) else cuts
    after = int(cuts[np.argmin(np.abs(so_far[cuts - 1] - wanted))])
    cut = float(along[after - 1 : after + 1].mean())
    a, b = (
        ((west, south, cut, north), (cut, south, east, north))
        if axis == 0
        else ((west, south, east, cut), (west, cut, east, north))
    )
    low, high = order[:after], order[after:]
    return [
        *_split(points[low], lengths[low], a, first),
        *_split(points[high], lengths[high], b, count - first),
    ]


def _place(
    id: str, kind: str, name: str, name_hi: str, lane: LaneSegment, streams: tuple[str, ...]
) -> PlaceRow:
    lon, lat = lane.geometry[len(lane.geometry) // 2]
    return PlaceRow(id, kind, name, name_hi, lon, lat, None, streams, 0)
