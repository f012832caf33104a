"""What the city has, as tables: its areas, lanes, places, vehicles, shifts, beats and assignments.

Positions are WGS 84 in lon, lat order. Rows of an earlier import that vanished are kept and marked
`active = False`, so that history still has names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from fleet.kit.db import Base, UtcDateTime

type Coordinates = list[list[float]]
"""[[lon, lat], …]"""

_decode = msgspec.json.Decoder().decode


class Packed(TypeDecorator[Any]):
    """A value stored as compact JSON text: half the bytes and a third of the time of JSON types."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else _decode(value)


class City(Base):
    """The one city of this database."""

    __tablename__ = "city"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_hi: Mapped[str]
    tz: Mapped[str]
    """IANA zone."""
    lang: Mapped[str]
    bbox: Mapped[list[float]] = mapped_column(Packed)
    """[west, south, east, north] of the road network."""
    policy: Mapped[dict[str, Any]] = mapped_column(Packed)
    fingerprint: Mapped[str]
    """Digest of the imported folder: the same folder again changes nothing."""
    estimated: Mapped[list[str]] = mapped_column(Packed)
    """Parts that were made up because the folder lacks them, such as `premises`."""
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.tz)


class Zone(Base):
    """A group of wards under one dispatcher."""

    __tablename__ = "zone"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_hi: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)


class Ward(Base):
    """A ward with its outline."""

    __tablename__ = "ward"

    id: Mapped[str] = mapped_column(primary_key=True)
    zone_id: Mapped[str] = mapped_column(ForeignKey("zone.id"), index=True)
    name: Mapped[str]
    name_hi: Mapped[str]
    population: Mapped[int | None]
    """None: the city did not say."""
    geometry: Mapped[dict[str, Any]] = mapped_column(Packed)
    """GeoJSON Polygon or MultiPolygon."""
    lon: Mapped[float]
    lat: Mapped[float]
    """A point inside, for a label."""
    west: Mapped[float]
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
    active: Mapped[bool] = mapped_column(default=True)


