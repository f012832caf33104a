"""Where each vehicle is now: in memory, rebuilt from the log at start."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from fleet.kit.times import iso
from tracking.fixes.fix import Fix, Row, from_ms, from_row, to_ms, to_row

MOVING_MPS = 0.7
"""From this reported speed a vehicle is said to move; below, noise looks like movement."""


class LiveState:
    """The newest good fix of each vehicle and device; any thread may read and update it.

    Args:
        silent_after_s: silence, in city time, after which a vehicle is shown as silent.
    """

    def __init__(self, silent_after_s: float) -> None:
        self.silent_after_s = silent_after_s
        self._lock = threading.Lock()
        self._by_vehicle: dict[str, Row] = {}
        self._by_device: dict[str, Row] = {}

    def update(self, fixes: Iterable[Fix]) -> set[str]:
        """Takes committed fixes in; late and marked ones change nothing.

        Returns:
            The vehicles that have a newer fix now.
        """
        return self.update_rows(map(to_row, fixes))

    def update_rows(self, rows: Iterable[Row]) -> set[str]:
        """`update` by rows of the log."""
        moved: set[str] = set()
        by_device, by_vehicle = self._by_device, self._by_vehicle
        with self._lock:
            for row in rows:
                if row.mark is not None:
                    continue
                t, vehicle_id = row.t, row.vehicle_id
                known = by_device.get(row.device_id)
                if known is None or t > known.t:
                    by_device[row.device_id] = row
                if vehicle_id is not None:
                    known = by_vehicle.get(vehicle_id)
                    if known is None or t > known.t:
                        by_vehicle[vehicle_id] = row
                        moved.add(vehicle_id)
        return moved

    def last_of_device(self, device_id: str) -> Fix | None:
        """The device's newest good fix."""
        with self._lock:
            row = self._by_device.get(device_id)
        return None if row is None else from_row(row)

    def view(self, vehicle_id: str, now: datetime) -> dict[str, Any]:
        """`VehicleLive` of a vehicle, also of one that was never heard."""
        with self._lock:
            row = self._by_vehicle.get(vehicle_id)
        if row is None:
            return {
                "vehicle_id": vehicle_id,
                "device_id": None,
                "t": None,
                "lon": None,
                "lat": None,
                "speed_mps": None,
                "course_deg": None,
                "silent": False,
                "load_kg": None,
                "state": "never",
            }
        silent = to_ms(now) - row.t > self.silent_after_s * 1000
        moving = (row.speed_mps or 0.0) >= MOVING_MPS
        return {
            "vehicle_id": vehicle_id,
            "device_id": row.device_id,
            "t": iso(from_ms(row.t)),
            "lon": row.lon,
            "lat": row.lat,
            "speed_mps": row.speed_mps,
            "course_deg": row.course_deg,
            "silent": silent,
            "load_kg": row.load_kg,
            "state": "silent" if silent else "moving" if moving else "standing",
        }

    def snapshot(self, now: datetime, vehicle_ids: Iterable[str]) -> list[dict[str, Any]]:
        """`VehicleLive` of each of the vehicles."""
        return [self.view(vehicle_id, now) for vehicle_id in vehicle_ids]
