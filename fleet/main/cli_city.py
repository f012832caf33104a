"""`safai city`: import a city's files, or make up a city."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fleet.main.options import settings
from fleet.org.cityfiles.completing import Completion
from fleet.org.importer import ImportReport, import_city
from fleet.roads.faults import Fault, FaultyInputError

app = typer.Typer(help="A city: import its files, or make one up.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="The city folder.")]


@app.command("import")
def import_(
    folder: Folder,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Folder with everything the server keeps.")
    ] = None,
    grid_wards: Annotated[
        int | None,
        typer.Option("--grid-wards", min=1, help="Cut so many wards where there are none."),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option("--complete", help="Make up what is missing beside the street network."),
    ] = False,
) -> None:
    """Check every file of a city folder, then import all of it or nothing."""
    from fleet.main.serve import prepare

    console = Console(stderr=True)
    kit = prepare(settings(data_dir=data_dir))
    try:
        with _bar(console, "Importing the city") as progress:
            report = import_city(
                kit.db,
                kit.settings,
                folder,
                progress=progress,
                asked=Completion(grid_wards, complete),
            )
    except FaultyInputError as error:
        _print_faults(console, error.faults)
        fatal = sum(fault.fatal for fault in error.faults)
        console.print(f"{fatal} faults; nothing was imported.", style="red", highlight=False)
        raise typer.Exit(1) from error
    finally:
        kit.db.close()
    _print_report(console, report)


@app.command()
def synth(
    folder: Folder,
    wards: Annotated[int, typer.Option(min=1, max=85)] = 2,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.")] = 1,
) -> None:
    """Write the folder of a plausible Indian city."""
    from simulators.synth import write_city

    console = Console(stderr=True)
    with _bar(console, "Drawing a city") as progress:
        write_city(folder, wards=wards, seed=seed, progress=progress)
    console.print(f"{folder}: {wards} wards, seed {seed}", highlight=False)


@contextmanager
def _bar(console: Console, title: str) -> Iterator[Callable[[float, str], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(title, total=1.0)

        def progress(fraction: float, step: str) -> None:
            bars.update(task, completed=fraction, description=f"{title}: {step}")

        yield progress


def _print_faults(console: Console, faults: Sequence[Fault]) -> None:
    """A table for a person; one line each where the output is no terminal."""
    if not console.is_terminal:
        for fault in faults:
            console.print(
                f"{'fault' if fault.fatal else 'note'}: {fault}",
                soft_wrap=True,
                highlight=False,
                markup=False,
            )
        return
    table = Table("", "file", "row", "field", "what is wrong", "remedy")
    for fault in faults:
        table.add_row(
            "fault" if fault.fatal else "note",
            fault.file,
            "" if fault.row is None else str(fault.row),
            fault.field or "",
            fault.reason,
            fault.remedy,
            style="red" if fault.fatal else "yellow",
        )
    console.print(table)


def _print_report(console: Console, report: ImportReport) -> None:
    _print_faults(console, report.warnings)
    counts = ", ".join(f"{count} {kind}" for kind, count in report.counts.items())
    done = "imported" if report.changed else "unchanged since the last import"
    console.print(f"{report.name}: {done}; {counts}", highlight=False, soft_wrap=True)
    if report.estimated:
        made_up = ", ".join(report.estimated)
        console.print(f"Estimated, not measured: {made_up}", style="yellow", soft_wrap=True)
    if report.wall_s:
        times = ", ".join(f"{step} {seconds} s" for step, seconds in report.wall_s.items())
        console.print(times, style="dim", highlight=False)
