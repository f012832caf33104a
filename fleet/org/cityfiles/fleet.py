"""`fleet.csv`: vehicles with class, depot, contractor and chambers."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet.org.cityfiles.reading import Row, csv_rows
from fleet.org.policy import STREAMS
from fleet.roads.faults import Fault

FILE: Final = "fleet.csv"
COLUMNS: Final = ("vehicle", "class", "depot", "compartments")
GRAMMAR: Final = "wet:350kg:0.9m3;dry+sanitary:250kg:1.4m3"

_CHAMBER = re.compile(
    r"(?P<streams>[a-z+ ]+):\s*(?P<kg>\d+(?:\.\d+)?)\s*kg\s*:\s*(?P<m3>\d+(?:\.\d+)?)\s*m(?:3|³)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Chamber:
    """One chamber: its streams and what it holds."""

    streams: tuple[str, ...]
    kg: float
    m3: float


@dataclass(frozen=True, slots=True)
class VehicleRow:
    id: str
    class_id: str
    depot_id: str
    contractor: str
    spare: bool
    chambers: tuple[Chamber, ...]
    row: int


def read(
    folder: Path, faults: list[Fault], *, classes: Collection[str], depots: Collection[str]
) -> list[VehicleRow]:
    """All vehicles. Classes and depots must be known; one working vehicle must exist."""
    vehicles: dict[str, VehicleRow] = {}
    before = len(faults)
    for row in csv_rows(folder / FILE, COLUMNS, faults):
        vehicle_id, class_id, depot_id = row.key("vehicle"), row.key("class"), row.key("depot")
        if class_id and classes and class_id not in classes:
            known = ", ".join(sorted(classes))
            row.fault("class", f"{class_id} is unknown", f"Use one of classes.toml: {known}.")
        if depot_id and depots and depot_id not in depots:
            known = ", ".join(sorted(depots))
            row.fault("depot", f"{depot_id} is unknown", f"Use a depot of places.geojson: {known}.")
        chambers = parse_chambers(row, row.text("compartments") or "")
        contractor, spare = row.text("contractor", default="") or "", row.flag("spare")
        if vehicle_id in vehicles:
            other = vehicles[vehicle_id].row
            row.fault("vehicle", f"{vehicle_id} is also row {other}", "List each vehicle once.")
        elif vehicle_id and class_id and depot_id:
            vehicles[vehicle_id] = VehicleRow(
                vehicle_id, class_id, depot_id, contractor, spare, chambers, row.number or 0
            )
    if len(faults) == before and all(vehicle.spare for vehicle in vehicles.values()):
        faults.append(
            Fault(FILE, None, "vehicle", "There is no vehicle in service.", "List one not spare.")
        )
    return list(vehicles.values())


def parse_chambers(row: Row, text: str) -> tuple[Chamber, ...]:
    """Chambers of `GRAMMAR`; each stream in one chamber at most, each chamber holding something."""
    chambers: list[Chamber] = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        match = _CHAMBER.fullmatch(part)
        if match is None:
            row.fault("compartments", f"{part!r} cannot be read", f"Write it like {GRAMMAR}.")
            continue
        names = [name.strip().casefold() for name in match["streams"].split("+")]
        for name in names:
            if name not in STREAMS:
                row.fault("compartments", f"{name!r} is no stream", f"Use {', '.join(STREAMS)}.")
            elif any(name in chamber.streams for chamber in chambers) or names.count(name) > 1:
                row.fault(
                    "compartments", f"{name} stands in two chambers", "Name each stream once."
                )
        kg, m3 = float(match["kg"]), float(match["m3"])
        if kg <= 0 or m3 <= 0:
            row.fault("compartments", f"{part!r} holds nothing", "Give kg and m3 above zero.")
        chambers.append(Chamber(tuple(s for s in STREAMS if s in names), kg, m3))
    return tuple(chambers)
