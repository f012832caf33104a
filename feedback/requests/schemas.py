"""Requests on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Lon = Annotated[float, Field(ge=-180, le=180, description="degrees, WGS 84")]
Lat = Annotated[float, Field(ge=-90, le=90, description="degrees, WGS 84")]
Version = Annotated[int, Field(ge=1, description="the version that the caller saw")]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RequestCreate(_Wire):
    client_id: Annotated[str, Field(min_length=8, max_length=64)]
    service_code: Annotated[str, Field(max_length=40)]
    lon: Lon
    lat: Lat
    address: Annotated[str, Field(max_length=300)] = ""
    words: Annotated[str, Field(max_length=2000)] = ""
    photo_ids: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=4)] = []
    lang: Literal["en", "hi"] = "en"
    contact: Annotated[str, Field(max_length=120)] = ""


class RequestCreated(_Wire):
    code: str
    url: str
    status: str
    promised_at: datetime


class StopOrder(_Wire):
    version: Version
    when: Literal["today", "tomorrow"] = "today"


class StopAnswer(_Wire):
    placed: bool
    route_id: str | None = None
    vehicle_id: str | None = None
    visit_id: str | None = None
    planned_arrival: datetime | None = None
    reason: str | None = None
    deferred_to: date | None = None


class Close(_Wire):
    version: Version
    words: Annotated[str, Field(min_length=1, max_length=2000)]


class Rating(_Wire):
    rating: Literal["satisfied", "neutral", "unhappy"]
    words: Annotated[str, Field(max_length=2000)] = ""


class TimelineEntry(_Wire):
    at: datetime
    key: str
    text: str
    photo_id: str | None


class PublicRequest(_Wire):
    code: str
    service_code: str
    status: str
    lon: float
    lat: float
    address: str
    words: str
    photo_ids: list[str]
    created_at: datetime
    promised_at: datetime
    eta: datetime | None
    vehicle: str | None
    evidence_text: str | None
    timeline: list[TimelineEntry]
    rating: str | None
    may_rate: bool


class RequestSummary(_Wire):
    id: str
    version: int
    code: str
    service_code: str
    status: str
    lon: float
    lat: float
    ward_id: str
    zone_id: str
    lane_id: str | None
    address: str
    words: str
    photo_ids: list[str]
    created_at: datetime
    promised_at: datetime
    closed_at: datetime | None
    verdict: str | None
    verdict_text: str | None
    verdict_texts: dict[str, str] | None
    nearest_pass: dict[str, Any] | None
    visit_id: str | None
    route_id: str | None
    vehicle_id: str | None
    eta: datetime | None
    deferred_to: date | None
    rating: str | None
    lang: str


class RequestView(RequestSummary):
    contact: str
    timeline: list[TimelineEntry]
