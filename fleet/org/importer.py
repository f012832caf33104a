"""Imports a city folder: everything is checked before anything is written.

Datasets and the basemap are built into the data folder first, each replaced as a whole; then one
unit of work writes all tables. The same folder again changes nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet.kit.db import Database
from fleet.kit.settings import Settings
from fleet.org.cityfiles import checks, folder
from fleet.org.cityfiles.completing import Completion, complete
from fleet.org.cityfiles.folder import CityFolder
from fleet.org.derive.city import DerivedCity, derive, profile_of
from fleet.org.models import City
from fleet.org.store import write_city
from fleet.roads.basemap import cut_basemap
from fleet.roads.build import build_dataset
from fleet.roads.faults import Fault, FaultyInputError
from fleet.roads.lanes import lanes_of
from fleet.roads.network import Network
from fleet.roads.osm import read_network
from fleet.roads.profile import VehicleProfile
from fleet.roads.wiring import dataset_dir, datasets

type Progress = Callable[[float, str], None]

FORMAT = "2"
"""Part of the fingerprint: raise it when the same files should be imported anew."""
BASEMAP = "streets.pmtiles"
RECORD = "import.json"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import found and did. `counts`: rows in service by kind."""

    name: str
    changed: bool
    counts: Mapping[str, int]
    warnings: Sequence[Fault] = ()
    estimated: Sequence[str] = ()
    wall_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckedCity:
    """A folder that may be imported, and everything derived from it."""

    files: CityFolder
    network: Network
    profiles: Sequence[VehicleProfile]
    derived: DerivedCity
    warnings: Sequence[Fault]


def check_city(source: Path, asked: Completion | None = None) -> CheckedCity:
    """Read and derive everything of a city folder, and write nothing.

    Raises:
        FaultyInputError: with every fault of every file.
    """
    asked = asked or Completion()
    faults: list[Fault] = []
    files = folder.read(source, faults, may_lack=asked.may_lack)
    network = None
    if files.network.exists():
        try:
            network = read_network(files.network)
        except FaultyInputError as error:
            faults += error.faults
    if network is None:
        raise FaultyInputError(faults)
    segments = lanes_of(network)
    files = complete(files, network, segments, asked, faults)
    faults += network.warnings
    faults += checks.against_map(files, network.bbox)
    faults += checks.against_each_other(files)
    profiles = [
        profile_of(row, files.policy, left_hand=files.city.drive_on == "left")
        for row in files.classes
    ]
    derived = derive(files, network, segments, profiles)
    faults += derived.faults
    if any(fault.fatal for fault in faults):
        raise FaultyInputError(faults)
    return CheckedCity(files, network, profiles, derived, faults)


def import_city(
    db: Database,
    settings: Settings,
    source: Path,
    *,
    progress: Progress,
    asked: Completion | None = None,
) -> ImportReport:
    """Import a city folder into the database and the data folder.

    Args:
        progress: called with a fraction (0 to 1) and the name of the step.
        asked: what may be made up where files are missing.

    Raises:
        FaultyInputError: with every fault; nothing was written.
    """
    asked = asked or Completion()
    fingerprint = folder.fingerprint(source, f"{FORMAT} {asked}") if source.is_dir() else ""
    known = _unchanged(db, settings, fingerprint)
    if known is not None:
        progress(1.0, "unchanged")
        return known
    watch = _Watch()
    progress(0.0, "checking the files")
    city = check_city(source, asked)
    watch.lap("check")
    _build(settings, city, lambda part, text: progress(0.1 + 0.8 * part, text))
    watch.lap("build")
    progress(0.92, "writing")
    with db.unit_of_work() as session:
        counts = write_city(session, city.files, city.network.bbox, city.derived, fingerprint)
    watch.lap("write")
    report = ImportReport(
        city.files.city.name,
        True,
        counts,
        city.warnings,
        sorted(city.files.estimated),
        watch.laps,
    )
    _record(settings, report, fingerprint, [profile.id for profile in city.profiles])
    progress(1.0, "imported")
    return report


def _unchanged(db: Database, settings: Settings, fingerprint: str) -> ImportReport | None:
    """The report of an earlier import of the same, when database and data folder are complete."""
    record = settings.city_dir / RECORD
    if not record.exists() or not (settings.city_dir / BASEMAP).exists():
        return None
    before = json.loads(record.read_text("utf-8"))
    with db.reading() as session:
        city = session.get(City, 1)
    complete = before["fingerprint"] == fingerprint and set(before["profiles"]) <= set(
        datasets(settings)
    )
    if city is None or city.fingerprint != fingerprint or not complete:
        return None
    return ImportReport(city.name, False, before["counts"], (), estimated=city.estimated, wall_s={})


def _build(settings: Settings, city: CheckedCity, progress: Progress) -> None:
    parts = len(city.profiles) + 1
    for index, profile in enumerate(city.profiles):
        build_dataset(
            city.files.network,
            profile,
            dataset_dir(settings, profile.id),
            lambda part, text, i=index, p=profile: progress(  # type: ignore[misc]  # bound per turn
                (i + part) / parts, f"road engine, {p.id}: {text}"
            ),
        )
    cut_basemap(
        city.network,
        settings.city_dir / BASEMAP,
        lambda part, text: progress((parts - 1 + part) / parts, f"map: {text}"),
    )


def _record(
    settings: Settings, report: ImportReport, fingerprint: str, profiles: Sequence[str]
) -> None:
    """Write `import.json` last: it marks the data folder complete. Older classes go."""
    for stale in set(datasets(settings)) - set(profiles):
        shutil.rmtree(dataset_dir(settings, stale))
    path = settings.city_dir / RECORD
    part = path.with_name(f"{RECORD}.part")
    part.write_text(
        json.dumps(
            {
                "name": report.name,
                "fingerprint": fingerprint,
                "profiles": sorted(profiles),
                "counts": dict(report.counts),
                "estimated": list(report.estimated),
                "warnings": [str(fault) for fault in report.warnings],
                "wall_s": dict(report.wall_s),
            },
            ensure_ascii=False,
            indent=1,
        ),
        "utf-8",
    )
    os.replace(part, path)


class _Watch:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._since, 2)
        self._since = now
