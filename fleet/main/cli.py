"""`safai`: the command line. Each command parses its options and calls one use case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fleet.kit.settings import ClockMode
from fleet.main.options import DataDir, settings

app = typer.Typer(
    name="safai",
    help="Waste collection for a city: tracking, routing, proof of service, residents' requests.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
people = typer.Typer(help="Accounts.", no_args_is_help=True)
database = typer.Typer(help="The database.", no_args_is_help=True)


@app.command()
def serve(
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    clock: Annotated[ClockMode | None, typer.Option(help="City time.")] = None,
    rate: Annotated[float | None, typer.Option(help="Speed of a scaled clock.")] = None,
    start: Annotated[
        str | None, typer.Option(help="First city time of a fresh data folder (RFC 3339).")
    ] = None,
) -> None:
    """Run the server: web, matcher, worker and road engines."""
    from fleet.main import serve as server

    server.serve(
        settings(
            data_dir=data_dir,
            host=host,
            port=port,
            clock=clock,
            clock_rate=rate,
            clock_start=start,
        )
    )


@app.command(hidden=True)
def web() -> None:
    """The web process (started by serve)."""
    from fleet.main import serve as server

    server.run_web(settings())


@app.command(hidden=True)
def worker() -> None:
    """The job process (started by serve)."""
    from fleet.main import serve as server

    server.run_worker(settings())


@app.command(hidden=True)
def matcher() -> None:
    """The process that turns fixes into facts (started by serve)."""
    from fleet.main import serve as server

    server.run_matcher(settings())


@app.command(hidden=True)
def simulators(base_url: str, accounts: Path, seed: int = 1) -> None:
    """Vehicles, drivers and residents of the demo (started by demo)."""
    from fleet.main import demo as show

    show.run_simulators(base_url, accounts, seed)


@app.command()
def demo(
    data_dir: Annotated[Path, typer.Option(help="Where the demo lives.")] = Path("safai-data/demo"),
    wards: Annotated[int, typer.Option(min=1, max=85)] = 2,
    seed: int = 1,
    rate: Annotated[float, typer.Option(help="City seconds per second.")] = 30.0,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Collect a small synthetic city before your eyes; a second start resumes."""
    from fleet.main import demo as show

    show.demo(
        settings(data_dir=data_dir, port=port, clock=ClockMode.SCALED.value, clock_rate=rate),
        wards=wards,
        seed=seed,
        console=Console(stderr=True),
    )


@app.command()
def day(
    wards: Annotated[int, typer.Option(min=1, max=85)] = 2,
    seed: int = 1,
    city: Annotated[
        Path | None, typer.Option(help="A city folder; without it one is synthesised.")
    ] = None,
    taps: Annotated[bool, typer.Option(help="Whether drivers tap on their tablets.")] = True,
    shift_by: Annotated[
        int, typer.Option(help="Hours by which every shift is moved; 12 crosses midnight.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run one whole working day headless, kill the server at midday, and report what happened."""
    from simulators.day import run_day

    console = Console(stderr=True)
    report = run_day(
        wards=wards,
        seed=seed,
        city_dir=city,
        taps=taps,
        shift_by=shift_by,
        progress=lambda line: console.print(line, highlight=False),
    )
    typer.echo(json.dumps(report.as_dict(), indent=2) if as_json else report.as_text())
    raise typer.Exit(report.exit_code)


@people.command("seed")
def seed_people(data_dir: DataDir = None) -> None:
    """Make accounts for a trial, one driver and device a vehicle; prints them as JSON."""
    from fleet.main import accounts
    from fleet.main.serve import prepare

    typer.echo(json.dumps(accounts.seed(prepare(settings(data_dir=data_dir))), indent=1))


@database.command()
def upgrade(data_dir: DataDir = None) -> None:
    """Bring the tables up to date."""
    from fleet.main.serve import prepare

    prepare(settings(data_dir=data_dir))


def main() -> None:
    """Entry point that composes the rooms' own commands."""
    from fleet.main import cli_city, cli_plan, cli_track

    app.add_typer(cli_city.app, name="city")
    app.add_typer(cli_plan.app, name="plan")
    app.add_typer(cli_track.app, name="track")
    app.add_typer(people, name="people")
    app.add_typer(database, name="db")
    app()


if __name__ == "__main__":
    main()
