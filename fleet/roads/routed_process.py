"""The `osrm-routed` child of one vehicle class: its command line, and when it is ready."""

from __future__ import annotations

import time
from pathlib import Path

import httpx

from fleet.roads.build import is_contracted
from fleet.roads.tools import program

MAX_TABLE_POINTS = 10_000
MAX_ROUTE_POINTS = 5_000
MAX_NEAREST_POINTS = 10_000

_POLL_S = 0.05


def routed_command(dataset: Path, port: int) -> list[str]:
    """Serves a dataset on the loopback address only. The process is the server itself."""
    return [
        str(program("osrm-routed")),
        str(dataset),
        *("--algorithm", "CH" if is_contracted(dataset) else "MLD"),
        *("--ip", "127.0.0.1"),
        *("--port", str(port)),
        *("--threads", "2"),
        *("--mmap", "1"),
        *("--verbosity", "WARNING"),
        *("--max-table-size", str(MAX_TABLE_POINTS)),
        *("--max-viaroute-size", str(MAX_ROUTE_POINTS)),
        *("--max-nearest-locations", str(MAX_NEAREST_POINTS)),
    ]


def routed_url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def is_ready(url: str, *, timeout_s: float = 1.0) -> bool:
    """Whether a road engine answers there."""
    try:
        answer = httpx.get(f"{url}/nearest/v1/vehicle/0,0", timeout=timeout_s)
        return str(answer.json().get("code", "")) == "Ok"
    except (httpx.HTTPError, ValueError, AttributeError):
        return False


def wait_ready(url: str, *, limit_s: float = 20.0) -> bool:
    """Waits until the engine answers; False when it does not within the limit."""
    deadline_s = time.monotonic() + limit_s
    while not is_ready(url):
        if time.monotonic() > deadline_s:
            return False
        time.sleep(_POLL_S)
    return True
