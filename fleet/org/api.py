"""The city over HTTP: what everybody may know of it, its lanes, its map."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel

from fleet.kit.errors import NotFound
from fleet.kit.i18n import t
from fleet.kit.settings import ClockMode
from fleet.kit.times import iso, service_date_of
from fleet.kit.web import KitDep, Now, Reading
from fleet.org import queries
from fleet.org.geojson import lane_collection, place_collection, ward_collection
from fleet.org.importer import BASEMAP
from fleet.people import CurrentScope, lang_of

router = APIRouter(tags=["city"])

LOCATE_WITHIN_M = 150.0
"""A place further than this from every lane belongs to none."""
_BASEMAP_URL = "/tiles/streets.pmtiles"

Lon = Annotated[float, Query(ge=-180, le=180, description="Longitude, WGS 84.")]
Lat = Annotated[float, Query(ge=-90, le=90, description="Latitude, WGS 84.")]


class GeoJson(Response):
    media_type = "application/geo+json"


_FEATURES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/geo+json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "type": {"const": "FeatureCollection"},
                        "features": {"type": "array", "items": {"type": "object"}},
                    },
                    "required": ["type", "features"],
                }
            }
        }
    }
}


class CityClock(BaseModel):
    now: str
    mode: ClockMode
    rate: float
    """City seconds a second; 0: it stands and is moved by steps."""


class CityView(BaseModel):
    name: str
    name_hi: str
    tz: str
    lang: str
    bbox: list[float]
    center: list[float]
    service_date: str
    clock: CityClock
    basemap: str
    estimated: list[str]
    categories: list[dict[str, Any]]
    vapid: str | None


class Found(BaseModel):
    name: str
    name_hi: str
    kind: Literal["street", "landmark", "ward"]
    lon: float
    lat: float
    ward_id: str | None


class Located(BaseModel):
    ward_id: str
    ward_name: str
    ward_name_hi: str
    lane_id: str | None
    lane_name: str | None
    lane_name_hi: str | None
    distance_m: float | None


@router.get("/api/city", summary="The city, its clock, and the categories of requests")
def read_city(request: Request, kit: KitDep, session: Reading, now: Now) -> CityView:
    city = queries.city(session)
    settings = kit.settings
    rates = {ClockMode.WALL: 1.0, ClockMode.SCALED: settings.clock_rate, ClockMode.STEPPED: 0.0}
    west, south, east, north = city.bbox
    return CityView(
        name=city.name,
        name_hi=city.name_hi,
        tz=city.tz,
        lang=city.lang,
        bbox=city.bbox,
        center=[round((west + east) / 2, 6), round((south + north) / 2, 6)],
        service_date=service_date_of(now, city.zone).isoformat(),
        clock=CityClock(now=iso(now), mode=settings.clock, rate=rates[settings.clock]),
        basemap=_BASEMAP_URL,
        estimated=city.estimated,
        categories=getattr(request.app.state, "categories", []),
        vapid=None,
    )


@router.get("/api/wards", summary="Wards as GeoJSON", response_class=GeoJson, responses=_FEATURES)
def read_wards(session: Reading) -> Response:
    return _geojson(ward_collection(queries.wards(session)))


@router.get(
    "/api/places",
    summary="Depots, transfer stations and plants as GeoJSON",
    response_class=GeoJson,
    responses=_FEATURES,
)
def read_places(session: Reading) -> Response:
    return _geojson(place_collection(queries.places(session)))


@router.get("/api/search", summary="Streets, landmarks and wards by name")
def search(
    session: Reading,
    q: Annotated[str, Query(max_length=100, description="Words in English or Hindi.")],
    limit: Annotated[int, Query(ge=1, le=50)] = 8,
) -> list[Found]:
    return [Found(**row) for row in queries.search(session, q, limit)]


@router.get("/api/locate", summary="Ward and lane of a place")
def locate(request: Request, session: Reading, lon: Lon, lat: Lat) -> Located:
    ward = queries.ward_of(session, lon, lat)
    if ward is None:
        lang = lang_of(request)
        raise NotFound(
            t(lang, "org.outside"),
            type="outside-the-city",
            field="lon",
            remedy=t(lang, "org.outside_remedy"),
        )
    nearest = queries.nearest_lane(session, lon, lat, LOCATE_WITHIN_M)
    lane, distance_m = nearest or (None, None)
    return Located(
        ward_id=ward.id,
        ward_name=ward.name,
        ward_name_hi=ward.name_hi,
        lane_id=lane.id if lane else None,
        lane_name=lane.name if lane else None,
        lane_name_hi=lane.name_hi if lane else None,
        distance_m=None if distance_m is None else round(distance_m, 1),
    )


@router.get(
    "/api/lanes",
    summary="Lanes as GeoJSON, of one ward or of all that the caller sees",
    response_class=GeoJson,
    responses=_FEATURES,
)
def read_lanes(
    session: Reading, scope: CurrentScope, ward: Annotated[str | None, Query()] = None
) -> Response:
    seen = queries.wards(session, zones=scope.zones)
    chosen = [w.id for w in seen if ward in (None, w.id)]
    if ward is not None and not chosen:
        raise NotFound(f"No ward {ward}.", field="ward", remedy="Take an id of /api/wards.")
    wards = None if ward is None and scope.zones is None else chosen
    return _geojson(lane_collection(session, wards, scope.lang))


@router.get(_BASEMAP_URL, summary="The street map, by ranges", include_in_schema=False)
def read_basemap(request: Request, kit: KitDep) -> Response:
    path = kit.settings.city_dir / BASEMAP
    if not path.is_file():
        raise NotFound("There is no map yet.", remedy="Run `safai city import DIR`.")
    stat = path.stat()
    tag = md5(f"{stat.st_mtime_ns}-{stat.st_size}".encode(), usedforsecurity=False).hexdigest()
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return FileResponse(
        path, headers=headers, stat_result=stat, media_type="application/vnd.pmtiles"
    )


def _geojson(features: Sequence[dict[str, Any]]) -> Response:
    body = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    return GeoJson(body)
