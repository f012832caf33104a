"""How the watch speaks: alarms of a vehicle or unit, in its own zone, beat and shift."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from tracking.alarms import service
from tracking.alarms.about import about_vehicle
from tracking.alarms.vehicle import Vehicle
from tracking.fixes.fix import Fix


class Voice:
    """Without a session it keeps quiet: the past is replayed to remember, not to tell."""

    def __init__(self) -> None:
        self.session: Session | None = None

    def raised(
        self,
        vehicle: Vehicle,
        kind: str,
        fix: Fix,
        text: str,
        *,
        suffix: str = "",
        severity: str | None = None,
        place_id: str | None = None,
        **values: object,
    ) -> None:
        if self.session is None:
            return
        valid = fix.mark != "invalid"
        about = about_vehicle(
            self.session,
            vehicle.vehicle_id,
            fix.t,
            device_id=fix.device_id,
            lon=fix.lon if valid else None,
            lat=fix.lat if valid else None,
            place_id=place_id,
        )
        service.raise_alarm(
            self.session,
            key=key_of(kind, vehicle.key, suffix),
            kind=kind,
            at=fix.t,
            about=about,
            words=service.said(f"alarms.say.{text}", who=vehicle.key, **values),
            severity=severity,
        )

    def cleared(self, vehicle: Vehicle, kind: str, at: datetime, suffix: str = "") -> None:
        if self.session is not None:
            service.clear(self.session, key_of(kind, vehicle.key, suffix), at)


def key_of(kind: str, vehicle_key: str, suffix: str = "") -> str:
    return f"{kind}:{vehicle_key}:{suffix}" if suffix else f"{kind}:{vehicle_key}"
