"""A town of 6 × 4 junctions in two wards, small enough to know every lane by hand.

Junction (column c, row r) is node 10 r + c + 1, 100 m apart; rows run east, columns north. Ward 1
holds columns 0–2, ward 2 columns 3–5. Off the grid hang a galli of 1.2 m (way 201, then 202), a
private lane (203), and a dead end of 3 m and 40 m (204).
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

LON0, LAT0 = 75.86, 22.72
STEP_LAT = 100 / 111_195
STEP_LON = STEP_LAT / 0.9224
COLUMNS, ROWS = 6, 4

CLASSES = """[tipper]
width_m = 1.6
fuel = "cng"
speeds_kmh = { residential = 18 }

[truck]
width_m = 2.4
factor = 0.8
fixed_cost_s = 5400
"""
FLEET = """vehicle,class,depot,contractor,spare,compartments
V1,tipper,D1,Asha,no,wet:350kg:0.9m3;dry+sanitary+special:250kg:1.4m3
V2,tipper,D1,Asha,no,wet:350kg:0.9m3;dry+sanitary+special:250kg:1.4m3
V3,truck,D1,Naveen,yes,wet:900kg:3m3;dry+sanitary+special:500kg:4m3
"""
SHIFTS = """vehicle,shift,start,end
V1,morning,06:00,14:00
V1,night,22:00,26:00
V2,morning,06:00,14:00
"""
BEATS = """beat,vehicle,shift,landmarks
B1,V1,morning,Bus Stand;Column 0
B2,V2,morning,राम मंदिर
"""
CITY = 'name = "Chhotapur"\nname_hi = "छोटापुर"\ntz = "Asia/Kolkata"\nlang = "hi"\n'


def at(column: float, row: float) -> tuple[float, float]:
    """(lon, lat) of a place in the grid."""
    return round(LON0 + column * STEP_LON, 7), round(LAT0 + row * STEP_LAT, 7)


def node(column: int, row: int) -> int:
    return 10 * row + column + 1


def feature(geometry: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": geometry, "coordinates": coordinates},
        "properties": properties,
    }


def collection(*features: dict[str, Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def box(west: float, south: float, east: float, north: float) -> list[list[tuple[float, float]]]:
    """A polygon's rings from grid coordinates."""
    corners = (west, south), (east, south), (east, north), (west, north), (west, south)
    return [[at(*corner) for corner in corners]]


WARDS = (
    feature("Polygon", box(-1, -1, 2.4, 5), ward="1", zone="A", name="Nehru", population="2300"),
    feature("Polygon", box(2.4, -1, 7, 5), ward=2.0, zone="B", name_hi="गांधी", population=1150),
)
PLACES = (
    feature("Point", at(0, 0), id="D1", kind="depot", name="Yard"),
    feature("Point", at(5, 3), id="S1", kind="transfer_station", name="Station", service_s="420"),
)
LANDMARKS = (
    feature("Point", at(1, 1), name="Bus Stand", name_hi="बस स्टैंड"),
    feature("Point", at(4.1, 2.1), name_hi="राम मंदिर"),
)
BINS = (feature("Point", at(4, 1), id="C1", stream="wet", kg="120"),)


def osm(*, ways: str = "", columns: int = COLUMNS) -> str:
    """The network; `ways` adds XML."""
    places = {node(c, r): at(c, r) for c in range(columns) for r in range(ROWS)}
    places |= {901: at(0.6, 1.5), 902: at(0.6, 1.9), 903: at(5.4, 0), 904: at(2, 3.4)}
    places |= {905: at(0.5, 1)}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="test">']
    lines += [f'<node id="{i}" lon="{x}" lat="{y}"/>' for i, (x, y) in places.items()]
    for r in range(ROWS):
        refs = [node(c, r) for c in range(columns)]
        if r == 1:
            refs.insert(1, 905)
        lines.append(way(100 + r, refs, highway="residential", name=f"Row {r}"))
    for c in range(columns):
        refs = [node(c, r) for r in range(ROWS)]
        named = {"name": f"Column {c}", "name:hi": f"स्तंभ {c}"}
        lines.append(way(150 + c, refs, highway="tertiary", **named))
    lines.append(way(201, [905, 901], highway="living_street", width="1.2", name="Galli"))
    lines.append(way(202, [901, 902], highway="living_street", width="1.2"))
    if columns == COLUMNS:
        lines.append(way(203, [node(5, 0), 903], highway="service", access="private"))
    lines.append(way(204, [node(2, 3), 904], highway="residential", width="3"))
    return "\n".join([*lines, ways, "</osm>"])


def way(id: int, refs: list[int], **tags: str) -> str:
    nodes = "".join(f'<nd ref="{ref}"/>' for ref in refs)
    texts = "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())
    return f'<way id="{id}">{nodes}{texts}</way>'


def write_town(folder: Path, **files: str | None) -> Path:
    """Write the town. `files` replaces texts, by name with `_` for the dot; None leaves one out."""
    folder.mkdir(parents=True, exist_ok=True)
    texts: dict[str, str | None] = {
        "network_osm": osm(),
        "city_toml": CITY,
        "wards_geojson": collection(*WARDS),
        "places_geojson": collection(*PLACES),
        "classes_toml": CLASSES,
        "fleet_csv": FLEET,
        "shifts_csv": SHIFTS,
        "beats_csv": BEATS,
        "bins_geojson": collection(*BINS),
        "landmarks_geojson": collection(*LANDMARKS),
        **files,
    }
    for key, text in texts.items():
        path = folder / ".".join(key.rsplit("_", 1))
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text, "utf-8")
    return folder


def write_gzipped(folder: Path, text: str) -> None:
    (folder / "network.osm").unlink()
    (folder / "network.osm.gz").write_bytes(gzip.compress(text.encode()))
