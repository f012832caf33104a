"""Hysteresis: a condition counts once it has held long enough, and ends once it has been over
long enough. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracking.alarms.rules import Rule


@dataclass(slots=True)
class Latch:
    """On or off, and since when the opposite has been seen.

    >>> from datetime import UTC
    >>> rule = Rule("k", "c", "info", raise_at=10, clear_at=3, for_s=15, clear_for_s=30)
    >>> latch, t = Latch(), datetime(2026, 3, 2, tzinfo=UTC)
    >>> [latch.step(t + timedelta(seconds=s), 12.0, rule) for s in (0, 10, 15, 20)]
    [None, None, True, None]
    >>> [latch.step(t + timedelta(seconds=s), v, rule) for s, v in ((30, 5), (40, 2), (70, 1))]
    [None, None, False]
    """

    on: bool = False
    since: datetime | None = None

    def step(self, t: datetime, value: float, rule: Rule) -> bool | None:
        """Takes the measure of a moment: True when it goes on, False when it goes off.

        Between the two thresholds nothing changes; a value that falls back starts the wait anew.
        """
        return self.move(t, value <= rule.clear_at if self.on else value >= rule.raise_at, rule)

    def move(self, t: datetime, opposite: bool, rule: Rule) -> bool | None:
        """The same where the caller compares: `opposite` means that it should switch."""
        if not opposite:
            self.since = None
            return None
        if self.since is None:
            self.since = t
        wait_s = rule.clear_for_s if self.on else rule.for_s
        if t - self.since < timedelta(seconds=wait_s):
            return None
        self.on, self.since = not self.on, None
        return self.on
