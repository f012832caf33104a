"""One position of one device, as stored."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta

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
    """Why a filter set the fix aside (`jump`, `outside`, `hdop`); None: good. Never deleted."""


def to_ms(t: datetime) -> int:
    """Milliseconds since 1970, the resolution of the log."""
    return (t - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """The aware UTC instant of `to_ms`."""
    return _EPOCH + ms * _MS


def payload_hash(fix: Fix) -> int:
    """A signed 64-bit hash of what the device measured.

    Neither the time of receipt, the holder nor the mark takes part: a fix that is sent twice has
    the same hash, and two readings of a unit with a stuck clock have different ones.
    """
    measured = (
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
    )
    digest = hashlib.blake2b(msgspec.json.encode(measured), digest_size=8).digest()
    value: int = struct.unpack(">q", digest)[0]
    return value
