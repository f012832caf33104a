"""Where each vehicle is now: in memory, rebuilt from the log at start."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from fleet.kit.times import iso
from tracking.fixes.fix import Fix

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
        self._by_vehicle: dict[str, Fix] = {}
        self._by_device: dict[str, Fix] = {}

    def update(self, fixes: Iterable[Fix]) -> list[str]:
        """Takes committed fixes in; late and marked ones change nothing.

        Returns:
            The vehicles that have a newer fix now.
        """
        moved: dict[str, None] = {}
        with self._lock:
            for fix in fixes:
                if fix.mark is not None:
                    continue
                if _is_newer(fix, self._by_device.get(fix.device_id)):
                    self._by_device[fix.device_id] = fix
                if fix.vehicle_id is not None and _is_newer(
                    fix, self._by_vehicle.get(fix.vehicle_id)
                ):
                    self._by_vehicle[fix.vehicle_id] = fix
                    moved[fix.vehicle_id] = None
        return list(moved)

    def last_of_device(self, device_id: str) -> Fix | None:
        """The device's newest good fix."""
        with self._lock:
            return self._by_device.get(device_id)

    def view(self, vehicle_id: str, now: datetime) -> dict[str, Any]:
        """`VehicleLive` of a vehicle, also of one that was never heard."""
        with self._lock:
            fix = self._by_vehicle.get(vehicle_id)
        if fix is None:
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
        silent = now - fix.t > timedelta(seconds=self.silent_after_s)
        moving = (fix.speed_mps or 0.0) >= MOVING_MPS
        return {
            "vehicle_id": vehicle_id,
            "device_id": fix.device_id,
            "t": iso(fix.t),
            "lon": fix.lon,
            "lat": fix.lat,
            "speed_mps": fix.speed_mps,
            "course_deg": fix.course_deg,
            "silent": silent,
            "load_kg": fix.load_kg,
            "state": "silent" if silent else "moving" if moving else "standing",
        }

    def snapshot(self, now: datetime, vehicle_ids: Iterable[str]) -> list[dict[str, Any]]:
        """`VehicleLive` of each of the vehicles."""
        return [self.view(vehicle_id, now) for vehicle_id in vehicle_ids]


def _is_newer(fix: Fix, known: Fix | None) -> bool:
    return known is None or fix.t > known.t
