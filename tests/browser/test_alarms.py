"""Alarms in the control room: seen, acknowledged and cleared with the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from fleet.kit.web import Kit
from fleet.main.webbuild import ensure_built
from fleet.roads.basemap import cut_basemap
from fleet.roads.osm import read_network
from tests.browser.conftest import Watched
from tests.conftest import START
from tests.main.conftest import PASSWORD, PLACES, Served, serving_town
from tests.routing.plans.town import write_network
from tests.tracking.serving import serving
from tracking.alarms import service
from tracking.alarms.about import About
from tracking.alarms.models import Alarm


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    ensure_built()
    with serving_town(tmp_path, serving) as town:
        streets = town.kit.settings.city_dir / "streets.pmtiles"
        streets.parent.mkdir(parents=True, exist_ok=True)
        network = read_network(write_network(tmp_path / "network.osm"))
        cut_basemap(network, streets, lambda *_: None)
        yield town


@pytest.fixture
def person(chromium: Browser, site: Served) -> Iterator[Any]:
    """A dispatcher's watched browser, with the panel of alarms open."""
    watched: list[Watched] = []

    def opened(width: int = 1440, height: int = 900) -> Page:
        url = f"http://{site.running}"
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            base_url=url,
            locale="en-IN",
            color_scheme="light",
        )
        context.set_default_timeout(20_000)
        watched.append(Watched(context, url))
        page = context.new_page()
        page.goto("/sign-in?next=/control")
        page.locator("input[autocomplete=username]").fill("dispatcher")
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("button[type=submit]").click()
        expect(page.locator(".control")).to_be_visible(timeout=60_000)
        page.get_by_role("tab", name="Alarms").click()
        return page

    yield opened
    for one in watched:
        one.context.close()
    for one in watched:
        one.check()


def happens(kit: Kit, kind: str, text: str, vehicle: str, zone: str = "z1", **more: Any) -> None:
    with kit.db.unit_of_work() as session:
        service.raise_alarm(
            session,
            key=f"{kind}:{vehicle}",
            kind=kind,
            at=START,
            about=About(
                service_date=START.date(),
                shift="morning",
                zone_id=zone,
                ward_ids=["west" if zone == "z1" else "east"],
                beat="b1",
                vehicle_id=vehicle,
                **more,
            ),
            words=service.said(f"alarms.say.{text}", who=vehicle),
        )


def a_bad_morning(kit: Kit) -> None:
    lon, lat = PLACES["west"]
    happens(kit, "sos", "sos", "T1", lon=lon, lat=lat)
    for vehicle in ("T1", "T2", "S1"):
        happens(kit, "mains_cut", "mains_cut", vehicle)
    happens(kit, "outside_city", "outside_city", "T2", zone="z2")


def states(kit: Kit, kind: str) -> set[str]:
    with kit.db.reading() as session:
        return {row.state for row in session.scalars(select(Alarm).where(Alarm.kind == kind))}


def test_alarms_are_handled_with_the_keyboard(site: Served, person: Any, pictures: Path) -> None:
    page = person()
    expect(page.get_by_text("No alarms", exact=True)).to_be_visible()
    site.clock.set(START + timedelta(minutes=4))
    a_bad_morning(site.kit)
    items = page.get_by_role("list", name="Open alarms").locator("> li")
    expect(items).to_have_count(3)
    expect(items.first).to_contain_text("T1 calls for help")
    expect(page).to_have_title("(1!) Control room · Town")
    expect(page.get_by_role("alert")).to_contain_text("Critical alarm: T1 calls for help")
    page.screenshot(path=pictures / "alarms-light.png")

    acknowledge = page.get_by_role("button", name="Acknowledge: T1 calls for help (SOS button).")
    acknowledge.focus()
    page.keyboard.press("Enter")
    expect(items.first).to_contain_text("Seen by dispatcher")
    expect(page).to_have_title("Control room · Town")
    assert states(site.kit, "sos") == {"acknowledged"}

    page.get_by_label("Kind").select_option(label="Units")
    expect(items).to_have_count(1)
    members = items.first.get_by_role("button", name="Show the 3 alarms")
    members.focus()
    page.keyboard.press("Enter")
    expect(members).to_have_attribute("aria-expanded", "true")
    expect(items.first.get_by_role("listitem")).to_have_count(3)
    page.screenshot(path=pictures / "alarms-members.png")
    items.first.get_by_role("button", name="Clear: 3 alarms").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("No alarm passes the filter")).to_be_visible()
    assert states(site.kit, "mains_cut") == {"cleared"}

    page.get_by_label("Kind").select_option(label="All kinds")
    page.get_by_label("Zone").select_option(label="z2")
    expect(items).to_have_count(1)
    expect(items.first).to_contain_text("T2 is outside the city")


def test_what_another_dispatcher_cleared_goes_away(site: Served, person: Any) -> None:
    a_bad_morning(site.kit)
    page = person()
    items = page.get_by_role("list", name="Open alarms").locator("> li")
    expect(items).to_have_count(3)
    other = site.signed_in("admin")
    for alarm in other.get("/api/alarms").json():
        assert other.post(f"/api/alarms/{alarm['id']}/clear").status_code == 200
    expect(page.get_by_text("No alarms", exact=True)).to_be_visible()


def test_on_a_phone_in_hindi(site: Served, person: Any, pictures: Path) -> None:
    page = person(390, 800)
    page.get_by_role("button", name="हिन्दी").click()
    a_bad_morning(site.kit)
    expect(page.get_by_role("button", name="देख लिया: T1 मदद माँग रही है (SOS बटन)।")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=pictures / "alarms-phone.png", full_page=True)


def test_a_click_goes_to_the_vehicle(site: Served, person: Any) -> None:
    a_bad_morning(site.kit)
    page = person()
    page.get_by_text("T1 calls for help (SOS button).", exact=True).click()
    expect(page.get_by_role("heading", name="T1")).to_be_visible()
