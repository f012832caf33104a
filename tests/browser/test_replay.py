"""A stored day, replayed in the control room: lanes take their colours as its time passes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from fleet.kit.geo import distance_m
from fleet.kit.times import iso
from fleet.main.webbuild import ensure_built
from fleet.roads.basemap import cut_basemap
from fleet.roads.osm import read_network
from routing.models import Route, Visit, VisitStatus
from routing.plans import queries
from tests.browser.conftest import Watched
from tests.conftest import START
from tests.main.conftest import PASSWORD, Served, serving_town
from tests.routing.plans.town import write_network
from tests.tracking.serving import serving
from tracking.fixes.fix import Fix

PERIOD_S = 5
SECOND = timedelta(seconds=1)
SILENCE = (1200, 1500)
"""Seconds after START in which T1 is not heard."""
FATES = ("served", "served", "served", "partly", "driven_through", "missed", "unknown", "served")
CLOCK = re.compile(r"^\d\d:\d\d:\d\d$")


def drive(route: Route, visits: list[Visit]) -> list[Fix]:
    """The route driven as planned: approaches until the arrivals, paths until the departures."""
    points = [(route.start_t, visits[0].lon, visits[0].lat)]
    for visit in visits:
        for way, until in (
            (visit.approach, visit.planned_arrival),
            (visit.path or [[visit.lon, visit.lat]], visit.planned_departure),
        ):
            begins, *at = points[-1]
            lengths = [distance_m(*a, *b) for a, b in pairwise([at, *way])]
            whole, gone = sum(lengths) or 1.0, 0.0
            for length, (lon, lat) in zip(lengths, way, strict=True):
                gone += length
                points.append((begins + max(until - begins, SECOND) * (gone / whole), lon, lat))
            points.append((max(until, points[-1][0]), *points[-1][1:]))
    fixes = []
    at = points[0][0]
    for (t_a, lon_a, lat_a), (t_b, lon_b, lat_b) in pairwise(points):
        while at < t_b:
            share = (at - t_a) / (t_b - t_a)
            fixes.append(
                Fix(
                    device_id=f"unit-{route.vehicle_id}",
                    vehicle_id=route.vehicle_id,
                    t=at,
                    received_t=at,
                    lon=lon_a + share * (lon_b - lon_a),
                    lat=lat_a + share * (lat_b - lat_a),
                    speed_mps=distance_m(lon_a, lat_a, lon_b, lat_b) / (t_b - t_a).total_seconds(),
                )
            )
            at += timedelta(seconds=PERIOD_S)
    return fixes


def live_the_day(town: Served) -> dict[str, int]:
    """Store the fixes of both vehicles and what proof says of each lane; lanes by outcome."""
    counts: dict[str, int] = {}
    with town.kit.db.unit_of_work() as session:
        for route in session.scalars(select(Route).where(Route.status == "published")):
            visits = list(queries.visits(session, route.id))
            fixes = drive(route, visits)
            if route.vehicle_id == "T1":
                a, b = (START + timedelta(seconds=s) for s in SILENCE)
                fixes = [fix for fix in fixes if not a < fix.t < b]
            town.app.state.fixlog.append(fixes)
            for i, visit in enumerate(v for v in visits if v.kind == "lane"):
                visit.status = VisitStatus(FATES[i % len(FATES)])
                counts[visit.status] = counts.get(visit.status, 0) + 1
                if visit.status in ("served", "partly", "driven_through"):
                    visit.evidence = {
                        "start_t": iso(visit.planned_arrival),
                        "end_t": iso(visit.planned_departure),
                        "vehicle_id": route.vehicle_id,
                        "served_fraction": 1.0,
                        "pace_mps": 1.2,
                        "provisional": i % 7 == 0,
                    }
    return counts


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, dict[str, int]]]:
    ensure_built()
    folder = tmp_path_factory.mktemp("day")
    with serving_town(folder, serving) as town:
        streets = town.kit.settings.city_dir / "streets.pmtiles"
        streets.parent.mkdir(parents=True, exist_ok=True)
        network = read_network(write_network(folder / "network.osm"))
        cut_basemap(network, streets, lambda *_: None)
        counts = live_the_day(town)
        town.clock.set(START + timedelta(hours=6))
        yield town, counts


@pytest.fixture
def person(chromium: Browser, day: tuple[Served, dict[str, int]]) -> Iterator[Any]:
    """A fresh, watched browser of a dispatcher who has the control room open."""
    town, _ = day
    watched: list[Watched] = []

    def open_control(width: int = 1440, height: int = 900, **more: Any) -> Page:
        url = f"http://{town.running}"
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            base_url=url,
            **{"locale": "en-IN", "color_scheme": "light"} | more,
        )
        context.set_default_timeout(20_000)
        watched.append(Watched(context, url))
        page = context.new_page()
        page.goto("/sign-in?next=/control")
        page.locator("input[autocomplete=username]").fill("dispatcher")
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("button[type=submit]").click()
        expect(page.locator(".control")).to_be_visible(timeout=60_000)
        return page

    yield open_control
    for one in watched:
        one.context.close()
    for one in watched:
        one.check()


def counts_of(page: Page) -> dict[str, int]:
    """The legend's counts by the words of each outcome, as a screen reader hears them."""
    found = {}
    for label in page.locator(".legend button").evaluate_all(
        "all => all.map((one) => one.getAttribute('aria-label'))"
    ):
        words, n = re.fullmatch(r"Show on the map: (.+) \((\d+)\)", label).groups()
        found[words] = int(n)
    return found


