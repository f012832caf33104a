"""What facts are about: lanes, places, shifts and rules, as one import of the city left them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.org.models import City, Place
from fleet.org.policy import Policy
from fleet.org.queries import city, lane_rows, places, policy, shifts, vehicles
from tracking.proof.calibration import DEFAULT, Calibration
from tracking.proof.graph import Floats, LaneGraph, LaneShape

log = structlog.get_logger(__name__)

_ON_FOOT = {"feeder", "gate"}


@dataclass(frozen=True)
class Town:
    """Read once per import of the city."""

    fingerprint: str
    tz: ZoneInfo
    rules: Policy
    graph: LaneGraph
    places: Sequence[Place]
    place_x: Floats
    place_y: Floats
    shifts: Mapping[str, Sequence[tuple[int, int]]]
    """(start, end) in seconds after local midnight of each vehicle's shifts."""
    calibrations: Mapping[str, Calibration]
    """By vehicle; those of a class without a calibration of its own are left out."""

    def calibration(self, vehicle_id: str) -> Calibration:
        return self.calibrations.get(vehicle_id, DEFAULT)


def fingerprint(session: Session) -> str | None:
    """Changes with each import; None: there is no city yet."""
    return session.scalar(select(City.fingerprint))


def read_town(session: Session, calibration_folder: Path) -> Town:
    """The city as it is now; it must be there."""
    print_ = fingerprint(session)
    assert print_ is not None
    graph = LaneGraph.build(
        LaneShape(lane.id, lane.geometry, lane.oneway)
        for lane in lane_rows(session)
        if lane.service_mode not in _ON_FOOT
    )
    found = places(session)
    x, y = graph.plane.to_m(
        np.array([p.lon for p in found], np.float64), np.array([p.lat for p in found], np.float64)
    )
    by_vehicle: dict[str, list[tuple[int, int]]] = {}
    for shift in shifts(session):
        by_vehicle.setdefault(shift.vehicle_id, []).append((shift.start_s, shift.end_s))
    rhythms = _calibrations(calibration_folder)
    log.info("lanes_loaded", lanes=len(graph.ids), calibrated=sorted(rhythms))
    return Town(
        fingerprint=print_,
        tz=ZoneInfo(city(session).tz),
        rules=policy(session),
        graph=graph,
        places=found,
        place_x=x,
        place_y=y,
        shifts=by_vehicle,
        calibrations={
            v.id: rhythms[v.class_id] for v in vehicles(session) if v.class_id in rhythms
        },
    )


def _calibrations(folder: Path) -> dict[str, Calibration]:
    """By vehicle class, as `safai track calibrate` left them; an unreadable one is left out."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            found[path.stem] = Calibration.from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            log.warning("calibration_unreadable", file=path.name, why=str(error))
    return found
