"""Reads of what the city has. Only what is in use now, unless said otherwise."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, radians
from typing import Any
from zoneinfo import ZoneInfo

from shapely.geometry import Point, shape
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from fleet.kit.errors import NotFound
from fleet.kit.geo import METRES_PER_DEGREE
from fleet.org.models import (
    Beat,
    Bin,
    City,
    Lane,
    Place,
    SearchName,
    Shift,
    Vehicle,
    VehicleClass,
    Ward,
    Zone,
)
from fleet.org.names import fold
from fleet.org.policy import Policy


def city(session: Session) -> City:
    """The city.

    Raises:
        NotFound: nothing was imported yet.
    """
    found = session.get(City, 1)
    if found is None:
        raise NotFound(
            "No city has been imported.", remedy="Run `safai city import DIR`, or `safai demo`."
        )
    return found


def city_zone(session: Session) -> ZoneInfo:
    """The city's time zone. Raises `NotFound` before an import."""
    return ZoneInfo(city(session).tz)


def policy(session: Session) -> Policy:
    """The city's policy; all defaults before a city was imported."""
    found = session.get(City, 1)
    return Policy() if found is None else Policy.model_validate(found.policy, strict=False)


def zones(session: Session) -> Sequence[Zone]:
    return session.scalars(select(Zone).where(Zone.active).order_by(Zone.id)).all()


def wards(session: Session, *, zones: Collection[str] | None = None) -> Sequence[Ward]:
    """Wards, of some zones (None: all)."""
    statement = select(Ward).where(Ward.active).order_by(Ward.id)
    if zones is not None:
        statement = statement.where(Ward.zone_id.in_(zones))
    return session.scalars(statement).all()


def lanes(session: Session, *, wards: Collection[str] | None = None) -> Sequence[Lane]:
    """Lanes in service, of some wards (None: all). For whole cities see `lane_rows`."""
    statement = select(Lane).where(Lane.active).order_by(Lane.id)
    if wards is not None:
        statement = statement.where(Lane.ward_id.in_(wards))
    return session.scalars(statement).all()


def lane(session: Session, lane_id: str) -> Lane:
    """One lane, also when it is no longer in service.

    Raises:
        NotFound: never known.
    """
    found = session.get(Lane, lane_id)
    if found is None:
        raise NotFound(f"No lane {lane_id}.", remedy="Take the id from /api/lanes.")
    return found


@dataclass(frozen=True, slots=True)
class LaneRow:
    """The columns of a lane that matching and maps need, without an ORM identity."""

    id: str
    ward_id: str
    name: str
    length_m: float
    oneway: bool
    service_mode: str
    lon: float
    lat: float
    geometry: list[list[float]]


def lane_rows(session: Session, *, wards: Collection[str] | None = None) -> list[LaneRow]:
    """Lanes in service as light values: 40,000 in under a second."""
    statement = (
        select(
            Lane.id,
            Lane.ward_id,
            Lane.name,
            Lane.length_m,
            Lane.oneway,
            Lane.service_mode,
            Lane.lon,
            Lane.lat,
            Lane.geometry,
        )
        .where(Lane.active)
        .order_by(Lane.id)
    )
    if wards is not None:
        statement = statement.where(Lane.ward_id.in_(wards))
    return [LaneRow(*row) for row in session.execute(statement)]


def bins(session: Session, *, wards: Collection[str] | None = None) -> Sequence[Bin]:
    statement = select(Bin).where(Bin.active).order_by(Bin.id)
    if wards is not None:
        statement = statement.where(Bin.ward_id.in_(wards))
    return session.scalars(statement).all()


def places(session: Session, kind: str | None = None) -> Sequence[Place]:
    """Depots, transfer stations and plants, or one kind of them."""
    statement = select(Place).where(Place.active).order_by(Place.id)
    if kind is not None:
        statement = statement.where(Place.kind == kind)
    return session.scalars(statement).all()


