"""What the places are called at which vehicles stand: depots, stations, else the nearest lane."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import Connection, Engine, select
from sqlalchemy.orm import Session

from fleet.kit.geo import METRES_PER_DEGREE
from fleet.org import queries as org
from fleet.org.models import City, Lane, Place
from tracking.history.day import Where

Floats = npt.NDArray[np.float64]

LANE_WITHIN_M = 40.0


class Names:
    """The names of a city as one import left it; threads may share it."""

    def __init__(self, session: Session, radius_m: float) -> None:
        rows = session.execute(
            select(Lane.id, Lane.name, Lane.name_hi, Lane.geometry).where(Lane.active)
        ).all()
        places = org.places(session)
        self._radius_m = radius_m
        self._lanes = [(row[0], row[1], row[2]) for row in rows]
        self._places = [(p.id, p.name, p.name_hi) for p in places]
        lines = [row[3] for row in rows]
        points = np.array([p for line in lines for p in line], np.float64).reshape(-1, 2)
        at = np.array([(p.lon, p.lat) for p in places], np.float64).reshape(-1, 2)
        self._lat = float(np.concatenate([points, at])[:, 1].mean()) if len(points) + len(at) else 0
        self._east_m = METRES_PER_DEGREE * float(np.cos(np.radians(self._lat)))
        owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
        drawn = shapely.linestrings(self._metres(points[:, 0], points[:, 1]), indices=owner)
        self._lane_tree = shapely.STRtree(np.atleast_1d(np.asarray(drawn, dtype=object)))
        self._place_tree = shapely.STRtree(self._points(at[:, 0], at[:, 1]))

    def __call__(self, lon: Floats, lat: Floats) -> Sequence[Where]:
        points = self._points(lon, lat)
        found = [Where()] * len(points)
        for point, lane in self._nearest(self._lane_tree, points, LANE_WITHIN_M):
            key, name, name_hi = self._lanes[lane]
            found[point] = Where(lane_id=key, name=name, name_hi=name_hi)
        for point, place in self._nearest(self._place_tree, points, self._radius_m):
            key, name, name_hi = self._places[place]
            found[point] = Where(place_id=key, name=name, name_hi=name_hi)
        return found

    def _nearest(
        self, tree: shapely.STRtree, points: npt.NDArray[np.object_], within_m: float
    ) -> list[tuple[int, int]]:
        if not len(tree.geometries):
            return []
        pairs = tree.query_nearest(points, max_distance=within_m, all_matches=False)
        return [(int(point), int(other)) for point, other in pairs.T]

    def _points(self, lon: Floats, lat: Floats) -> npt.NDArray[np.object_]:
        return np.atleast_1d(np.asarray(shapely.points(self._metres(lon, lat)), np.object_))

    def _metres(self, lon: Floats, lat: Floats) -> npt.NDArray[np.float64]:
        return np.column_stack([lon * self._east_m, lat * METRES_PER_DEGREE])


_lock = threading.Lock()
_known: WeakKeyDictionary[Engine | Connection, tuple[str, Names]] = WeakKeyDictionary()


def names(session: Session) -> Names:
    """The city's names; read once after each import, which takes a second for 40,000 lanes."""
    engine = session.get_bind()
    fingerprint = session.scalar(select(City.fingerprint)) or ""
    with _lock:
        known = _known.get(engine)
        if known is None or known[0] != fingerprint:
            known = fingerprint, Names(session, org.policy(session).geofence_radius_m)
            _known[engine] = known
        return known[1]


def spots(session: Session) -> list[tuple[str, float, float]]:
    """(id, lon, lat) of the depots and stations."""
    rows = session.execute(select(Place.id, Place.lon, Place.lat).where(Place.active))
    return [(key, lon, lat) for key, lon, lat in rows]
