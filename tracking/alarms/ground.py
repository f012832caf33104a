"""What the watch knows of the city: roads with their limits, own lanes, fences, shifts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from shapely import STRtree
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fleet.kit.geo import Plane
from fleet.kit.times import local_midnight, service_date_of
from fleet.org.assignments import held
from fleet.org.models import Beat, City, Lane
from fleet.org.policy import Policy
from fleet.org.queries import beats, places, policy, shifts, vehicles
from tracking.alarms.fences import Cell, Fence, cells_of, fence_of
from tracking.alarms.models import Geofence
from tracking.alarms.rules import Rules, rules_of

ROAD_WITHIN_M = 30.0
SPOT_DEG = 0.0001
"""A limit is looked up once for each spot of some 11 m, and remembered."""
MOST_SPOTS = 200_000
OWN_WITHIN_M = 60.0
OFF_ROAD_M = 100.0
_FAR = datetime(9999, 1, 1, tzinfo=UTC)

type Print = tuple[object, ...]


def print_of(session: Session) -> Print | None:
    """Changes when anything that the watch knows does; None: there is no city."""
    city = session.scalar(select(City.fingerprint))
    if city is None:
        return None
    fences = session.execute(
        select(func.count(), func.max(Geofence.changed_t), func.sum(Geofence.version))
    ).one()
    return (city, *fences)


@dataclass(frozen=True)
class Ground:
    """The city as of one `print_of`; positions in degrees."""

    print: Print
    tz: ZoneInfo
    bbox: Sequence[float]
    rules: Rules
    policy: Policy
    plane: Plane
    fences: Mapping[Cell, tuple[Fence, ...]]
    lowest_kmh: float
    """No road has a lower limit."""
    _tree: STRtree
    _limits: Sequence[float]
    _class_limits: Mapping[str, float]
    _own: Mapping[str, frozenset[int]]
    _shifts: Mapping[str, Sequence[tuple[int, int]]]
    _places: Sequence[tuple[float, float]]
    _by_id: Mapping[str, Fence]
    _spots: dict[tuple[int, int], float | None] = field(default_factory=dict)

    def limit_kmh(self, vehicle_id: str | None, lon: float, lat: float) -> float | None:
        """The highest limit of the roads that the position may be on, and of the vehicle's class;
        None: it is on no road that we know."""
        road = self._road_kmh(lon, lat)
        return None if road is None else min(road, self._class_limits.get(vehicle_id or "", road))

    def is_own(self, vehicle_id: str | None, lon: float, lat: float) -> bool:
        """Whether it stands where it serves: near a lane of its beats, near any if it has none."""
        near = self._near(lon, lat, OWN_WITHIN_M)
        own = self._own.get(vehicle_id or "")
        return bool(len(near)) if own is None else not own.isdisjoint(near)

    def is_off_road(self, lon: float, lat: float) -> bool:
        return self._road_kmh(lon, lat) is None and not self._near(lon, lat, OFF_ROAD_M)

    def to_place_m(self, lon: float, lat: float) -> float:
        """Metres to the nearest depot, station or plant."""
        x, y = self.plane.to_m(lon, lat)
        away = (math.hypot(x - a, y - b) for a, b in self._places)
        return min(away, default=math.inf)

    def fence(self, fence_id: str) -> Fence | None:
        """None: it has been taken away."""
        return self._by_id.get(fence_id)

    def outside_m(self, lon: float, lat: float) -> float:
        """Metres outside the city's extent; 0 inside."""
        west, south, east, north = self.bbox
        x, y = self.plane.to_m(lon, lat)
        a, b = self.plane.to_m(min(max(lon, west), east), min(max(lat, south), north))
        return float(np.hypot(x - a, y - b))

    def duty(self, vehicle_id: str | None, t: datetime, margin_s: float) -> tuple[bool, datetime]:
        """Whether the vehicle is in a shift, `margin_s` around it included, and until when that
        stays so. A vehicle without shifts may be sent at any time."""
        own = self._shifts.get(vehicle_id or "")
        if not own:
            return True, _FAR
        margin = timedelta(seconds=margin_s)
        day = service_date_of(t, self.tz)
        spans = sorted(
            (
                local_midnight(d, self.tz) + timedelta(seconds=start) - margin,
                local_midnight(d, self.tz) + timedelta(seconds=end) + margin,
            )
            for d in (day - timedelta(days=1), day, day + timedelta(days=1))
            for start, end in own
        )
        for start, end in spans:
            if start <= t < end:
                return True, end
        return False, min((start for start, _ in spans if start > t), default=_FAR)

    def _road_kmh(self, lon: float, lat: float) -> float | None:
        """The highest limit of the roads near a spot; None: there is none."""
        spot = math.floor(lon / SPOT_DEG), math.floor(lat / SPOT_DEG)
        road = self._spots.get(spot, -1.0)
        if road == -1.0:
            if len(self._spots) >= MOST_SPOTS:
                self._spots.clear()
            near = self._near((spot[0] + 0.5) * SPOT_DEG, (spot[1] + 0.5) * SPOT_DEG, ROAD_WITHIN_M)
            road = self._spots[spot] = max((self._limits[i] for i in near), default=None)
        return road

    def _near(self, lon: float, lat: float, within_m: float) -> list[int]:
        point = shapely.Point(self.plane.to_m(lon, lat))
        found: list[int] = self._tree.query(point, "dwithin", distance=within_m).tolist()
        return found


