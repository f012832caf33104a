"""Problem and solution as versioned JSON, so that any plan can be replayed and explained.

Matrices travel as base64 of little-endian int32, row by row: a ward of 600 places is 2 MB of JSON
before compression, and loads in milliseconds.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import msgspec
import numpy as np

from routing.problem import (
    Disposal,
    Matrix,
    Problem,
    ProblemError,
    Solution,
    Travel,
    Vehicle,
    Visit,
)

VERSION = 1


class _Travel(msgspec.Struct):
    size: int
    duration_s: str
    distance_m: str


class _Problem(msgspec.Struct, tag="safai.problem", tag_field="type"):
    version: int
    epoch: datetime
    locations: tuple[tuple[float, float], ...]
    travel: dict[str, _Travel]
    vehicles: tuple[Vehicle, ...]
    visits: tuple[Visit, ...]
    disposals: tuple[Disposal, ...]
    change_cost_s: int


class _Solution(msgspec.Struct, tag="safai.solution", tag_field="type"):
    version: int
    solution: Solution


def dump_problem(problem: Problem) -> bytes:
    """The problem as UTF-8 JSON."""
    return _encode(
        _Problem(
            VERSION,
            problem.epoch,
            problem.locations,
            {name: _travel(travel) for name, travel in problem.travel.items()},
            problem.vehicles,
            problem.visits,
            problem.disposals,
            problem.change_cost_s,
        )
    )


def load_problem(data: bytes) -> Problem:
    """The problem of `dump_problem`.

    Raises:
        ProblemError: it is no such JSON, or of a later version.
    """
    read = _decode(data, _Problem)
    return Problem(
        epoch=read.epoch,
        locations=read.locations,
        travel={
            name: Travel(_matrix(t.duration_s, t.size, name), _matrix(t.distance_m, t.size, name))
            for name, t in read.travel.items()
        },
        vehicles=read.vehicles,
        visits=read.visits,
        disposals=read.disposals,
        change_cost_s=read.change_cost_s,
    )


def dump_solution(solution: Solution) -> bytes:
    """The solution as UTF-8 JSON."""
    return _encode(_Solution(VERSION, solution))


def load_solution(data: bytes) -> Solution:
    """The solution of `dump_solution`; raises `ProblemError` as `load_problem` does."""
    return _decode(data, _Solution).solution


def _encode(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value, enc_hook=_plain, order="deterministic")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"Expected JSON values, got {type(value).__name__}.")


def _decode[T: (_Problem, _Solution)](data: bytes, kind: type[T]) -> T:
    try:
        read = msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise ProblemError(
            "json", f"It is not what it should be: {error}.", "Dump it again."
        ) from error
    if read.version != VERSION:
        raise ProblemError(
            "version",
            f"Expected version {VERSION}, got {read.version}.",
            "Read it with the safai that wrote it, or a later one.",
        )
    return read


def _travel(travel: Travel) -> _Travel:
    return _Travel(len(travel.duration_s), _text(travel.duration_s), _text(travel.distance_m))


def _text(matrix: Matrix) -> str:
    return base64.b64encode(np.ascontiguousarray(matrix, dtype="<i4").tobytes()).decode("ascii")


def _matrix(text: str, size: int, name: str) -> Matrix:
    try:
        flat = np.frombuffer(base64.b64decode(text, validate=True), dtype="<i4")
        return flat.astype(np.int32).reshape(size, size)
    except ValueError as error:
        raise ProblemError(
            f"travel.{name}", f"It is no {size} × {size} matrix: {error}.", "Dump it again."
        ) from error
