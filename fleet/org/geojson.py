"""GeoJSON features of wards, places and lanes; positions with six decimals (0.1 m)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from fleet.org.models import Lane, Place, Ward
from fleet.org.texts import on_foot_text

DECIMALS = 6
type Feature = dict[str, Any]


def ward_collection(wards: Iterable[Ward]) -> list[Feature]:
    return [
        _feature(
            {
                "type": ward.geometry["type"],
                "coordinates": _rounded(ward.geometry["coordinates"]),
            },
            {
                "id": ward.id,
                "ward_id": ward.id,
                "zone_id": ward.zone_id,
                "name": ward.name,
                "name_hi": ward.name_hi,
                "population": ward.population,
                "lon": round(ward.lon, DECIMALS),
                "lat": round(ward.lat, DECIMALS),
            },
        )
        for ward in wards
    ]


def place_collection(places: Iterable[Place]) -> list[Feature]:
    return [
        _feature(
            {"type": "Point", "coordinates": _rounded([place.lon, place.lat])},
            {
                "id": place.id,
                "kind": place.kind,
                "name": place.name,
                "name_hi": place.name_hi,
                "streams": place.streams,
            },
        )
        for place in places
    ]


def lane_collection(session: Session, wards: Collection[str] | None, lang: str) -> list[Feature]:
    """Lanes in service of some wards (None: all), in the order of their ids."""
    stand = aliased(Lane)
    statement = (
        select(
            Lane.id,
            Lane.name,
            Lane.name_hi,
            Lane.ward_id,
            Lane.highway,
            Lane.length_m,
            Lane.width_m,
            Lane.oneway,
            Lane.service_mode,
            Lane.households,
            Lane.shops,
            Lane.kg_day,
            Lane.estimated,
            Lane.access_m,
            Lane.access_lon,
            stand.name.label("stand_name"),
            stand.name_hi.label("stand_name_hi"),
            Lane.geometry,
        )
        .outerjoin(stand, stand.id == Lane.access_lane_id)
        .where(Lane.active)
        .order_by(Lane.id)
    )
    if wards is not None:
        statement = statement.where(Lane.ward_id.in_(wards))
    return [_lane(row._asdict(), lang) for row in session.execute(statement)]


def _lane(row: dict[str, Any], lang: str) -> Feature:
    line, reached = row.pop("geometry"), row.pop("access_lon") is not None
    name, name_hi, walk_m = row.pop("stand_name"), row.pop("stand_name_hi"), row.pop("access_m")
    row["on_foot"] = on_foot_text(
        row["service_mode"],
        lang,
        street=(name or "") if reached else None,
        street_hi=name_hi,
        walk_m=walk_m,
    )
    return _feature({"type": "LineString", "coordinates": _rounded(line)}, row)


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> Feature:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _rounded(coordinates: Any) -> Any:
    if isinstance(coordinates, float | int):
        return round(coordinates, DECIMALS)
    return [_rounded(part) for part in coordinates]
