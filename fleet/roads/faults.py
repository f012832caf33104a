"""What is wrong with an input file, said so that the person who made it can mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one file. `row` counts from 1 as an editor shows it; None: the whole file."""

    file: str
    row: int | None
    field: str | None
    reason: str
    remedy: str
    fatal: bool = True
    """False: the import may go on without the faulty part, and says so."""

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}:{self.row}"
        if self.field is not None:
            place = f"{place} ({self.field})"
        return f"{place}: {self.reason} {self.remedy}"


class FaultyInputError(Exception):
    """An input cannot be used. `faults` has at least one that is fatal."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))
