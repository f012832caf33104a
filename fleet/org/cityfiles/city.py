"""`city.toml`: name, time zone, language, side of traffic. All of it may be left out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from fleet.org.cityfiles.reading import Row, file_text
from fleet.roads.faults import Fault

FILE = "city.toml"
LANGUAGES = ("en", "hi")


@dataclass(frozen=True, slots=True)
class CityRow:
    """Names, IANA zone (None: to be guessed from the map) and first language."""

    name: str
    name_hi: str
    tz: str | None
    lang: str
    drive_on: str
    """left | right."""


def read(folder: Path, faults: list[Fault]) -> CityRow:
    """The city's own row; the folder's name stands for a missing one."""
    path = folder / FILE
    named = folder.resolve().name.replace("-", " ").replace("_", " ").title() or "City"
    fallback = CityRow(named, named, None, "en", "left")
    text = file_text(path, faults) if path.exists() else ""
    try:
        fields = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as error:
        faults.append(Fault(FILE, None, None, f"This is not TOML: {error}.", "Correct the syntax."))
        return fallback
    row = Row(FILE, None, fields, faults)
    for field in sorted(set(fields) - {"name", "name_hi", "tz", "lang", "drive_on"}):
        row.fault(field, "is not known", "Use name, name_hi, tz, lang and drive_on only.")
    name, name_hi = row.names(required=False)
    tz = row.text("tz", default="") or None
    if tz and tz not in available_timezones():
        row.fault("tz", f"{tz} is no time zone", "Use an IANA name like Asia/Kolkata.")
        tz = None
    lang = row.text("lang", default="en") or "en"
    if lang not in LANGUAGES:
        row.fault("lang", f"{lang} is not offered", f"Use {' or '.join(LANGUAGES)}.")
    drive_on = row.text("drive_on", default="left") or "left"
    if drive_on not in ("left", "right"):
        row.fault("drive_on", f"{drive_on} is no side", "Write left or right.")
    return CityRow(name or named, name_hi or named, tz, lang, drive_on)


def guessed_zone(lon: float, lat: float) -> str:
    """A time zone for a place that names none: India's, else the nautical one.

    >>> guessed_zone(75.9, 22.7), guessed_zone(-54.6, -20.4)
    ('Asia/Kolkata', 'Etc/GMT+4')
    """
    if 68.0 <= lon <= 97.5 and 6.0 <= lat <= 36.0:
        return "Asia/Kolkata"
    hours = round(lon / 15)
    return str(ZoneInfo(f"Etc/GMT{-hours:+d}")) if hours else "Etc/GMT"
