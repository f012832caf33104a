"""The day's report: what the server says against what truly happened. Pure arithmetic."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulators.journal import Journal, Lost
from simulators.residents import Complaint
from simulators.vehicles import epoch_s

FOUND = frozenset({"missed", "driven_through", "partly"})
"""Outcomes that say that a lane was not properly served."""
PLANNED = frozenset({"lane", "bin"})


@dataclass(frozen=True, slots=True)
class DayReport:
    """`values` is the JSON object; its keys stay, later ones are added."""

    values: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        return 0 if self.values["lost"] == 0 else 1

    def as_dict(self) -> dict[str, Any]:
        return dict(self.values)

    def as_text(self) -> str:
        """One line a group, aligned."""
        lines = []
        for key, value in self.values.items():
            if isinstance(value, Mapping):
                told = "  ".join(f"{name} {_short(number)}" for name, number in value.items())
            else:
                told = _short(value)
            lines.append(f"{key:<11}{told}")
        return "\n".join(lines)


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return "/".join(_short(part) for part in value.values())
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def visit_figures(routes: Iterable[Mapping[str, Any]], truth: Mapping[str, str]) -> dict[str, int]:
    """Outcomes of the planned lanes and bins.

    Args:
        routes: `RouteView`s of the day.
        truth: what happened to each visit id; a visit without an entry was never begun.
    """
    visits = [v for route in routes for v in route["visits"] if v["kind"] in PLANNED]
    status = Counter(visit["status"] for visit in visits)
    missed = {v["id"] for v in visits if truth.get(v["id"], "skipped") != "served"}
    called = {v["id"] for v in visits if v["status"] in FOUND}
    return {
        "planned": len(visits),
        "served": status["served"],
        "partly": status["partly"],
        "driven_through": status["driven_through"],
        "missed": status["missed"],
        "unknown": status["unknown"],
        "pending": status["pending"],
        "truly_missed": len(missed),
        "found_missed": len(missed & called),
        "false_alarms": len(called - missed),
    }


def proof_figures(
    proofs: Iterable[Mapping[str, Any]],
    truth: Mapping[str, str],
    complains_at_s: Mapping[str, float],
) -> dict[str, Any]:
    """How well proof found what was missed, and how soon; *unknown* finds nothing.

    A truly missed visit is found when the judgement that held at the moment at which somebody
    there complains, or would have, said so. A served one is a false alarm when it was ever said
    to be missed, however soon that was taken back.

    Args:
        proofs: the server's answer for the day, with each visit's history of judgements.
        truth: what happened to each visit id; a visit without an entry was never begun.
        complains_at_s: by visit, in epoch seconds; one without an entry is judged by the end.
    """
    missed, served, unknown = 0, 0, 0
    found, false = 0, 0
    minutes: list[float] = []
    for visit in proofs:
        if visit["kind"] not in PLANNED:
            continue
        said = [(epoch_s(j["made_t"]), j["status"]) for j in reversed(visit["history"])]
        unknown += visit["status"] == "unknown"
        if truth.get(visit["visit_id"], "skipped") == "served":
            served += 1
            false += any(status in FOUND for _, status in said)
            continue
        missed += 1
        complains_s = complains_at_s.get(visit["visit_id"], math.inf)
        in_time = [(t, status) for t, status in said if t <= complains_s]
        if in_time and in_time[-1][1] in FOUND:
            found += 1
            first_s = next(t for t, status in in_time if status in FOUND)
            if complains_s < math.inf:
                minutes.append((complains_s - first_s) / 60)
    return {
        "truly_missed": missed,
        "found_in_time": found,
        "found_share": _share(found, missed),
        "truly_served": served,
        "false_alarms": false,
        "false_share": _share(false, served),
        "unknown_share": _share(unknown, missed + served),
        "minutes_before_complaint": percentiles(minutes, 1),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def complaint_figures(
    complaints: Sequence[Complaint],
    requests: Iterable[Mapping[str, Any]],
    placed: set[str],
    seconds_to_stop: Sequence[float],
) -> dict[str, Any]:
    """What became of the residents' complaints. `closed` are proved by fixes; `answered` by words.

    Args:
        requests: `RequestSummary`s, which hold the verdicts.
        placed: codes that became stops on running routes.
    """
    verdicts = {request["code"]: request["verdict"] for request in requests}
    told = Counter(verdicts.get(c.code or "") for c in complaints)
    ended = Counter(complaint.status for complaint in complaints)
    minutes = [
        (c.ended_s - c.made_s) / 60
        for c in complaints
        if c.status == "closed" and c.ended_s is not None and c.made_s is not None
    ]
    return {
        "made": len(complaints),
        "true": sum(complaint.truly_missed for complaint in complaints),
        "confirmed": told["confirmed_missed"] + told["partly"],
        "contradicted": told["served"],
        "cannot_tell": told["cannot_tell"],
        "stops": len(placed & {c.code for c in complaints}),
        "closed": ended["closed"],
        "answered": ended["answered"],
        "seconds_to_stop": percentiles(seconds_to_stop, 3),
        "minutes_to_close": percentiles(minutes, 1),
    }


def route_figures(
    routes: Sequence[Mapping[str, Any]], plans: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Sums over the day's routes, and what their plans cost to make."""
    used = {route["plan_id"] for route in routes}
    made = [plan for plan in plans if plan["id"] in used]
    return {
        "vehicles": len({route["vehicle_id"] for route in routes}),
        "trips": sum(route["trips"] for route in routes),
        "km": round(sum(route["km"] for route in routes), 1),
        "hours": round(sum(route["hours"] for route in routes), 1),
        "kg": round(sum(_kg(route["kg"]) for route in routes)),
        "unplanned": sum(plan["unplanned"] for plan in made),
        "solver_s": round(sum(plan["solver_s"] for plan in made), 1),
    }


def _kg(kg: Any) -> float:
    """A route's kilograms, in one sum or by stream."""
    return float(sum(kg.values())) if isinstance(kg, Mapping) else float(kg)


def fix_figures(journal: Journal, stored: Mapping[str, set[int]]) -> dict[str, int]:
    return {
        "sent": journal.fixes_sent,
        "acknowledged": journal.fixes_acknowledged,
        "stored": sum(len(times) for times in stored.values()),
        "refused": journal.fixes_refused,
    }


def lost_of(
    journal: Journal,
    stored: Mapping[str, set[int]],
    events: Mapping[str, set[str]],
    requests: set[str],
) -> Lost:
    """Acknowledged to the clients, and not returned by the server's public API."""
    return Lost(
        fixes=sum(len(times - stored.get(v, set())) for v, times in journal.fixes.items()),
        events=sum(len(ids - events.get(v, set())) for v, ids in journal.events.items()),
        requests=len(journal.requests - requests),
    )


def percentiles(values: Sequence[float], digits: int) -> dict[str, float | None]:
    """Median and 99th percentile by nearest rank; None of nothing.

    >>> percentiles([3.0, 1.0, 2.0], 1)
    {'p50': 2.0, 'p99': 3.0}
    """
    ordered = sorted(values)

    def rank(share: float) -> float | None:
        if not ordered:
            return None
        return round(ordered[math.ceil(share * len(ordered)) - 1], digits)

    return {"p50": rank(0.5), "p99": rank(0.99)}
