"""GPX 1.0 and 1.1: the timed points of tracks, read and written.

| element | what |
|---|---|
| trkpt lat, lon | degrees; needed |
| time | date-time (UTC where it has no offset); needed |
| ele | metres |
| hdop, sat | dilution, satellites used |
| speed, course | metres a second and degrees: GPX 1.0's own, else of Garmin's TrackPointExtension |

Routes and waypoints are no fixes. A document type is refused: nothing in GPX needs one, and
entities are how XML is made to read other files or to fill the memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any
from xml.etree import ElementTree

import gpxpy
import gpxpy.gpx

from tracking.fixes.fix import Fix
from tracking.protocols.lenient import (
    Unreadable,
    at_least_0,
    count,
    degrees,
    maybe_number,
)
from tracking.protocols.reading import Reading, Refusal

GAP = timedelta(minutes=5)
"""After so long without a fix a track goes on in another segment."""
_EXTENSION = "http://www.garmin.com/xmlschemas/TrackPointExtension/v2"
_MOST_SATS = 1000
_DOCTYPE = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Contents:
    """Readings with the number of their point in the file (from 0), and points without time."""

    readings: list[tuple[int, Reading]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def read(body: bytes) -> Contents:
    """The timed points of a file's tracks, in its order.

    Raises:
        Unreadable: no GPX in UTF-8 or UTF-16.
    """
    try:
        document = gpxpy.parse(_text(body))
    except (gpxpy.gpx.GPXException, ElementTree.ParseError, ValueError, RecursionError) as error:
        raise Unreadable("body", f"Expected GPX: {error}"[:200]) from error
    contents = Contents()
    points = (p for track in document.tracks for part in track.segments for p in part.points)
    for i, point in enumerate(points):
        if point.time is None:
            contents.refused.append(
                Refusal(i, "time", "The point has no time.", "Export the track with its times.")
            )
        else:
            contents.readings.append((i, _reading(point)))
    return contents


def write(fixes: Sequence[Fix], name: str = "") -> str:
    """GPX 1.1 of one vehicle's fixes in the order of their time.

    Args:
        name: the track's name, such as the vehicle's id.
    """
    document = gpxpy.gpx.GPX()
    document.creator = "safai"
    document.nsmap["gpxtpx"] = _EXTENSION
    track = gpxpy.gpx.GPXTrack(name=name or None)
    document.tracks.append(track)
    last = None
    for fix in fixes:
        if last is None or fix.t - last > GAP:
            track.segments.append(gpxpy.gpx.GPXTrackSegment())
        last = fix.t
        point = gpxpy.gpx.GPXTrackPoint(fix.lat, fix.lon, elevation=fix.alt_m, time=fix.t)
        point.horizontal_dilution = fix.hdop
        point.satellites = fix.sats
        extension = _extension((("speed", fix.speed_mps), ("course", fix.course_deg)))
        if extension is not None:
            point.extensions.append(extension)
        track.segments[-1].points.append(point)
    return document.to_xml(version="1.1")


def _text(body: bytes) -> str:
    encoding = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = body.decode(encoding)
    if _DOCTYPE.search(text):
        raise Unreadable("body", "Expected GPX without a document type.")
    return text


def _reading(point: gpxpy.gpx.GPXTrackPoint) -> Reading:
    t = point.time
    assert t is not None
    extra = dict(_extras(point.extensions))
    return Reading(
        t=(t if t.tzinfo else t.replace(tzinfo=UTC)).timestamp(),
        lon=point.longitude,
        lat=point.latitude,
        speed_mps=at_least_0(point.speed if point.speed is not None else extra.get("speed")),
        course_deg=degrees(point.course if point.course is not None else extra.get("course")),
        hdop=at_least_0(point.horizontal_dilution),
        sats=count(point.satellites, _MOST_SATS),
        alt_m=maybe_number(point.elevation),
    )


def _extras(elements: Iterable[Any]) -> Iterable[tuple[str, str]]:
    """Names without namespace, and texts, of all elements below a point's extensions."""
    for top in elements:
        for element in top.iter():
            if isinstance(element.tag, str) and element.text and element.text.strip():
                yield element.tag.rpartition("}")[2], element.text.strip()


def _extension(values: Iterable[tuple[str, float | None]]) -> ElementTree.Element | None:
    top = ElementTree.Element(f"{{{_EXTENSION}}}TrackPointExtension")
    for name, value in values:
        if value is not None:
            ElementTree.SubElement(top, f"{{{_EXTENSION}}}{name}").text = f"{value:g}"
    return top if len(top) else None
