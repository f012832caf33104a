"""The city's policy: every figure that a municipality decides, as one frozen value.

`policy.toml` in a city folder may set any field; what it leaves out keeps its default. Units stand
in the names (`_s` seconds, `_m` metres, `_kg` kilograms, `_h` hours, `_mps` metres a second).
`docs/policy.md` lists all of them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fleet.roads.faults import Fault

STREAMS: Final = ("wet", "dry", "sanitary", "special")
"""The streams of the 2026 rules, in the order in which they are shown."""

Seconds = Annotated[int, Field(ge=0)]
Metres = Annotated[float, Field(ge=0)]
Kilograms = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
AlarmKind = Literal[
    "device_silent",
    "sos",
    "crash",
    "tamper",
    "mains_cut",
    "low_battery",
    "low_backup",
    "overspeed",
    "idling",
    "off_shift",
    "outside_city",
    "dumping",
    "geofence",
    "station_late",
    "route_late",
    "route_left",
    "route_km",
    "visit_at_risk",
    "visit_missed",
]
"""Kinds of alarm that a city may tune; `docs/alarms.md` says what each means."""


class AlarmChange(BaseModel):
    """What a city changes of an alarm's rule; what is left out keeps its default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    enabled: bool | None = None
    severity: Literal["info", "warning", "critical"] | None = None
    actionable: bool | None = None
    seen_by: Literal["dispatcher", "admin"] | None = None
    raise_at: float | None = None
    clear_at: float | None = None
    told_at: float | None = None
    for_s: float | None = Field(default=None, ge=0)
    clear_for_s: float | None = Field(default=None, ge=0)
    quiet_s: float | None = Field(default=None, ge=0)
    expire_s: float | None = Field(default=None, ge=0)


