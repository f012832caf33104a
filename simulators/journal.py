"""What the server has acknowledged to its clients, in the clients' own words."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class Journal:
    """Kept by the clients, so that a restarted server can be held to it."""

    fixes_sent: int = 0
    fixes_refused: int = 0
    fixes: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Epoch seconds of each vehicle's acknowledged fixes; a unit sends one for a second."""
    events: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Ids of each vehicle's accepted taps."""
    events_refused: int = 0
    requests: set[str] = field(default_factory=set)
    """Public codes of requests."""

    @property
    def fixes_acknowledged(self) -> int:
        return sum(len(times) for times in self.fixes.values())


@dataclass(frozen=True, slots=True)
class Lost:
    """What was acknowledged and is not there any more."""

    fixes: int
    events: int
    requests: int

    @property
    def total(self) -> int:
        return self.fixes + self.events + self.requests
