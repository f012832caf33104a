"""A vehicle's fixes as columns: what a day's arithmetic wants, without an object for each fix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class TrailColumns:
    """Equally long columns of one vehicle's stored fixes by time, those set aside included."""

    t_ms: npt.NDArray[np.int64]
    """Milliseconds since 1970; never falling."""
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    speed_mps: npt.NDArray[np.float64]
    """As the unit says; NaN where it does not."""
    ignition: npt.NDArray[np.int8]
    """1 on, 0 off, -1 not said."""
    marks: npt.NDArray[np.object_]
    """Why a fix was set aside; None for a good one."""

    def __len__(self) -> int:
        return len(self.t_ms)

    @classmethod
    def of(cls, columns: Sequence[Sequence[object]]) -> TrailColumns:
        """From six columns in this order; ignition -1 and speed None where nothing is known."""
        t_ms, lon, lat, speed, ignition, marks = columns if columns else [()] * 6
        return cls(
            np.array(t_ms, np.int64),
            np.array(lon, np.float64),
            np.array(lat, np.float64),
            np.array(speed, np.float64),
            np.array(ignition, np.int8),
            np.array(marks, np.object_),
        )

    @classmethod
    def joined(cls, parts: Sequence[TrailColumns]) -> TrailColumns:
        """Several stored days as one trail, by time."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.of(())
        order = np.argsort(np.concatenate([p.t_ms for p in parts]), kind="stable")
        return cls(
            np.concatenate([p.t_ms for p in parts])[order],
            np.concatenate([p.lon for p in parts])[order],
            np.concatenate([p.lat for p in parts])[order],
            np.concatenate([p.speed_mps for p in parts])[order],
            np.concatenate([p.ignition for p in parts])[order],
            np.concatenate([p.marks for p in parts])[order],
        )

    def good(self) -> TrailColumns:
        """Those that no filter set aside."""
        return self.masked(self.marks == None)  # noqa: E711 - element by element

    def masked(self, mask: npt.NDArray[np.bool_]) -> TrailColumns:
        """Those for which the mask is true."""
        return TrailColumns(
            self.t_ms[mask],
            self.lon[mask],
            self.lat[mask],
            self.speed_mps[mask],
            self.ignition[mask],
            self.marks[mask],
        )
