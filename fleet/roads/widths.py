"""How wide a street is: from its tags, else what is usual for its class."""

from __future__ import annotations

import re
from types import MappingProxyType

from fleet.roads.network import Tags

DEFAULT_WIDTH_M = MappingProxyType(
    {
        "motorway": 14.0,
        "motorway_link": 7.0,
        "trunk": 12.0,
        "trunk_link": 7.0,
        "primary": 12.0,
        "primary_link": 6.0,
        "secondary": 10.0,
        "secondary_link": 6.0,
        "tertiary": 8.0,
        "tertiary_link": 6.0,
        "unclassified": 6.0,
        "residential": 6.0,
        "living_street": 4.0,
        "road": 5.0,
        "service": 4.0,
        "track": 3.0,
        "pedestrian": 4.0,
        "busway": 7.0,
        "footway": 1.8,
        "path": 1.5,
        "cycleway": 2.0,
        "bridleway": 2.0,
        "steps": 1.5,
    }
)
DEFAULT_SERVICE_WIDTH_M = MappingProxyType({"alley": 2.5, "driveway": 3.0})
UNKNOWN_WIDTH_M = 4.0

WIDTH_KEYS = ("maxwidth:physical", "maxwidth", "width", "est_width")
"""The narrowest of those that are tagged counts."""

_FEET_M = 0.3048
_INCH_M = 0.0254
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_IMPERIAL = re.compile(r"(\d+(?:\.\d+)?)\s*(?:'|ft)\s*(?:(\d+(?:\.\d+)?)\s*\")?")


def parse_width_m(text: str) -> float | None:
    """Metres of an OSM width; None when it says nothing usable.

    >>> parse_width_m("3,5 m"), parse_width_m("10'"), parse_width_m("narrow")
    (3.5, 3.048, None)
    """
    text = text.replace(",", ".")
    imperial = _IMPERIAL.search(text)
    if imperial:
        width_m = float(imperial[1]) * _FEET_M + float(imperial[2] or 0) * _INCH_M
    else:
        number = _NUMBER.search(text)
        width_m = float(number[0]) if number else 0.0
    return width_m if width_m > 0 else None


def width_of(tags: Tags) -> tuple[float, bool]:
    """(width in metres, whether it is tagged rather than usual for the class)."""
    tagged = [parse_width_m(tags[key]) for key in WIDTH_KEYS if key in tags]
    known = [width_m for width_m in tagged if width_m is not None]
    if known:
        return min(known), True
    usual = DEFAULT_SERVICE_WIDTH_M.get(tags.get("service", ""))
    if usual is not None and tags.get("highway") == "service":
        return usual, False
    return DEFAULT_WIDTH_M.get(tags.get("highway", ""), UNKNOWN_WIDTH_M), False