def read_ground(session: Session, now: datetime) -> Ground:
    """The city as it is now; it must be there."""
    made = print_of(session)
    city = session.get(City, 1)
    assert made is not None
    assert city is not None
    rules = policy(session)
    west, south, east, north = city.bbox
    plane = Plane((west + east) / 2, (south + north) / 2)
    lanes = session.execute(
        select(Lane.id, Lane.highway, Lane.geometry).where(Lane.active).order_by(Lane.id)
    ).all()
    index = {row.id: i for i, row in enumerate(lanes)}
    limits = [_limit(rules, row.highway) for row in lanes]
    classes = {v.id: rules.class_limit_kmh.get(v.class_id) for v in vehicles(session)}
    class_limits = {v: limit for v, limit in classes.items() if limit is not None}
    by_vehicle: dict[str, list[tuple[int, int]]] = {}
    for shift in shifts(session):
        by_vehicle.setdefault(shift.vehicle_id, []).append((shift.start_s, shift.end_s))
    fences = _fences(session, plane, rules)
    return Ground(
        print=made,
        tz=city.zone,
        bbox=city.bbox,
        rules=rules_of(rules),
        policy=rules,
        plane=plane,
        fences=_by_cell(plane, fences),
        lowest_kmh=min([*limits, *class_limits.values()], default=0.0),
        _tree=STRtree([_line(plane, row.geometry) for row in lanes]),
        _limits=limits,
        _class_limits=class_limits,
        _own=_own_lanes(session, index, now),
        _shifts=by_vehicle,
        _places=[plane.to_m(place.lon, place.lat) for place in places(session)],
        _by_id={fence.id: fence for fence in fences},
    )


def _line(plane: Plane, geometry: list[list[float]]) -> shapely.Geometry:
    points = plane.line(geometry)
    return shapely.LineString(points) if len(points) > 1 else shapely.Point(points[0])


def _limit(rules: Policy, highway: str) -> float:
    """A class that the policy does not name may be driven as fast as the fastest of those."""
    limits = rules.speed_limit_kmh
    return limits.get(re.sub("_link$", "", highway), max(limits.values()))


def _own_lanes(
    session: Session, index: Mapping[str, int], now: datetime
) -> dict[str, frozenset[int]]:
    """Lanes of each vehicle's beats, those of today's assignments and those imported."""
    found = beats(session)
    by_id: dict[str, Beat] = {beat.id: beat for beat in found}
    own: dict[str, set[int]] = {}
    pairs = [(beat.vehicle_id, beat) for beat in found]
    pairs += [
        (a.subject, by_id[a.object])
        for a in held(session, "vehicle_beat", now)
        if a.object in by_id
    ]
    for vehicle_id, beat in pairs:
        lanes = own.setdefault(vehicle_id, set())
        lanes.update(index[lane] for lane in beat.lane_ids if lane in index)
    return {vehicle_id: frozenset(lanes) for vehicle_id, lanes in own.items()}


def _fences(session: Session, plane: Plane, rules: Policy) -> list[Fence]:
    found = [
        Fence(
            id=place.id,
            name=place.name,
            shape=shapely.Point(plane.to_m(place.lon, place.lat)),
            within_m=rules.geofence_radius_m,
            place_kind=place.kind,
        )
        for place in places(session)
    ]
    for row in session.scalars(select(Geofence).order_by(Geofence.id)):
        found.append(
            fence_of(
                plane,
                row.id,
                row.name,
                row.kind,
                row.geometry,
                row.radius_m,
                row.dwell_s,
                row.rules,
            )
        )
    return found


def _by_cell(plane: Plane, fences: Sequence[Fence]) -> dict[Cell, tuple[Fence, ...]]:
    cells: dict[Cell, tuple[Fence, ...]] = {}
    for fence in fences:
        for cell in cells_of(plane, fence):
            cells[cell] = (*cells.get(cell, ()), fence)
    return cells
