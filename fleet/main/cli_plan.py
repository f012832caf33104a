"""`safai plan`: order a plan from the command line and watch it being made."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from fleet.kit import jobs
from fleet.kit.jobs import Job, JobStatus, Worker
from fleet.kit.settings import Settings
from fleet.kit.times import service_date_of
from fleet.kit.web import Kit
from fleet.org import queries as org
from routing.plans import service
from routing.wiring import job_kinds

app = typer.Typer(help="Plans of a service date.", no_args_is_help=True)

LOOK_EVERY_S = 0.2
WORKER_WITHIN_S = 3.0
"""A running worker takes a job at once; after this we take it ourselves."""


@app.callback()
def plans() -> None:
    """Plans of a service date."""


@app.command()
def night(
    service_date: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Date to plan; without it the city's today."),
    ] = None,
    shift: Annotated[str | None, typer.Option(help="Only this shift.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed; else the policy's.")] = None,
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Improvement steps; else the policy's.")
    ] = None,
    publish: Annotated[bool, typer.Option(help="Publish it when it is made.")] = False,
    here: Annotated[
        bool | None,
        typer.Option(
            "--here/--wait", help="Make it in this process, or wait for a worker; else see."
        ),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the server's data.")] = None,
) -> None:
    """Plan every ward of a date: order the job, then wait for it or make it here."""
    kit = Kit.open(Settings() if data_dir is None else Settings(data_dir=data_dir))
    console = Console(stderr=True)
    with kit.db.unit_of_work() as session:
        now = kit.clock.now()
        day = service_date.date() if service_date else service_date_of(now, org.city_zone(session))
        job = service.order_night(
            session,
            day,
            now,
            shift=shift,
            seed=seed,
            iterations=iterations,
            publish=publish,
            again=True,
        )
    done = watch(kit, job.id, console, here=here)
    if done.status != JobStatus.DONE or done.result is None:
        console.print(f"[red]{done.status}[/red] {done.error or ''}")
        raise typer.Exit(1)
    for name, value in done.result.items():
        typer.echo(f"{name:<10} {value}")


def watch(kit: Kit, job_id: str, console: Console, *, here: bool | None) -> Job:
    """Show a job's progress until it has ended.

    `here` True makes it in this process, False waits for a worker, None waits a moment for one.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TimeElapsedColumn(),
    )
    own: threading.Thread | None = None
    began_s = time.monotonic()
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task("Waiting for a worker", total=1.0)
        while True:
            with kit.db.reading() as session:
                job = jobs.get(session, job_id)
            if job.status not in jobs.ACTIVE:
                bars.update(bar, completed=1.0, description="Done")
                break
            waited_s = time.monotonic() - began_s
            if own is None and (
                here or (here is None and job.status == "queued" and waited_s > WORKER_WITHIN_S)
            ):
                own = threading.Thread(target=Worker(kit, job_kinds).run_once, daemon=True)
                own.start()
            if job.status == JobStatus.RUNNING:
                bars.update(bar, completed=job.progress, description=f"Planning {job.message}"[:24])
            time.sleep(LOOK_EVERY_S)
    if own is not None:
        own.join()
    return job