class Policy(BaseModel):
    """What a city decides about planning, proof, complaints and data; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    # planning
    night_plan_at: str = Field(
        default="02:00", description="Local time at which the day is planned."
    )
    plan_seed: int = Field(default=1, ge=0, description="Seed of the solver; same seed, same plan.")
    plan_iterations: int = Field(
        default=200, ge=1, description="Improvement steps of the solver for a night plan."
    )
    unload_service_s: Seconds = Field(
        default=600,
        description="Time at a transfer station to weigh and empty, where it gives none.",
    )
    household_service_s: float = Field(
        default=7.0, ge=0, description="Standing time per household."
    )
    shop_service_s: float = Field(default=10.0, ge=0, description="Standing time per shop.")
    institution_service_s: float = Field(
        default=60.0, ge=0, description="Standing time per institution."
    )
    bulk_service_s: float = Field(
        default=180.0, ge=0, description="Standing time per bulk generator."
    )
    metre_service_s: float = Field(
        default=0.0,
        ge=0,
        description="Time per metre of a lane beside driving it, such as sweeping up.",
    )
    bin_service_s: Seconds = Field(default=90, description="Time to empty a street bin.")
    request_service_s: Seconds = Field(
        default=180, description="Time for a stop that a resident asked."
    )
    serving_speed_mps: float = Field(
        default=2.0, gt=0, description="Speed along a lane being served."
    )
    walking_speed_mps: float = Field(
        default=1.0, gt=0, description="Speed of a crew that serves a lane on foot, both ways."
    )
    vehicle_fixed_cost_s: Seconds = Field(
        default=3600,
        description="Price of using a vehicle, in work time, where its class gives none.",
    )
    drop_cost_s: Seconds = Field(
        default=36_000, description="Price of leaving a visit out of the plan."
    )
    beat_change_cost_s: Seconds = Field(
        default=300, description="Price of serving a lane with another vehicle than its beat's."
    )
    locked_visits: int = Field(
        default=2, ge=1, description="Visits ahead of a driver that a new stop never displaces."
    )
    working_days: tuple[Weekday, ...] = Field(
        default=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        strict=False,
        description="Days on which lanes are collected.",
    )

    # waste
    household_kg_day: Kilograms = Field(default=1.6, description="Waste of a household a day.")
    shop_kg_day: Kilograms = Field(default=3.0, description="Waste of a shop a day.")
    institution_kg_day: Kilograms = Field(
        default=25.0, description="Waste of an institution a day."
    )
    bulk_kg_day: Kilograms = Field(default=100.0, description="Waste of a bulk generator a day.")
    stream_share: Mapping[str, Share] = Field(
        default={"wet": 0.58, "dry": 0.35, "sanitary": 0.05, "special": 0.02},
        description="Share of each stream in the weight; together 1.",
    )
    density_kg_m3: Mapping[str, Annotated[float, Field(gt=0)]] = Field(
        default={"wet": 500.0, "dry": 130.0, "sanitary": 160.0, "special": 200.0},
        description="Weight of a cubic metre in a vehicle; dry waste fills it by volume.",
    )
    persons_per_household: float = Field(
        default=4.6,
        gt=0,
        description="Turns population into households where premises are unknown.",
    )
    shops_per_household: float = Field(
        default=0.1, ge=0, description="Turns households into shops where premises are unknown."
    )

    # lanes
    clearance_m: Metres = Field(
        default=0.5, description="Free width that a vehicle needs to fit, both sides together."
    )
    households_per_km: float = Field(
        default=100.0, ge=0, description="Households along a street where nothing says how many."
    )
    turning_width_m: Metres = Field(
        default=4.5, description="Width below which a vehicle does not turn round in a dead end."
    )
    mouth_length_m: Metres = Field(
        default=80.0, description="A narrow dead end up to this length is served from its mouth."
    )
    premises_within_m: Metres = Field(
        default=60.0, description="How far from a lane a premise of the list may stand."
    )

    # proof of service
    lane_buffer_m: Metres = Field(
        default=15.0, description="Distance from a lane that counts as on it."
    )
    slow_speed_mps: float = Field(
        default=2.4, gt=0, description="Up to this speed a pass is service."
    )
    served_fraction: Share = Field(
        default=0.8, description="Share of a lane's length that proves it."
    )
    least_time_share: Share = Field(
        default=0.7,
        description="Share of a lane's usual time, at the crew's own rhythm, below which it was "
        "left early.",
    )
    full_time_share: Share = Field(
        default=0.75,
        description="Share of a lane's usual time that proves a lane seen in part.",
    )
    partly_fraction: Share = Field(
        default=0.2, description="Share from which a lane is served in part."
    )
    gap_s: Seconds = Field(
        default=45, description="A silence longer than this is a gap in the proof."
    )
    stop_dwell_s: Seconds = Field(default=20, description="Standing time that proves a stop.")
    stop_within_m: Metres = Field(
        default=25.0, description="Distance within which standing counts."
    )
    lift_within_m: Metres = Field(
        default=30.0, description="Distance within which a lift or load event empties a bin."
    )
    missed_grace_s: Seconds = Field(
        default=600,
        description="Time after a route moved on from a visit before it is called missed.",
    )
    at_risk_s: Seconds = Field(default=600, description="Lateness from which a visit is at risk.")
    silent_device_s: Seconds = Field(
        default=180, description="Silence after which a device is silent."
    )
    geofence_radius_m: Metres = Field(
        default=60.0, description="Radius around a depot or station that counts as being there."
    )

    # weighbridges
    unload_least_s: Seconds = Field(
        default=120, description="Stay at a transfer station from which it counts as unloading."
    )
    station_return_s: Seconds = Field(
        default=300,
        description="Back at the station within this time is one stay, such as out of the queue.",
    )
    ticket_tolerance_s: Seconds = Field(
        default=900,
        description="How far a ticket's time may be from the stay at the station by GPS.",
    )
    ticket_far_s: Seconds = Field(
        default=7200, description="How far away a stay is looked for that a ticket may mean."
    )
    ticket_wait_h: float = Field(
        default=48.0, ge=0, description="Time in which the ticket of a trip may still arrive."
    )
    ticket_near_m: Metres = Field(
        default=250.0,
        description="A vehicle this near to the station is never said to have been elsewhere.",
    )
    ticket_least_kg: Kilograms = Field(
        default=20.0, description="A weight below this is implausible for a trip."
    )
    ticket_most_share: float = Field(
        default=1.5,
        gt=0,
        description="Share of the vehicle's payload above which a weight is implausible.",
    )

    # alarms
    alarms: Mapping[AlarmKind, AlarmChange] = Field(
        default={}, description="Changes of the alarms' rules, a table a kind; see `alarms.md`."
    )
    alarm_items: int = Field(
        default=20,
        ge=10,
        description="Most items a zone and shift before alarms are grouped by cause.",
    )
    speed_limit_kmh: Mapping[str, Annotated[float, Field(gt=0)]] = Field(
        default={
            "motorway": 80.0,
            "trunk": 60.0,
            "primary": 50.0,
            "secondary": 50.0,
            "tertiary": 40.0,
            "unclassified": 40.0,
            "residential": 30.0,
            "living_street": 20.0,
            "service": 20.0,
        },
        description="Speed limit by highway class, as OSM calls it; links as their road.",
    )
    class_limit_kmh: Mapping[str, Annotated[float, Field(gt=0)]] = Field(
        default={}, description="Speed limit of a vehicle class, on whatever road."
    )
    hoist_input: int = Field(
        default=0,
        ge=0,
        le=31,
        description="Digital input that is on while a body is tipped, 1 the lowest; 0: none.",
    )

    # residents
    report_grace_s: Seconds = Field(
        default=1800, description="Time after the planned service before a miss may be reported."
    )
    report_within_h: float = Field(
        default=36.0,
        gt=0,
        description="Time after the planned service in which a miss may be reported.",
    )
    near_pass_m: Metres = Field(
        default=40.0, description="Distance at which a vehicle's pass counts as evidence."
    )
    auto_insert: bool = Field(
        default=False, description="A confirmed miss becomes a stop without a dispatcher's click."
    )
    sla_h: Mapping[str, Annotated[float, Field(gt=0)]] = Field(
        default={
            "missed_pickup": 12.0,
            "garbage_dump": 12.0,
            "bin_full": 12.0,
            "street_not_swept": 12.0,
            "dead_animal": 24.0,
            "debris": 48.0,
        },
        description="Hours in which a request of a category is promised to be done.",
    )
    default_sla_h: float = Field(default=24.0, gt=0, description="The same for any other category.")

    # data
    retention_fixes_days: int = Field(
        default=180, ge=1, description="Days that vehicles' fixes are kept."
    )
    retention_tracks_days: int = Field(
        default=1095,
        ge=1,
        description="Days that vehicles' simplified day tracks are kept when their fixes have "
        "gone.",
    )
    retention_photos_days: int = Field(default=365, ge=1, description="Days that photos are kept.")
    retention_contacts_days: int = Field(
        default=90,
        ge=1,
        description="Days that a resident's contact is kept after the request closed.",
    )

    @field_validator("night_plan_at")
    @classmethod
    def _local_time(cls, text: str) -> str:
        time.fromisoformat(text)
        return text

    @model_validator(mode="after")
    def _consistent(self) -> Policy:
        if set(self.stream_share) != set(STREAMS) or set(self.density_kg_m3) != set(STREAMS):
            raise ValueError(f"stream_share and density_kg_m3 must name {', '.join(STREAMS)}")
        if abs(sum(self.stream_share.values()) - 1) > 1e-6:
            raise ValueError("stream_share must add up to 1")
        if self.partly_fraction > self.served_fraction:
            raise ValueError("partly_fraction must not exceed served_fraction")
        if not self.working_days:
            raise ValueError("working_days must name a day")
        return self

    def sla_hours(self, service_code: str) -> float:
        """Hours promised for a category."""
        return self.sla_h.get(service_code, self.default_sla_h)

    def kg_day(self, households: float, shops: float, institutions: float, bulk: float) -> float:
        """Waste of so many premises a day, in kg."""
        return (
            households * self.household_kg_day
            + shops * self.shop_kg_day
            + institutions * self.institution_kg_day
            + bulk * self.bulk_kg_day
        )

    def by_stream(self, kg: float) -> dict[str, float]:
        """`kg` split into streams, grams precise."""
        return {stream: round(kg * self.stream_share[stream], 3) for stream in STREAMS}

    def volume_m3(self, kg_by_stream: Mapping[str, float]) -> dict[str, float]:
        """Cubic metres of each stream's weight in a vehicle."""
        return {s: round(kg / self.density_kg_m3[s], 4) for s, kg in kg_by_stream.items()}


