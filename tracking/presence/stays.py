"""From positions to stays: which area somebody was in from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

GAP_S = 600.0
"""Where somebody was during a longer silence is not known, and is not told."""
BLINK_S = 180.0
"""Leaving an area for less than this is a step aside, or noise."""
LEAST_S = 60.0
"""A shorter stay is passing by."""


@dataclass(frozen=True, slots=True)
class Stay:
    """Time in one area, from the first to the last position there (seconds)."""

    area: str
    start_s: float
    end_s: float


def stays(
    positions: Sequence[tuple[float, str | None]],
    *,
    gap_s: float = GAP_S,
    blink_s: float = BLINK_S,
    least_s: float = LEAST_S,
) -> list[Stay]:
    """Stays by their start; they do not overlap.

    Args:
        positions: (time in seconds, area or None: in none), by time.

    >>> stays([(0, "a"), (60, "a"), (120, None), (180, "a"), (900, "b"), (1000, "b")])
    [Stay(area='a', start_s=0, end_s=180), Stay(area='b', start_s=900, end_s=1000)]
    """
    runs: list[Stay] = []
    last_s: float | None = None
    for t_s, area in positions:
        if area is not None:
            open_run = runs[-1] if runs else None
            silent = last_s is None or t_s - last_s > gap_s
            if (
                open_run is not None
                and not silent
                and open_run.area == area
                and t_s - open_run.end_s <= max(blink_s, t_s - (last_s or t_s))
            ):
                runs[-1] = replace(open_run, end_s=t_s)
            else:
                runs.append(Stay(area, t_s, t_s))
        last_s = t_s
    return [stay for stay in _mended(runs, blink_s) if stay.end_s - stay.start_s >= least_s]


def _mended(runs: Sequence[Stay], blink_s: float) -> list[Stay]:
    """Runs with a short visit elsewhere between two of the same area made one."""
    mended: list[Stay] = []
    for run in runs:
        visit = mended[-1] if mended else None
        before = mended[-2] if len(mended) > 1 else None
        if (
            visit is not None
            and before is not None
            and before.area == run.area != visit.area
            and run.start_s - before.end_s <= blink_s
        ):
            mended.pop()
            mended[-1] = replace(before, end_s=run.end_s)
        else:
            mended.append(run)
    return mended
