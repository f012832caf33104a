"""The last while of each vehicle's good fixes, in memory and in metres.

The follower looks at the same minutes again with every few new fixes; reading them from the log
each time would cost more than matching them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tracking.proof.track import Track

Floats = npt.NDArray[np.float64]

KEEP_S = 2_700.0
"""Older rows make room for new ones."""
_ROWS = 1024

type Row = tuple[float, float, float, float, float]
"""t in seconds since 1970, x, y in metres, speed in metres a second, course in degrees (NaN: not
measured)."""


class Tail:
    """Rows of one vehicle by time; of those with equal times the first."""

    def __init__(self, rows: Iterable[Row] = (), *, complete_from_s: float = -np.inf) -> None:
        self.complete_from_s = complete_from_s
        """From here on no good fix of the vehicle is missing."""
        given = np.array(sorted(rows, key=lambda row: row[0]), np.float64).reshape(-1, 5)
        first = np.r_[True, np.diff(given[:, 0]) > 0] if len(given) else np.zeros(0, bool)
        given = given[first]
        self._n = len(given)
        self._rows = np.empty((max(_ROWS, 2 * self._n), 5), np.float64)
        self._rows[: self._n] = given
        self._last_s = float(given[-1, 0]) if self._n else -np.inf

    @property
    def last_s(self) -> float:
        """Time of the newest row; minus infinite when there is none."""
        return self._last_s

    def add(self, row: Row) -> None:
        """Takes a row in, also a late one."""
        if self._n == len(self._rows):
            self._make_room()
        t_s = row[0]
        if t_s > self._last_s:
            self._rows[self._n] = row
            self._last_s = t_s
        else:
            times = self._rows[: self._n, 0]
            at = int(np.searchsorted(times, t_s))
            if times[at] == t_s:
                return
            self._rows[at + 1 : self._n + 1] = self._rows[at : self._n].copy()
            self._rows[at] = row
        self._n += 1

    def track(self, since_s: float, until_s: float) -> Track:
        """The rows with since ≤ t ≤ until."""
        times = self._rows[: self._n, 0]
        low, high = np.searchsorted(times, since_s), np.searchsorted(times, until_s, "right")
        t, x, y, speed, course = np.ascontiguousarray(self._rows[low:high].T)
        return Track(t, x, y, speed, course)

    def _make_room(self) -> None:
        keep = int(np.searchsorted(self._rows[: self._n, 0], self._last_s - KEEP_S))
        left = self._n - keep
        rows = self._rows
        if left > len(rows) // 2:
            rows = np.empty((2 * len(rows), 5), np.float64)
        if keep:
            self.complete_from_s = max(self.complete_from_s, float(self._rows[keep, 0]))
        rows[:left] = self._rows[keep : self._n].copy()
        self._rows, self._n = rows, left
