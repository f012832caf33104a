"""A lock that is granted in the order in which it was asked for."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """First come, first served; may be released by another thread than the one that took it.

    SQLite lets waiting writers race, so that an unlucky one may wait for seconds; this queue in
    front of it does not.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, timeout_s: float) -> bool:
        """True once the lock is ours, False when `timeout_s` passed first."""
        with self._mutex:
            if not self._held:
                self._held = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        granted = False
        try:
            granted = turn.wait(timeout_s)
        finally:
            if not granted:
                granted = self._withdraw(turn)
        return granted

    def release(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()  # stays held: it passes to the next in the queue
            else:
                self._held = False

    def _withdraw(self, turn: threading.Event) -> bool:
        """Leave the queue; True when the turn came at that very moment."""
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True
