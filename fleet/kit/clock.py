"""The two injected clocks: `Clock` is city time, `Monotonic` measures waits and leases.

Scaled and stepped city time live in ``clock.json`` of the data folder, so that every process of
one server agrees and a restart continues where the city stood.
"""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from fleet.kit.times import aware, iso, parse_iso

KEEP_EVERY_S = 1.0
"""How often the owner of a scaled clock extends its lease on time."""
LEASE_S = 3.0
"""Real seconds that scaled city time may run on after the owner's last word."""


class Clock(Protocol):
    """City time: aware, UTC, never running backwards."""

    def now(self) -> datetime: ...


class Monotonic(Protocol):
    """Seconds from an arbitrary origin, never running backwards: leases, heartbeats, limits."""

    def now_s(self) -> float: ...


class SystemMonotonic:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        return time.monotonic()


class WallClock:
    """City time is real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ScaledClock:
    """City time that runs `rate` times as fast as real time while its server is up.

    The file holds an anchor (city time at a reading of the machine's monotonic clock) and the
    city time `until` which the owner vouches for. Nobody reads beyond `until`, so a start after a
    crash resumes there: time neither ran while the server was down nor goes back.

    One process owns the clock: it calls `resume()` at its start, `keep()` each second (or lets
    `keep_forever` do so) and `pause()` at its end. All others only read.

    Args:
        path: ``clock.json``; made with `start` when absent.
        rate: city seconds per real second, > 0.
        start: city time of a fresh folder.
    """

    def __init__(
        self, path: Path, rate: float, start: datetime, monotonic: Monotonic | None = None
    ) -> None:
        if rate <= 0:
            raise ValueError(f"Expected a rate above 0, got {rate}.")
        self._path = path
        self._rate = rate
        self._monotonic = monotonic or SystemMonotonic()
        self._lock = threading.Lock()
        if not path.exists():
            self._write(aware(start), until=start)
        self._last = parse_iso(_read(path)["city"])

    @property
    def rate(self) -> float:
        return self._rate

    def now(self) -> datetime:
        state = _read(self._path)
        until = parse_iso(state["until"])
        elapsed_s = max(0.0, self._monotonic.now_s() - float(state.get("monotonic_s", 0.0)))
        city = parse_iso(state["city"]) + timedelta(seconds=elapsed_s * float(state["rate"]))
        with self._lock:
            self._last = max(self._last, min(city, until))
            return self._last

    def resume(self) -> None:
        """Owner only: city time runs again from where the file says it stood."""
        city = max(self._last, parse_iso(_read(self._path)["until"]))
        self._write(city, until=city + timedelta(seconds=LEASE_S * self._rate))

    def keep(self) -> None:
        """Owner only: vouch for the next seconds."""
        now = self.now()
        self._write(now, until=now + timedelta(seconds=LEASE_S * self._rate))

    def pause(self) -> None:
        """Owner only: city time stands until the next `resume`."""
        now = self.now()
        self._write(now, until=now)

    def keep_forever(self, stop: threading.Event) -> None:
        """Owner only: resume, keep each second until `stop`, then pause."""
        self.resume()
        while not stop.wait(KEEP_EVERY_S):
            self.keep()
        self.pause()

    def _write(self, city: datetime, *, until: datetime) -> None:
        _replace(
            self._path,
            {
                "mode": "scaled",
                "rate": self._rate,
                "city": iso(city),
                "until": iso(until),
                "monotonic_s": self._monotonic.now_s(),
            },
        )


class SteppedClock:
    """City time that stands until somebody sets it; other processes see it at their next `now()`.

    Args:
        path: ``clock.json``; made with `start` when absent, continued when present (also the one
            that a scaled clock left).
        start: city time of a fresh folder.
    """

    def __init__(self, path: Path, start: datetime) -> None:
        self._path = path
        if not path.exists():
            self._write(aware(start))
        elif (state := _read(path))["mode"] != "stepped":
            self._write(parse_iso(state["until"]))

    def now(self) -> datetime:
        return parse_iso(_read(self._path)["city"])

    def set(self, t: datetime) -> None:
        """Move city time forward to `t`.

        Raises:
            ValueError: `t` is naive or lies before the present city time.
        """
        now = self.now()
        if aware(t) < now:
            raise ValueError(f"Expected a time not before {iso(now)}, got {iso(t)}.")
        self._write(t)

    def _write(self, city: datetime) -> None:
        text = iso(city)
        _replace(self._path, {"mode": "stepped", "rate": 0, "city": text, "until": text})


def _read(path: Path) -> dict[str, str]:
    # Read each time: a stat signature misses two replacements within one timestamp tick.
    state: dict[str, str] = json.loads(path.read_bytes())
    return state


def _replace(path: Path, state: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    with part.open("w") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
