"""The supervisor: order of start, restart of a dead child, an end that leaves nobody behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from fleet.main.processes import Service, Supervisor

LIVES = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"
WITHIN_S = 20.0


def service(name: str, book: Path, **more: object) -> Service:
    return Service(name, (sys.executable, "-c", LIVES, str(book)), **more)


def pids(book: Path, expected: int) -> list[int]:
    """The children's own entries, once there are so many."""
    deadline_s = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline_s:
        found = [int(line) for line in book.read_text().split()] if book.exists() else []
        if len(found) >= expected:
            return found
        threading.Event().wait(0.02)
    pytest.fail(f"expected {expected} children in {book.name}")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_child_starts_after_the_one_before_is_ready(tmp_path):
    order: list[str] = []
    first = service("first", tmp_path / "a", ready=lambda: order.append("first"))
    second = service("second", tmp_path / "b", ready=lambda: order.append("second"))
    supervisor = Supervisor([first, second])
    try:
        supervisor.start()
        assert order == ["first", "second"]
    finally:
        supervisor.end()


def test_a_dead_child_starts_again_and_the_end_leaves_nobody(tmp_path):
    book = tmp_path / "pids"
    supervisor = Supervisor([service("child", book)])
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    try:
        (killed,) = pids(book, 1)
        os.kill(killed, signal.SIGKILL)
        again = pids(book, 2)[1]
        assert again != killed
        assert alive(again)
    finally:
        supervisor.stop.set()
        watching.join(WITHIN_S)
        supervisor.end()
    assert not alive(again)
