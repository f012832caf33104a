"""Rules about where a vehicle is: geofences, depots and stations, the city's extent."""

from __future__ import annotations

from datetime import datetime

from tracking.alarms.fences import Fence, Stay
from tracking.alarms.ground import Ground
from tracking.alarms.vehicle import Vehicle
from tracking.alarms.voice import Voice
from tracking.fixes.fix import Fix


def fences(voice: Voice, ground: Ground, vehicle: Vehicle, fix: Fix) -> None:
    """Comings and goings at what is near, and at what it is in."""
    x, y = ground.plane.to_m(fix.lon, fix.lat)
    seen = {fence.id: fence for fence in vehicle.near}
    for fence_id in vehicle.stays:
        if fence_id not in seen and (fence := ground.fence(fence_id)) is not None:
            seen[fence_id] = fence
    for fence in seen.values():
        stay = vehicle.stays.get(fence.id)
        if stay is None:
            stay = vehicle.stays[fence.id] = Stay()
        changed = stay.step(fix.t, fence.outside_m(x, y), fence.dwell_s)
        if fence.place_kind is not None:
            if changed:
                vehicle.at_places.add(fence.id)
            elif changed is False:
                vehicle.at_places.discard(fence.id)
        elif _concerns(fence, vehicle):
            _tell(voice, vehicle, fix, fence, stay, changed)
        if not stay.inside and stay.since is None:
            del vehicle.stays[fence.id]


def _concerns(fence: Fence, vehicle: Vehicle) -> bool:
    only = fence.rules.get("vehicles")
    return not only or vehicle.vehicle_id in only


def _tell(
    voice: Voice, vehicle: Vehicle, fix: Fix, fence: Fence, stay: Stay, changed: bool | None
) -> None:
    """`enter` holds while inside, `leave` while outside, `dwell` from so many minutes inside."""
    rules = fence.rules
    if changed is not None:
        for rule, holds in (("enter", changed), ("leave", not changed)):
            if rules.get(rule):
                suffix = f"{fence.id}:{rule}"
                if holds:
                    voice.raised(
                        vehicle,
                        "geofence",
                        fix,
                        f"geofence_{rule}",
                        suffix=suffix,
                        place_id=fence.id,
                        name=fence.name,
                    )
                else:
                    voice.cleared(vehicle, "geofence", fix.t, suffix)
        if changed is False and rules.get("dwell_min"):
            voice.cleared(vehicle, "geofence", fix.t, f"{fence.id}:dwell")
    minutes = rules.get("dwell_min")
    if minutes and stay.inside and not stay.dwell_told and stay.entered_t is not None:
        stood_min = _minutes(stay.entered_t, fix.t)
        if stood_min >= minutes:
            stay.dwell_told = True
            voice.raised(
                vehicle,
                "geofence",
                fix,
                "geofence_dwell",
                suffix=f"{fence.id}:dwell",
                place_id=fence.id,
                name=fence.name,
                minutes=round(stood_min),
            )


def _minutes(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() / 60


def extent(voice: Voice, ground: Ground, vehicle: Vehicle, fix: Fix) -> None:
    """Outside the city, and for long enough; one wild fix is none."""
    latch = vehicle.latches["outside_city"]
    changed = latch.step(fix.t, ground.outside_m(fix.lon, fix.lat), ground.rules["outside_city"])
    if changed:
        voice.raised(vehicle, "outside_city", fix, "outside_city")
    elif changed is False:
        voice.cleared(vehicle, "outside_city", fix.t)
    vehicle.away = latch.on or latch.since is not None
