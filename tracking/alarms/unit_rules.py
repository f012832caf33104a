"""Rules about the unit itself: calls for help, crashes, tampering, power and batteries."""

from __future__ import annotations

from tracking.alarms.rules import Rules
from tracking.alarms.vehicle import Vehicle
from tracking.alarms.voice import Voice
from tracking.fixes.fix import Fix

MOMENTS = {
    "sos": ("sos", "sos"),
    "crash": ("crash", "crash"),
    "tilt": ("crash", "tilt"),
    "tamper": ("tamper", "tamper"),
}
"""Event → (kind of alarm, text)."""
OF_24_V = 18.0
"""Above this the vehicle has a battery of 24 V."""


def on_event(voice: Voice, rules: Rules, vehicle: Vehicle, fix: Fix) -> None:
    """What a unit tells beside its position; a fix without one counts all the same."""
    event = fix.event
    if event in MOMENTS:
        kind, text = MOMENTS[event]
        voice.raised(vehicle, kind, fix, text)
    elif event == "sos_end":
        voice.cleared(vehicle, "sos", fix.t)
    elif event in ("mains_cut", "mains_back"):
        power(voice, rules, vehicle, fix, mains=event == "mains_back", at_once=True)
    elif event in ("low_battery", "battery_ok"):
        _backup(voice, rules, vehicle, fix, low=event == "low_battery")


def power(
    voice: Voice,
    rules: Rules,
    vehicle: Vehicle,
    fix: Fix,
    *,
    mains: bool | None,
    at_once: bool = False,
) -> None:
    """Mains and batteries as this fix has them. `at_once`: the unit says so in words."""
    if fix.t < vehicle.told_t:
        return  # it is known how it went on
    if mains is not None:
        _switch(voice, rules, vehicle, fix, "mains_cut", "mains_cut", not mains, at_once)
    if fix.battery_v is not None:
        rule, latch = rules["low_battery"], vehicle.latches["low_battery"]
        nominal = 2.0 if fix.battery_v > OF_24_V else 1.0
        volt = fix.battery_v / nominal
        low = volt < (rule.clear_at if latch.on else rule.raise_at)
        _switch(
            voice,
            rules,
            vehicle,
            fix,
            "low_battery",
            "low_battery",
            low,
            volt=f"{fix.battery_v:.1f}",
        )
    if fix.backup_v is not None:
        rule, latch = rules["low_backup"], vehicle.latches["low_backup"]
        low = fix.backup_v < (rule.clear_at if latch.on else rule.raise_at)
        _switch(voice, rules, vehicle, fix, "low_backup", "low_backup", low)
    vehicle.unwell = any(
        vehicle.latches[kind].on or vehicle.latches[kind].since is not None
        for kind in ("mains_cut", "low_battery", "low_backup")
    )


def _backup(voice: Voice, rules: Rules, vehicle: Vehicle, fix: Fix, *, low: bool) -> None:
    if fix.t >= vehicle.told_t:
        _switch(voice, rules, vehicle, fix, "low_backup", "low_backup", low, at_once=True)
        vehicle.unwell = vehicle.unwell or low


def _switch(
    voice: Voice,
    rules: Rules,
    vehicle: Vehicle,
    fix: Fix,
    kind: str,
    text: str,
    bad: bool,
    at_once: bool = False,
    volt: str = "",
) -> None:
    latch = vehicle.latches[kind]
    if at_once and bad != latch.on:
        latch.on, latch.since = bad, None
        changed: bool | None = bad
    else:
        changed = latch.move(fix.t, bad != latch.on, rules[kind])
    if changed:
        voice.raised(vehicle, kind, fix, text, volt=volt)
    elif changed is False:
        voice.cleared(vehicle, kind, fix.t)
