"""Vendors' frame layouts as data: `layouts.toml`, and a city's own file beside it.

A layout names, for each kind of frame, the orders in which its fields may stand. An order is a
line of field names; it becomes one regular expression, so a frame fits an order only when every
field looks like what it should be. That is how a frame of an unnamed vendor is recognised.

| in an order | means |
|---|---|
| `name` | a field of that name, see `FIELDS` |
| `name?` | the field may be left out |
| `name=A\\|B` | the field, with one of these values |
| `_`, `number`, `ota` | a field that nobody reads |
| `...` | any number of fields |
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

_NUMBER = r"[ \t]*[-+.\d]{0,16}[ \t]*"
_DEGREES = r"[ \t]*[-+.\d]{1,16}[ \t]*"
_TEXT = r"[^,]*"
_FLAG = r"[01]?"

FIELDS: Final[Mapping[str, str]] = {
    "header": _TEXT,
    "vendor": _TEXT,
    "firmware": _TEXT,
    "type": r"[A-Za-z]{2}",
    "alert": r"\d{0,3}",
    "status": r"[LHS]?",
    "emergency": r"EMR|SEM",
    "kept": r"NM|SP",
    "imei": r"[ \t]*\d{15,17}[ \t]*",
    "reg": _TEXT,
    "fix": r"[0-3AV]",
    # 24122018,055749 or 24,12,2018,05,57,49 or 24122018055749, years also with two digits
    "when": (
        r"(?:\d{14}|(?:\d{8}|\d{6}|\d\d?,\d\d?,(?:\d{4}|\d\d)),"
        r"(?:\d{6}(?:\.\d+)?|\d\d?,\d\d?,\d\d?))"
    ),
    "lat": _DEGREES,
    "ns": r"[NSns]",
    "lon": _DEGREES,
    "ew": r"[EWew]",
    "speed_kmh": _NUMBER,
    "speed_kn": _NUMBER,
    "course": _NUMBER,
    "sats": _NUMBER,
    "alt": _NUMBER,
    "hdop": _NUMBER,
    "ignition": _FLAG,
    "mains": _FLAG,
    "main_v": _NUMBER,
    "backup_v": _NUMBER,
    "sos": _FLAG,
    "tamper": r"[A-Za-z]?",
    "inputs": r"[012]{4}|[01]{6}",
    "outputs": r"[01]{2,4}",
    "ota": r"<[^,]*>",
    "number": _NUMBER,
    "_": _TEXT,
}
"""What each field looks like; commas stand only in `when`."""

UNREAD: Final = ("number", "ota", "_")
"""Fields that only have to look right; they may stand more than once."""

KINDS: Final = ("normal", "emergency", "login", "health", "batch", "item")
"""`batch` is what stands before the items of a frame with several positions, `item` one of them."""

CHECKSUMS: Final = (
    "xor",
    "xor-framed",
    "xor-comma",
    "sum16-comma",
    "crc16-kermit",
    "crc32",
    "crc32-comma",
    "crc32-mpeg2-comma",
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How one vendor, or one firmware, writes its frames."""

    name: str
    protocol: str
    orders: Mapping[str, tuple[re.Pattern[str], ...]]
    checksums: tuple[str, ...]
    """The forms that count as this layout's checksum; none: frames are taken without."""
    answers: Mapping[str, str]
    """By kind; `{time}` and `{header}` are filled in."""
    utc_offset: timedelta
    """How far the unit's clock is ahead of UTC."""
    recognise: tuple[Mapping[str, re.Pattern[str]], ...]
    """Headers and vendors by which a frame of a device without layout is given this one."""


class Layouts:
    """All layouts by name."""

    def __init__(self, layouts: Sequence[Layout]) -> None:
        self._by_name = {layout.name: layout for layout in layouts}

    def names(self, protocol: str) -> list[str]:
        return [each.name for each in self._by_name.values() if each.protocol == protocol]

    def find(self, name: str | None, protocol: str) -> Layout | None:
        """The layout of that name, when it is one of the protocol's."""
        found = self._by_name.get(name) if name is not None else None
        return found if found is not None and found.protocol == protocol else None

    def of(self, header: str, vendor: str, protocol: str) -> Layout:
        """The layout of a frame whose device names none; the protocol's own for any other."""
        for layout in self._by_name.values():
            if layout.protocol == protocol and any(
                rule["header"].fullmatch(header) and rule["vendor"].fullmatch(vendor)
                for rule in layout.recognise
            ):
                return layout
        return self._by_name[protocol]


