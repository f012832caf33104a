"""What the trails say about a complaint: a pure judgement over visits and the nearest pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

Code = Literal["confirmed_missed", "partly", "served", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class LaneVisit:
    """A visit of the complainant's lane today, as routing knows it from facts."""

    status: str
    """pending | served | partly | driven_through | missed | unknown."""
    expected_at: datetime
    """Estimated arrival; the planned one when nothing better is known."""
    ended_at: datetime | None
    """When the proof ends."""
    vehicle_id: str


@dataclass(frozen=True, slots=True)
class NearPass:
    """The closest a vehicle came to the place today."""

    vehicle_id: str
    at: datetime
    distance_m: float
    speed_mps: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`key` names the sentence in the catalogue, `values` fill it."""

    code: Code
    key: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NotYetDue:
    """The collection is still to come: no complaint, but the time when the vehicle is expected."""

    expected_at: datetime
    vehicle_id: str


def judge(
    visits: Sequence[LaneVisit], nearest: NearPass | None, *, now: datetime, grace_s: int
) -> Verdict | NotYetDue:
    """Hold a complaint about a missed pickup against the day's proof.

    The visit that speaks most for the city decides, since a lane served once is served; a lane
    still to come within `grace_s` of its expected time is not yet due. Without any visit only the
    nearest pass can speak. A verdict never rejects a person: `served` goes to a dispatcher too.
    """
    passed = _pass_values(nearest)
    by_status = {visit.status: visit for visit in reversed(visits)}
    if served := by_status.get("served"):
        return Verdict("served", "evidence.served", _visit_values(served) | passed)
    if pending := by_status.get("pending"):
        if now < pending.expected_at + timedelta(seconds=grace_s):
            return NotYetDue(pending.expected_at, pending.vehicle_id)
        return Verdict("cannot_tell", "evidence.late", _visit_values(pending) | passed)
    if partly := by_status.get("partly"):
        return Verdict("partly", "evidence.partly", _visit_values(partly) | passed)
    if unknown := by_status.get("unknown"):
        return Verdict("cannot_tell", "evidence.silent", _visit_values(unknown) | passed)
    if through := by_status.get("driven_through"):
        return Verdict(
            "confirmed_missed", "evidence.driven_through", _visit_values(through) | passed
        )
    if nearest is not None:
        key = "evidence.passed" if visits else "evidence.unplanned_passed"
        code: Code = "confirmed_missed" if visits else "cannot_tell"
        return Verdict(code, key, passed)
    return Verdict("confirmed_missed", "evidence.no_pass", {})


def _visit_values(visit: LaneVisit) -> dict[str, Any]:
    return {"vehicle": visit.vehicle_id, "at": visit.ended_at or visit.expected_at}


def _pass_values(nearest: NearPass | None) -> dict[str, Any]:
    if nearest is None:
        return {}
    return {
        "pass_vehicle": nearest.vehicle_id,
        "pass_at": nearest.at,
        "pass_distance_m": round(nearest.distance_m),
    }
