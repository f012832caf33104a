"""Looks at every fix as it comes, and raises and clears alarms. Lives in the matcher's process.

The ordinary fix of a healthy vehicle passes with a few comparisons. What is remembered of a vehicle
can be lost at any time: it is rebuilt from the log's last half hour and from the alarms that hold,
when the vehicle is next heard. So a restart, or a transaction that failed, raises nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import floor

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from fleet.kit.web import Kit
from tracking.alarms import driving_rules as driving
from tracking.alarms import place_rules as places
from tracking.alarms import unit_rules as unit
from tracking.alarms.fences import CELL_DEG, Stay
from tracking.alarms.ground import Ground, print_of, read_ground
from tracking.alarms.models import Alarm
from tracking.alarms.rules import defaults
from tracking.alarms.vehicle import LATCHED, NEVER, Vehicle
from tracking.alarms.voice import Voice, key_of
from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog

MEMORY = timedelta(minutes=30)
STAND_DEG = 0.0004
"""Within some 40 m a vehicle that is not said to move stands."""
REFRESH_ASSIGNMENTS = timedelta(hours=1)
"""A vehicle's own lanes follow its beats; they are read again after so long."""


class Watch:
    """One for a process; `observe` is called by the follower, one batch at a time."""

    def __init__(self, kit: Kit, fixlog: FixLog) -> None:
        self._kit = kit
        self._fixlog = fixlog
        self._ground: Ground | None = None
        self._read_t = NEVER
        self._vehicles: dict[str, Vehicle] = {}
        self._voice = Voice()

    def forget(self) -> None:
        """What is remembered may not agree with what was committed."""
        self._vehicles.clear()

    def observe(self, session: Session, fixes: Iterable[Fix], now: datetime) -> None:
        """Takes a batch of new fixes of all devices, marked ones too.

        Late ones, and those that come again after a restart, change nothing but what they tell
        (an SOS an hour late is an SOS). Flushes only.
        """
        self._refresh(now)
        self._voice.session = session
        try:
            self._look(fixes)
        except BaseException:
            self.forget()
            raise
        finally:
            self._voice.session = None
        if session.in_transaction():
            event.listen(session, "after_rollback", lambda _: self.forget(), once=True)

    def _refresh(self, now: datetime) -> None:
        with self._kit.db.reading() as session:
            found = print_of(session)
            known = None if self._ground is None else self._ground.print
            if found is None:
                self._ground = None
            elif found != known or abs(now - self._read_t) >= REFRESH_ASSIGNMENTS:
                self._ground = read_ground(session, now)
                self._read_t = now
                if found != known:
                    self.forget()

    def _look(self, fixes: Iterable[Fix]) -> None:
        ground = self._ground
        vehicles = self._vehicles
        if ground is None:
            self._look_at_events(fixes)
            return
        rules, hoist = ground.rules, _bit(ground.policy.hoist_input)
        fast_mps = (ground.lowest_kmh + rules["overspeed"].raise_at) / driving.KMH
        low_v, low_24_v = rules["low_battery"].raise_at, 2 * rules["low_battery"].raise_at
        low_backup_v = rules["low_backup"].raise_at
        west, south, east, north = ground.bbox
        stand_deg, moving_mps = STAND_DEG, driving.MOVING_MPS
        first_look = timedelta(seconds=rules["dumping"].for_s)
        voice, fences = self._voice, ground.fences
        for fix in fixes:
            vehicle = vehicles.get(fix.vehicle_id or fix.device_id)
            if vehicle is None:
                vehicle = self._remember(ground, fix)
            if fix.event is not None:
                unit.on_event(voice, rules, vehicle, fix)
            t = fix.t
            # power and batteries: also of a fix without a position
            volt, backup = fix.battery_v, fix.backup_v
            if (
                vehicle.unwell
                or fix.mains is False
                or (volt is not None and volt < low_24_v and (volt < low_v or volt > unit.OF_24_V))
                or (backup is not None and backup < low_backup_v)
            ):
                unit.power(voice, rules, vehicle, fix, mains=fix.mains)
            if t > vehicle.told_t:
                vehicle.told_t = t
            if fix.mark is not None:
                if fix.mark == "outside" and t > vehicle.t:
                    places.extent(voice, ground, vehicle, fix)
                continue
            if t <= vehicle.t:
                continue
            vehicle.t = t
            lon, lat, speed = fix.lon, fix.lat, fix.speed_mps
            if vehicle.hot or (speed is not None and speed > fast_mps):
                driving.speed(voice, ground, vehicle, fix)
            if t >= vehicle.duty_until:
                self._duty(ground, vehicle, fix)
            if not vehicle.on_duty:
                driving.off_duty(voice, ground, vehicle, fix)
            if (
                -stand_deg < lon - vehicle.lon < stand_deg
                and -stand_deg < lat - vehicle.lat < stand_deg
                and (speed is None or speed < moving_mps)
            ):
                if t >= vehicle.look_t:
                    driving.stands(voice, ground, vehicle, fix)
                if vehicle.away:
                    places.extent(voice, ground, vehicle, fix)
            else:
                driving.is_elsewhere(voice, vehicle, fix, lon, lat, t + first_look)
                vehicle.near = fences.get((floor(lon / CELL_DEG), floor(lat / CELL_DEG)), ())
                if vehicle.away or not (west < lon < east and south < lat < north):
                    places.extent(voice, ground, vehicle, fix)
            if vehicle.near or vehicle.stays:
                places.fences(voice, ground, vehicle, fix)
            if hoist and fix.inputs is not None:
                driving.hoists(voice, ground, vehicle, fix, bool(fix.inputs & hoist))

    def _look_at_events(self, fixes: Iterable[Fix]) -> None:
        """Before there is a city, a call for help is one all the same."""
        for fix in fixes:
            if fix.event is not None:
                vehicle = Vehicle(fix.vehicle_id or fix.device_id, fix.vehicle_id, fix.device_id)
                unit.on_event(self._voice, defaults(), vehicle, fix)

    def _duty(self, ground: Ground, vehicle: Vehicle, fix: Fix) -> None:
        was_on_duty = vehicle.on_duty and vehicle.duty_until != NEVER
        vehicle.on_duty, vehicle.duty_until = ground.duty(
            vehicle.vehicle_id, fix.t, ground.rules["off_shift"].margin_s
        )
        if vehicle.on_duty:
            driving.is_on_duty(self._voice, vehicle, fix)
        elif was_on_duty:
            vehicle.off_from = (fix.lon, fix.lat)

    # --- remembering

    def _remember(self, ground: Ground, fix: Fix) -> Vehicle:
        """What the log's last half hour and the alarms that hold say about a vehicle."""
        vehicle = Vehicle(fix.vehicle_id or fix.device_id, fix.vehicle_id, fix.device_id)
        self._vehicles[vehicle.key] = vehicle
        session, self._voice.session = self._voice.session, None
        try:
            if fix.vehicle_id is not None:
                before = self._fixlog.window(fix.vehicle_id, fix.t - MEMORY, fix.t)
                if before:
                    self._look(before)
            with self._kit.db.reading() as reading:
                self._take_over(reading, ground, vehicle)
        finally:
            self._voice.session = session
        return vehicle

    def _take_over(self, session: Session, ground: Ground, vehicle: Vehicle) -> None:
        """The stored alarms say what is on; the replay says only how it stood before."""
        column = Alarm.device_id if vehicle.vehicle_id is None else Alarm.vehicle_id
        rows = session.scalars(select(Alarm).where(column == vehicle.key, Alarm.holding))
        held = {row.key: row for row in rows}
        for kind in LATCHED:
            latch, row = vehicle.latches[kind], held.get(key_of(kind, vehicle.key))
            if latch.on != (row is not None):
                latch.on, latch.since = row is not None, None
            if kind == "off_shift" and row is not None and row.lon is not None:
                vehicle.off_from = (row.lon, row.lat or 0.0)
                latch.since = row.seen_t
        vehicle.unwell = any(
            vehicle.latches[kind].on for kind in ("mains_cut", "low_battery", "low_backup")
        )
        vehicle.hot = vehicle.hot or vehicle.latches["overspeed"].on
        vehicle.idles = vehicle.latches["idling"].on
        vehicle.away = vehicle.away or vehicle.latches["outside_city"].on
        for row in held.values():
            if row.kind == "geofence" and row.place_id is not None:
                _stay_again(vehicle, row)


def _stay_again(vehicle: Vehicle, row: Alarm) -> None:
    """An alarm about a fence says on which side of it the vehicle was last."""
    assert row.place_id is not None
    if row.key.endswith(":leave"):
        vehicle.stays.pop(row.place_id, None)
        return
    stay = vehicle.stays.setdefault(row.place_id, Stay())
    stay.inside = True
    stay.entered_t = stay.entered_t or row.t
    stay.dwell_told = stay.dwell_told or row.key.endswith(":dwell")


def _bit(number: int) -> int:
    """The mask of a digital input, 1 the lowest; 0: none."""
    return 1 << (number - 1) if number else 0
