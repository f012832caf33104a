"""A dispatcher, a driver and a resident, in one run, each in a browser of their own."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Town

TRULY_WRONG = {"missed", "driven_through"}
ENDS_WITHIN = timedelta(hours=7)


def photo() -> dict[str, Any]:
    """A small camera picture, as a phone would send it."""
    sent = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(sent, "JPEG")
    return {"name": "gate.jpg", "mimeType": "image/jpeg", "buffer": sent.getvalue()}


def missed_lane(town: Town) -> Any:
    """A lane that proof calls missed, whose vehicle still has work before it."""
    for route in town.routes():
        pending = sum(visit["status"] == "pending" for visit in route["visits"])
        for visit in route["visits"]:
            if visit["kind"] == "lane" and visit["status"] in TRULY_WRONG and pending > 8:
                return visit
    return None


@pytest.fixture(scope="module")
def miss(town: Town) -> Any:
    """Drive until something is missed, as something always is."""
    for _ in range(12):
        town.drive(town.now + timedelta(minutes=15))
        if (found := missed_lane(town)) is not None:
            return found
    pytest.fail("nothing was missed in three hours")


MAIN_ACTION = re.compile("^(Done|Set off|Unloaded|Arrived)")
SAID = re.compile("missed|drove through|No vehicle|part of the lane")


def sign_in(page: Page, account: dict[str, str]) -> None:
    page.get_by_label("User name").fill(account["username"])
    page.get_by_label("Password").fill(account["password"])
    page.get_by_role("button", name="Sign in").click()


def middle(path: list[list[float]]) -> tuple[float, float]:
    """A point inside the lane: its ends belong to the crossing lanes as well."""
    at = len(path) // 2
    (lon_a, lat_a), (lon_b, lat_b) = path[at - 1], path[at]
    return (lon_a + lon_b) / 2, (lat_a + lat_b) / 2


def report(page: Page, miss: Any, pictures: Path) -> str:
    """A resident marks the lane, adds a photo and words; the public code of the request."""
    lon, lat = middle(miss["path"])
    page.goto(f"/report?lon={lon}&lat={lat}")
    page.get_by_label("My waste was not collected").check()
    expect(page.locator(".said")).to_contain_text(re.compile("Near|In "))
    page.get_by_label("Photo (optional)").set_input_files(photo())
    expect(page.get_by_text("Photo added")).to_be_visible()
    page.get_by_label("In your words (optional)").fill("The vehicle did not stop.")
    page.screenshot(path=pictures / "report.png", full_page=True)
    page.get_by_role("button", name="Send").click()
    told = page.locator("section", has_text="What the GPS trails say").locator("p")
    expect(told).to_contain_text(SAID)
    return page.url.rsplit("/", 1)[1]


def open_cab(page: Page, account: dict[str, str]) -> None:
    page.goto("/cab/")
    page.get_by_role("button", name="English").click()
    sign_in(page, account)
    expect(page.get_by_role("button", name=MAIN_ACTION).first).to_be_visible()


def make_stop(page: Page, code: str, account: dict[str, str], pictures: Path) -> None:
    """A dispatcher reads the verdict and makes the complaint a stop."""
    page.goto("/control")
    sign_in(page, account)
    page.get_by_role("tab", name=re.compile("Requests")).click()
    card = page.locator("[data-request]", has_text=code)
    expect(card).to_contain_text(SAID)
    card.locator("button").first.click()
    card.get_by_role("button", name=re.compile("Stop today")).click()
    expect(card).to_contain_text("MP09")
    page.screenshot(path=pictures / "control.png")


def tap_without_server(page: Page, town: Town, pictures: Path) -> None:
    """A tap while the server is gone waits on the tablet, also through a reload of the page."""
    town.server.kill()
    page.get_by_role("button", name=MAIN_ACTION).first.click()
    expect(page.get_by_text("1 not sent yet")).to_be_visible()
    page.reload()
    expect(page.get_by_text("1 not sent yet")).to_be_visible()
    expect(page.get_by_role("button", name=MAIN_ACTION).first).to_be_visible()
    page.screenshot(path=pictures / "cab-offline.png")
    town.restart()
    expect(page.get_by_text("All sent")).to_be_visible(timeout=60_000)


def test_a_complaint_is_checked_collected_and_rated(town, miss, people, pictures):
    resident = people(360, 780).new_page()
    dispatcher = people(1440, 900).new_page()
    driver = people(1280, 800).new_page()

    code = report(resident, miss, pictures)
    make_stop(dispatcher, code, town.accounts["dispatcher"], pictures)
    (request,) = [r for r in town.get("/api/requests") if r["code"] == code]
    assert request["status"] in {"stop_planned", "on_the_way"}
    vehicle_id = request["vehicle_id"]

    open_cab(driver, town.driver_of(vehicle_id))
    expect(driver.get_by_text(re.compile(code))).to_have_count(0)
    tap_without_server(driver, town, pictures)
    events = town.events_of(vehicle_id)
    assert len(events) == 1

    town.follow()
    for _ in range(round(ENDS_WITHIN / timedelta(minutes=10))):
        town.drive(town.now + timedelta(minutes=10))
        if town.get(f"/api/r/{code}")["status"] == "closed":
            break
    expect(resident.get_by_text("Done, proved by GPS")).to_be_visible(timeout=30_000)
    resident.get_by_role("button", name="Satisfied").click()
    expect(resident.get_by_text("Thank you. You said: Satisfied.")).to_be_visible()
    resident.screenshot(path=pictures / "request.png", full_page=True)
    assert town.get(f"/api/requests/{request['id']}")["rating"] == "satisfied"