def vehicle_classes(session: Session) -> Sequence[VehicleClass]:
    return session.scalars(
        select(VehicleClass).where(VehicleClass.active).order_by(VehicleClass.id)
    ).all()


def vehicles(session: Session) -> Sequence[Vehicle]:
    return session.scalars(select(Vehicle).where(Vehicle.active).order_by(Vehicle.id)).all()


def shifts(session: Session) -> Sequence[Shift]:
    return session.scalars(
        select(Shift).where(Shift.active).order_by(Shift.vehicle_id, Shift.start_s)
    ).all()


def beats(session: Session) -> Sequence[Beat]:
    return session.scalars(select(Beat).where(Beat.active).order_by(Beat.id)).all()


def ward_of(session: Session, lon: float, lat: float) -> Ward | None:
    """The ward that contains a point, its border included; the first by id where two touch."""
    candidates = session.scalars(
        select(Ward)
        .where(
            Ward.active, Ward.west <= lon, Ward.east >= lon, Ward.south <= lat, Ward.north >= lat
        )
        .order_by(Ward.id)
    )
    point = Point(lon, lat)
    return next((ward for ward in candidates if shape(ward.geometry).covers(point)), None)


def nearest_lane(
    session: Session, lon: float, lat: float, within_m: float
) -> tuple[Lane, float] | None:
    """The lane nearest to a point and its distance in metres, within `within_m`."""
    dlat = within_m / METRES_PER_DEGREE
    dlon = dlat / max(cos(radians(lat)), 0.01)
    candidates = session.execute(
        select(Lane.id, Lane.geometry)
        .where(
            Lane.active,
            Lane.south <= lat + dlat,
            Lane.north >= lat - dlat,
            Lane.west <= lon + dlon,
            Lane.east >= lon - dlon,
        )
        .order_by(Lane.id)
    )
    best: tuple[float, str] | None = None
    for lane_id, geometry in candidates:
        distance_m = _distance_m(lon, lat, geometry)
        if distance_m <= within_m and (best is None or distance_m < best[0]):
            best = distance_m, lane_id
    return None if best is None else (session.get_one(Lane, best[1]), best[0])


def search(session: Session, q: str, limit: int = 8) -> list[dict[str, Any]]:
    """Streets, landmarks and wards by name, in English or Hindi, with or without diacritics.

    A name that starts with the words comes before one with a word that does, and that before one
    that only contains them; shorter names first.
    """
    wanted = fold(q)
    if not wanted:
        return []
    key = SearchName.key
    rank = case(
        (key.startswith(wanted, autoescape=True), 0),
        (key.contains("|" + wanted, autoescape=True), 0),
        (key.contains(" " + wanted, autoescape=True), 1),
        else_=2,
    )
    found = session.scalars(
        select(SearchName)
        .where(key.contains(wanted, autoescape=True))
        .order_by(rank, SearchName.weight, SearchName.name, SearchName.id)
        .limit(limit)
    )
    return [
        {
            "name": row.name,
            "name_hi": row.name_hi,
            "kind": row.kind,
            "lon": row.lon,
            "lat": row.lat,
            "ward_id": row.ward_id,
        }
        for row in found
    ]


def _distance_m(lon: float, lat: float, geometry: list[list[float]]) -> float:
    """Distance from a point to a polyline on a plane that touches the earth at the point."""
    east_m, north_m = METRES_PER_DEGREE * cos(radians(lat)), METRES_PER_DEGREE
    points = [((x - lon) * east_m, (y - lat) * north_m) for x, y in geometry]
    if len(points) == 1:
        return hypot(*points[0])
    return min(_from_origin(a, b) for a, b in pairwise(points))


def _from_origin(a: tuple[float, float], b: tuple[float, float]) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length_2 = dx * dx + dy * dy
    along = 0.0 if length_2 == 0 else min(1.0, max(0.0, -(a[0] * dx + a[1] * dy) / length_2))
    return hypot(a[0] + along * dx, a[1] + along * dy)
