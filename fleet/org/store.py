"""Writes a checked city into the tables, within the caller's unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shapely.geometry import mapping
from sqlalchemy import delete, insert, inspect, select, update
from sqlalchemy.orm import Session

from fleet.kit.db import Base, now_of
from fleet.kit.outbox import emit
from fleet.kit.times import iso
from fleet.org.assignments import assign, held, release
from fleet.org.cityfiles.folder import CityFolder
from fleet.org.customs import replace_customs
from fleet.org.derive.city import DerivedCity
from fleet.org.derive.lane import DerivedLane
from fleet.org.derive.lineage import successors
from fleet.org.derive.plane import Plane
from fleet.org.models import (
    Beat,
    Bin,
    City,
    CustomaryTime,
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

TOPIC = "org.city_imported"
DECIMALS = 7
type Row = dict[str, Any]


def write_city(
    session: Session,
    files: CityFolder,
    bbox: tuple[float, float, float, float],
    derived: DerivedCity,
    fingerprint: str,
) -> dict[str, int]:
    """Write everything; what is no longer in the files stays as a row out of service.

    Returns:
        Rows in service by kind.
    """
    now = now_of(session)
    counts = {"zones": _put(session, Zone, _zones(files))}
    counts["wards"] = _put(session, Ward, _wards(files))
    counts["lanes"] = _put_lanes(session, files, derived, Plane.around(bbox))
    counts["places"] = _put(session, Place, _places(files))
    counts["classes"] = _put(session, VehicleClass, _classes(files))
    counts["vehicles"] = _put(session, Vehicle, _vehicles(files))
    counts["shifts"] = _put(session, Shift, _shifts(files))
    counts["bins"] = _put(session, Bin, _bins(files, derived))
    _write_beats(session, files, derived)
    counts["beats"] = len(files.beats)
    counts["names"] = _put_names(session, files, derived)
    city = session.get(City, 1) or City(id=1)
    city.name, city.name_hi = files.city.name, files.city.name_hi
    city.tz, city.lang = files.city.tz or "Etc/GMT", files.city.lang
    city.bbox = list(bbox)
    city.policy = files.policy.model_dump(mode="json")
    city.fingerprint, city.estimated = fingerprint, sorted(files.estimated)
    city.imported_at = now
    session.add(city)
    session.flush()
    emit(
        session,
        TOPIC,
        fingerprint,
        {"name": city.name, "tz": city.tz, "imported_at": iso(now), "counts": counts},
    )
    return counts


def _put(session: Session, model: type[Base], rows: Sequence[Row]) -> int:
    """Insert or update rows by primary key; others go out of service."""
    table = inspect(model)
    keys = [str(column.key) for column in table.primary_key]
    columns = [getattr(model, key) for key in keys]
    known = {tuple(row) for row in session.execute(select(*columns))}
    fresh = [row for row in rows if tuple(row[key] for key in keys) not in known]
    changed = [row for row in rows if tuple(row[key] for key in keys) in known]
    named = {tuple(row[key] for key in keys) for row in rows}
    if fresh:
        session.execute(insert(model), fresh)
    if changed:
        session.execute(update(model), [{**row, "active": True} for row in changed])
    gone = sorted(known - named)
    if gone:
        session.execute(
            update(model), [{**dict(zip(keys, key, strict=True)), "active": False} for key in gone]
        )
    return len(rows)


def _zones(files: CityFolder) -> list[Row]:
    ids = sorted({ward.zone_id for ward in files.wards})
    return [{"id": i, "name": f"Zone {i}", "name_hi": f"ज़ोन {i}"} for i in ids]


def _wards(files: CityFolder) -> list[Row]:
    rows = []
    for ward in files.wards:
        west, south, east, north = ward.geometry.bounds
        inner = ward.geometry.representative_point()
        rows.append(
            {
                "id": ward.id,
                "zone_id": ward.zone_id,
                "name": ward.name,
                "name_hi": ward.name_hi,
                "population": ward.population,
                "geometry": mapping(ward.geometry),
                "lon": inner.x,
                "lat": inner.y,
                "west": west,
                "south": south,
                "east": east,
                "north": north,
            }
        )
    return rows


def _put_lanes(session: Session, files: CityFolder, derived: DerivedCity, plane: Plane) -> int:
    before = session.execute(select(Lane.id, Lane.geometry).where(Lane.active)).all()
    rows = [_lane(lane, files) for lane in derived.lanes]
    count = _put(session, Lane, rows)
    present = {lane.segment.id: lane.segment.geometry for lane in derived.lanes}
    gone = {lane_id: line for lane_id, line in before if lane_id not in present}
    if gone:
        heirs = successors(
            {lane_id: plane.line([(x, y) for x, y in line]) for lane_id, line in gone.items()},
            {lane_id: plane.line(line) for lane_id, line in present.items()},
        )
        session.execute(
            update(Lane), [{"id": lane_id, "successors": ids} for lane_id, ids in heirs.items()]
        )
    return count


def _lane(lane: DerivedLane, files: CityFolder) -> Row:
    segment, access, premises = lane.segment, lane.access, lane.premises
    policy = files.policy
    kg_day = policy.by_stream(
        policy.kg_day(premises.households, premises.shops, premises.institutions, premises.bulk)
    )
    lons, lats = zip(*segment.geometry, strict=True)
    stand = access.stand or (None, None)
    return {
        "id": segment.id,
        "ward_id": files.wards[lane.ward].id,
        "name": segment.name or segment.name_hi,
        "name_hi": segment.name_hi or segment.name,
        "highway": segment.highway,
        "length_m": round(segment.length_m, 1),
        "width_m": segment.width_m,
        "oneway": segment.oneway,
        "geometry": [[round(x, DECIMALS), round(y, DECIMALS)] for x, y in segment.geometry],
        "lon": lane.middle[0],
        "lat": lane.middle[1],
        "west": min(lons),
        "south": min(lats),
        "east": max(lons),
        "north": max(lats),
        "households": premises.households,
        "shops": premises.shops,
        "institutions": premises.institutions,
        "bulk": premises.bulk,
        "kg_day": kg_day,
        "m3_day": policy.volume_m3(kg_day),
        "estimated": files.premises is None,
        "service_mode": access.mode,
        "profiles": list(access.profiles),
        "access_profiles": list(access.stand_profiles),
        "access_lon": stand[0],
        "access_lat": stand[1],
        "access_lane_id": access.stand_lane,
        "access_m": access.walk_m if access.stand else None,
        "successors": [],
    }


def _places(files: CityFolder) -> list[Row]:
    return [
        {
            "id": row.id,
            "kind": row.kind,
            "name": row.name,
            "name_hi": row.name_hi,
            "lon": row.lon,
            "lat": row.lat,
            "service_s": _service_s(row.kind, row.service_s, files.policy),
            "streams": list(row.streams),
        }
        for row in files.places
    ]


def _service_s(kind: str, given_s: int | None, policy: Policy) -> int:
    if given_s is not None:
        return given_s
    return 0 if kind == "depot" else policy.unload_service_s


def _classes(files: CityFolder) -> list[Row]:
    return [
        {
            "id": row.id,
            "width_m": row.width_m,
            "speeds_kmh": row.speeds_kmh,
            "factor": row.factor,
            "fuel": row.fuel,
            "fixed_cost_s": files.policy.vehicle_fixed_cost_s
            if row.fixed_cost_s is None
            else row.fixed_cost_s,
        }
        for row in files.classes
    ]


def _vehicles(files: CityFolder) -> list[Row]:
    return [
        {
            "id": row.id,
            "class_id": row.class_id,
            "depot_id": row.depot_id,
            "contractor": row.contractor,
            "spare": row.spare,
            "compartments": [
                {"streams": list(c.streams), "kg": c.kg, "m3": c.m3} for c in row.chambers
            ],
        }
        for row in files.vehicles
    ]


def _shifts(files: CityFolder) -> list[Row]:
    return [
        {
            "vehicle_id": row.vehicle_id,
            "name": row.name,
            "start_s": row.start_s,
            "end_s": row.end_s,
        }
        for row in files.shifts
    ]


def _bins(files: CityFolder, derived: DerivedCity) -> list[Row]:
    return [
        {
            "id": row.id,
            "ward_id": files.wards[derived.bin_wards[row.id]].id,
            "stream": row.stream,
            "kg": row.kg,
            "m3": row.m3,
            "lon": row.lon,
            "lat": row.lat,
        }
        for row in files.bins
    ]


def _write_beats(session: Session, files: CityFolder, derived: DerivedCity) -> None:
    """Beats, and a dated assignment for each whose vehicle the file changed.

    What a dispatcher assigned since the last import stays while the file says the same as then.
    """
    now = now_of(session)
    before = {
        beat_id: (vehicle_id, shift)
        for beat_id, vehicle_id, shift in session.execute(
            select(Beat.id, Beat.vehicle_id, Beat.shift).where(Beat.active)
        )
    }
    _put(
        session,
        Beat,
        [
            {
                "id": row.id,
                "vehicle_id": row.vehicle_id,
                "shift": row.shift,
                "landmarks": list(row.landmarks),
                "lane_ids": derived.beats.get(row.id, []),
            }
            for row in files.beats
        ],
    )
    session.expire_all()
    named = {row.id for row in files.beats}
    for row in held(session, "vehicle_beat", now):
        if row.object not in named:
            release(session, "vehicle_beat", row.subject, now, slot=row.slot)
    for beat in files.beats:
        if before.get(beat.id) != (beat.vehicle_id, beat.shift):
            assign(session, "vehicle_beat", beat.vehicle_id, beat.id, now)
    replace_customs(
        session,
        [
            CustomaryTime(
                lane_id=lane.id,
                shift=beat.shift,
                vehicle_id=beat.vehicle_id,
                usual_s=lane.usual_s,
                spread_s=lane.spread_s,
                days=lane.days,
            )
            for beat in files.beats
            for lane in beat.lanes
            if lane.usual_s is not None
        ],
    )


def _put_names(session: Session, files: CityFolder, derived: DerivedCity) -> int:
    session.execute(delete(SearchName))
    rows = [
        {
            "id": number,
            "kind": named.kind,
            "name": named.name,
            "name_hi": named.name_hi,
            "key": "|".join(dict.fromkeys((fold(named.name), fold(named.name_hi)))),
            "weight": min(len(named.name), len(named.name_hi)),
            "lon": named.lon,
            "lat": named.lat,
            "ward_id": None if named.ward is None else files.wards[named.ward].id,
        }
        for number, named in enumerate(derived.names, start=1)
    ]
    if rows:
        session.execute(insert(SearchName), rows)
    return len(rows)
