"""A small town and a real quarter, each with both adapters of the road engine."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleet.roads.build import build_dataset
from fleet.roads.embedded import EmbeddedEngine
from fleet.roads.engine import RoadEngine
from fleet.roads.profile import VehicleProfile
from fleet.roads.routed import RoutedEngine
from fleet.roads.routed_process import routed_command, routed_url, wait_ready
from tests.roads.towns import write_town

VIJAY_NAGAR = Path(__file__).parents[3] / "shared" / "data" / "osm" / "indore-vijay-nagar.osm"
TIPPER = VehicleProfile("tipper", 1.6)


def no_progress(fraction: float, step: str) -> None:
    assert 0 <= fraction <= 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(dataset: Path) -> Iterator[RoutedEngine]:
    port = free_port()
    child = subprocess.Popen(routed_command(dataset, port))
    engine = RoutedEngine(routed_url(port))
    try:
        assert wait_ready(routed_url(port)), "osrm-routed did not start"
        yield engine
    finally:
        engine.close()
        child.terminate()
        child.wait(timeout=10)


@pytest.fixture(scope="session")
def town_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    network = write_town(folder / "network.osm", negative=True)
    return build_dataset(network, TIPPER, folder / "tipper", no_progress)


@pytest.fixture(scope="session")
def quarter_network() -> Path:
    if not VIJAY_NAGAR.exists():
        pytest.skip("needs ../shared/data/osm/indore-vijay-nagar.osm beside the repository")
    return VIJAY_NAGAR


@pytest.fixture(scope="session")
def quarter_dataset(quarter_network: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quarter")
    return build_dataset(quarter_network, TIPPER, folder / "tipper", no_progress, contract=True)


@pytest.fixture(scope="module", params=["embedded", "routed"])
def town(request: pytest.FixtureRequest, town_dataset: Path) -> Iterator[RoadEngine]:
    if request.param == "embedded":
        yield EmbeddedEngine(town_dataset)
    else:
        with served(town_dataset) as engine:
            yield engine
