"""What truly happens on each visit, drawn before the day, and the log that no server sees."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

MISSED_SHARE = 0.065
"""Share of a route's lanes that are truly missed."""

Kind = Literal["served", "skipped", "driven_through", "partly"]
_CYCLE: tuple[Kind, ...] = ("skipped", "driven_through", "skipped", "partly")
"""Half skipped, a quarter driven through, a quarter served in part."""


@dataclass(frozen=True, slots=True)
class Truth:
    kind: Kind
    fraction: float
    """Share of the lane truly served."""


SERVED = Truth("served", 1.0)


def draw_misses(seed: int, vehicle_id: str, lane_refs: Iterable[str]) -> dict[str, Truth]:
    """The lanes of a route that will be missed, at least 5% of them, and how.

    Depends on the seed, the vehicle and its set of lanes, not on their order.
    """
    ranked = sorted(
        set(lane_refs), key=lambda ref: random.Random(f"{seed}:{vehicle_id}:{ref}:miss").random()
    )
    first = random.Random(f"{seed}:{vehicle_id}:cycle").randrange(len(_CYCLE))
    misses: dict[str, Truth] = {}
    for rank, ref in enumerate(ranked[: math.ceil(MISSED_SHARE * len(ranked))]):
        kind = _CYCLE[(first + rank) % len(_CYCLE)]
        share = random.Random(f"{seed}:{vehicle_id}:{ref}:share").uniform(0.3, 0.6)
        misses[ref] = Truth(kind, share if kind == "partly" else 0.0)
    return misses


class TruthLog:
    """One JSON line a visit. Opened for reading only after the server has exited."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] = path.open("a", encoding="utf-8")

    def record(
        self, vehicle_id: str, visit: Mapping[str, object], truth: Truth, t_s: float
    ) -> None:
        line = {
            "vehicle_id": vehicle_id,
            "visit_id": visit["id"],
            "ref": visit["ref"],
            "truth": truth.kind,
            "fraction": round(truth.fraction, 3),
            "t": round(t_s, 1),
        }
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        self._file.close()


def read_truth(path: Path) -> dict[str, str]:
    """What happened to each visit id."""
    with path.open(encoding="utf-8") as lines:
        return {entry["visit_id"]: entry["truth"] for entry in map(json.loads, lines)}


def shuffled(truth: Mapping[str, str], seed: int) -> dict[str, str]:
    """The same outcomes handed to other visits: scores against it show what luck is worth."""
    outcomes = list(truth.values())
    random.Random(f"{seed}:shuffled").shuffle(outcomes)
    return dict(zip(truth, outcomes, strict=True))
