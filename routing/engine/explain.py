"""Fits in what the search left out, where that is worth its time, and says why of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from routing.engine.steps import Serve, Step, Unload, place_of
from routing.insertion import (
    Insertion,
    Rejected,
    RunningRoute,
    RunningStop,
    insert,
)
from routing.problem import Problem, Unplanned, Vehicle, Visit


def fit_in(
    problem: Problem, routes: Sequence[Sequence[Step]], missing: Sequence[int]
) -> tuple[list[list[Step]], tuple[Unplanned, ...]]:
    """Insert the missing visits one by one: the dearest to drop first, then the farthest.

    A visit is left out when no route has room, or when serving it costs more than dropping it.

    Parameters:
        routes: Steps of each vehicle of the problem, in its order.
        missing: Indices of visits that some vehicle could serve alone; ties follow their order.
    """
    plan = [list(steps) for steps in routes]
    running = [
        _running(problem, vehicle, steps)
        for vehicle, steps in zip(problem.vehicles, plan, strict=True)
    ]
    times = _RowTimes(problem)
    site = {disposal.id: d for d, disposal in enumerate(problem.disposals)}
    out: dict[int, Unplanned] = {}
    queue = sorted(
        missing,
        key=lambda i: (-problem.visits[i].drop_cost_s, -_outward_s(problem, problem.visits[i])),
    )
    for i in queue:
        visit = problem.visits[i]
        priced = [
            replace(route, surcharge_s=_surcharge_s(problem, vehicle, visit, not steps))
            for route, vehicle, steps in zip(running, problem.vehicles, plan, strict=True)
        ]
        found = insert(times, priced, visit, problem.disposals)
        if isinstance(found, Rejected):
            out[i] = Unplanned(visit.id, found.code, found.detail, found.values)
            continue
        if found.price_s > visit.drop_cost_s:
            out[i] = _not_worth(problem.vehicles[found.route_index], visit, found)
            continue
        new: list[Step] = [Serve(i, found.pass_index)]
        if found.extra_unload is not None:
            new.insert(0 if found.unload_first else 1, Unload(site[found.extra_unload]))
        r = found.route_index
        plan[r][found.position : found.position] = new
        running[r] = _running(problem, problem.vehicles[r], plan[r])
    return plan, tuple(out[i] for i in sorted(out))


class _RowTimes:
    """Travel times as plain lists: a single look-up costs a fifth of NumPy's."""

    def __init__(self, problem: Problem) -> None:
        self._rows: dict[str, list[list[int]]] = {
            profile: travel.duration_s.tolist() for profile, travel in problem.travel.items()
        }

    def duration_s(self, profile: str, origin: int, destination: int) -> int:
        return self._rows[profile][origin][destination]


def _not_worth(vehicle: Vehicle, visit: Visit, found: Insertion) -> Unplanned:
    minutes, worth = -(-found.price_s // 60), visit.drop_cost_s // 60
    return Unplanned(
        visit.id,
        "not_worth",
        f"Serving it would cost {minutes} min of work with {vehicle.id}, "
        f"but leaving it out counts as {worth} min.",
        {"vehicle": vehicle.id, "minutes": minutes, "worth": worth},
    )


def _outward_s(problem: Problem, visit: Visit) -> int:
    """Travel from the nearest depot."""
    return min(
        int(problem.travel[vehicle.profile].duration_s[vehicle.start, way.entry])
        for vehicle in problem.vehicles
        for way in visit.passes
    )


def _surcharge_s(problem: Problem, vehicle: Vehicle, visit: Visit, unused: bool) -> int:
    changed = visit.preferred_vehicle not in (None, vehicle.id)
    return unused * vehicle.fixed_cost_s + changed * problem.change_cost_s


def _running(problem: Problem, vehicle: Vehicle, steps: Sequence[Step]) -> RunningRoute:
    duration = problem.travel[vehicle.profile].duration_s
    at, stops = vehicle.start, []
    for step in steps:
        place = place_of(problem, step)
        leg_s = int(duration[at, place.entry])
        at = place.exit
        if isinstance(step, Serve):
            visit = problem.visits[step.visit]
            stops.append(
                RunningStop(
                    "visit",
                    visit.id,
                    place.entry,
                    place.exit,
                    place.service_s,
                    leg_s,
                    visit.demand_kg,
                    visit.demand_m3,
                    visit.windows,
                )
            )
        else:
            ref = problem.disposals[step.disposal].id
            stops.append(
                RunningStop("disposal", ref, place.entry, place.exit, place.service_s, leg_s)
            )
    end_leg_s = int(duration[at, vehicle.end]) if stops else 0
    return RunningRoute(
        vehicle, vehicle.shift_start_s, vehicle.start, tuple(stops), end_leg_s=end_leg_s
    )