class Lane(Base):
    """A street segment between junctions: the smallest thing that is served.

    Keyed by (way, from node, to node), so that it keeps its id when the map is imported again.
    """

    __tablename__ = "lane"
    __table_args__ = (Index("ix_lane_active_ward", "active", "ward_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    ward_id: Mapped[str] = mapped_column(ForeignKey("ward.id"), index=True)
    name: Mapped[str]
    name_hi: Mapped[str]
    highway: Mapped[str]
    """Class of the street as OSM calls it."""
    length_m: Mapped[float]
    width_m: Mapped[float]
    oneway: Mapped[bool]
    """True: driven only in the order of `geometry`."""
    geometry: Mapped[Coordinates] = mapped_column(Packed)
    lon: Mapped[float]
    lat: Mapped[float]
    """The point half-way along."""
    west: Mapped[float]
    south: Mapped[float] = mapped_column(index=True)
    east: Mapped[float]
    north: Mapped[float]
    households: Mapped[int]
    shops: Mapped[int]
    institutions: Mapped[int]
    bulk: Mapped[int]
    kg_day: Mapped[dict[str, float]] = mapped_column(Packed)
    """kg per stream on an ordinary day."""
    m3_day: Mapped[dict[str, float]] = mapped_column(Packed)
    estimated: Mapped[bool]
    """True: premises were spread from the ward's population."""
    service_mode: Mapped[str]
    """enter | mouth | feeder | gate."""
    profiles: Mapped[list[str]] = mapped_column(Packed)
    """Vehicle classes that may enter."""
    access_profiles: Mapped[list[str]] = mapped_column(Packed)
    """Vehicle classes that reach the place where the vehicle stands; `profiles` when it enters."""
    access_lon: Mapped[float | None]
    access_lat: Mapped[float | None]
    """Where the vehicle stands when it does not enter."""
    access_lane_id: Mapped[str | None]
    access_m: Mapped[float | None]
    """Walk from there to the lane's nearest end."""
    active: Mapped[bool] = mapped_column(default=True)
    successors: Mapped[list[str]] = mapped_column(Packed, default=list)
    """Lanes that took this one's place in a later map."""

    @property
    def on_foot(self) -> bool:
        """Nobody drives it: a crew walks in from the access point."""
        return self.service_mode in ("feeder", "gate")

    @property
    def kg_total(self) -> float:
        return sum(self.kg_day.values())


class Bin(Base):
    """A street bin: what it holds when it is full."""

    __tablename__ = "bin"

    id: Mapped[str] = mapped_column(primary_key=True)
    ward_id: Mapped[str] = mapped_column(ForeignKey("ward.id"), index=True)
    stream: Mapped[str]
    kg: Mapped[float]
    m3: Mapped[float]
    lon: Mapped[float]
    lat: Mapped[float]
    active: Mapped[bool] = mapped_column(default=True)


class Place(Base):
    """A depot, a transfer station or a plant."""

    __tablename__ = "place"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    """depot | transfer_station | plant."""
    name: Mapped[str]
    name_hi: Mapped[str]
    lon: Mapped[float]
    lat: Mapped[float]
    service_s: Mapped[int]
    streams: Mapped[list[str]] = mapped_column(Packed)
    """Streams that it takes; a depot takes none."""
    active: Mapped[bool] = mapped_column(default=True)


class VehicleClass(Base):
    """A kind of vehicle; its id is also the road engine's profile."""

    __tablename__ = "vehicle_class"

    id: Mapped[str] = mapped_column(primary_key=True)
    width_m: Mapped[float]
    speeds_kmh: Mapped[dict[str, float]] = mapped_column(Packed)
    factor: Mapped[float]
    fuel: Mapped[str]
    fixed_cost_s: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)


class Vehicle(Base):
    """A vehicle with its chambers."""

    __tablename__ = "vehicle"

    id: Mapped[str] = mapped_column(primary_key=True)
    class_id: Mapped[str] = mapped_column(ForeignKey("vehicle_class.id"))
    depot_id: Mapped[str] = mapped_column(ForeignKey("place.id"))
    contractor: Mapped[str]
    spare: Mapped[bool]
    compartments: Mapped[list[dict[str, Any]]] = mapped_column(Packed)
    """[{"streams": [...], "kg": …, "m3": …}, …]"""
    active: Mapped[bool] = mapped_column(default=True)


class Shift(Base):
    """A vehicle's working time; one vehicle may have several a day."""

    __tablename__ = "shift"

    vehicle_id: Mapped[str] = mapped_column(ForeignKey("vehicle.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    start_s: Mapped[int]
    end_s: Mapped[int]
    """Seconds after the service date's local midnight; past 86,400 for a night shift."""
    active: Mapped[bool] = mapped_column(default=True)


class Beat(Base):
    """Which lanes are served together today, in their customary order."""

    __tablename__ = "beat"

    id: Mapped[str] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str] = mapped_column(ForeignKey("vehicle.id"))
    """The vehicle of the imported list; `vehicle_beat` assignments change it."""
    shift: Mapped[str]
    landmarks: Mapped[list[str]] = mapped_column(Packed)
    lane_ids: Mapped[list[str]] = mapped_column(Packed)
    active: Mapped[bool] = mapped_column(default=True)


class CustomaryTime(Base):
    """When a lane is usually served in a shift by a vehicle: what people have got used to."""

    __tablename__ = "customary_time"

    lane_id: Mapped[str] = mapped_column(primary_key=True)
    shift: Mapped[str] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str] = mapped_column(primary_key=True)
    usual_s: Mapped[float]
    """Seconds after the service date's local midnight; past 86,400 for a night shift."""
    spread_s: Mapped[float]
    """How far it usually is from that, as a standard deviation."""
    days: Mapped[int]
    """Days on which it was seen."""


class FieldWorker(Base):
    """A person of the field staff, who carries a phone or watch while on shift.

    The id begins with `person:`, so that a person can hold a device and stand as a fix's holder
    where a vehicle does.
    """

    __tablename__ = "field_worker"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_hi: Mapped[str]
    zone_id: Mapped[str] = mapped_column(ForeignKey("zone.id"), index=True)
    """Only who answers for this zone sees where the person was."""
    duty: Mapped[str]
    """sweeping | collection | supervision."""
    start_s: Mapped[int]
    end_s: Mapped[int]
    """The shift, as `Shift` has it. Where the person is outside of it is nobody's business."""
    active: Mapped[bool] = mapped_column(default=True)


class SearchName(Base):
    """A name that people look for: a street, a landmark or a ward."""

    __tablename__ = "search_name"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """street | landmark | ward."""
    name: Mapped[str]
    name_hi: Mapped[str]
    key: Mapped[str] = mapped_column(index=True)
    """Both names folded (no case, no diacritics, single spaces), with `|` between them."""
    weight: Mapped[int]
    """Length of the shorter name: among equal matches the shorter name comes first."""
    lon: Mapped[float]
    lat: Mapped[float]
    ward_id: Mapped[str | None] = mapped_column(ForeignKey("ward.id"))


class Assignment(Base):
    """Who holds what from when to when; ended rows never change again."""

    __tablename__ = "assignment"
    __table_args__ = (
        CheckConstraint("to_at IS NULL OR to_at >= from_at", name="ends_after_it_starts"),
        Index(
            "uq_assignment_open_subject",
            "kind",
            "subject",
            "slot",
            unique=True,
            sqlite_where=text("to_at IS NULL"),
            postgresql_where=text("to_at IS NULL"),
        ),
        Index("ix_assignment_kind_object", "kind", "object"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """device_vehicle | vehicle_beat | crew_vehicle | person_beat."""
    subject: Mapped[str]
    object: Mapped[str]
    slot: Mapped[str]
    """The beat's shift for beats, else empty: one holder per subject and slot."""
    from_at: Mapped[datetime] = mapped_column(UtcDateTime)
    to_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
