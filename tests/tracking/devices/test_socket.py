"""The devices' socket over a real port: acknowledgements, refusals and every close code."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fleet.kit.settings import ClockMode, Settings
from fleet.kit.web import Kit
from fleet.org.assignments import assign
from tests.conftest import HandMonotonic
from tests.tracking.conftest import KOLKATA, T0, import_city
from tests.tracking.drives import town
from tests.tracking.serving import make_app, serving
from tracking.devices.service import register_device
from tracking.devices.socket import Close
from tracking.fixes.log import FixLog
from tracking.fixes.log_sqlite import SqliteFixLog


class Site:
    """A served city with devices d1 (in v1) and d2 (in none)."""

    def __init__(self, kit: Kit, app: FastAPI, address: str, tokens: dict[str, str]) -> None:
        self.kit = kit
        self.app = app
        self.address = address
        self.tokens = tokens

    def open(
        self, device: str = "d1", token: str | None = None, **options: Any
    ) -> ClientConnection:
        headers = {"Authorization": f"Bearer {token or self.tokens[device]}"}
        return connect(
            f"ws://{self.address}/ws/devices/{device}", additional_headers=headers, **options
        )

    @property
    def fixlog(self) -> FixLog:
        log: FixLog = self.app.state.fixlog
        return log


def prepare(kit: Kit) -> dict[str, str]:
    import_city(kit, town(3, size=2))
    with kit.db.unit_of_work() as session:
        tokens = {
            device: register_device(session, id=device, label=device, now=T0)
            for device in ("d1", "d2")
        }
        assign(session, "device_vehicle", "d1", "v1", T0 - timedelta(hours=1))
    return tokens


@pytest.fixture
def site(kit: Kit) -> Iterator[Site]:
    tokens = prepare(kit)
    app = make_app(kit)
    with serving(app) as address:
        yield Site(kit, app, address, tokens)


@pytest.fixture
def strict_site(sqlite_kit: Kit) -> Iterator[Site]:
    """With small limits, and a wall clock so that the rate counts."""
    settings = Settings(
        data_dir=sqlite_kit.settings.data_dir,
        clock=ClockMode.WALL,
        device_frame_max_bytes=1024,
        device_frame_max_fixes=3,
        device_frames_per_s=2,
    )
    kit = replace(sqlite_kit, settings=settings)
    tokens = prepare(kit)
    app = make_app(kit)
    with serving(app) as address:
        yield Site(kit, app, address, tokens)


def frame(seq: int, *seconds: float, **more: Any) -> str:
    fixes = [
        {"t": T0.timestamp() + s, "lon": 75.86 + s * 1e-5, "lat": 22.72, **more} for s in seconds
    ]
    return json.dumps({"seq": seq, "fixes": fixes})


def ask(socket: ClientConnection, text: str | bytes) -> dict[str, Any]:
    socket.send(text)
    answer: dict[str, Any] = json.loads(socket.recv(timeout=10))
    return answer


def closing(socket: ClientConnection, text: str | bytes | None = None) -> tuple[int, str]:
    """Code and reason with which the server closes."""
    if text is not None:
        socket.send(text)
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=10)
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


def test_what_is_acknowledged_is_stored_and_live(site: Site) -> None:
    with site.open() as socket:
        assert ask(socket, frame(7, 0, 5, speed_mps=2.0)) == {"ack": 7}
        stored = site.fixlog.window("v1", T0, T0 + timedelta(minutes=1))
        assert [(f.t, f.device_id, f.received_t) for f in stored] == [
            (T0, "d1", T0),
            (T0 + timedelta(seconds=5), "d1", T0),
        ]
        assert ask(socket, frame(8, 0, 5, speed_mps=2.0)) == {"ack": 8}
        assert len(site.fixlog.window("v1", T0, T0 + timedelta(minutes=1))) == 2
    live = site.app.state.live.view("v1", T0 + timedelta(seconds=10))
    assert (live["state"], live["device_id"], live["t"]) == ("moving", "d1", "2026-03-02T00:30:05Z")
    assert site.kit.hub.positions()["v1"]["lon"] == pytest.approx(75.86005)


def test_a_bad_fix_is_refused_by_name_and_the_rest_is_stored(site: Site) -> None:
    with site.open() as socket:
        sent = json.loads(frame(1, 0, 5))
        sent["fixes"].insert(1, {"t": T0.timestamp(), "lon": 175.86, "lat": 92.72})
        answer = ask(socket, json.dumps(sent))
    assert answer["ack"] == 1
    [refusal] = answer["refused"]
    assert (refusal["i"], refusal["field"]) == (1, "lat")
    assert len(site.fixlog.window("v1", T0, T0 + timedelta(hours=2))) == 2


def test_a_fix_with_an_impossible_time_is_set_aside_and_proves_nothing(site: Site) -> None:
    """A unit whose clock stands in 2080 makes no days there, and keeps no live position."""
    in_2080 = T0.timestamp() + 54 * 365 * 86_400
    with site.open() as socket:
        sent = json.loads(frame(1, 0, 5))
        sent["fixes"][0]["lat"] = 99
        sent["fixes"].append({"t": in_2080, "lon": 75.86, "lat": 22.72})
        sent["fixes"].append({"t": 0, "lon": 75.86, "lat": 22.72})
        answer = ask(socket, json.dumps(sent))
        assert [refusal["i"] for refusal in answer["refused"]] == [0]
        assert [(a["i"], a["mark"]) for a in answer["aside"]] == [(2, "future"), (3, "stale")]
        assert all(a["reason"] and a["remedy"] for a in answer["aside"])
        ask(socket, json.dumps(sent))
    assert site.fixlog.stored_days() == ["2026-03-02"]
    window = T0 - timedelta(minutes=1), T0 + timedelta(minutes=1)
    assert [f.t for f in site.fixlog.window("v1", *window)] == [T0 + timedelta(seconds=5)]
    every = site.fixlog.window("v1", *window, include_marked=True)
    assert [(f.t, f.mark, f.raw_t_ms) for f in every] == [
        (T0, "future", round(in_2080 * 1000)),
        (T0, "stale", 0),
        (T0 + timedelta(seconds=5), None, None),
    ]
    assert site.app.state.live.view("v1", T0)["t"] == "2026-03-02T00:30:05Z"


def test_a_week_number_that_began_again_is_put_right_and_counts(site: Site) -> None:
    said = T0.timestamp() - 1024 * 7 * 86_400
    with site.open() as socket:
        sent = {"seq": 1, "fixes": [{"t": said, "lon": 75.86, "lat": 22.72}]}
        assert ask(socket, json.dumps(sent)) == {"ack": 1}
        assert ask(socket, json.dumps(sent)) == {"ack": 1}
    [stored] = site.fixlog.window("v1", T0, T0 + timedelta(minutes=1))
    assert (stored.t, stored.raw_t_ms, stored.mark, stored.remark) == (
        T0, round(said * 1000), None, "rollover",
    )  # fmt: skip


def test_a_frame_that_could_not_be_stored_is_new_when_it_comes_again(strict_site: Site) -> None:
    """Filters forget what the log does not have: nothing is called a repetition."""
    folder = strict_site.kit.settings.fixes_dir
    with strict_site.open() as socket:
        ask(socket, frame(1, 0))
        (day,) = folder.glob("*.sqlite3")
        with sqlite3.connect(day) as connection:
            connection.execute("ALTER TABLE fix RENAME TO away")
        assert closing(socket, frame(2, 5, 10))[0] == Close.NOT_STORED
        with sqlite3.connect(day) as connection:
            connection.execute("ALTER TABLE away RENAME TO fix")
    with strict_site.open() as socket:
        ask(socket, frame(2, 5, 10, battery_v=12.0))
    assert len(strict_site.fixlog.window("v1", T0, T0 + timedelta(minutes=1))) == 3


def test_a_fix_belongs_to_who_held_the_device_at_its_time(site: Site) -> None:
    """d1 moves from v1 to v2 at T0 + 10 s; a late fix still counts for v1. d2 is in no vehicle."""
    with site.open() as socket, site.open("d2") as loose:
        ask(socket, frame(1, 0))
        with site.kit.db.unit_of_work() as session:
            assign(session, "device_vehicle", "d1", "v2", T0 + timedelta(seconds=10))
        ask(socket, frame(2, 5, 10, 15))
        ask(loose, frame(1, 20))
    end = T0 + timedelta(minutes=1)
    assert [(f.t - T0).seconds for f in site.fixlog.window("v1", T0, end)] == [0, 5]
    assert [(f.t - T0).seconds for f in site.fixlog.window("v2", T0, end)] == [10, 15]
    everything, _ = site.fixlog.received({}, 10)
    assert [f.vehicle_id for f in everything if f.device_id == "d2"] == [None]


def test_a_jump_is_stored_with_its_mark(site: Site) -> None:
    with site.open() as socket:
        ask(socket, frame(1, 0))
        far = {"t": T0.timestamp() + 5, "lon": 75.88, "lat": 22.72}
        assert ask(socket, json.dumps({"seq": 2, "fixes": [far]})) == {"ack": 2}
    end = T0 + timedelta(minutes=1)
    marks = [f.mark for f in site.fixlog.window("v1", T0, end, include_marked=True)]
    assert marks == [None, "jump"]


def test_many_devices_are_stored_each_in_its_order(site: Site) -> None:
    """Frames are sent ahead of their answers; every device sees its answers in order."""
    with site.open() as one, site.open("d2") as other:
        for seq in range(30):
            one.send(frame(seq, seq))
            other.send(frame(seq, seq))
        for socket in (one, other):
            answers = [json.loads(socket.recv(timeout=10))["ack"] for _ in range(30)]
            assert answers == list(range(30))
    stored, _ = site.fixlog.received({}, 100)
    for device in ("d1", "d2"):
        seconds = [(f.t - T0).seconds for f in stored if f.device_id == device]
        assert seconds == list(range(30))


def test_the_live_state_comes_back_after_a_restart(site: Site) -> None:
    with site.open() as socket:
        ask(socket, frame(1, 0, 5))
    again = make_app(site.kit)
    with serving(again):
        assert again.state.live.view("v1", T0)["t"] == "2026-03-02T00:30:05Z"
        assert again.state.live.view("v2", T0)["state"] == "never"
        later = again.state.live.view("v1", T0 + timedelta(seconds=300))
        assert (later["silent"], later["state"]) == (True, "silent")


@pytest.mark.parametrize(
    ("device", "token"), [("d1", "wrong"), ("d1", None), ("nobody", "wrong")],
    ids=["a-wrong-token", "another-devices-token", "an-unknown-device"],
)  # fmt: skip
def test_4401_for_who_is_not_that_device(site: Site, device: str, token: str | None) -> None:
    with site.open(device, token or site.tokens["d2"]) as socket:
        assert closing(socket)[0] == Close.UNAUTHORISED


def test_a_browser_authenticates_by_subprotocol_from_our_own_page_only(strict_site: Site) -> None:
    url = f"ws://{strict_site.address}/ws/devices/d1"
    protocols: Any = ["safai.device", strict_site.tokens["d1"]]
    with connect(url, subprotocols=protocols, origin=f"http://{strict_site.address}") as socket:
        assert socket.subprotocol == "safai.device"
    with connect(url, subprotocols=protocols, origin="https://elsewhere.example") as stranger:
        assert closing(stranger)[0] == Close.UNAUTHORISED


@pytest.mark.parametrize(
    "garbage", ["", "hello", "[]", '{"seq": 1}', "\x00\x01", b"\xff\x00binary", b'{"seq": 1}']
)
def test_4400_for_what_is_no_frame(strict_site: Site, garbage: str | bytes) -> None:
    with strict_site.open() as socket:
        code, reason = closing(socket, garbage)
    assert code == Close.MALFORMED
    assert reason


def test_4409_when_the_device_connects_again(strict_site: Site) -> None:
    with strict_site.open() as older, strict_site.open():
        assert closing(older)[0] == Close.REPLACED


def test_4413_for_too_many_bytes_or_fixes(strict_site: Site) -> None:
    for too_large in (frame(1, 0, 1, 2, 3), " " * 1025):
        with strict_site.open() as socket:
            assert closing(socket, too_large)[0] == Close.TOO_LARGE


def test_4429_for_too_many_frames(strict_site: Site, monotonic: HandMonotonic) -> None:
    """Two a second, and five seconds' worth at once; the eleventh is too much."""
    with strict_site.open() as socket:
        for seq in range(10):
            assert ask(socket, json.dumps({"seq": seq, "fixes": []})) == {"ack": seq}
        monotonic.advance(0.5)
        assert ask(socket, '{"seq": 10, "fixes": []}') == {"ack": 10}
        assert closing(socket, '{"seq": 11, "fixes": []}')[0] == Close.TOO_FAST


