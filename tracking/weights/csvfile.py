"""Tickets as weighbridge programs export them: CSV with columns of many spellings. Pure.

`columns.toml` is the data. Every bad line is reported and the good ones are read.
"""

from __future__ import annotations

import csv
import io
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from tracking.weights.weighing import Weighing, Wrong, fold, wrongs

MOST_LINES: Final = 20_000
NEEDED: Final = ("number", "vehicle", "in")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class BadLine:
    """`line` counts from 1 as an editor shows it; `column` is the file's own heading."""

    line: int
    column: str
    wrong: Wrong


@dataclass(frozen=True, slots=True)
class CsvTickets:
    """Good tickets with the line on which each begins, and everything that is wrong."""

    tickets: list[tuple[int, Weighing]]
    bad: list[BadLine]


@cache
def layout() -> Mapping[str, Any]:
    """The spellings of `columns.toml`."""
    return tomllib.loads(Path(__file__).with_name("columns.toml").read_text("utf-8"))


def read_csv(data: bytes, tz: ZoneInfo, station: str | None = None) -> CsvTickets:
    """All tickets of a file.

    Args:
        data: UTF-8 or UTF-16 text, separated by comma, semicolon or tab.
        tz: of times that name no offset.
        station: of lines that name no station.
    """
    text = _text(data)
    if text is None:
        return CsvTickets([], [BadLine(1, "", Wrong("", "encoding", {}))])
    lines = io.StringIO(text.replace("\0", ""), newline="")
    head = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=lambda sign: (head.count(sign), sign == ","))
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        heading = next((row for row in reader if any(cell.strip() for cell in row)), [])
        columns = Columns.of(heading)
        missing = columns.missing(station)
        if missing:
            bad = [
                BadLine(reader.line_num or 1, "", Wrong(n, "column", {"name": n})) for n in missing
            ]
            return CsvTickets([], bad)
        return _rows(reader, columns, tz, station)
    except csv.Error as error:
        return CsvTickets([], [BadLine(reader.line_num, "", Wrong("", "csv", {"error": error}))])


def _rows(reader: Any, columns: Columns, tz: ZoneInfo, station: str | None) -> CsvTickets:
    found = CsvTickets([], [])
    line = reader.line_num + 1
    for count, row in enumerate(reader):
        if count >= MOST_LINES:
            found.bad.append(BadLine(line, "", Wrong("", "lines", {"most": MOST_LINES})))
            break
        if any(cell.strip() for cell in row):
            parsed, bad = Line(columns, row, tz).read(station)
            if parsed is not None and not bad:
                bad = wrongs(parsed)
            if parsed is not None and not bad:
                found.tickets.append((line, parsed))
            found.bad.extend(BadLine(line, columns.heading_of(wrong.field), wrong) for wrong in bad)
        line = reader.line_num + 1
    return found


@dataclass(frozen=True)
class Columns:
    """Where each field stands in a row, and kilograms in one of its units."""

    at: Mapping[str, int]
    factor: Mapping[str, float]
    heading: Sequence[str]

    @classmethod
    def of(cls, heading: Sequence[str]) -> Columns:
        """The first column that one of a field's spellings names; the file's spelling counts."""
        names = {
            fold(word): field for field, words in layout()["columns"].items() for word in words
        }
        units = {fold(unit): float(kg) for unit, kg in layout()["units"].items()}
        at: dict[str, int] = {}
        factor: dict[str, float] = {}
        for index, cell in enumerate(heading):
            bare, unit = _unit(cell, units)
            field = names.get(fold(cell)) or names.get(fold(bare))
            if field is not None and field not in at:
                at[field] = index
                factor[field] = units[unit] if unit else 1.0
        return cls(at, factor, heading)

    def missing(self, station: str | None) -> list[str]:
        """Fields that no column gives."""
        needed = [*NEEDED, *(() if station else ("station",))]
        lacks = [name for name in needed if name not in self.at]
        if sum(name in self.at for name in ("gross", "tare", "net")) < 2:
            lacks.append("gross, tare")
        return lacks

    def heading_of(self, field: str) -> str:
        """The file's heading of a field, such as `Net Wt (kg)` for net_kg."""
        name = {"time_out": "out", "time_in": "in"}.get(field, field.removesuffix("_kg"))
        index = self.at.get(name)
        return name if index is None else self.heading[index].strip()


def _unit(cell: str, units: Mapping[str, float]) -> tuple[str, str | None]:
    """A heading without its unit, and the unit: `Net (t)`, `Net Wt. in kg`, `net_kg`."""
    words = [word for word in re.split(r"[\s_.()\[\]/,-]+", cell.strip()) if word]
    if len(words) > 1 and fold(words[-1]) in units:
        rest = words[:-1]
        if rest[-1].casefold() == "in" and len(rest) > 1:
            rest = rest[:-1]
        return " ".join(rest), fold(words[-1])
    return cell, None


