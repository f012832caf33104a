"""`safai demo`: from nothing to a small city being collected, and the same again after Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time
from pathlib import Path
from time import sleep
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import select

from fleet.kit import jobs
from fleet.kit.clock import WallClock
from fleet.kit.jobs import Job, JobStatus, Worker
from fleet.kit.settings import Settings
from fleet.kit.times import service_date_of
from fleet.kit.web import Kit
from fleet.main import accounts, wiring
from fleet.main.processes import stop_on_signals
from fleet.main.serve import prepare, serve
from fleet.main.webbuild import ensure_built
from fleet.org import queries as org
from fleet.org.importer import import_city
from routing.models import Plan, PlanStatus
from routing.plans import service as plans
from simulators.demo import simulate
from simulators.synth import write_city

ZONE = ZoneInfo("Asia/Kolkata")


class DemoFailed(Exception):  # noqa: N818 - read as a sentence
    """The demo cannot start; the message says why."""


STARTS = time(5, 55)
"""Local time at which a fresh demo begins: the first tippers leave the depot at six."""
LOOK_EVERY_S = 0.2


def demo(settings: Settings, *, wards: int, seed: int, console: Console) -> None:
    """Prepare the data folder where it lacks something, then serve with simulators."""
    settings = _with_start(settings)
    with (
        Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<34}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
        ) as progress,
        ThreadPoolExecutor(1) as beside,
    ):
        pages = beside.submit(ensure_built)
        pages_bar = progress.add_task("Web pages", total=1)
        kit = prepare(settings)
        folder = settings.data_dir / "folder"
        if not (folder / "city.toml").exists():
            bar = progress.add_task(f"Synthesising {wards} wards", total=1)
            write_city(folder, wards=wards, seed=seed)
            progress.update(bar, completed=1)
        bar = progress.add_task("Importing the city", total=1)
        import_city(
            kit.db,
            settings,
            folder,
            progress=lambda part, text: progress.update(bar, completed=part, description=text),
        )
        progress.update(bar, completed=1, description="Importing the city")
        bar = progress.add_task("Accounts and devices", total=1)
        people = accounts.seed(kit, lambda part: progress.update(bar, completed=part))
        progress.update(bar, completed=1)
        bar = progress.add_task("Planning the day with OR-Tools", total=1)
        _plan(kit)
        progress.update(bar, completed=1)
        pages.result()
        progress.update(pages_bar, completed=1)
    kit.db.close()
    base_url = settings.effective_public_url
    command = ("simulators", base_url, str(accounts.path_of(kit)), "--seed", str(seed))
    serve(
        settings,
        extra={"simulators": command},
        on_ready=lambda: _welcome(settings, people, console),
    )
    console.print("Stopped. Start it again to go on where the city stands.")


def run_simulators(base_url: str, accounts_file: Path, seed: int) -> None:
    """The child process with vehicles, drivers and residents."""
    stop = threading.Event()
    stop_on_signals(stop)
    people = json.loads(accounts_file.read_text("utf-8"))
    asyncio.run(simulate(base_url, people, seed=seed, stop=stop))


def _with_start(settings: Settings) -> Settings:
    today = WallClock().now().astimezone(ZONE).date()
    start = datetime.combine(today, STARTS, tzinfo=ZONE)
    return settings.model_copy(update={"clock_start": start})


def _plan(kit: Kit) -> None:
    """Make and publish the plan of the running service date, when there is none yet."""
    now = kit.clock.now()
    with kit.db.unit_of_work() as session:
        service_date = service_date_of(now, org.city_zone(session))
        published = select(Plan.id).where(
            Plan.service_date == service_date, Plan.status == PlanStatus.PUBLISHED
        )
        if session.scalar(published.limit(1)) is not None:
            return
        job = plans.order_night(session, service_date, now, publish=True)
        if job.status not in jobs.ACTIVE:  # an earlier start failed at it
            job = plans.order_night(session, service_date, now, publish=True, again=True)
        job_id = job.id
    worker = Worker(kit, wiring.job_kinds())
    while (job := _job(kit, job_id)).status in jobs.ACTIVE:  # others may wait from a killed start
        if not worker.run_once():
            sleep(LOOK_EVERY_S)
    if job.status != JobStatus.DONE:
        raise DemoFailed(f"The day could not be planned: {job.error}")


def _job(kit: Kit, job_id: str) -> Job:
    with kit.db.reading() as session:
        return jobs.get(session, job_id)


def _welcome(settings: Settings, people: accounts.Accounts, console: Console) -> None:
    url = settings.effective_public_url
    driver = people["drivers"][0]
    rows = [
        ("Control room", f"{url}/control", people["dispatcher"]),
        ("Driver's tablet", f"{url}/cab/", driver),
        ("Residents", f"{url}/", None),
    ]
    console.print()
    for title, address, account in rows:
        login = f"{account['username']} / {account['password']}" if account else "no account needed"
        console.print(
            f"  [bold]{title:<16}[/] {address:<32} {login}", highlight=False, soft_wrap=True
        )
    console.print(
        f"\n  Every other account: {settings.data_dir / 'accounts.json'}. Ctrl-C stops.\n",
        highlight=False,
        soft_wrap=True,
    )
