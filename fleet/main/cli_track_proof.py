"""`safai track prove` and `safai track calibrate`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from fleet.kit.settings import Settings
from fleet.main.options import DataDir
from fleet.roads.faults import FaultyInputError

if TYPE_CHECKING:
    from tracking.proof import Calibration, Proof

# Machine code is loaded inside the commands: others need not wait for it.

Osm = Annotated[Path, typer.Option(help="Street network: .osm, .osm.gz or .osm.pbf.")]
Fixes = Annotated[Path, typer.Option(help="CSV: vehicle,t,lon,lat[,speed_mps,course_deg].")]
CalibrationFile = Annotated[
    Path | None, typer.Option("--calibration", help="Calibration to use; else the built-in one.")
]


def prove(
    osm: Osm,
    fixes: Fixes,
    calibration: CalibrationFile = None,
    gap_s: Annotated[
        float, typer.Option(min=5, help="A longer time without a fix is a silence.")
    ] = 45.0,
    tz: Annotated[
        str | None,
        typer.Option(help="Days are dates there, such as Asia/Kolkata; else parted by nights."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which lanes of a network a file of fixes proves served."""
    from fleet.roads.lanes import lanes_of
    from fleet.roads.osm import read_network
    from tracking.proof.fixes_csv import read_trails
    from tracking.proof.streets import graph_of, report

    zone = _zone(tz)
    with _faults_told():
        trails = read_trails(fixes)
        segments = lanes_of(read_network(osm))
    graph = graph_of(segments)
    told = report(segments, graph, trails, _read(calibration), gap_s=gap_s, tz=zone)
    if not told:
        Console(stderr=True).print(
            "No fix lies near a lane of this network. Are lon and lat swapped?", style="yellow"
        )
    if as_json:
        typer.echo(json.dumps([lane.as_dict() for lane in told], indent=1))
        return
    table = Table("day", "lane", "m", "state", "served", "driven", "p", "first", "last", "vehicles")
    for lane in told:
        table.add_row(
            lane.day,
            lane.lane,
            f"{lane.length_m:.0f}",
            lane.state,
            f"{lane.served_fraction:.0%}",
            f"{lane.driven_fraction:.0%}",
            f"{lane.p_served:.2f}",
            lane.first_t[11:19],
            lane.last_t[11:19],
            " ".join(lane.vehicles),
        )
    Console().print(table)


def calibrate(
    data_dir: DataDir = None,
    service_date: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day to learn from, with --data-dir."),
    ] = None,
    osm: Annotated[Path | None, typer.Option(help="Street network, with --fixes.")] = None,
    fixes: Annotated[
        Path | None, typer.Option(help="Learn from a CSV of fixes, as `prove` reads it.")
    ] = None,
    vehicle_class: Annotated[
        str | None, typer.Option("--class", help="Only this class of vehicles.")
    ] = None,
    calibration: CalibrationFile = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write, with --fixes; else it is printed."),
    ] = None,
) -> None:
    """Learn how a class of vehicles serves and drives, from a day of its own fixes."""
    start = _read(calibration)
    if fixes is not None and osm is not None:
        made = _fitted(list(_proofs_of_file(osm, fixes, start)), start, fixes.name)
        if made is None:
            raise typer.Exit(1)
        if out is None:
            typer.echo(made.to_json())
        else:
            out.write_text(made.to_json() + "\n", encoding="utf-8")
        return
    if fixes is not None or osm is not None or service_date is None:
        raise typer.BadParameter("Give --service-date (and --data-dir), or --osm and --fixes.")
    config = Settings() if data_dir is None else Settings(data_dir=data_dir)
    folder = config.data_dir / "city" / "calibration"
    wrote = 0
    for name, proofs in _proofs_of_day(config, service_date, vehicle_class, start):
        made = _fitted(proofs, start, name)
        if made is not None:
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"{name}.json"
            target.write_text(made.to_json() + "\n", encoding="utf-8")
            typer.echo(f"{name:<16} {made.serve_mps:.2f} m/s in service   {target}")
            wrote += 1
    if not wrote:
        Console(stderr=True).print("Nothing was learned.", style="red")
        raise typer.Exit(1)


def _proofs_of_file(osm: Path, fixes: Path, start: Calibration) -> Iterator[Proof]:
    from fleet.roads.lanes import lanes_of
    from fleet.roads.osm import read_network
    from tracking.proof import prove as prove_track
    from tracking.proof.fixes_csv import read_trails
    from tracking.proof.streets import graph_of

    with _faults_told():
        trails = read_trails(fixes)
        graph = graph_of(lanes_of(read_network(osm)))
    for trail in trails.values():
        yield prove_track(trail.on(graph.plane), graph, start)


def _proofs_of_day(
    config: Settings, service_date: datetime, vehicle_class: str | None, start: Calibration
) -> Iterator[tuple[str, list[Proof]]]:
    """By vehicle class."""
    from datetime import timedelta

    from fleet.kit.times import local_midnight
    from fleet.kit.web import Kit
    from fleet.org import queries as org
    from tracking.fixes.opening import open_fixlog
    from tracking.proof import LaneGraph, LaneShape
    from tracking.proof import prove as prove_track
    from tracking.proof.fixes_csv import trail_of

    kit = Kit.open(config)
    fixlog = open_fixlog(kit.settings, kit.db)
    try:
        with kit.db.reading() as session:
            zone = org.city_zone(session)
            graph = LaneGraph.build(
                LaneShape(lane.id, lane.geometry, lane.oneway) for lane in org.lane_rows(session)
            )
            classes: dict[str, list[str]] = {}
            for vehicle in org.vehicles(session):
                if vehicle_class in (None, vehicle.class_id):
                    classes.setdefault(vehicle.class_id, []).append(vehicle.id)
        since = local_midnight(service_date.date(), zone)
        until = local_midnight(service_date.date() + timedelta(days=1), zone)
        for name, vehicles in sorted(classes.items()):
            trails = (trail_of(fixlog.window(v, since, until)) for v in vehicles)
            yield name, [prove_track(t.on(graph.plane), graph, start) for t in trails]
    finally:
        fixlog.close()
        kit.db.close()


def _fitted(proofs: list[Proof], start: Calibration, name: str) -> Calibration | None:
    from tracking.proof.fit import fit

    try:
        return fit(proofs, start)
    except ValueError as error:
        Console(stderr=True).print(f"{name}: {error}", style="yellow", highlight=False)
        return None


def _read(path: Path | None) -> Calibration:
    from tracking.proof import DEFAULT, Calibration

    if path is None:
        return DEFAULT
    try:
        return Calibration.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint="--calibration") from error


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise typer.BadParameter(f"{name} is no time zone.", param_hint="--tz") from error


@contextmanager
def _faults_told() -> Iterator[None]:
    """Faults of a file as lines, and exit code 1."""
    try:
        yield
    except FaultyInputError as error:
        console = Console(stderr=True)
        for fault in error.faults:
            console.print(str(fault), style="red", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
