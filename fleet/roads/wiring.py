"""The road engines of an imported city, by vehicle class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet.kit.settings import Settings
from fleet.roads.build import DATASET, is_built
from fleet.roads.engine import RoadEngines
from fleet.roads.routed import RoutedEngine
from fleet.roads.routed_process import routed_url


def dataset_dir(settings: Settings, profile: str) -> Path:
    """Where the import builds the dataset of a vehicle class."""
    return settings.city_dir / "osrm" / profile


def datasets(settings: Settings) -> dict[str, Path]:
    """Complete datasets by vehicle class, in order; none before the first import."""
    folder = settings.city_dir / "osrm"
    if not folder.is_dir():
        return {}
    return {
        path.name: path / DATASET
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and is_built(path)
    }


def ports(settings: Settings) -> dict[str, int]:
    """Loopback port of each vehicle class's `osrm-routed`."""
    return {
        profile: settings.osrm_base_port + index for index, profile in enumerate(datasets(settings))
    }


def engines(settings: Settings) -> RoadEngines:
    """Engines for the life of any process: they ask the `osrm-routed` children."""
    return RoadEngines(_routed(settings))


@contextmanager
def borrowed_engines(settings: Settings) -> Iterator[RoadEngines]:
    """The same for one piece of work: their connections end with it."""
    routed = _routed(settings)
    try:
        yield RoadEngines(routed)
    finally:
        for engine in routed.values():
            engine.close()


def _routed(settings: Settings) -> dict[str, RoutedEngine]:
    return {profile: RoutedEngine(routed_url(port)) for profile, port in ports(settings).items()}


def embedded(settings: Settings) -> RoadEngines:
    """Engines inside this process, for a job's own process only."""
    # Loading the bindings in a server process would stall its other threads at each call.
    from fleet.roads.embedded import EmbeddedEngine

    return RoadEngines(
        {profile: EmbeddedEngine(dataset) for profile, dataset in datasets(settings).items()}
    )
