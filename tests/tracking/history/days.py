"""Days by hand, as columns and as fixes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import numpy as np

from tests.conftest import START
from tests.tracking.conftest import fix
from tests.tracking.drives import EAST, NORTH, ORIGIN
from tracking.fixes.columns import TrailColumns
from tracking.fixes.fix import Fix, to_ms
from tracking.proof.track import Track

type Leg = tuple[float, float, float]
"""Seconds that it takes, and metres east and north at its end."""


def driven(legs: Iterable[Leg], *, every_s: float = 5, start_s: float = 0) -> list[tuple]:
    """(s, x, y, speed) each `every_s` along legs driven evenly from (0, 0)."""
    at, x, y = start_s, 0.0, 0.0
    points = [(at, x, y, 0.0)]
    for took_s, to_x, to_y in legs:
        speed = float(np.hypot(to_x - x, to_y - y)) / took_s
        steps = max(1, round(took_s / every_s))
        for i in range(1, steps + 1):
            share = i / steps
            points.append(
                (at + share * took_s, x + share * (to_x - x), y + share * (to_y - y), speed)
            )
        at, x, y = at + took_s, to_x, to_y
    return points


def fixes_of(points: Iterable[tuple], vehicle: str = "v1", speed: bool = True) -> list[Fix]:
    return [
        fix(
            s,
            device=f"d-{vehicle}",
            vehicle=vehicle,
            lon=ORIGIN[0] + x / EAST,
            lat=ORIGIN[1] + y / NORTH,
            speed_mps=v if speed else None,
        )
        for s, x, y, v in points
    ]


def columns_of(track: Track, ignition: int = -1) -> TrailColumns:
    """A drive's track in metres as stored columns, beginning at START."""
    count = len(track.t_s)
    return TrailColumns(
        to_ms(START) + (track.t_s * 1000).astype(np.int64),
        ORIGIN[0] + track.x / EAST,
        ORIGIN[1] + track.y / NORTH,
        track.speed_mps,
        np.full(count, ignition, np.int8),
        np.full(count, None, np.object_),
    )


def columns(fixes: list[Fix]) -> TrailColumns:
    rows = [
        (to_ms(f.t), f.lon, f.lat, f.speed_mps, -1 if f.ignition is None else f.ignition, f.mark)
        for f in fixes
    ]
    return TrailColumns.of(list(zip(*rows, strict=True)))


def after(s: float):
    return START + timedelta(seconds=s)
