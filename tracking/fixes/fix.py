"""One position of one device: as rooms read it, and as a row of the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A fix. `t` is the device's time, `received_t` the city time at which the server took it."""

    device_id: str
    vehicle_id: str | None = None
    t: datetime
    received_t: datetime
    lon: float
    lat: float
    speed_mps: float | None = None
    course_deg: float | None = None
    hdop: float | None = None
    sats: int | None = None
    ignition: bool | None = None
    battery_v: float | None = None
    load_kg: float | None = None
    alt_m: float | None = None
    mains: bool | None = None
    backup_v: float | None = None
    inputs: int | None = None
    event: str | None = None
    mark: str | None = None
    """Why a filter set the fix aside, as docs/devices.md lists it; None: good. Never deleted."""
    raw_t_ms: int | None = None
    """What the unit's clock said, in milliseconds since 1970, where `t` is another time: the
    corrected one of a clock that rolled over, or that of receipt (marks `future` and `stale`)."""

    @property
    def remark(self) -> str | None:
        """The mark, or `rollover` for a good fix whose time was corrected: for people."""
        return self.mark or (None if self.raw_t_ms is None else "rollover")


class Row(NamedTuple):
    """A fix as it is stored: times in milliseconds since 1970, and a hash of what was measured."""

    device_id: str
    vehicle_id: str | None
    t: int
    received_t: int
    lon: float
    lat: float
    speed_mps: float | None
    course_deg: float | None
    hdop: float | None
    sats: int | None
    ignition: bool | None
    battery_v: float | None
    load_kg: float | None
    alt_m: float | None
    mains: bool | None
    backup_v: float | None
    inputs: int | None
    event: str | None
    mark: str | None
    raw_t: int | None
    payload: int


def to_ms(t: datetime) -> int:
    """Milliseconds since 1970, the resolution of the log."""
    return (t - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """The aware UTC instant of `to_ms`."""
    return _EPOCH + ms * _MS


_pack = msgspec.msgpack.Encoder().encode


class Measured(Protocol):
    """What a device measures, at a time that stands beside it."""

    @property
    def lon(self) -> float: ...
    @property
    def lat(self) -> float: ...
    @property
    def speed_mps(self) -> float | None: ...
    @property
    def course_deg(self) -> float | None: ...
    @property
    def hdop(self) -> float | None: ...
    @property
    def sats(self) -> int | None: ...
    @property
    def ignition(self) -> bool | None: ...
    @property
    def battery_v(self) -> float | None: ...
    @property
    def load_kg(self) -> float | None: ...
    @property
    def alt_m(self) -> float | None: ...
    @property
    def mains(self) -> bool | None: ...
    @property
    def backup_v(self) -> float | None: ...
    @property
    def inputs(self) -> int | None: ...
    @property
    def event(self) -> str | None: ...


def payload_hash(m: Measured, raw_t_ms: int | None) -> int:
    """A signed 64-bit hash of what the device measured, stable across processes and versions.

    Neither the other times, the holder nor the mark take part: a fix that is sent twice has the
    same hash, and two readings of a unit with a stuck clock have different ones. Readings that are
    filed under one time of receipt are told apart by what the unit's clock said, `raw_t_ms`.
    """
    measured = (
        m.lon,
        m.lat,
        m.speed_mps,
        m.course_deg,
        m.hdop,
        m.sats,
        m.ignition,
        m.battery_v,
        m.load_kg,
        m.alt_m,
        m.mains,
        m.backup_v,
        m.inputs,
        m.event,
    )
    digest = blake2b(_pack(measured), digest_size=8).digest()
    payload = int.from_bytes(digest, "big", signed=True)
    return payload if raw_t_ms is None else payload ^ raw_t_ms


def to_row(fix: Fix) -> Row:
    """The fix as it is stored."""
    return Row(
        fix.device_id,
        fix.vehicle_id,
        to_ms(fix.t),
        to_ms(fix.received_t),
        fix.lon,
        fix.lat,
        fix.speed_mps,
        fix.course_deg,
        fix.hdop,
        fix.sats,
        fix.ignition,
        fix.battery_v,
        fix.load_kg,
        fix.alt_m,
        fix.mains,
        fix.backup_v,
        fix.inputs,
        fix.event,
        fix.mark,
        fix.raw_t_ms,
        payload_hash(fix, fix.raw_t_ms),
    )


def from_row(row: Any) -> Fix:
    """A fix from its stored columns, `COLUMNS` of the log."""
    return Fix(
        device_id=row[0],
        vehicle_id=row[1],
        t=from_ms(row[2]),
        received_t=from_ms(row[3]),
        lon=row[4],
        lat=row[5],
        speed_mps=row[6],
        course_deg=row[7],
        hdop=row[8],
        sats=row[9],
        ignition=None if row[10] is None else bool(row[10]),
        battery_v=row[11],
        load_kg=row[12],
        alt_m=row[13],
        mains=None if row[14] is None else bool(row[14]),
        backup_v=row[15],
        inputs=row[16],
        event=row[17],
        mark=row[18],
        raw_t_ms=row[19],
    )
