"""Reading rows whose fields may be missing, text or number, and saying what is wrong with each.

A spreadsheet writes numbers as text and a GIS writes ids as 27.0; both are accepted. A field that
cannot be read becomes a `Fault` and gives None; the rest of the row is still read, so that one
run reports everything.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shapely.errors import GEOSException
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from fleet.roads.faults import Fault

_YES = frozenset({"1", "yes", "y", "true", "t", "हाँ", "हां"})
_BROKEN = object()
_NO = frozenset({"", "0", "no", "n", "false", "f", "नहीं"})


class Row:
    """One record of a file, read field by field; what is wrong is collected in `faults`."""

    def __init__(
        self, file: str, number: int | None, fields: Mapping[str, Any], faults: list[Fault]
    ) -> None:
        self.file = file
        self.number = number
        self._fields = {_plain(str(name)): value for name, value in fields.items()}
        self._faults = faults

    def fault(self, field: str | None, reason: str, remedy: str) -> None:
        self._faults.append(Fault(self.file, self.number, field, f"{reason}.", remedy))

    def raw(self, *names: str) -> Any:
        """The first of several spellings of a field that is filled in; None where none is."""
        for name in names:
            value = self._fields.get(_plain(name))
            if value is not None and str(value).strip():
                return value
        return None

    def text(self, *names: str, default: str | None = None) -> str | None:
        """Trimmed text. Without a default a missing field is a fault."""
        value = self.raw(*names)
        if value is None:
            if default is None:
                self.fault(names[0], "is missing", f"Fill in {names[0]} in every row.")
            return default
        return " ".join(str(value).split())

    def key(self, *names: str, default: str | None = None) -> str | None:
        """An id: text, where 27, 27.0 and "27" are the same."""
        value = self.raw(*names)
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        text = self.text(*names, default=default)
        return re.sub(r"^(\d+)\.0+$", r"\1", text) if text else text

    def number_of(
        self,
        *names: str,
        low: float = 0.0,
        high: float = math.inf,
        default: float | None = None,
    ) -> float | None:
        """A finite number between two bounds, also where it is written as text."""
        value = self.raw(*names)
        if value is None:
            if default is None:
                self.fault(names[0], "is missing", f"Fill in {names[0]} in every row.")
            return default
        try:
            number = math.nan if isinstance(value, bool) else float(_digits(str(value)))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fault(names[0], f"{value!r} is not a number", "Write it like 1250 or 0.9.")
            return None
        if not low <= number <= high:
            bounds = f"{low:g} or more" if high == math.inf else f"from {low:g} to {high:g}"
            self.fault(names[0], f"{number:g} is out of range", f"Give {bounds}.")
            return None
        return number

    def whole(self, *names: str, low: int = 0, default: int | None = None) -> int | None:
        """A whole number; a fraction is a fault."""
        number = self.number_of(*names, low=low, default=default)
        if number is not None and not float(number).is_integer():
            self.fault(names[0], f"{number:g} is not whole", "Give a whole number.")
            return None
        return None if number is None else int(number)

    def flag(self, *names: str) -> bool:
        """yes or no; missing is no."""
        value = self.raw(*names)
        word = "" if value is None else str(value).strip().casefold()
        if word not in _YES | _NO:
            self.fault(names[0], f"{value!r} is neither yes nor no", "Write yes or no.")
        return word in _YES

    def position(self) -> tuple[float, float] | None:
        """(lon, lat) of two columns."""
        lon = self.number_of("lon", "longitude", "lng", "x", low=-180, high=180)
        lat = self.number_of("lat", "latitude", "y", low=-90, high=90)
        return None if lon is None or lat is None else (lon, lat)

    def names(self, *spellings: str, required: bool = True) -> tuple[str, str]:
        """Name in English and in Hindi; where one is missing, the other stands for both."""
        name = self.text(*(spellings or ("name",)), "name_en", default="") or ""
        hindi = self.text("name_hi", "name_hindi", "hindi_name", "ward_name_hi", default="") or ""
        if required and not (name or hindi):
            self.fault("name", "is missing", "Give a name in English or in Hindi.")
        return name or hindi, hindi or name


def csv_rows(path: Path, columns: tuple[str, ...], faults: list[Fault]) -> Iterator[Row]:
    """Rows of a CSV file, numbered as a spreadsheet shows them (the header is row 1).

    UTF-8 with or without mark; separated by comma, semicolon or tab.
    """
    text = file_text(path, faults)
    if text is None:
        return
    lines = text.splitlines()
    if not lines:
        faults.append(
            Fault(path.name, None, None, "The file is empty.", f"Begin with {','.join(columns)}.")
        )
        return
    delimiter = max(",;\t", key=lambda sign: (lines[0].count(sign), sign == ","))
    reader = csv.DictReader(lines, delimiter=delimiter)
    present = {_plain(name) for name in reader.fieldnames or ()}
    missing = [name for name in columns if _plain(name) not in present]
    for name in missing:
        faults.append(
            Fault(path.name, 1, name, "The column is missing.", f"Begin with {','.join(columns)}.")
        )
    if missing:
        return
    for record in reader:
        surplus = record.pop(None, None)
        row = Row(path.name, reader.line_num, record, faults)
        if surplus:
            row.fault(None, "has more fields than the header", 'Quote text that holds a "," .')
        elif any((value or "").strip() for value in record.values()):
            yield row


def json_rows(path: Path, faults: list[Fault]) -> Iterator[Row]:
    """Objects of a JSON list, numbered from 1."""
    records = _json(path, faults)
    if records is _BROKEN:
        return
    if not isinstance(records, list):
        faults.append(Fault(path.name, None, None, "This is no list.", "Give a list of objects."))
        return
    for number, record in enumerate(records, start=1):
        if isinstance(record, dict):
            yield Row(path.name, number, record, faults)
        else:
            Row(path.name, number, {}, faults).fault(None, "is no object", "Leave it out.")


def features(path: Path, faults: list[Fault]) -> Iterator[tuple[Row, BaseGeometry]]:
    """Features of a GeoJSON file with their geometry, numbered from 1."""
    collection = _json(path, faults)
    if collection is _BROKEN:
        return
    found = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(found, list):
        faults.append(
            Fault(path.name, None, "features", "Is missing.", "Give a GeoJSON FeatureCollection.")
        )
        return
    crs = str((collection.get("crs") or {}).get("properties", {}).get("name", "CRS84"))
    if not crs.endswith(("CRS84", ":4326")):
        faults.append(
            Fault(path.name, None, "crs", f"{crs} is not WGS 84.", "Export it in EPSG:4326.")
        )
        return
    for number, feature in enumerate(found, start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        row = Row(path.name, number, properties or {}, faults)
        try:
            geometry = shape(feature["geometry"])
            usable = not geometry.is_empty and all(map(math.isfinite, geometry.bounds))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, GEOSException):
            usable = False
        if usable:
            yield row, geometry
        else:
            row.fault("geometry", "is missing or broken", "Draw it again, or leave the row out.")


def _json(path: Path, faults: list[Fault]) -> Any:
    """What a JSON file says; `_BROKEN` with a fault where it is none."""
    text = file_text(path, faults)
    if text is None:
        return _BROKEN
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"This is not JSON: {error.msg}."
        faults.append(Fault(path.name, error.lineno, None, reason, "Export it again."))
        return _BROKEN


def file_text(path: Path, faults: list[Fault]) -> str | None:
    """The text of a UTF-8 file; a fault where it is something else."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
        broken_at = text.find("\0")
    except UnicodeDecodeError as error:
        text, broken_at = "", error.start
    if broken_at < 0:
        return text
    faults.append(
        Fault(
            path.name,
            data[:broken_at].count(b"\n") + 1,
            None,
            "This is not UTF-8 text.",
            "Save it as “CSV UTF-8” or as UTF-8 text.",
        )
    )
    return None


def _plain(name: str) -> str:
    """Ward_Number, ward number and wardnumber are the same field."""
    return re.sub(r"[^a-z0-9]", "", name.casefold()) or name.strip()


def _digits(text: str) -> str:
    """Python reads Devanagari digits; thousands commas and spaces go."""
    return re.sub(r"(?<=\d)[, \u00a0](?=\d{2,3}(\D|$))", "", text.strip())
