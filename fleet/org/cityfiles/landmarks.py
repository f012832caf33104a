"""`landmarks.geojson`: places by which people describe where they are. Optional."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet.org.cityfiles.reading import features
from fleet.roads.faults import Fault

FILE: Final = "landmarks.geojson"


@dataclass(frozen=True, slots=True)
class LandmarkRow:
    name: str
    name_hi: str
    lon: float
    lat: float
    row: int


def read(folder: Path, faults: list[Fault]) -> list[LandmarkRow]:
    """All landmarks in file order."""
    landmarks = []
    for row, geometry in features(folder / FILE, faults):
        name, name_hi = row.names()
        point = geometry.representative_point()
        if name:
            landmarks.append(LandmarkRow(name, name_hi, point.x, point.y, row.number or 0))
    return landmarks
