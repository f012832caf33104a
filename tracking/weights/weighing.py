"""A ticket as it was brought, before it is held against the city's vehicles and stations. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fleet.org.policy import STREAMS

NET_WITHIN_KG: Final = 1.0
"""Net is gross less tare, but for rounding."""
MOST_KG: Final = 100_000.0
"""No road vehicle weighs more."""
MOST_TEXT: Final = 64
YEARS: Final = (2000, 2100)


@dataclass(frozen=True, slots=True)
class Weighing:
    """One weighing. `station` and `vehicle` are words of the bridge; times are aware."""

    number: str
    station: str
    vehicle: str
    stream: str | None
    gross_kg: float
    tare_kg: float
    net_kg: float
    in_t: datetime
    out_t: datetime
    raw: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one field: `reason` names a text of the catalogue, with its values."""

    field: str
    reason: str
    values: Mapping[str, object]


def wrongs(weighing: Weighing) -> list[Wrong]:
    """What contradicts itself in a ticket; nothing where it can be true."""
    found = []
    for field, words in (("number", weighing.number), ("vehicle", weighing.vehicle)):
        if not fold(words) or len(words) > MOST_TEXT:
            found.append(Wrong(field, "text", {"most": MOST_TEXT}))
    for field in ("gross_kg", "tare_kg", "net_kg"):
        kg = getattr(weighing, field)
        if not 0 <= kg <= MOST_KG:
            found.append(Wrong(field, "range", {"value": f"{kg:g}", "most": f"{MOST_KG:g}"}))
    net_kg = weighing.gross_kg - weighing.tare_kg
    if not found and abs(net_kg - weighing.net_kg) > NET_WITHIN_KG:
        given = {"net": f"{weighing.net_kg:g}", "difference": f"{net_kg:g}"}
        found.append(Wrong("net_kg", "net", given))
    for field, t in (("time_in", weighing.in_t), ("time_out", weighing.out_t)):
        if not YEARS[0] <= t.year < YEARS[1]:
            found.append(Wrong(field, "time", {"value": t.isoformat()}))
    if weighing.out_t < weighing.in_t:
        found.append(Wrong("time_out", "order", {}))
    if weighing.stream is not None and weighing.stream not in STREAMS:
        found.append(Wrong("stream", "stream", {"value": weighing.stream}))
    return found


def fold(words: str) -> str:
    """A spelling without case, spaces and signs: MP-09 ab 1234 and MP09AB1234 are one plate.

    >>> fold("MP-09 ab 1234") == fold("MP09AB1234")
    True
    """
    plain = unicodedata.normalize("NFKC", words).casefold()
    return "".join(sign for sign in plain if unicodedata.category(sign)[0] in "LMN")
