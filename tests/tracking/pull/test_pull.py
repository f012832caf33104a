"""Pulling from real local HTTP servers that answer as vendors do, well and badly."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fleet.kit.settings import ClockMode, Settings
from fleet.kit.web import Kit
from fleet.org.assignments import assign
from fleet.people import Role, create_user
from tests.tracking.conftest import T0, import_city
from tests.tracking.drives import town
from tests.tracking.serving import make_app, serving
from tracking.devices.service import register_device
from tracking.fixes import open_fixlog
from tracking.fixes.fix import Fix
from tracking.ingest import Ingest
from tracking.live import LiveState
from tracking.pull.fetching import NotFetched, make_client
from tracking.pull.models import PullSource
from tracking.pull.puller import Pulled, Puller
from tracking.pull.sources import FILE, read_sources

PASSWORD = "a long enough passphrase"

TRACCAR = """
[[source]]
name = "traccar"
url = "{url}/api/positions"
interval_s = 5
timeout_s = 2
most_bytes = 20000
[source.headers]
Authorization = "Bearer ${{PULL_TEST_TOKEN}}"
[source.since]
parameter = "from"
[source.answer]
items = "/data"
next = "/next"
[source.answer.fields]
id = "/deviceId"
t = "/fixTime"
lon = "/longitude"
lat = "/latitude"
speed = {{ at = "/speed", unit = "knots" }}
"""


class Vendor(BaseHTTPRequestHandler):
    """Answers what the test says, and remembers what was asked."""

    answer: Callable[[Vendor], None]
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        self.answer()

    def send(self, body: Any, status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def vendor(answer: Callable[[Vendor], None]) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Address of the service, and its requests as (path, authorization)."""
    asked: list[tuple[str, str | None]] = []
    handler = type("Handler", (Vendor,), {"answer": answer, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def position(unit: int, s: int, **more: Any) -> dict[str, Any]:
    t = (T0 + timedelta(seconds=s)).isoformat()
    fix = {"deviceId": unit, "fixTime": t, "latitude": 22.72, "longitude": 75.861, "speed": 2.0}
    return {**fix, "attributes": {"ignition": True}, **more}


@pytest.fixture
def town_kit(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """Unit 10 is v1's, 11 is disabled's, 12 is of another source."""
    monkeypatch.setenv("PULL_TEST_TOKEN", "s3cret")
    import_city(kit, town(3, size=2))
    with kit.db.unit_of_work() as session:
        for unit, layout in (("10", "traccar"), ("12", "other")):
            register_device(
                session,
                id=f"d{unit}",
                label=unit,
                now=T0,
                external_id=unit,
                protocol="pull",
                layout=layout,
            )
        register_device(session, id="d13", label="13", now=T0, external_id="13")
        assign(session, "device_vehicle", "d10", "v1", T0 - timedelta(days=1))
    return kit


def pull(kit: Kit, url: str, rounds: int = 1, text: str = TRACCAR) -> list[Pulled | str]:
    """What each of so many rounds brought, or why it failed; one puller for all."""
    (kit.settings.data_dir / FILE).write_text(text.format(url=url))

    async def run() -> list[Pulled | str]:
        log = open_fixlog(kit.settings, kit.db)
        ingest = Ingest(kit, log, LiveState(60))
        await ingest.start()
        puller = Puller(kit, ingest)
        assert puller.sources.faults == {}
        [source] = puller.sources.good
        outcomes: list[Pulled | str] = []
        try:
            async with make_client() as client:
                for _ in range(rounds):
                    try:
                        outcomes.append(await puller.ask(client, source))
                    except NotFetched as failure:
                        outcomes.append(str(failure))
        finally:
            await ingest.stop()
            log.close()
        return outcomes

    return asyncio.run(run())


def stored(kit: Kit) -> list[Fix]:
    log = open_fixlog(kit.settings, kit.db)
    try:
        return log.received({}, 1000)[0]
    finally:
        log.close()


def state(kit: Kit) -> PullSource:
    with kit.db.reading() as session:
        row = session.get(PullSource, "traccar")
    assert row is not None
    return row


def test_what_is_new_is_stored_for_the_units_of_the_source(town_kit: Kit) -> None:
    """Two pages; a unit of nobody and one of another source; then the same answer again."""

    def answer(request: Vendor) -> None:
        if "page=2" in request.path:
            request.send({"data": [position(10, 20), position(99, 20)], "next": None})
            return
        first = [
            position(10, 10),
            position(12, 10),
            position(13, 10),
            position(10, 5, fixTime="--"),
        ]
        request.send({"data": first, "next": "/api/positions?page=2"})

    with vendor(answer) as (url, asked):
        first, second = pull(town_kit, url, rounds=2)
    assert isinstance(first, Pulled)
    assert isinstance(second, Pulled)
    assert (first.stored, list(first.unknown), first.unreadable) == (2, ["12", "13", "99"], 1)
    fixes = stored(town_kit)
    assert [((f.t - T0).total_seconds(), f.device_id, f.vehicle_id) for f in fixes] == [
        (10, "d10", "v1"),
        (20, "d10", "v1"),
    ]
    assert {token for _, token in asked} == {"Bearer s3cret"}
    told = [parse_qs(urlsplit(path).query).get("from") for path, _ in asked]
    assert told == [None, None, ["2026-03-02T00:25:20Z"], None]
    row = state(town_kit)
    assert (row.since, row.failures, row.last_error) == (T0 + timedelta(seconds=20), 0, None)
    assert row.unknown_units == ["12", "13", "99"]


def test_a_clock_that_runs_ahead_does_not_move_the_watermark(town_kit: Kit) -> None:
    def answer(request: Vendor) -> None:
        request.send({"data": [position(10, 10), position(10, 86_400 * 300)]})

    with vendor(answer) as (url, _):
        pull(town_kit, url)
    assert state(town_kit).since == T0 + timedelta(seconds=10)


def slow(request: Vendor) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(40):
        try:
            request.wfile.write(b" ")
            request.wfile.flush()
        except OSError:
            return
        threading.Event().wait(0.1)


BAD: dict[str, tuple[Callable[[Vendor], None], str]] = {
    "status": (lambda r: r.send({}, 503), "answered 503"),
    "redirect": (lambda r: r.send(b"", 302, Location="http://127.0.0.1:1/"), "answered 302"),
    "no-json": (lambda r: r.send(b"<html>"), "Expected JSON"),
    "refusal-with-200": (lambda r: r.send({"RESULT": "FAIL"}), "Expected a list"),
    "too-large": (lambda r: r.send(b" " * 30_000), "more than 20000 bytes"),
    "slow": (slow, "within 2 s"),
    "goes-on-elsewhere": (
        lambda r: r.send({"data": [], "next": "http://169.254.169.254/latest"}),
        "another server",
    ),
    "goes-on-in-a-file": (lambda r: r.send({"data": [], "next": "file:///etc/passwd"}), "another"),
    "broken-off": (
        lambda r: r.send(b"no gzip at all" * 9, Content_Encoding="gzip"),
        "not reached (DecodingError)",
    ),
}


@pytest.mark.parametrize(("answer", "why"), BAD.values(), ids=BAD)
def test_what_a_vendor_does_badly_is_told(
    sqlite_kit: Kit, monkeypatch: pytest.MonkeyPatch, answer: Callable[[Vendor], None], why: str
) -> None:
    monkeypatch.setenv("PULL_TEST_TOKEN", "s3cret")
    import_city(sqlite_kit, town(3, size=2))
    with vendor(answer) as (url, _):
        outcomes = pull(sqlite_kit, url, rounds=2)
    assert all(isinstance(o, str) and why in o for o in outcomes), outcomes
    row = state(sqlite_kit)
    assert (row.failures, row.last_ok_at, row.last_error) == (2, None, outcomes[-1])
    assert "s3cret" not in str(row.last_error)


def test_a_missing_secret_and_a_dead_server_are_told(
    sqlite_kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULL_TEST_TOKEN", raising=False)
    import_city(sqlite_kit, town(3, size=2))
    assert pull(sqlite_kit, "http://127.0.0.1:9") == ["The environment has no PULL_TEST_TOKEN."]
    monkeypatch.setenv("PULL_TEST_TOKEN", "s3cret")
    assert pull(sqlite_kit, "http://127.0.0.1:9") == ["The service was not reached (ConnectError)."]
    assert state(sqlite_kit).failures == 2


FAULTS = {
    "scheme": (TRACCAR.replace("{url}", "file://"), "url"),
    "user": (TRACCAR.replace("{url}", "https://a:b@c"), "url"),
    "interval": (TRACCAR.replace("interval_s = 5", "interval_s = 0"), "interval_s"),
    "typo": (TRACCAR.replace("timeout_s", "timeout"), "timeout"),
    "mapping": (TRACCAR.replace('lon = "/longitude"', ""), "fields.lon"),
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_source_is_told_and_the_others_asked(
    tmp_path: Path, text: str, fault: str
) -> None:
    good = TRACCAR.replace('"traccar"', '"good"')
    (tmp_path / FILE).write_text((text + good).format(url="http://127.0.0.1:9"))
    sources = read_sources(tmp_path)
    assert [source.name for source in sources.good] == ["good"]
    assert fault in sources.faults["traccar"]


def test_a_file_that_is_no_toml_is_told(tmp_path: Path) -> None:
    assert read_sources(tmp_path).faults == {}
    (tmp_path / FILE).write_text("[[source")
    assert list(read_sources(tmp_path).faults) == [FILE]


def test_the_server_pulls_by_itself_and_the_administrator_sees_how_it_goes(
    town_kit: Kit,
) -> None:
    """On a real clock, with another source that never answers well."""
    settings = Settings(data_dir=town_kit.settings.data_dir, clock=ClockMode.WALL)
    kit = Kit(
        settings, town_kit.clock, town_kit.monotonic, town_kit.db, town_kit.hub, town_kit.photos
    )
    with kit.db.unit_of_work() as session:
        create_user(
            session, username="admin", password=PASSWORD, name="A", role=Role.ADMIN, zones=None
        )
    came = threading.Event()

    def answer(request: Vendor) -> None:
        request.send({"data": [position(10, 10)]})
        came.set()

    with vendor(answer) as (url, _):
        dead = TRACCAR.replace('"traccar"', '"dead"').format(url="http://127.0.0.1:9")
        wrong = TRACCAR.replace('"traccar"', '"wrong"').format(url="ftp://x")
        text = TRACCAR.format(url=url) + dead + wrong
        (settings.data_dir / FILE).write_text(text)
        with serving(make_app(kit)) as address, httpx.Client(base_url=f"http://{address}") as web:
            web.post("/api/sign-in", json={"username": "admin", "password": PASSWORD})
            assert came.wait(20)
            for _ in range(200):
                feeds = {feed["name"]: feed for feed in web.get("/api/devices/feeds").json()}
                if feeds["traccar"]["last_ok_t"] and feeds["dead"]["last_error"]:
                    break
                threading.Event().wait(0.05)
    assert feeds["traccar"]["last_fixes"] == 1
    assert (feeds["dead"]["failures"], feeds["dead"]["last_ok_t"]) == (1, None)
    assert "url" in feeds["wrong"]["fault"]
    assert [f.device_id for f in stored(kit)] == ["d10"]