class Line:
    """One row, read field by field; what is wrong is collected."""

    def __init__(self, columns: Columns, row: Sequence[str], tz: ZoneInfo) -> None:
        self._columns = columns
        self._row = row
        self._tz = tz
        self._bad: list[Wrong] = []

    def read(self, station: str | None) -> tuple[Weighing | None, list[Wrong]]:
        """The ticket, or None and why."""
        number, vehicle = self._needed("number"), self._needed("vehicle")
        where = self._cell("station") or station or self._needed("station")
        gross, tare, net = (self._kg(name) for name in ("gross", "tare", "net"))
        entered = self._time("in", "in_date")
        left = self._time("out", "out_date", entered) if self._cell("out") else entered
        stream = self._stream()
        if sum(kg is not None for kg in (gross, tare, net)) < 2:
            if not any(wrong.field.endswith("_kg") for wrong in self._bad):
                self._bad.append(Wrong("net_kg", "weights", {}))
            return None, self._bad
        if self._bad or entered is None or left is None:
            return None, self._bad
        if gross is None:
            gross = (net or 0.0) + (tare or 0.0)
        if tare is None:
            tare = gross - (net or 0.0)
        if net is None:
            net = gross - tare
        raw = _joined(self._row)
        return Weighing(number, where, vehicle, stream, gross, tare, net, entered, left, raw), []

    def _cell(self, name: str) -> str:
        index = self._columns.at.get(name)
        if index is None or index >= len(self._row):
            return ""
        # A spreadsheet's own guard against formulas, as our exports write it.
        return " ".join(self._row[index].split()).removeprefix("'")

    def _needed(self, name: str) -> str:
        words = self._cell(name)
        if not words:
            self._bad.append(Wrong(name, "missing", {}))
        return words

    def _kg(self, name: str) -> float | None:
        words = self._cell(name)
        if not words:
            return None
        bare = re.sub(r"(?i)\s*(kgs?|किग्रा)\.?$", "", words)
        bare = re.sub(r"(?<=\d),(?=\d{2,3}(\D|$))", "", bare)
        try:
            kg = float(bare) * self._columns.factor[name]
        except ValueError:
            kg = math.nan
        if not math.isfinite(kg):
            self._bad.append(Wrong(f"{name}_kg", "number", {"value": words}))
            return None
        return round(kg, 3)

    def _time(self, name: str, day: str, earlier: datetime | None = None) -> datetime | None:
        words, day_words = self._cell(name), self._cell(day)
        field = f"time_{name}"
        if not words:
            self._bad.append(Wrong(field, "missing", {}))
            return None
        whole = _instant(f"{day_words} {words}" if day_words else words, self._tz)
        if whole is None and (clock := _clock(words)) is not None:
            given = _day(day_words) if day_words else None
            if given is None and earlier is not None:
                given = earlier.astimezone(self._tz).date()
            if given is not None:
                whole = datetime.combine(given, clock, tzinfo=self._tz)
                if earlier is not None and not day_words and whole < earlier:
                    whole += timedelta(days=1)  # it left after midnight
        if whole is None:
            self._bad.append(Wrong(field, "time", {"value": f"{day_words} {words}".strip()}))
        return whole

    def _stream(self) -> str | None:
        words = self._cell("stream")
        if not words:
            return None
        names = {fold(w): stream for stream, ws in layout()["streams"].items() for w in ws}
        found = names.get(fold(words))
        if found is None:
            self._bad.append(Wrong("stream", "stream", {"value": words}))
        return None if found == "mixed" else found


def _instant(words: str, tz: ZoneInfo) -> datetime | None:
    """An ISO time, or a date and a clock in one cell; without an offset in the city's time."""
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        parts = words.split(" ", 1)
        if len(parts) == 2 and (day := _day(parts[0])) and (clock := _clock(parts[1])):
            return datetime.combine(day, clock, tzinfo=tz)
        match = re.fullmatch(r"(\d{1,2} \w+ \d{4}) (.+)", words)
        if match and (day := _day(match[1])) and (clock := _clock(match[2])) is not None:
            return datetime.combine(day, clock, tzinfo=tz)
        return None
    if len(words) <= len("2026-03-02"):
        return None  # a date alone is no moment
    return found if found.tzinfo else found.replace(tzinfo=tz)


def _day(words: str) -> date | None:
    for pattern in layout()["times"]["dates"]:
        try:
            return datetime.strptime(words, pattern).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    return None


def _clock(words: str) -> time | None:
    for pattern in layout()["times"]["clocks"]:
        try:
            return datetime.strptime(words.upper(), pattern).time()  # noqa: DTZ007 - a clock alone
        except ValueError:
            continue
    return None


def _text(data: bytes) -> str | None:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _joined(row: Sequence[object]) -> str:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="").writerow(row)
    return sink.getvalue()


def write_csv(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A CSV for spreadsheets: text that one would run as a formula is made plain text by a '."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\r\n")
    writer.writerow(heading)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return sink.getvalue()


def _harmless(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return "" if cell is None else cell
