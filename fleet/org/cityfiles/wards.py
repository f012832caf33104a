"""`wards.geojson`: wards with their zone and population.

Municipal files spell the properties in many ways; see `SPELLINGS`. Features of the same ward are
merged. Wards may touch, and overlap by a sliver, but not more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from math import cos, radians
from pathlib import Path
from typing import Final

import numpy as np
from shapely import STRtree, force_2d, make_valid, union_all
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from fleet.org.cityfiles.reading import features
from fleet.roads.faults import Fault

FILE: Final = "wards.geojson"
SPELLINGS: Final = {
    "ward": ("ward", "ward_no", "ward_number", "ward_num", "ward_id", "ward_code", "id"),
    "zone": ("zone", "zone_no", "zone_number", "zone_id", "zone_name", "circle"),
    "name": ("name", "ward_name", "wardname_en"),
    "population": ("population", "pop", "tot_pop", "total_population", "tot_p"),
}
"""Property names that are understood, in order; case, spaces and underscores do not matter."""
SLIVER_SHARE: Final = 0.01
"""Overlap, as a share of the smaller ward, that digitising alone explains."""
_SQUARE_METRES_PER_SQUARE_DEGREE = 111_320.0**2


@dataclass(frozen=True, slots=True)
class WardRow:
    """A ward. `population` None: the file does not say."""

    id: str
    zone_id: str
    name: str
    name_hi: str
    population: int | None
    geometry: Polygon | MultiPolygon
    row: int


def read(folder: Path, faults: list[Fault], file: str = FILE) -> list[WardRow]:
    """All wards of the file, by id, pieces merged."""
    pieces: list[WardRow] = []
    for row, geometry in features(folder / file, faults):
        ward_id = row.key(*SPELLINGS["ward"])
        zone_id = row.key(*SPELLINGS["zone"], default="1") or "1"
        name, name_hi = row.names(*SPELLINGS["name"], required=False)
        population = (
            None
            if row.raw(*SPELLINGS["population"]) is None
            else row.whole(*SPELLINGS["population"])
        )
        area = areal(geometry)
        if area is None:
            row.fault("geometry", f"is a {geometry.geom_type}", "Draw the ward as a polygon.")
        elif ward_id is not None:
            named = name or f"Ward {ward_id}", name_hi or f"वार्ड {ward_id}"
            pieces.append(WardRow(ward_id, zone_id, *named, population, area, row.number or 0))
    merged = _merged(pieces, file, faults)
    faults.extend(_overlaps(merged, file))
    return merged


def areal(geometry: BaseGeometry) -> Polygon | MultiPolygon | None:
    """The polygons of a geometry, mended and flat; None where it has no area."""
    valid = force_2d(geometry)
    if not valid.is_valid:
        valid = make_valid(valid)
    parts = [part for part in getattr(valid, "geoms", [valid]) if part.geom_type.endswith("ygon")]
    merged = union_all(parts)
    return merged if isinstance(merged, Polygon | MultiPolygon) and merged.area > 0 else None


def _merged(pieces: list[WardRow], file: str, faults: list[Fault]) -> list[WardRow]:
    wards = []
    for ward_id, group in groupby(sorted(pieces, key=lambda p: (p.id, p.row)), lambda p: p.id):
        first, *others = group
        for other in others:
            if (other.name, other.zone_id) != (first.name, first.zone_id):
                faults.append(
                    Fault(
                        file,
                        other.row,
                        "ward",
                        f"Ward {ward_id} is also row {first.row}, with another name or zone.",
                        "Give each ward its own number; pieces of a ward repeat its name and zone.",
                    )
                )
        area = areal(union_all([piece.geometry for piece in (first, *others)]))
        counts = [p.population for p in (first, *others) if p.population is not None]
        wards.append(
            replace(
                first,
                geometry=area or first.geometry,
                population=max(counts) if counts else None,
            )
        )
    return wards


def _overlaps(wards: list[WardRow], file: str) -> list[Fault]:
    shapes = np.array([ward.geometry for ward in wards], dtype=object)
    found = []
    for i, j in sorted(STRtree(shapes).query(shapes, "intersects").T.tolist()):
        if i >= j:
            continue
        a, b = wards[i], wards[j]
        common = a.geometry.intersection(b.geometry).area
        if common <= SLIVER_SHARE * min(a.geometry.area, b.geometry.area):
            continue
        square_m = common * _SQUARE_METRES_PER_SQUARE_DEGREE
        square_m *= cos(radians(a.geometry.centroid.y))
        found.append(
            Fault(
                file,
                b.row,
                "geometry",
                f"Ward {b.id} overlaps ward {a.id} (row {a.row}) by {square_m:,.0f} m².",
                "Draw the border once; a street belongs to one ward.",
            )
        )
    return found
