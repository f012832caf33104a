"""Geofences as administrators keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shapely.errors import GEOSException
from shapely.geometry import Polygon
from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.errors import Conflict, Malformed, NotFound
from fleet.kit.i18n import t
from fleet.kit.ids import new_id
from fleet.org.models import Vehicle
from tracking.alarms import service
from tracking.alarms.models import Alarm, FenceKind, Geofence

WANTED = {
    FenceKind.CIRCLE: "Point",
    FenceKind.POLYGON: "Polygon",
    FenceKind.CORRIDOR: "LineString",
}


def geofences(session: Session) -> Sequence[Geofence]:
    """All of them, by name."""
    return session.scalars(select(Geofence).order_by(Geofence.name, Geofence.id)).all()


def geofence(session: Session, fence_id: str, lang: str) -> Geofence:
    """One of them.

    Raises:
        NotFound: there is none.
    """
    found = session.get(Geofence, fence_id)
    if found is None:
        raise NotFound(
            t(lang, "alarms.no_geofence", id=fence_id),
            field="id",
            remedy=t(lang, "alarms.no_geofence_remedy"),
        )
    return found


def draw(
    session: Session,
    fence_id: str | None,
    *,
    name: str,
    kind: FenceKind,
    geometry: Mapping[str, Any],
    radius_m: float,
    dwell_s: float,
    rules: Mapping[str, Any],
    now: datetime,
    lang: str,
    version: int | None = None,
) -> Geofence:
    """A new geofence, or (`fence_id`) another shape and other rules for one.

    Raises:
        NotFound: no such geofence.
        Malformed: the geometry is not what the kind needs, or a vehicle is not known.
        Conflict: `version` is not the present one: somebody else was faster.
    """
    _check(session, kind, geometry, radius_m, rules, lang)
    if fence_id is None:
        row = Geofence(id=new_id("gfc"))
        session.add(row)
    else:
        row = geofence(session, fence_id, lang)
        if version is not None and version != row.version:
            raise Conflict(t(lang, "kit.changed"), remedy=t(lang, "kit.changed_remedy"))
        _let_go(session, fence_id, now)
    row.name, row.kind, row.geometry = name, kind, dict(geometry)
    row.radius_m = 0.0 if kind is FenceKind.POLYGON else radius_m
    row.dwell_s, row.rules, row.changed_t = dwell_s, dict(rules), now
    session.flush()
    return row


def erase(session: Session, fence_id: str, *, now: datetime, lang: str) -> None:
    """Takes a geofence away; what it raised is cleared.

    Raises:
        NotFound: no such geofence.
    """
    row = geofence(session, fence_id, lang)
    _let_go(session, fence_id, now)
    session.delete(row)
    session.flush()


def _let_go(session: Session, fence_id: str, now: datetime) -> None:
    """Alarms of an outline that is no longer so."""
    keys = session.scalars(
        select(Alarm.key).where(Alarm.kind == "geofence", Alarm.place_id == fence_id, Alarm.holding)
    )
    for key in keys.all():
        service.clear(session, key, now)


def _check(
    session: Session,
    kind: FenceKind,
    geometry: Mapping[str, Any],
    radius_m: float,
    rules: Mapping[str, Any],
    lang: str,
) -> None:
    wanted = WANTED[kind]
    if geometry.get("type") != wanted or not _are_degrees(kind, geometry.get("coordinates")):
        raise Malformed(
            t(lang, "alarms.geofence_shape", kind=kind, wanted=wanted),
            field="geometry",
            remedy=t(lang, "alarms.geofence_shape_remedy"),
        )
    if kind is not FenceKind.POLYGON and radius_m <= 0:
        raise Malformed(
            t(lang, "alarms.geofence_radius", kind=kind),
            field="radius_m",
            remedy=t(lang, "alarms.geofence_radius_remedy"),
        )
    if kind is FenceKind.POLYGON and not _encloses(geometry["coordinates"]):
        raise Malformed(
            t(lang, "alarms.geofence_crossing"),
            field="geometry",
            remedy=t(lang, "alarms.geofence_crossing_remedy"),
        )
    for vehicle_id in rules.get("vehicles") or ():
        if session.get(Vehicle, vehicle_id) is None:
            raise Malformed(
                t(lang, "alarms.geofence_vehicle", id=vehicle_id),
                field="rules",
                remedy=t(lang, "alarms.geofence_vehicle_remedy"),
            )


def _are_degrees(kind: FenceKind, at: Any) -> bool:
    if kind is FenceKind.CIRCLE:
        return _is_position(at)
    if kind is FenceKind.CORRIDOR:
        return isinstance(at, list) and len(at) >= 2 and all(map(_is_position, at))
    return (
        isinstance(at, list)
        and bool(at)
        and all(isinstance(ring, list) and len(ring) >= 4 for ring in at)
        and all(_is_position(point) for ring in at for point in ring)
    )


def _is_position(at: Any) -> bool:
    return (
        isinstance(at, list)
        and len(at) == 2
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in at)
        and -180 <= at[0] <= 180
        and -90 <= at[1] <= 90
    )


def _encloses(rings: list[Any]) -> bool:
    try:
        shape = Polygon(rings[0], rings[1:])
    except (GEOSException, ValueError):
        return False
    return bool(shape.is_valid and shape.area > 0)
