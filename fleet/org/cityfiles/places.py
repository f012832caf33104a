"""`places.geojson`: depots, transfer stations and plants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet.org.cityfiles.reading import Row, features
from fleet.org.policy import STREAMS
from fleet.roads.faults import Fault

FILE: Final = "places.geojson"
KINDS: Final = ("depot", "transfer_station", "plant")


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place. `service_s` None: the policy's unloading time."""

    id: str
    kind: str
    name: str
    name_hi: str
    lon: float
    lat: float
    service_s: int | None
    streams: tuple[str, ...]
    row: int


def read(folder: Path, faults: list[Fault]) -> list[PlaceRow]:
    """All places. There must be a depot, and for every stream a place that takes it."""
    places: dict[str, PlaceRow] = {}
    for row, geometry in features(folder / FILE, faults):
        place_id = row.key("id")
        kind = (row.text("kind", "type") or "").casefold().replace(" ", "_").replace("-", "_")
        if kind and kind not in KINDS:
            row.fault("kind", f"{kind} is unknown", f"Use {', '.join(KINDS)}.")
        name, name_hi = row.names()
        streams = () if kind == "depot" else stream_list(row, "streams", STREAMS)
        seconds = None if row.raw("service_s") is None else row.whole("service_s")
        if place_id in places:
            other = places[place_id].row
            row.fault("id", f"{place_id} is also row {other}", "Give each place its own id.")
        elif place_id and kind in KINDS:
            point = geometry.representative_point()
            places[place_id] = PlaceRow(
                place_id, kind, name, name_hi, point.x, point.y, seconds, streams, row.number or 0
            )
    if not any(fault.file == FILE for fault in faults):
        faults.extend(_lacking(list(places.values())))
    return list(places.values())


def stream_list(row: Row, field: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Streams of a field, as a list or as text separated by `+`, `;` or `,`."""
    value = row.raw(field)
    if value is None:
        return default
    text = ";".join(map(str, value)) if isinstance(value, list) else str(value)
    names = [
        part.strip().casefold() for part in text.replace("+", ";").replace(",", ";").split(";")
    ]
    for name in names:
        if name not in STREAMS:
            row.fault(field, f"{name!r} is no stream", f"Use {', '.join(STREAMS)}.")
    return tuple(name for name in STREAMS if name in names)


def _lacking(places: list[PlaceRow]) -> list[Fault]:
    missing = []
    if not any(place.kind == "depot" for place in places):
        missing.append(
            Fault(FILE, None, "kind", "There is no depot.", "Add a point with kind depot.")
        )
    taken = {stream for place in places for stream in place.streams}
    for stream in STREAMS:
        if stream not in taken:
            reason = f"No transfer station or plant takes {stream} waste."
            missing.append(
                Fault(FILE, None, "streams", reason, "Add one, or add the stream to one.")
            )
    return missing
