"""The whole way: job, spawned process, embedded OSRM, OR-Tools, checker, published plan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from fleet.kit import jobs
from fleet.kit.jobs import JobStatus, Worker
from fleet.kit.web import Kit
from fleet.roads.build import build_dataset
from fleet.roads.profile import VehicleProfile
from routing.demand import distance_m
from routing.models import Visit
from routing.plans import job, queries, service
from tests.routing.plans import town
from tests.routing.plans.planning import routes, visit_of

TOMORROW = town.DAY + timedelta(days=1)
"""At the clock's start today's shift begins already."""


@pytest.fixture(scope="session")
def town_roads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder's `city` with the town's dataset."""
    folder = tmp_path_factory.mktemp("roads") / "city"
    folder.mkdir()
    network = town.write_network(folder / "network.osm")
    build_dataset(
        network, VehicleProfile("tipper", 1.6), folder / "osrm" / "tipper", lambda *_: None
    )
    return folder


@pytest.fixture
def town_kit(sqlite_kit: Kit, town_roads: Path) -> Kit:
    sqlite_kit.settings.city_dir.symlink_to(town_roads)
    with sqlite_kit.db.unit_of_work() as session:
        town.add_city(session)
    return sqlite_kit


def test_from_order_to_published_plan(town_kit: Kit) -> None:
    """A night plan, the same job once more, then one ward of it anew.

    One test, because each spawned process takes seconds to load what it needs.
    """
    kit, worker = town_kit, Worker(town_kit, job.job_kinds)
    with kit.db.unit_of_work() as session:
        ordered = service.order_night(session, TOMORROW, kit.clock.now())
        assert service.order_night(session, TOMORROW, kit.clock.now()).id == ordered.id
    assert worker.run_once()
    with kit.db.reading() as session:
        done = jobs.get(session, ordered.id)
        assert (done.status, done.error) == (JobStatus.DONE, None)
        assert done.result is not None
        assert (done.result["status"], done.result["unplanned"]) == ("published", 1)
        planned = routes(session, TOMORROW)
        assert [route.vehicle_id for route in planned] == ["T1", "T2"]
        for route in planned:
            _approaches_are_driven(queries.visits(session, route.id))

    _runs_again_without_a_second_plan(kit, worker, ordered.id)

    with kit.db.unit_of_work() as session:
        order = service.order_selection(
            session, TOMORROW, kit.clock.now(), wards=["west"], publish=True, seed=7
        )
    assert worker.run_once()
    with kit.db.reading() as session:
        assert jobs.get(session, order.id).error is None
        west, east = routes(session, TOMORROW)
        assert (west.id == planned[0].id, east.id == planned[1].id) == (False, True)
        assert visit_of(session, "feeder", TOMORROW).route_id == west.id


def _approaches_are_driven(visits: Sequence[Visit]) -> None:
    """Each approach ends at the entry and is as long as the road engine says."""
    for visit in visits:
        points = [(lon, lat) for lon, lat in visit.approach]
        if points:
            assert distance_m(points[-1], (visit.lon, visit.lat)) < 2
            driven_m = sum(distance_m(a, b) for a, b in pairwise(points))
            assert driven_m == pytest.approx(visit.approach_m, rel=0.02, abs=2)


def _runs_again_without_a_second_plan(kit: Kit, worker: Worker, job_id: str) -> None:
    """As after a worker that died between the plan's commit and the job's end."""
    with kit.db.unit_of_work() as session:
        row = jobs.get(session, job_id)
        first, row.status = row.result, JobStatus.QUEUED
    assert worker.run_once()
    with kit.db.reading() as session:
        assert first is not None
        assert jobs.get(session, job_id).result == first
        assert [p.id for p in queries.plans(session, None, TOMORROW)] == [first["plan_id"]]
