"""The city folder: every file of the import contract, from one seed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from simulators.synth.fleet import draw_beats, found_places, set_bins, staff_fleet
from simulators.synth.layout import Layout
from simulators.synth.names import CITY, Name
from simulators.synth.osm import write_osm
from simulators.synth.premises import people_wards
from simulators.synth.streets import draw_streets
from simulators.synth.territory import settle, ward_id, ward_ring, zone_of

Progress = Callable[[float, str], None]
"""Called with a share of 0..1 and what is being done."""

_PERSONS_A_HOUSEHOLD = 4.7
SHIFT = ("morning", "06:00", "14:00")

_CITY_TOML = f"""name = "{CITY.en}"
name_hi = "{CITY.hi}"
tz = "Asia/Kolkata"
lang = "hi"
"""

_CLASSES_TOML = """# Two-chamber tippers for lanes, CNG tippers for wide streets.
[tipper]
width_m = 1.6
factor = 1.0
fuel = "diesel"
fixed_cost_s = 3600
speeds_kmh = { primary = 32, secondary = 28, tertiary = 25, residential = 20, living_street = 16 }

[cng_tipper]
width_m = 2.0
factor = 0.95
fuel = "cng"
fixed_cost_s = 7200
speeds_kmh = { primary = 30, secondary = 26, tertiary = 22, residential = 18, living_street = 12 }
"""

_POLICY_TOML = """# What this city decides otherwise than the defaults.
household_service_s = 12.0
"""


def write_city(directory: Path, *, wards: int, seed: int, progress: Progress | None = None) -> None:
    """Writes a city of 1..85 wards; the same bytes for the same `wards` and `seed`.

    Raises:
        ValueError: `wards` is not in 1..85.
    """
    report = progress or (lambda _share, _message: None)
    report(0.0, "Laying out wards")
    layout = Layout.draw(wards, seed)
    report(0.05, "Drawing streets")
    streets = draw_streets(layout, seed)
    report(0.4, "Building blocks and landmarks")
    land = settle(layout, streets, seed)
    places = found_places(layout, land)
    report(0.5, "Housing people")
    premises = people_wards(layout, streets, seed)
    vehicles = staff_fleet(layout, places, seed)
    beats = draw_beats(layout, streets, land, vehicles)
    report(0.7, "Writing the network")
    directory.mkdir(parents=True, exist_ok=True)
    for mark in land.landmarks:
        streets.nodes.append(mark.at)
        streets.node_tags[len(streets.nodes)] = {**mark.tags, **_osm_name(mark.name)}
    write_osm(
        directory / "network.osm.gz", streets.nodes, streets.node_tags, [*streets.ways, *land.areas]
    )

    report(0.9, "Writing tables")
    _geojson(
        directory / "wards.geojson",
        (
            (
                {"type": "Polygon", "coordinates": [ward_ring(layout, ward)]},
                {
                    "ward": ward_id(ward),
                    "zone": f"Z{zone_of(ward, wards) + 1:02d}",
                    "name": layout.neighbourhoods[ward][0].name.en,
                    "name_hi": layout.neighbourhoods[ward][0].name.hi,
                    "population": round(premises[ward].total("household") * _PERSONS_A_HOUSEHOLD),
                },
            )
            for ward in range(wards)
        ),
    )
    _geojson(
        directory / "places.geojson",
        (
            (
                _point(place.at),
                {
                    "id": place.id,
                    "kind": place.kind,
                    "name": place.name.en,
                    "name_hi": place.name.hi,
                    **({} if place.kind == "depot" else {"service_s": place.service_s}),
                },
            )
            for place in places
        ),
    )
    _geojson(
        directory / "landmarks.geojson",
        (
            (_point(mark.at), {"name": mark.name.en, "name_hi": mark.name.hi, "kind": mark.kind})
            for mark in land.landmarks
        ),
    )
    _geojson(
        directory / "bins.geojson",
        (
            (_point(b.at), {"id": b.id, "stream": b.stream, "kg": b.kg, "m3": b.m3})
            for b in set_bins(layout, streets, seed)
        ),
    )
    _csv(
        directory / "fleet.csv",
        ("vehicle", "class", "depot", "contractor", "spare", "compartments"),
        (
            (v.id, v.class_id, v.depot, v.contractor, "yes" if v.spare else "no", v.compartments)
            for v in vehicles
        ),
    )
    _csv(
        directory / "premises.csv",
        ("lon", "lat", "kind", "count"),
        (
            (f"{row.lon:.6f}", f"{row.lat:.6f}", row.kind, row.count)
            for ward in premises
            for row in ward.rows
        ),
    )
    _csv(
        directory / "shifts.csv",
        ("vehicle", "shift", "start", "end"),
        ((v.id, *SHIFT) for v in vehicles if not v.spare),
    )
    _csv(
        directory / "beats.csv",
        ("beat", "vehicle", "shift", "landmarks"),
        ((beat.id, beat.vehicle, SHIFT[0], ";".join(beat.landmarks)) for beat in beats),
    )
    for name, text in (
        ("city.toml", _CITY_TOML),
        ("classes.toml", _CLASSES_TOML),
        ("policy.toml", _POLICY_TOML),
    ):
        (directory / name).write_text(text, encoding="utf-8")
    report(1.0, "City written")


def _osm_name(name: Name) -> dict[str, str]:
    return {"name": name.en, "name:en": name.en, "name:hi": name.hi}


def _point(at: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": at}


def _geojson(path: Path, features: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """One feature a line, so that a person can read and compare the file."""
    lines = ",\n".join(
        json.dumps(
            {"type": "Feature", "properties": properties, "geometry": geometry}, ensure_ascii=False
        )
        for geometry, properties in features
    )
    path.write_text(
        f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n', encoding="utf-8"
    )


def _csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
