"""A vehicle's day as CSV, GPX or GeoJSON, written piece by piece."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import batched
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from sqlalchemy.orm import Session

from fleet.kit.times import iso
from fleet.people import Scope
from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog
from tracking.history.models import DayTrack
from tracking.history.queries import Resolution, known_vehicle, windows
from tracking.history.tracks import Track, unpack
from tracking.protocols import gpx

Format = Literal["csv", "gpx", "geojson"]
MEDIA: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "gpx": "application/gpx+xml",
    "geojson": "application/geo+json",
}
COLUMNS = (
    *("t", "lon", "lat", "speed_mps", "course_deg", "alt_m", "hdop", "sats", "ignition"),
    *("battery_v", "load_kg", "event", "mark", "device_id", "received_t"),
)
_PIECE = 500
_FORMULA = re.compile(r"^[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class Exported:
    """The fixes to write, by time."""

    vehicle_id: str
    service_date: date
    resolution: Resolution
    fixes: Sequence[Fix]


def of_day(
    session: Session,
    fixlog: FixLog,
    scope: Scope,
    *,
    vehicle_id: str,
    service_date: date,
    marked: bool,
) -> Exported:
    """A day's fixes, or the points of its compact track when they have gone.

    Args:
        marked: also the fixes that were set aside.

    Raises:
        NotFound: no such vehicle in the caller's area.
    """
    window = windows(session, service_date, [vehicle_id])[vehicle_id]
    known_vehicle(session, scope, vehicle_id, window[1])
    compact = session.get(DayTrack, (vehicle_id, service_date))
    if compact is not None and compact.sealed:
        points = _points(vehicle_id, unpack(compact.track), compact.made_t)
        return Exported(vehicle_id, service_date, "compact", points)
    fixes = fixlog.window(vehicle_id, *window, include_marked=marked)
    return Exported(vehicle_id, service_date, "raw", fixes)


def written(exported: Exported, form: Format) -> Iterator[str]:
    """The file in pieces."""
    if form == "csv":
        return _csv(exported)
    if form == "geojson":
        return _geojson(exported)
    name = f"{exported.vehicle_id} {exported.service_date} ({exported.resolution})"
    return iter([gpx.write(exported.fixes, name)])


def disposition(vehicle_id: str, service_date: date, form: Format) -> str:
    """A `Content-Disposition` with a name that any file system takes, and the true one.

    >>> disposition("MP09 / 1", date(2026, 3, 2), "csv")
    'attachment; filename="MP09_1_2026-03-02.csv"; filename*=UTF-8\\'\\'MP09%20_%201_2026-03-02.csv'
    """
    plain = re.sub(r"[^A-Za-z0-9-]+", "_", vehicle_id).strip("_") or "vehicle"
    true = quote(re.sub(r"[/\\\x00-\x1f]", "_", vehicle_id), safe="")
    end = f"_{service_date.isoformat()}.{form}"
    return f"attachment; filename=\"{plain}{end}\"; filename*=UTF-8''{true}{end}"


def _points(vehicle_id: str, track: Track, made_t: datetime) -> list[Fix]:
    return [
        Fix(
            device_id="",
            vehicle_id=vehicle_id,
            t=datetime.fromtimestamp(t, UTC),
            received_t=made_t,
            lon=round(lon, 6),
            lat=round(lat, 6),
            speed_mps=None if math.isnan(speed) else round(speed, 1),
        )
        for t, lon, lat, speed in zip(
            track.t_s.tolist(),
            track.lon.tolist(),
            track.lat.tolist(),
            track.speed_mps.tolist(),
            strict=True,
        )
    ]


def _cells(fix: Fix) -> list[Any]:
    cells: list[Any] = []
    for column in COLUMNS:
        value = getattr(fix, column)
        if isinstance(value, datetime):
            value = iso(value)
        elif isinstance(value, bool):
            value = int(value)
        elif isinstance(value, str) and _FORMULA.match(value):
            value = f"'{value}"  # or a spreadsheet would run it
        cells.append(value)
    return cells


def _csv(exported: Exported) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*COLUMNS, "resolution"])
    for piece in batched(exported.fixes, _PIECE, strict=False):
        writer.writerows([*_cells(fix), exported.resolution] for fix in piece)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _geojson(exported: Exported) -> Iterator[str]:
    """One feature a fix: what a fix says stands beside its place."""
    head = {
        "vehicle_id": exported.vehicle_id,
        "service_date": exported.service_date.isoformat(),
        "resolution": exported.resolution,
    }
    yield '{"type":"FeatureCollection","properties":' + msgspec.json.encode(head).decode()
    yield ',"features":['
    first = True
    for piece in batched(exported.fixes, _PIECE, strict=False):
        text = ",".join(msgspec.json.encode(_feature(fix)).decode() for fix in piece)
        yield text if first else f",{text}"
        first = False
    yield "]}"


def _feature(fix: Fix) -> dict[str, Any]:
    said = {c: getattr(fix, c) for c in COLUMNS if c not in ("lon", "lat")}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [fix.lon, fix.lat]},
        "properties": {c: v for c, v in said.items() if v is not None and v != ""},
    }
