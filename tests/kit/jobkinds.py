"""Functions that job tests run in spawned processes; they must be importable there."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from fleet.kit.errors import Refused


def double(number: int) -> int:
    return 2 * number


def refuse() -> None:
    raise Refused("The ward has no lanes.", field="wards", remedy="Choose another ward.")


def stumble() -> None:
    raise ZeroDivisionError("no vehicles")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(7)


def unpicklable() -> object:
    return lambda: None


def wait_forever(started: Path) -> None:
    started.write_text(str(os.getpid()))
    while True:
        time.sleep(1)
