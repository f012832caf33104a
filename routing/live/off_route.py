"""How far a vehicle is from the way that its route still has before it."""

from __future__ import annotations

from collections.abc import Sequence

from shapely import MultiPoint, distance
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union
from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.geo import Plane
from routing.models import Visit, VisitStatus
from tracking.fixes.fix import Fix


def remaining_way(session: Session, route_id: str) -> list[list[list[float]]]:
    """Paths of the visits that are still to come, and the ways between them, in degrees.

    The last visit that is over belongs to it: the vehicle comes from there.
    """
    visits = session.scalars(
        select(Visit).where(Visit.route_id == route_id).order_by(Visit.seq)
    ).all()
    first = next((i for i, v in enumerate(visits) if v.status == VisitStatus.PENDING), len(visits))
    lines: list[list[list[float]]] = []
    for visit in visits[max(0, first - 1) :]:
        lines += [visit.approach, visit.path or [[visit.lon, visit.lat]]]
    return [line for line in lines if line]


def off_way_m(fixes: Sequence[Fix], way: Sequence[Sequence[Sequence[float]]]) -> float | None:
    """The least distance in metres of any of the fixes from the way; None: there is no way.

    >>> from tracking.fixes.fix import from_ms
    >>> at = Fix(device_id="d", t=from_ms(0), received_t=from_ms(0), lon=75.86, lat=22.73)
    >>> round(off_way_m([at], [[[75.86, 22.72], [75.87, 22.72]]]))
    1113
    """
    if not way or not fixes:
        return None
    plane = Plane(fixes[0].lon, fixes[0].lat)
    shapes: list[BaseGeometry] = []
    for line in way:
        points = plane.line(line)
        shapes.append(LineString(points) if len(points) > 1 else Point(points[0]))
    return float(
        distance(unary_union(shapes), MultiPoint([plane.to_m(f.lon, f.lat) for f in fixes]))
    )
