"""The planning jobs: read the day, solve its parts in processes, store one plan.

Parts run two at a time. The plan is stored under the job's id in one unit of work, so that a job
which is run again after a crash finds its plan and only answers.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.jobs import JobContext, JobKind
from fleet.roads.wiring import datasets
from routing.demand import Territory, territories
from routing.models import Plan, PlanKind
from routing.plans import load, queries, selection, service
from routing.plans.build import PartInput, PartResult, inputs
from routing.plans.load import Day
from routing.plans.store import Order, store

PARALLEL = 2


def run_night(context: JobContext) -> dict[str, Any]:
    """Plan all wards of a service date."""
    payload = context.payload
    service_date = date.fromisoformat(payload["service_date"])
    with context.kit.db.reading() as session:
        if (done := _done(session, context.job_id)) is not None:
            return done
        selection.refuse_running(
            queries.published(session, service_date), context.now, payload["shift"]
        )
        day = load.load_day(session, service_date, context.now, shift=payload["shift"])
        day = selection.with_requests(session, day, {(s.vehicle_id, s.shift) for s in day.shifts})
    return _plan(context, PlanKind.NIGHT, day, territories(day.wards, day.shifts, day.home))


def run_selection(context: JobContext) -> dict[str, Any]:
    """Plan chosen wards or vehicles anew; every other published route stays as it is."""
    payload = context.payload
    service_date = date.fromisoformat(payload["service_date"])
    with context.kit.db.reading() as session:
        if (done := _done(session, context.job_id)) is not None:
            return done
        day, chosen = selection.select(
            session,
            service_date,
            context.now,
            wards=payload["wards"],
            vehicles=payload["vehicles"],
            shift=payload["shift"],
        )
    return _plan(context, PlanKind.SELECTION, day, chosen)


def _plan(
    context: JobContext, kind: PlanKind, day: Day, chosen: Sequence[Territory]
) -> dict[str, Any]:
    payload = context.payload
    parts = inputs(
        day,
        chosen,
        datasets(context.kit.settings),
        seed=payload["seed"],
        iterations=payload["iterations"],
    )
    results = solve_all(context, parts)
    context.progress(0.95, "Storing")
    order = Order(
        kind=kind,
        shift=payload["shift"],
        seed=payload["seed"],
        iterations=payload["iterations"],
        ward_ids=tuple(sorted({ward for t in chosen for ward in t.ward_ids})),
        scope=tuple(sorted((s.vehicle_id, s.shift) for t in chosen for s in t.shifts)),
        job_id=context.job_id,
    )
    with context.kit.db.unit_of_work() as session:
        if (done := _done(session, context.job_id)) is not None:
            return done
        plan = store(session, day, results, order, context.now)
        if payload["publish"]:
            service.publish(session, plan.id, context.now)
        else:
            service.announce(session, plan)
        return _answer(plan)


def solve_all(context: JobContext, parts: Sequence[PartInput]) -> list[PartResult]:
    """Solve the parts in spawned processes, `PARALLEL` at a time; results in order of parts."""
    # The web process imports this module for its job kinds and must not load what solving loads.
    from routing.plans.solving import solve_part

    lock = threading.Lock()
    done = 0

    def solve(part: PartInput) -> PartResult:
        nonlocal done
        result: PartResult = context.spawn(solve_part, part)
        with lock:
            done += 1
            context.progress(0.05 + 0.9 * done / len(parts), part.name)
        return result

    context.progress(0.05, f"{len(parts)}")
    largest_first = sorted(parts, key=lambda part: -len(part.problem.visits))
    with ThreadPoolExecutor(PARALLEL) as pool:
        solved = {result.name: result for result in pool.map(solve, largest_first)}
    return [solved[part.name] for part in parts]


def _done(session: Session, job_id: str) -> dict[str, Any] | None:
    plan = session.scalar(select(Plan).where(Plan.job_id == job_id))
    return None if plan is None else _answer(plan)


def _answer(plan: Plan) -> dict[str, Any]:
    return {
        "plan_id": plan.id,
        "status": plan.status,
        "solver_s": plan.solver_s,
        "unplanned": len(plan.unplanned),
        **{key: plan.summary[key] for key in ("vehicles", "visits", "km", "hours", "trips", "kg")},
    }


job_kinds = [JobKind(service.NIGHT, run_night), JobKind(service.SELECTION, run_selection)]
