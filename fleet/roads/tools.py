"""Where the road engine's programs and Lua library lie, found without loading the engine."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


@cache
def _package() -> Path:
    spec = find_spec("osrm")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package osrm-bindings is not installed.")
    return Path(spec.origin).parent


def program(name: str) -> Path:
    """One of `osrm-extract`, `osrm-partition`, `osrm-customize`, `osrm-routed`.

    The programs are run themselves, not through `python -m osrm`, which would stand between us
    and the process that a signal has to reach.
    """
    return _package() / "bin" / name


def lua_library() -> Path:
    return _package() / "share" / "profiles"


def engine_version() -> str:
    return version("osrm-bindings")
