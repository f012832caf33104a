"""Rules about driving and standing: too fast, idling, off shift, unloading where nobody should."""

from __future__ import annotations

from datetime import datetime, timedelta

from fleet.kit.geo import distance_m
from tracking.alarms.ground import Ground
from tracking.alarms.vehicle import Vehicle
from tracking.alarms.voice import Voice
from tracking.fixes.fix import Fix

KMH = 3.6
MOVING_MPS = 1.0
TIPPED_KG = 100.0
"""A vehicle that becomes so much lighter has unloaded."""
LOOK_S = 20
LONGEST_TIPPING_S = 1500.0
"""Who stands longer is parked, not unloading."""


def speed(voice: Voice, ground: Ground, vehicle: Vehicle, fix: Fix) -> None:
    """Faster than road and vehicle class allow, and for long enough."""
    rule, latch = ground.rules["overspeed"], vehicle.latches["overspeed"]
    kmh = (fix.speed_mps or 0.0) * KMH
    limit = None
    if kmh > ground.lowest_kmh + rule.clear_at:
        limit = ground.limit_kmh(vehicle.vehicle_id, fix.lon, fix.lat)
    # Where no road is known nothing is said of its limit, and nothing can be too fast.
    over = kmh - limit if limit is not None else -kmh
    changed = latch.step(fix.t, over, rule)
    if changed:
        voice.raised(
            vehicle, "overspeed", fix, "overspeed", kmh=round(kmh), limit=round(limit or 0)
        )
    elif changed is False:
        voice.cleared(vehicle, "overspeed", fix.t)
    vehicle.hot = latch.on or latch.since is not None


def is_elsewhere(
    voice: Voice, vehicle: Vehicle, fix: Fix, lon: float, lat: float, look_t: datetime
) -> None:
    """It moved, and a stand may begin here; before `look_t` that would lead to nothing."""
    if vehicle.idles:
        ends_idling(voice, vehicle, fix)
    vehicle.lon, vehicle.lat, vehicle.stood_from, vehicle.look_t = lon, lat, fix.t, look_t
    vehicle.judged = False
    if fix.load_kg is not None:
        vehicle.load_kg = fix.load_kg


def stands(voice: Voice, ground: Ground, vehicle: Vehicle, fix: Fix) -> None:
    """It has stood for long enough to be looked at."""
    stood_s = (fix.t - vehicle.stood_from).total_seconds()
    idles_t = vehicle.stood_from + timedelta(minutes=ground.rules["idling"].raise_at)
    if fix.load_kg is not None and not vehicle.judged:
        vehicle.look_t = fix.t + timedelta(seconds=LOOK_S)
    else:
        vehicle.look_t = max(idles_t, fix.t + timedelta(seconds=LOOK_S))
    if not vehicle.judged and stood_s <= LONGEST_TIPPING_S:
        _unloads(voice, ground, vehicle, fix, stood_s)
    _idles(voice, ground, vehicle, fix, stood_s)


def hoists(voice: Voice, ground: Ground, vehicle: Vehicle, fix: Fix, on: bool) -> None:
    """The body is tipped: it counts where no station, plant or depot is near."""
    if on and not vehicle.hoisted and _far_from_places(ground, vehicle, fix):
        voice.raised(vehicle, "dumping", fix, "dumping_hoist")
    vehicle.hoisted = on


def ends_idling(voice: Voice, vehicle: Vehicle, fix: Fix) -> None:
    """It is under way again, or its engine is at rest."""
    vehicle.idles = vehicle.latches["idling"].on = False
    voice.cleared(vehicle, "idling", fix.t)


def off_duty(voice: Voice, ground: Ground, vehicle: Vehicle, fix: Fix) -> None:
    """It moves although none of its shifts has begun."""
    rule, latch = ground.rules["off_shift"], vehicle.latches["off_shift"]
    if vehicle.off_from is None:
        vehicle.off_from = (fix.lon, fix.lat)
    away_m = distance_m(*vehicle.off_from, fix.lon, fix.lat)
    if not latch.on:
        if away_m >= rule.raise_at:
            latch.on = True
            vehicle.off_from = (fix.lon, fix.lat)
            latch.since = fix.t
            voice.raised(vehicle, "off_shift", fix, "off_shift")
    elif away_m >= rule.clear_at:
        vehicle.off_from, latch.since = (fix.lon, fix.lat), fix.t
    elif latch.since is not None and fix.t - latch.since >= timedelta(seconds=rule.clear_for_s):
        is_on_duty(voice, vehicle, fix)  # it has stood still since


def is_on_duty(voice: Voice, vehicle: Vehicle, fix: Fix) -> None:
    """Its shift has begun, or it has come to rest."""
    latch = vehicle.latches["off_shift"]
    vehicle.off_from = (fix.lon, fix.lat)
    if latch.on:
        latch.on, latch.since = False, None
        voice.cleared(vehicle, "off_shift", fix.t)


def _idles(voice: Voice, ground: Ground, vehicle: Vehicle, fix: Fix, stood_s: float) -> None:
    """With the engine on, in no depot or station, and not where and when it serves."""
    rule, latch = ground.rules["idling"], vehicle.latches["idling"]
    if latch.on and fix.ignition is False:
        ends_idling(voice, vehicle, fix)
    elif (
        not latch.on
        and fix.ignition
        and stood_s >= rule.raise_at * 60
        and not _serves(ground, vehicle, fix)
    ):
        vehicle.idles = latch.on = True
        minutes = round(stood_s / 60)
        voice.raised(vehicle, "idling", fix, "idling", minutes=minutes)
    if fix.ignition is False:
        vehicle.stood_from = fix.t  # the engine's rest is no idling


def _serves(ground: Ground, vehicle: Vehicle, fix: Fix) -> bool:
    return bool(vehicle.at_places) or (
        vehicle.on_duty and ground.is_own(vehicle.vehicle_id, fix.lon, fix.lat)
    )


def _unloads(voice: Voice, ground: Ground, vehicle: Vehicle, fix: Fix, stood_s: float) -> None:
    """Conservative: lighter by weight, or a tipping-like stand where no street is at all.

    A stand in a street is never called unloading without a sensor: people stand in streets.
    """
    if not _far_from_places(ground, vehicle, fix):
        vehicle.judged = True
        return
    before, after = vehicle.load_kg, fix.load_kg
    lighter_kg = before - after if before is not None and after is not None else None
    if lighter_kg is not None:
        if lighter_kg >= TIPPED_KG and not ground.is_own(vehicle.vehicle_id, fix.lon, fix.lat):
            vehicle.judged = True
            voice.raised(vehicle, "dumping", fix, "dumping_load", kg=round(lighter_kg))
        return  # it weighs itself: what the scale does not say did not happen
    vehicle.judged = True
    if vehicle.on_duty and ground.is_off_road(fix.lon, fix.lat):
        minutes = round(stood_s / 60)
        voice.raised(vehicle, "dumping", fix, "dumping_place", severity="info", minutes=minutes)


def _far_from_places(ground: Ground, vehicle: Vehicle, fix: Fix) -> bool:
    return not vehicle.at_places and (
        ground.to_place_m(fix.lon, fix.lat) >= ground.rules["dumping"].raise_at
    )
