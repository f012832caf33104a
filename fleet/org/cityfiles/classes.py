"""`classes.toml`: kinds of vehicle, each with what it needs of a street."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fleet.org.cityfiles.reading import Row, file_text
from fleet.roads.faults import Fault
from fleet.roads.profile import DEFAULT_SPEEDS_KMH

FILE: Final = "classes.toml"
FIELDS: Final = frozenset({"width_m", "speeds_kmh", "factor", "fuel", "fixed_cost_s"})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class; its id also names the road engine's dataset. `fixed_cost_s` None: the policy's."""

    id: str
    width_m: float
    speeds_kmh: dict[str, float]
    factor: float
    fuel: str
    fixed_cost_s: int | None


def read(folder: Path, faults: list[Fault]) -> list[ClassRow]:
    """All classes. A fault's field is `class.entry`."""
    text = file_text(folder / FILE, faults)
    try:
        tables = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as error:
        faults.append(Fault(FILE, None, None, f"This is not TOML: {error}.", "Correct the syntax."))
        return []
    if not tables and text is not None:
        faults.append(
            Fault(
                FILE, None, None, "There is no class.", "Add one, such as [tipper] width_m = 1.6."
            )
        )
    return [row for name, table in tables.items() if (row := _class(name, table, faults))]


def _class(name: str, table: Any, faults: list[Fault]) -> ClassRow | None:
    if not isinstance(table, dict) or not _ID.fullmatch(name):
        faults.append(
            Fault(
                FILE, None, name, "This is no class.", "Begin each class with [name], in a-z, _ ."
            )
        )
        return None
    inner: list[Fault] = []
    row = Row(FILE, None, table, inner)
    for field in sorted(set(table) - FIELDS):
        row.fault(field, "is not known", f"Use {', '.join(sorted(FIELDS))}.")
    width_m = row.number_of("width_m", low=0.5, high=4)
    factor = row.number_of("factor", low=0.1, high=3, default=1.0)
    fixed = None if row.raw("fixed_cost_s") is None else row.whole("fixed_cost_s")
    fuel = row.text("fuel", default="") or ""
    raw = table.get("speeds_kmh", {})
    if not isinstance(raw, dict):
        row.fault("speeds_kmh", "is no table", "Write { residential = 16, primary = 32 }.")
        raw = {}
    speeds_row = Row(FILE, None, raw, inner)
    speeds = {kind: speeds_row.number_of(kind, low=0, high=130) for kind in raw}
    for kind in sorted(set(raw) - set(DEFAULT_SPEEDS_KMH)):
        speeds_row.fault(kind, "is no class of street", f"Use {', '.join(DEFAULT_SPEEDS_KMH)}.")
    faults.extend(
        Fault(f.file, f.row, f"{name}.{f.field}", f.reason, f.remedy, f.fatal) for f in inner
    )
    if width_m is None or factor is None:
        return None
    known = {kind: speed for kind, speed in speeds.items() if speed is not None}
    return ClassRow(name, width_m, known, factor, fuel, fixed)
