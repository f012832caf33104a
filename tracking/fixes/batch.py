"""Fixes as columns, for readers that work on many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Codes = NDArray[np.int32]

COLUMNS: Final = (
    *("vehicle_id", "device_id", "t", "received_t", "lon", "lat", "speed_mps", "course_deg"),
    *("hdop", "load_kg", "ignition", "mains", "inputs", "event", "mark"),
)
"""What `FixBatch.of_rows` expects, in this order."""


@dataclass(frozen=True, slots=True)
class FixBatch:
    """Equal-length columns in the order of the commits; NaN or -1 where a unit does not measure."""

    vehicles: list[str]
    """Vehicles by the code that stands in `vehicle`."""
    devices: list[str]
    vehicle: Codes
    """-1: the device was in no vehicle."""
    device: Codes
    t_ms: NDArray[np.int64]
    received_ms: NDArray[np.int64]
    lon: Floats
    lat: Floats
    speed_mps: Floats
    course_deg: Floats
    hdop: Floats
    load_kg: Floats
    ignition: NDArray[np.int8]
    """1, 0, or -1: not told."""
    mains: NDArray[np.int8]
    inputs: Codes
    good: NDArray[np.bool_]
    """Whether no filter has set it aside; only these prove anything."""
    events: list[tuple[int, str]]
    """(index, kind) of the fixes that tell an event, marked ones too."""
    marks: list[tuple[int, str]]
    """(index, mark) of those set aside."""

    def __len__(self) -> int:
        return len(self.t_ms)

    @classmethod
    def of_rows(cls, rows: Sequence[Sequence[Any]]) -> FixBatch:
        """From rows that begin with `COLUMNS`."""
        columns: Sequence[Sequence[Any]] = (
            list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
        )
        vehicles: dict[str | None, int] = {None: -1}
        devices: dict[str, int] = {}
        return cls(
            vehicle=_codes(columns[0], vehicles, first=-1),
            device=_codes(columns[1], devices, first=0),
            vehicles=[v for v in vehicles if v is not None],
            devices=list(devices),
            t_ms=np.array(columns[2], np.int64),
            received_ms=np.array(columns[3], np.int64),
            lon=np.array(columns[4], np.float64),
            lat=np.array(columns[5], np.float64),
            speed_mps=np.array(columns[6], np.float64),  # None becomes NaN
            course_deg=np.array(columns[7], np.float64),
            hdop=np.array(columns[8], np.float64),
            load_kg=np.array(columns[9], np.float64),
            ignition=_flags(columns[10]),
            mains=_flags(columns[11]),
            inputs=np.array([-1 if v is None else v for v in columns[12]], np.int32),
            events=[(i, e) for i, e in enumerate(columns[13]) if e is not None],
            marks=[(i, m) for i, m in enumerate(columns[14]) if m is not None],
            good=np.array([m is None for m in columns[14]], np.bool_),
        )


def _codes(names: Sequence[Any], known: dict[Any, int], *, first: int) -> Codes:
    """Codes from 0 on in the order of first sight; `known` may hold one name for -1."""
    return np.array([known.setdefault(name, len(known) + first) for name in names], np.int32)


def _flags(values: Sequence[bool | None]) -> NDArray[np.int8]:
    return np.array([-1 if v is None else v for v in values], np.int8)
