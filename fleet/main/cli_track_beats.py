"""`safai track learn-beats`: today's beats, learnt from two weeks of trails."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fleet.main.options import DataDir, settings
from tracking.beats.trails import TodaysBeat, beats_json, clock, store_customs, todays_beats


def learn_beats(
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="First service date to learn from.")
    ],
    days: Annotated[int, typer.Option(min=3, max=92, help="So many service dates.")] = 14,
    write: Annotated[
        Path | None, typer.Option(help="Write beats.json of a city folder to this file.")
    ] = None,
    store: Annotated[
        bool, typer.Option(help="Keep the customary times, against which delay is told.")
    ] = True,
    data_dir: DataDir = None,
) -> None:
    """Learn which lanes each vehicle customarily serves, in which order and when."""
    from fleet.main.serve import prepare

    kit = prepare(settings(data_dir=data_dir))
    try:
        with kit.db.unit_of_work() as session:
            beats = todays_beats(session, since.date(), days, kit.clock.now())
            kept = store_customs(session, beats) if store else 0
    finally:
        kit.db.close()
    Console(width=None if Console().is_terminal else 110).print(_table(beats))
    if write is not None:
        write.write_text(
            json.dumps(beats_json(beats), ensure_ascii=False, indent=1) + "\n", "utf-8"
        )
        typer.echo(f"{write}: {len(beats)} beats. Put it into the city folder as beats.json, ")
        typer.echo("in the place of beats.csv and beats.geojson, and import the folder again.")
    if store:
        typer.echo(f"{kept} customary times are kept.")
    if not any(beat.lanes for beat in beats):
        typer.echo("Nothing was learnt: no lane was seen served on three of these days.", err=True)
        raise typer.Exit(1)


def _table(beats: list[TodaysBeat]) -> Table:
    table = Table("beat", "vehicle", "shift")
    for name in ("days", "lanes", "new", "not seen", "first", "last", "± min", "sure"):
        table.add_column(name, justify="right")
    for beat in beats:
        lanes = beat.lanes
        times = (clock(lanes[0].usual_s)[:5], clock(lanes[-1].usual_s)[:5]) if lanes else ("", "")
        table.add_row(
            beat.id,
            beat.vehicle_id,
            beat.shift,
            str(beat.days),
            str(len(lanes)),
            str(beat.new),
            str(len(beat.kept)),
            *times,
            f"{median(lane.spread_s for lane in lanes) / 60:.0f}" if lanes else "",
            f"{median(lane.confidence for lane in lanes):.0%}" if lanes else "",
        )
    return table
