"""Compilation to machine code, kept on disk between processes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numba
from numba.core import config as _config

config: Any = _config
_SOURCES = sorted(Path(__file__).parent.glob("*.py"))
_DIGEST = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()[:12]


def compiled[F: Callable[..., object]](function: F) -> F:
    """Compiles without the interpreter lock.

    The cache keeps a function until its own file changes, though a function that it calls may
    live in another one; with a folder of its own for each state of the package nothing is stale.
    Without NUMBA_CACHE_DIR the cache lies beside the source.
    """
    base = config.CACHE_DIR
    if base:
        config.CACHE_DIR = os.path.join(base, _DIGEST)
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    finally:
        config.CACHE_DIR = base
