"""What calls about tickets and trips carry. Times are RFC 3339, weights kilograms."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

NO_NUL = r"^[^\x00]*$"
"""PostgreSQL stores every sign but this one."""
Words = Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)]
Kg = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Agreement = Literal[
    "agrees", "no_ticket", "no_gps", "other_station", "other_time", "weight_implausible"
]
Payable = Literal["yes", "no", "unknown"]


class TicketIn(BaseModel):
    """A ticket as a weighbridge brings it; two of the three weights are enough."""

    model_config = ConfigDict(extra="forbid")

    number: Words
    station: Words | None = None
    """Id or name; a weighbridge's own computer need not say it."""
    vehicle: Words
    """Number plate or id; case, spaces and dashes do not matter."""
    stream: Literal["wet", "dry", "sanitary", "special"] | None = None
    """None: mixed."""
    gross_kg: Kg | None = None
    tare_kg: Kg | None = None
    net_kg: Kg | None = None
    time_in: AwareDatetime
    time_out: AwareDatetime | None = None


class TicketCorrection(TicketIn):
    """The whole ticket as it should have been, and why; its number and station stay."""

    words: Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]
    void: bool = False
    """Withdraw it: it weighs nothing."""


class TicketView(BaseModel):
    """A stored ticket. `id` stays over corrections; `version` counts them."""

    id: str
    version: int
    station_id: str
    number: str
    vehicle_id: str
    vehicle_known: bool
    service_date: date
    stream: str | None
    gross_kg: float
    tare_kg: float
    net_kg: float
    time_in: datetime
    time_out: datetime
    void: bool
    source: str
    words: str
    received_t: datetime
    superseded_t: datetime | None


class Refusal(BaseModel):
    """A ticket that was not stored. `i` counts from 0 in a list, `line` from 1 in a file."""

    i: int | None
    line: int | None
    number: str | None
    field: str
    reason: str
    remedy: str


class Received(BaseModel):
    """What became of tickets: `stored` are new, `same` were there already."""

    stored: int
    same: int
    refused: list[Refusal]
    warnings: list[Refusal]
    """Stored all the same, such as a ticket of a vehicle that the fleet does not know."""
    tickets: list[TicketView]


class ExcuseIn(BaseModel):
    words: Annotated[str, Field(max_length=500, pattern=NO_NUL)]
    """Empty: the excuse is withdrawn."""


class ExcuseView(BaseModel):
    words: str
    by_name: str
    at: datetime


class LedgerEntry(BaseModel):
    """A trip with its tickets, or a ticket without a trip (`trip_id` None)."""

    id: str
    trip_id: str | None
    vehicle_id: str
    contractor: str
    service_date: date
    number: int | None
    """The vehicle's first, second … trip of the day."""
    start_t: datetime | None
    end_t: datetime | None
    km: float | None
    """By GPS; None: not measured."""
    lanes_served: int
    lanes: list[str] | None
    """Their ids; only where one vehicle was asked for."""
    wards: list[str]
    station_id: str
    arrived_t: datetime | None
    stay_s: float | None
    tickets: list[TicketView]
    net_kg: float | None
    agreement: Agreement
    agreement_text: str
    excused: ExcuseView | None
    payable: Payable


class WeightRow(BaseModel):
    """Kilograms of one ward, lane or vehicle; `id` None: what no lane can be named for."""

    id: str | None
    basis: Literal["weighed", "apportioned"]
    net_kg: float
    kg: dict[str, float]
    """By stream; `mixed` where the ticket names none."""
    trips: int


class Weights(BaseModel):
    service_date: date
    by: Literal["ward", "lane", "vehicle"]
    net_kg: float
    rows: list[WeightRow]


class WeighbridgeIn(BaseModel):
    station: Words
    label: str = Field(min_length=1, max_length=200, pattern=NO_NUL)


class WeighbridgeCreated(BaseModel):
    device_id: str
    station_id: str
    token: str
    """Shown this once."""
