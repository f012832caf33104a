"""The report's arithmetic, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.journal import Journal, Lost
from simulators.report import (
    DayReport,
    complaint_figures,
    lost_of,
    percentiles,
    proof_figures,
    route_figures,
    visit_figures,
)
from simulators.residents import Complaint
from simulators.truth import shuffled


def lanes(**status: str) -> list[dict[str, Any]]:
    return [
        {
            "visits": [
                {"id": "s", "kind": "start", "status": "served"},
                {"id": "r", "kind": "request", "status": "missed"},
                *({"id": i, "kind": "lane", "status": s} for i, s in status.items()),
            ]
        }
    ]


def test_outcomes_are_held_against_the_truth() -> None:
    routes = lanes(
        a="served", b="missed", c="missed", d="unknown", e="partly", f="driven_through", g="served"
    )
    truth = {
        "a": "served",
        "b": "skipped",
        "c": "served",
        "d": "served",
        "e": "partly",
        "f": "driven_through",
        "g": "skipped",
    }
    assert visit_figures(routes, truth) == {
        "planned": 7,
        "served": 2,
        "partly": 1,
        "driven_through": 1,
        "missed": 2,
        "unknown": 1,
        "pending": 0,
        "truly_missed": 4,
        "found_missed": 3,
        "false_alarms": 1,
    }


def test_a_visit_that_nobody_began_is_truly_missed() -> None:
    figures = visit_figures(lanes(a="missed"), {})
    assert (figures["truly_missed"], figures["found_missed"]) == (1, 1)


def judged(visit: str, *said: tuple[str, int], kind: str = "lane") -> dict[str, Any]:
    """A visit's proof: (status, minute after midnight) oldest first; the server has it newest."""
    history = [{"status": s, "made_t": f"1970-01-01T00:{m:02d}:00Z"} for s, m in reversed(said)]
    return {
        "visit_id": visit, "kind": kind, "history": history,
        "status": said[-1][0] if said else "pending",
    }  # fmt: skip


def test_a_miss_counts_as_found_only_before_somebody_complains() -> None:
    proofs = [
        judged("in time", ("missed", 20)),
        judged("too late", ("missed", 40)),
        judged("unknown", ("unknown", 20)),
        judged("taken back", ("partly", 10), ("served", 20)),
        judged("served later", ("driven_through", 20), ("served", 50)),
        judged("right", ("served", 5)),
        judged("false for a while", ("missed", 10), ("served", 12)),
        judged("a stop", ("missed", 10), kind="request"),
    ]
    truth = dict.fromkeys(("right", "false for a while"), "served")
    complains = {proof["visit_id"]: 30 * 60.0 for proof in proofs}
    figures = proof_figures(proofs, truth, complains)
    assert (figures["truly_missed"], figures["found_in_time"]) == (5, 2)
    assert (figures["truly_served"], figures["false_alarms"]) == (2, 1)
    assert figures["unknown_share"] == round(1 / 7, 4)
    assert figures["minutes_before_complaint"] == {"p50": 10.0, "p99": 10.0}


def test_scores_collapse_when_the_truth_is_shuffled() -> None:
    truth = {f"v{i}": "skipped" if i % 10 == 0 else "served" for i in range(200)}
    proofs = [judged(v, ("missed" if t == "skipped" else "served", 10)) for v, t in truth.items()]
    assert proof_figures(proofs, truth, {})["found_share"] == 1.0
    assert proof_figures(proofs, shuffled(truth, 1), {})["found_share"] < 0.4


def complaint(code: str, missed: bool, status: str, ended_s: float | None) -> Complaint:
    return Complaint("lane", missed, {}, code, 1, 0.0, status, ended_s)


def test_complaints_are_counted_by_verdict_and_end() -> None:
    complaints = [
        complaint("A", True, "closed", 3600.0),
        complaint("B", True, "stop_planned", None),
        complaint("C", False, "answered", 120.0),
    ]
    requests = [
        {"code": "A", "verdict": "confirmed_missed"},
        {"code": "B", "verdict": "partly"},
        {"code": "C", "verdict": "served"},
        {"code": "another", "verdict": "served"},
    ]
    assert complaint_figures(complaints, requests, {"A"}, [0.25]) == {
        "made": 3,
        "true": 2,
        "confirmed": 2,
        "contradicted": 1,
        "cannot_tell": 0,
        "stops": 1,
        "closed": 1,
        "answered": 1,
        "seconds_to_stop": {"p50": 0.25, "p99": 0.25},
        "minutes_to_close": {"p50": 60.0, "p99": 60.0},
    }


def test_routes_are_summed_and_only_their_plans_count() -> None:
    routes = [
        {"vehicle_id": v, "plan_id": "p", "trips": 2, "km": 20.5, "hours": 5.0, "kg": kg}
        for v, kg in (("V1", 900.0), ("V2", {"wet": 600.0, "dry": 300.0}))
    ]
    plans = [
        {"id": "p", "unplanned": 3, "solver_s": 4.25},
        {"id": "old", "unplanned": 9, "solver_s": 9.0},
    ]
    assert route_figures(routes, plans) == {
        "vehicles": 2,
        "trips": 4,
        "km": 41.0,
        "hours": 10.0,
        "kg": 1800,
        "unplanned": 3,
        "solver_s": 4.2,
    }


def test_lost_is_what_was_acknowledged_and_is_gone() -> None:
    journal = Journal()
    journal.fixes["V1"] |= {1, 2, 3}
    journal.fixes["V2"] |= {1}
    journal.events["V1"] |= {"e1", "e2"}
    journal.requests |= {"A", "B"}
    lost = lost_of(journal, {"V1": {1, 2, 9}}, {"V1": {"e2"}}, {"A"})
    assert lost == Lost(fixes=2, events=1, requests=1)
    assert lost.total == 4


@pytest.mark.parametrize(("lost", "code"), [(0, 0), (1, 1)])
def test_a_loss_is_the_exit_code(lost: int, code: int) -> None:
    assert DayReport({"lost": lost}).exit_code == code


def test_percentiles_of_nothing_are_nothing() -> None:
    assert percentiles([], 1) == {"p50": None, "p99": None}


def test_the_text_has_a_line_for_each_group() -> None:
    report = DayReport(
        {"fixes": {"sent": 5}, "closing": {"p": {"p50": 1.5, "p99": None}}, "lost": 0}
    )
    assert report.as_text().splitlines() == [
        "fixes      sent 5",
        "closing    p 1.5/–",
        "lost       0",
    ]