def test_1011_and_no_acknowledgement_when_fixes_cannot_be_stored(strict_site: Site) -> None:
    with strict_site.open() as socket:
        assert ask(socket, frame(1, 0)) == {"ack": 1}
        folder = strict_site.kit.settings.fixes_dir
        (day,) = folder.glob("*.sqlite3")
        with sqlite3.connect(day) as connection:
            connection.execute("ALTER TABLE fix RENAME TO away")
        assert closing(socket, frame(2, 5))[0] == Close.NOT_STORED
        with sqlite3.connect(day) as connection:
            connection.execute("ALTER TABLE away RENAME TO fix")
    with strict_site.open() as socket:
        assert ask(socket, frame(2, 5)) == {"ack": 2}
    assert len(strict_site.fixlog.window("v1", T0, T0 + timedelta(minutes=1))) == 2


def test_every_close_code_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "devices.md").read_text("utf-8")
    documented = {int(code) for code in re.findall(r"^\| (\d{4}) \|", page, re.MULTILINE)}
    assert documented == {int(code) for code in Close}


WRITER = """
import sys
from pathlib import Path
from tests.tracking.conftest import KOLKATA, fix
from tracking.fixes.log_sqlite import SqliteFixLog
log = SqliteFixLog(Path(sys.argv[1]), KOLKATA)
for n in range(10**6):
    log.append([fix(n)])
    print(n, flush=True)
"""


def test_what_a_killed_writer_had_acknowledged_is_there(tmp_path: Path) -> None:
    """SIGKILL while it writes: all that it reported is stored, in order, and the file is sound."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(50)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
    writer.wait()
    writer.stdout.close()
    log = SqliteFixLog(tmp_path, KOLKATA)
    stored, _ = log.received({}, 10**6)
    log.append([stored[0]])
    log.close()
    seconds = [(f.t - T0).total_seconds() for f in stored]
    assert seconds[: len(acknowledged)] == acknowledged
    assert len(seconds) <= len(acknowledged) + 1