def parse(text: str, file: str = "policy.toml") -> tuple[Policy, list[Fault]]:
    """The policy of a TOML text, and every fault of it; with faults the policy is the default.

    Tables (`stream_share`, `density_kg_m3`, `sla_h`) replace single entries, not the whole table.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Policy(), [
            Fault(file, None, None, f"This is not TOML: {error}.", "Correct the syntax.")
        ]
    merged = dict(raw)
    for name, value in raw.items():
        default = Policy.model_fields[name].default if name in Policy.model_fields else None
        if isinstance(default, Mapping) and isinstance(value, dict):
            merged[name] = {**default, **value}
    try:
        return Policy.model_validate(merged), []
    except ValidationError as error:
        return Policy(), [
            _fault(
                file, ".".join(str(part) for part in detail["loc"]), detail["type"], detail["msg"]
            )
            for detail in error.errors()
        ]


def _fault(file: str, field: str, kind: str, message: str) -> Fault:
    if kind == "extra_forbidden":
        return Fault(
            file, None, field, "This is not a policy.", "Remove it; docs/policy.md lists all."
        )
    name, _, entry = field.partition(".")
    known = Policy.model_fields.get(name)
    example = known.default if known else None
    if isinstance(example, Mapping) and entry:
        example = example.get(entry, next(iter(example.values()), None))
    remedy = "Correct the value." if example is None else f"Give a value like {example!r}."
    return Fault(file, None, field or None, f"{message.removeprefix('Value error, ')}.", remedy)
