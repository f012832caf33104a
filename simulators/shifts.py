"""The shifts of a city folder: when its day begins, and the same day moved by some hours."""

from __future__ import annotations

import csv
import gzip
import re
import shutil
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

USUAL_START_MIN = 6 * 60


def minutes(text: str) -> int:
    """Minutes after midnight of a local time, which may lie past midnight.

    >>> minutes("26:30")
    1590
    """
    hours, _, rest = text.partition(":")
    return 60 * int(hours) + int(rest)


def first_start_min(folder: Path) -> int:
    """Minutes after the service date's midnight at which the first shift begins."""
    rows = _rows(folder)
    return min((minutes(row["start"]) for row in rows), default=USUAL_START_MIN)


def start_of_day(folder: Path, service_date: date, before: timedelta) -> datetime:
    """UTC instant `before` the first shift. A folder without a zone is placed by its longitude.

    Raises:
        ValueError: neither a zone nor a longitude can be read.
    """
    local = datetime.combine(service_date, datetime.min.time()) + timedelta(
        minutes=first_start_min(folder)
    )
    toml = folder / "city.toml"
    named = tomllib.loads(toml.read_text(encoding="utf-8")) if toml.exists() else {}
    if "tz" in named:
        return local.replace(tzinfo=ZoneInfo(named["tz"])).astimezone(UTC) - before
    # An hour early, for a zone may lie so far from its longitude.
    return (local - timedelta(hours=round(_longitude(folder) / 15) + 1)).replace(
        tzinfo=UTC
    ) - before


def _longitude(folder: Path) -> float:
    """Some longitude of the city."""
    for name in ("places.geojson", "wards.geojson", "network.osm", "network.osm.gz"):
        path = folder / name
        if path.exists():
            opened = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rt", encoding="utf-8") as file:
                found = re.search(r'(?:lon="|"coordinates":[\[\s]*)(-?[\d.]+)', file.read(100_000))
            if found:
                return float(found[1])
    raise ValueError(f"Expected tz in {folder / 'city.toml'}, such as Asia/Kolkata.")


def moved(folder: Path, to: Path, hours: int) -> Path:
    """A copy of a city folder with every shift moved by `hours`.

    Raises:
        ValueError: the folder lists no shifts.
    """
    shutil.copytree(folder, to, dirs_exist_ok=True)
    rows = _rows(folder)
    if not rows:
        raise ValueError(f"Expected shifts.csv in {folder} to move its shifts.")
    with (to / "shifts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            shifted = {key: _clock(minutes(row[key]) + 60 * hours) for key in ("start", "end")}
            writer.writerow({**row, **shifted})
    return to


def _rows(folder: Path) -> list[dict[str, str]]:
    path = folder / "shifts.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _clock(total_min: int) -> str:
    return f"{total_min // 60:02d}:{total_min % 60:02d}"