def start(page: Page) -> None:
    page.get_by_role("button", name="Replay").click()
    expect(page.locator(".replay-clock b")).to_have_text(CLOCK)


def test_a_day_is_replayed_with_lanes_coloured_by_proof(day, person, pictures: Path) -> None:
    _, counts = day
    page = person()
    start(page)
    assert page.locator(".replay-clock b").inner_text().startswith("06:0"), "city time, not ours"
    begun = counts_of(page)
    assert begun["Pending"] == sum(counts.values())

    page.get_by_label("Speed").select_option("600")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(".replay-clock b")).not_to_have_text(re.compile("^06:0"), timeout=15_000)
    page.get_by_role("button", name="Pause").click()
    on_the_way = counts_of(page)
    assert 0 < on_the_way["Served"] < counts["served"]
    assert on_the_way["Pending"] < begun["Pending"]
    page.wait_for_timeout(600)  # the picture, not the outcome: tiles still come
    page.screenshot(path=pictures / "replay-light.png")

    line = page.get_by_role("slider", name="Time of the replay")
    line.focus()
    page.keyboard.press("End")
    ended = counts_of(page)
    assert {w: n for w, n in ended.items() if n} == {
        words: counts[status]
        for words, status in (
            ("Served", "served"),
            ("Served in part", "partly"),
            ("Driven through", "driven_through"),
            ("Missed", "missed"),
            ("Unknown", "unknown"),
        )
    }
    page.keyboard.press("Home")
    assert counts_of(page) == begun, "a lane's colour is taken back with its time"
    at = page.locator(".replay-clock b").inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".replay-clock b")).not_to_have_text(at)

    page.get_by_role("button", name="Back to live").click()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_role("tab", name=re.compile("Vehicles"))).to_be_visible()


def test_a_chosen_vehicle_tells_its_day(day, person, pictures: Path) -> None:
    page = person(color_scheme="dark")
    start(page)
    page.locator("[data-vehicle=T1] button").click()
    card = page.get_by_role("region", name="The day")
    expect(card.get_by_text("Driven", exact=True)).to_be_visible()
    expect(card.get_by_role("heading", name=re.compile("^Trips"))).to_be_visible()
    silence = card.locator("section", has_text="Silences").get_by_role("button")
    expect(silence).to_have_count(1)
    silence.click()
    expect(page.locator(".replay-clock b")).to_have_text(re.compile("^06:(19|20)"))
    then = counts_of(page)
    assert then["Served"] > 0, "a jump in time colours the lanes too"
    page.get_by_role("button", name="Whole way").click()
    page.wait_for_timeout(1200)  # the flight to it, and the tiles
    page.screenshot(path=pictures / "replay-dark.png")
    with page.expect_download() as download:
        card.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "T1_2026-03-02.csv"
    rows = Path(download.value.path()).read_text().splitlines()
    assert len(rows) > 400


def test_a_day_without_anything_says_so(day, person) -> None:
    page = person()
    start(page)
    page.get_by_label("Service date").fill("2026-01-05")
    expect(page.get_by_role("status").get_by_text("Nothing was heard")).to_be_visible()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_disabled()


def test_the_live_vehicle_has_its_day_and_the_map_its_coverage(day, person, pictures) -> None:
    page = person()
    page.locator("[data-vehicle=T1] button").click()
    page.get_by_text("The day", exact=True).click()
    expect(page.get_by_role("region", name="The day")).to_contain_text("km")
    page.get_by_role("button", name="Coverage").click()
    expect(page.get_by_text("How often lanes were served in 7 days")).to_be_visible()
    page.wait_for_timeout(600)  # the layer's tiles
    page.screenshot(path=pictures / "coverage-light.png")


def test_on_a_phone_in_hindi_nothing_breaks(day, person, pictures: Path) -> None:
    page = person(390, 800)
    page.get_by_role("button", name="हिन्दी").click()
    page.get_by_role("button", name="रीप्ले").click()
    expect(page.locator(".replay-clock b")).to_have_text(CLOCK)
    page.get_by_role("button", name="चलाएँ").click()
    expect(page.get_by_role("button", name="रोकें")).to_be_visible()
    page.get_by_role("button", name="रोकें").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.wait_for_timeout(600)
    page.screenshot(path=pictures / "replay-phone.png", full_page=True)
    page.locator("[data-vehicle=T1] button").click()
    expect(page.get_by_role("region", name="पूरा दिन")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=pictures / "replay-phone-day.png", full_page=True)
