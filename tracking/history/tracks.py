"""A day's trail as a few kilobytes: simplified, quantised, the differences packed. Pure.

Columns t (tenths of a second), lon and lat (1e-6°, about 0.1 m) and the speed (decimetres a second,
-1 unknown) of each kept point; times and places as differences. All of it as 32 bits, byte planes
apart, in one zlib stream.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracking.fixes.columns import TrailColumns
from tracking.history.simplify import kept

Ints = npt.NDArray[np.int64]

COMPACT_M = 5.0
"""How far a compact track may be from the raw one: within the noise of a fix."""
FORMAT = 1
_TENTH_MS = 100
_MICRO = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Points of a simplified trail by time. `gap[i]`: a silence lies before point i."""

    t_s: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    speed_mps: npt.NDArray[np.float64]
    gap: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.t_s)


def track_of(
    good: TrailColumns,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    *,
    tolerance_m: float,
    gap_s: float,
) -> Track:
    """The simplified trail of good fixes, whose metres are x and y."""
    t_s = good.t_ms / 1000
    silent = np.flatnonzero(np.diff(t_s) > gap_s)
    mask = kept(t_s, x, y, tolerance_m, np.concatenate([silent, silent + 1]))
    gap = np.zeros(len(t_s), dtype=bool)
    gap[silent + 1] = True
    return Track(t_s[mask], good.lon[mask], good.lat[mask], good.speed_mps[mask], gap[mask])


def pack(track: Track) -> bytes:
    """The bytes of a track; `unpack` gives it back to a tenth of a second and of a metre."""
    t = np.rint(track.t_s * (1000 / _TENTH_MS)).astype(np.int64)
    start = int(t[0]) if len(t) else 0
    speed = np.where(np.isnan(track.speed_mps), -1, np.rint(track.speed_mps * 10))
    columns = [
        # The sign of a time tells a silence: differences of time are never below 0.
        np.where(track.gap, -1 - np.diff(t, prepend=start), np.diff(t, prepend=start)),
        np.diff(np.rint(track.lon * _MICRO).astype(np.int64), prepend=0),
        np.diff(np.rint(track.lat * _MICRO).astype(np.int64), prepend=0),
        speed.astype(np.int64),
    ]
    body = np.concatenate(columns).astype("<i4").view(np.uint8).reshape(-1, 4).T.tobytes()
    head = np.array([FORMAT, len(t), start], "<i8").tobytes()
    return head + zlib.compress(body, 6)


def unpack(blob: bytes) -> Track:
    """The track of `pack`.

    Raises:
        ValueError: the bytes are of another format.
    """
    form, count, start = np.frombuffer(blob[:24], "<i8").tolist()
    if form != FORMAT:
        raise ValueError(f"Expected a track of format {FORMAT}, got {form}.")
    planes = np.frombuffer(zlib.decompress(blob[24:]), np.uint8).reshape(4, -1)
    values = np.ascontiguousarray(planes.T).view("<i4").ravel().astype(np.int64)
    t, lon, lat, speed = values.reshape(4, count) if count else np.zeros((4, 0), np.int64)
    gap = t < 0
    t = start + np.cumsum(np.where(gap, -1 - t, t))
    return Track(
        t * (_TENTH_MS / 1000),
        np.cumsum(lon) / _MICRO,
        np.cumsum(lat) / _MICRO,
        np.where(speed < 0, np.nan, speed / 10),
        gap,
    )
