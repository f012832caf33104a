"""The contract on paper and in TypeScript is what the server really answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from tests.main.conftest import Served

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
WIRE = (ROOT / "fleet" / "web" / "src" / "shared" / "wire.ts").read_text("utf-8")
_METHODS = "GET|POST|PUT|PATCH|DELETE"
_CALL = re.compile(rf"(?:({_METHODS}) )?(/(?:api|ws|tiles)/[\w/{{}}.-]+|/healthz|/metrics)")
TODAY = {"service_date": "2026-03-02"}


def calls_on_the_page() -> set[str]:
    """`GET /api/plans?service_date · /api/plans/{id} (dispatcher)` names two calls."""
    found = set()
    section = PAGE.split("## Wire: JSON over HTTP")[1].split("## Wire: sockets")[0]
    for row in re.findall(rf"^\| ((?:{_METHODS}) .*?)(?<!\\)\|", section, re.MULTILINE):
        method = "GET"
        for named, path in _CALL.findall(row):
            method = named or method
            found.add(f"{method} {_anonymous(path)}")
    return found


def _anonymous(path: str) -> str:
    """The page says `{id}` where the code says `{route_id}`."""
    return re.sub(r"{\w+}", "{}", path)


def test_the_page_names_every_call_and_no_other(shared_town: Served) -> None:
    served = {
        f"{method} {_anonymous(context.path)}"
        for context in iter_route_contexts(shared_town.app.routes)
        for method in getattr(context, "methods", None) or ()
        if context.path.startswith(("/api/", "/tiles/", "/healthz", "/metrics"))
    }
    assert calls_on_the_page() == served


def keys(name: str) -> tuple[set[str], set[str]]:
    """An interface's members: all, and those that may be missing."""
    head = re.search(rf"export interface {name}(?: extends Omit<(\w+), '(\w+)'>)? {{", WIRE)
    assert head is not None, name
    body = WIRE[head.end() : WIRE.index("\n}", head.end())]
    members = re.findall(r"^  (\w+)(\??):", body, re.MULTILINE)
    every, maybe = {m for m, _ in members}, {m for m, mark in members if mark}
    if head[1]:
        base, base_maybe = keys(head[1])
        every |= base - {head[2]}
        maybe |= base_maybe - {head[2]}
    return every, maybe


def answers(town: Served) -> dict[str, dict[str, Any]]:
    """One real answer of each shape."""
    staff = town.signed_in("dispatcher")
    view = staff.get(f"/api/routes/{town.routes['west']}").json()
    job = staff.post("/api/plans", json={"service_date": "2026-03-05"}).json()
    code = town.requests["west"]["code"]
    plan = staff.get(f"/api/plans/{town.plan_id}").json()
    return {
        "City": town.anybody.get("/api/city").json(),
        "Category": town.anybody.get("/api/city").json()["categories"][0],
        "Device": staff.get("/api/devices").json()[0],
        "Driver": staff.get("/api/drivers").json()[0],
        "Job": job,
        "PlanSummary": staff.get("/api/plans", params=TODAY).json()[0],
        "PlanView": plan,
        "PublicRequest": town.anybody.get(f"/api/r/{code}").json(),
        "RequestSummary": staff.get("/api/requests").json()[0],
        "RouteSummary": staff.get("/api/routes", params=TODAY).json()[0],
        "RouteView": view,
        "Session": staff.get("/api/me").json(),
        "User": staff.get("/api/me").json()["user"],
        "Vehicle": staff.get("/api/vehicles").json()[0],
        "Visit": next(v for v in view["visits"] if v["kind"] == "lane"),
        "CabRoute": town.signed_in("driver").get("/api/cab/route").json(),
    }


_PLAN = {"based_on", "iterations", "kg", "kind", "seed", "solver_s", "trips"}
UNREAD: dict[str, set[str]] = {
    "City": {"estimated"},
    "Device": {"age_s", "created_at"},
    "Job": {"created_at", "ended_at"},
    "PlanSummary": _PLAN,
    "PlanView": _PLAN | {"cost_parts", "not_collected"},
    "RequestSummary": {"closed_at", "eta", "route_id"},
    "Vehicle": {"beats"},
    "Visit": {"request_id"},
}
"""What the server says besides, for other clients than our pages."""


@pytest.fixture(scope="module")
def said(shared_town: Served) -> dict[str, dict[str, Any]]:
    return answers(shared_town)


@pytest.mark.parametrize(
    "name",
    [
        "CabRoute", "Category", "City", "Device", "Driver", "Job", "PlanSummary", "PlanView",
        "PublicRequest", "RequestSummary", "RouteSummary", "RouteView", "Session", "User",
        "Vehicle", "Visit",
    ],
)  # fmt: skip
def test_the_pages_read_what_the_server_says(said: Any, name: str) -> None:
    declared, maybe = keys(name)
    assert declared - maybe <= said[name].keys(), "the server lacks what the pages read"
    assert said[name].keys() - declared == UNREAD.get(name, set()), "the pages do not declare it"
