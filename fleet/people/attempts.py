"""Counts failed sign-ins, so that passwords cannot be tried out."""

from __future__ import annotations

import threading
from collections import OrderedDict

from fleet.kit.clock import Monotonic


class Attempts:
    """How often each key has tried within a window; bounded: the oldest keys are forgotten.

    Args:
        monotonic: measures the window.
        window_s: how long a try counts.
        most_keys: how many keys are remembered.
    """

    def __init__(self, monotonic: Monotonic, window_s: float, most_keys: int = 10_000) -> None:
        self._monotonic = monotonic
        self._window_s = window_s
        self._most_keys = most_keys
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, list[float]] = OrderedDict()

    def wait_s(self, key: str, limit: int) -> float:
        """Count a try; 0 when it is allowed, else the seconds to wait (and it is not counted)."""
        now_s = self._monotonic.now_s()
        with self._lock:
            tries = [at for at in self._tries.pop(key, []) if at > now_s - self._window_s]
            wait_s = 0.0
            if len(tries) >= limit:
                wait_s = tries[-limit] + self._window_s - now_s
            else:
                tries.append(now_s)
            self._tries[key] = tries
            while len(self._tries) > self._most_keys:
                self._tries.popitem(last=False)
        return wait_s

    def clear(self, key: str) -> None:
        """Forget a key's tries: it got in."""
        with self._lock:
            self._tries.pop(key, None)

    def __len__(self) -> int:
        return len(self._tries)
