"""`premises.csv`: where people live and work. Optional: it is estimated from population else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet.org.cityfiles.reading import csv_rows
from fleet.roads.faults import Fault

FILE: Final = "premises.csv"
COLUMNS: Final = ("lon", "lat", "kind")
KINDS: Final = ("household", "shop", "institution", "bulk")


@dataclass(frozen=True, slots=True)
class PremiseRow:
    """`count` premises of a kind at one place."""

    lon: float
    lat: float
    kind: str
    count: int
    row: int


def read(folder: Path, faults: list[Fault]) -> list[PremiseRow]:
    """All premises in file order."""
    premises = []
    for row in csv_rows(folder / FILE, COLUMNS, faults):
        position, kind = row.position(), (row.text("kind") or "").casefold()
        count = row.whole("count", default=1)
        if kind and kind not in KINDS:
            kind = kind.removesuffix("s")
        if kind and kind not in KINDS:
            row.fault("kind", f"{kind} is unknown", f"Use {', '.join(KINDS)}.")
        elif position and kind and count is not None:
            premises.append(PremiseRow(*position, kind, count, row.number or 0))
    return premises