def load(more: Path | None = None) -> Layouts:
    """The built-in layouts and those of a city's own file, which may replace them by name.

    Raises:
        ValueError: a layout that cannot be used; the text names it.
        OSError: the file cannot be read.
    """
    tables: dict[str, Any] = _built_in()
    if more is not None:
        tables = tables | tomllib.loads(more.read_text(encoding="utf-8"))
    return Layouts([_layout(name, tables) for name in tables])


@cache
def built_in() -> Layouts:
    """The layouts that come with the software."""
    return load()


def _built_in() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "layouts.toml").read_text(encoding="utf-8"))


def _layout(name: str, tables: Mapping[str, Any]) -> Layout:
    table = _inherited(name, tables, ())
    protocol = table.get("protocol", "ais140")
    unknown = table.keys() - {
        "like", "protocol", "orders", "checksums", "answers", "utc_offset_min", "recognise"
    }  # fmt: skip
    if unknown:
        raise ValueError(f"Layout {name}: {', '.join(sorted(unknown))} is nothing that one sets.")
    for kind in table.get("orders", {}):
        if kind not in KINDS:
            raise ValueError(f"Layout {name}: expected one of {', '.join(KINDS)}, got {kind}.")
    for form in table.get("checksums", []):
        if form not in CHECKSUMS:
            raise ValueError(f"Layout {name}: expected one of {', '.join(CHECKSUMS)}, got {form}.")
    return Layout(
        name=name,
        protocol=protocol,
        orders={
            kind: tuple(order(line, f"layout {name}") for line in lines)
            for kind, lines in table.get("orders", {}).items()
        },
        checksums=tuple(table.get("checksums", [])),
        answers=dict(table.get("answers", {})),
        utc_offset=timedelta(minutes=table.get("utc_offset_min", 0)),
        recognise=tuple(
            {key: re.compile(rule.get(key, ".*")) for key in ("header", "vendor")}
            for rule in tables[name].get("recognise", [])
        ),
    )


def _inherited(name: str, tables: Mapping[str, Any], seen: tuple[str, ...]) -> dict[str, Any]:
    """What a layout says, over what the layout says that it is `like`."""
    if name not in tables or name in seen:
        raise ValueError(f"Layout {seen[-1] if seen else name}: there is no layout {name} before.")
    own: dict[str, Any] = tables[name]
    if "like" not in own:
        return own
    base = _inherited(own["like"], tables, (*seen, name))
    return {**base, **own, "orders": {**base.get("orders", {}), **own.get("orders", {})}}


def order(line: str, where: str) -> re.Pattern[str]:
    """The expression that an order's frame matches, each field followed by a comma.

    Raises:
        ValueError: a field that is not known, or that stands twice.

    >>> order("imei alert?", "a test").fullmatch("352093085223096,7,")["alert"]
    '7'
    """
    parts: list[str] = []
    seen: set[str] = set()
    for word in line.split():
        if word == "...":
            # Greedy: what follows is looked for from the end, behind the radio cells' numbers.
            parts.append(r"(?:[^,]*,)*")
            continue
        name, _, values = word.removesuffix("?").partition("=")
        if name not in FIELDS or name in seen:
            raise ValueError(f"In {where}: expected a field of the list, once, got {word}.")
        pattern = "|".join(map(re.escape, values.split("|"))) if values else FIELDS[name]
        if name in UNREAD:
            field = f"(?:{pattern}),"
        else:
            seen.add(name)
            field = f"(?P<{name}>{pattern}),"
        parts.append(f"(?:{field})?" if word.endswith("?") else field)
    return re.compile("".join(parts))
