"""Leases without wall time: a holder moves a counter, observers watch it by their own clock."""

from __future__ import annotations

import os
import socket

from fleet.kit.clock import Monotonic
from fleet.kit.ids import new_id


def holder_name() -> str:
    """A name for a new holder: host, process and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{new_id('h')}"


class Observer:
    """Tells when a holder's counter has stood still for `lease_s` seconds of ours.

    Nobody's wall clock is trusted: a restarted observer simply watches for a whole lease first.
    """

    def __init__(self, monotonic: Monotonic, lease_s: float) -> None:
        self._monotonic = monotonic
        self._lease_s = lease_s
        self._seen: dict[str, tuple[tuple[str | None, int], float]] = {}

    def expired(self, key: str, holder: str | None, beat: int) -> bool:
        """Whether (`holder`, `beat`) of lease `key` has been the same for `lease_s`."""
        now_s = self._monotonic.now_s()
        known = self._seen.get(key)
        if known is None or known[0] != (holder, beat):
            self._seen[key] = ((holder, beat), now_s)
            return False
        return now_s - known[1] >= self._lease_s

    def forget(self, *, keep: frozenset[str] = frozenset()) -> None:
        """Drop what is no longer watched."""
        self._seen = {key: seen for key, seen in self._seen.items() if key in keep}
