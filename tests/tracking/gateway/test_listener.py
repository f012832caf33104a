"""Units' bytes over a real socket into the running application: stored, answered, kept apart."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, get_args

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from fleet.kit.i18n import t
from fleet.kit.settings import Settings
from fleet.kit.web import Kit
from fleet.org.assignments import assign
from fleet.people import Role, create_user
from tests.tracking.conftest import T0, import_city
from tests.tracking.drives import town
from tests.tracking.protocols.test_gt06 import sealed
from tests.tracking.protocols.unit_frames import AIS140
from tests.tracking.serving import make_app, serving
from tracking.devices.models import Device
from tracking.devices.service import register_device
from tracking.fixes.fix import Fix
from tracking.gateway.session import Reason
from tracking.protocols.ais140 import decode
from tracking.protocols.layouts import built_in

IMEI = "352093085223096"
OTHER_IMEI = "869867036940288"
PASSWORD = "a long enough passphrase"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Site:
    """A served city: device d1 with `IMEI` in v1, d2 with `OTHER_IMEI` in v2."""

    kit: Kit
    app: FastAPI
    address: str
    port: int

    @contextmanager
    def unit(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            yield connection

    def stored(self, device: str = "d1") -> list[Fix]:
        fixes, _ = self.app.state.fixlog.received({}, 1000)
        return [fix for fix in fixes if fix.device_id == device]

    def eventually(self, true: Callable[[], Any]) -> Any:
        """What a unit is not told, the test has to look for."""
        for _ in range(400):
            found = true()
            if found:
                return found
            time.sleep(0.025)
        raise AssertionError("It did not come about within ten seconds.")

    def get(self, path: str) -> Any:
        with httpx.Client(base_url=f"http://{self.address}") as client:
            body = {"username": "admin", "password": PASSWORD}
            assert client.post("/api/sign-in", json=body).status_code == 200
            answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def unknown(self, reason: str) -> dict[str, Any]:
        """The kept frame of that reason, once it is written."""
        found: dict[str, Any] = self.eventually(
            lambda: next(
                (f for f in self.get("/api/devices/unknown-frames") if f["reason"] == reason), None
            )
        )
        return found


@contextmanager
def a_site(kit: Kit, **settings: Any) -> Iterator[Site]:
    port = settings.pop("units_tcp_port", None)
    port = free_port() if port is None else port
    own = {"units_tcp_port": port, "units_tcp_host": "127.0.0.1"} | settings
    changed = Settings(**(kit.settings.model_dump() | own))
    kit = replace(kit, settings=changed)
    import_city(kit, town(3, size=2))
    with kit.db.unit_of_work() as session:
        for device, imei, protocol in (("d1", IMEI, "ais140"), ("d2", OTHER_IMEI, None)):
            register_device(session, id=device, label=device, now=T0)
            row = session.get(Device, device)
            assert row is not None
            row.external_id, row.protocol = imei, protocol
        assign(session, "device_vehicle", "d1", "v1", T0 - timedelta(hours=1))
        assign(session, "device_vehicle", "d2", "v2", T0 - timedelta(hours=1))
        create_user(
            session, username="admin", password=PASSWORD, name="A", role=Role.ADMIN, zones=None
        )
    app = make_app(kit)
    with serving(app) as address:
        yield Site(kit, app, address, port)


@pytest.fixture
def site(kit: Kit) -> Iterator[Site]:
    with a_site(kit) as made:
        yield made


@pytest.fixture
def quick_site(sqlite_kit: Kit) -> Iterator[Site]:
    """On SQLite alone, for what no database sees."""
    with a_site(sqlite_kit) as made:
        yield made


def xored(body: str) -> bytes:
    """A frame with the checksum of the standard."""
    value = 0
    for byte in body.encode():
        value ^= byte
    return f"${body}*{value:02X}\r\n".encode()


def normal(s: float = 0, *, imei: str = IMEI, kind: str = "NR", alert: str = "1") -> bytes:
    """A position `s` seconds after T0, five metres further east each second
    of the first minute."""
    when = f"{T0 + timedelta(seconds=s):%d%m%Y,%H%M%S}"
    return xored(
        f"TEL123,Teltonika,03.18.16,{kind},{alert},L,{imei},KA09X6945,1,{when},22.719600,N,"
        f"{75.86 + min(s, 60) * 5e-5:.6f},E,18.0,90.00,10,550.0,0.50,0.40,Airtel,1,1,12.6,4.1,0,,"
        "28,404,45,625A,116E,29,28DF,03A3,28,9A5C,0923,26,116F,625A,25,2A51,03A3,0010,00,000042,"
        "0.1,0.1,0,()"
    )


def emergency(kind: str = "EMR", *, imei: str = IMEI, s: float = 0, fix: str = "A") -> bytes:
    """The short form, with date and time joined."""
    when = f"{T0 + timedelta(seconds=s):%d%m%Y%H%M%S}"
    place = "22.719600,N,75.860000,E" if fix == "A" else "000.000000,N,000.000000,E"
    return xored(f"EPB,{kind},{imei},NM,{when},{fix},{place},543.0,0.0,0,G,KA01G1234,+91641023")


LOGIN = xored(f"LGN,KA09X6945,{IMEI},03.18.16,AIS140,22.7196,N,75.86,E")
HEARTBEAT = xored(f"HBT,Teltonika,03.18.16,{IMEI},100,30,0,10,60,0000,0.0,0.0")
LOGIN_ANSWER = b"$LGN" + f"{T0:%d%m%Y%H%M%S}".encode() + b"*\r\n"
HEARTBEAT_ANSWER = b"$HBT*\r\n"


def hear(connection: socket.socket, expected: bytes) -> None:
    got = b""
    while len(got) < len(expected):
        data = connection.recv(4096)
        assert data, f"closed after {got!r}"
        got += data
    assert got == expected


def hear_the_end(connection: socket.socket) -> None:
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass


def test_login_position_heartbeat(site: Site) -> None:
    """Answers come in the order of the frames, and only once the position is stored."""
    with site.unit() as unit:
        unit.sendall(LOGIN)
        hear(unit, LOGIN_ANSWER)
        unit.sendall(normal(0) + normal(5) + HEARTBEAT)
        hear(unit, HEARTBEAT_ANSWER)
        stored = site.stored()
    assert [(f.t, f.vehicle_id, f.mark) for f in stored] == [
        (T0, "v1", None),
        (T0 + timedelta(seconds=5), "v1", None),
    ]
    assert (stored[0].lon, stored[0].lat, stored[0].speed_mps) == (75.86, 22.7196, 5.0)
    assert (stored[0].ignition, stored[0].mains, stored[0].inputs) == (True, True, 0b0100)
    trail = site.get("/api/vehicles/v1/trail")
    assert [fix[:3] for fix in trail["fixes"]] == [
        [T0.timestamp(), 75.86, 22.7196],
        [T0.timestamp() + 5, 75.86025, 22.7196],
    ]
    assert site.get("/api/devices/unknown-frames") == []


def test_a_unit_without_login_is_known_by_its_first_position(site: Site) -> None:
    with site.unit() as unit:
        unit.sendall(normal(0))
        assert [f.t for f in site.eventually(site.stored)] == [T0]


def test_frames_split_over_segments_and_joined_in_one(quick_site: Site) -> None:
    stream = LOGIN + normal(0) + normal(5) + normal(10) + HEARTBEAT
    with quick_site.unit() as unit:
        unit.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(stream), 50):
            unit.sendall(stream[at : at + 50])
        hear(unit, LOGIN_ANSWER + HEARTBEAT_ANSWER)
        unit.sendall(normal(15).strip() + normal(20).strip() + HEARTBEAT.strip())
        hear(unit, HEARTBEAT_ANSWER)
    seconds = [(f.t - T0).seconds for f in quick_site.stored()]
    assert seconds == [0, 5, 10, 15, 20]


def test_an_emergency_lands_as_event_with_and_without_a_fix(site: Site) -> None:
    with site.unit() as unit:
        unit.sendall(emergency(s=0) + emergency(s=5, fix="V") + emergency("SEM", s=10) + HEARTBEAT)
        hear(unit, HEARTBEAT_ANSWER)
    assert [(f.event, f.mark) for f in site.stored()] == [
        ("sos", None),
        ("sos", "invalid"),
        ("sos_end", None),
    ]


def test_an_emergency_without_the_time_counts_from_when_it_was_heard(quick_site: Site) -> None:
    frame = xored(
        f",EPB,EMR,{IMEI},NM,00,00,0000,00,00,00,V,000.000000,N,000.000000,E,0.0,0.0,0.0,N,X,0"
    )
    with quick_site.unit() as unit:
        unit.sendall(frame)
        [fix] = quick_site.eventually(quick_site.stored)
    assert (fix.event, fix.t, fix.mark) == ("sos", T0, "invalid")


def test_an_unknown_imei_is_not_stored_and_is_shown_with_its_bytes(site: Site) -> None:
    """Closed after three; the administrator sees one row with their number."""
    stranger = normal(0, imei="111111111111111")
    with site.unit() as unit:
        unit.sendall(stranger * 5)
        hear_the_end(unit)
    row = site.unknown("unregistered")
    assert (row["external_id"], row["protocol"], row["device_id"]) == (
        "111111111111111", "ais140", None,
    )  # fmt: skip
    assert (row["n"], row["peer"]) == (3, "127.0.0.1")
    assert row["bytes_hex"] == stranger.strip().hex()
    assert row["text"] == stranger.strip().decode()
    assert row["why"]
    assert site.stored() == site.stored("d2") == []


def test_a_disabled_device_is_not_heard(quick_site: Site) -> None:
    with quick_site.kit.db.unit_of_work() as session:
        row = session.get(Device, "d1")
        assert row is not None
        row.disabled = True
    with quick_site.unit() as unit:
        unit.sendall(LOGIN + normal(0) + normal(5))
        hear_the_end(unit)
    assert quick_site.unknown("disabled")["device_id"] == "d1"
    assert quick_site.stored() == []


def test_disabling_a_device_ends_its_connection(quick_site: Site) -> None:
    """At once, and what it says when it comes again is not heard."""
    with quick_site.unit() as unit, httpx.Client(base_url=f"http://{quick_site.address}") as web:
        unit.sendall(LOGIN)
        hear(unit, LOGIN_ANSWER)
        said = web.post("/api/sign-in", json={"username": "admin", "password": PASSWORD}).json()
        headers = {"X-CSRF-Token": said["csrf"]}
        changed = web.patch("/api/devices/d1", json={"disabled": True}, headers=headers)
        assert changed.status_code == 200
        hear_the_end(unit)
    with quick_site.unit() as unit:
        unit.sendall(normal(0))
        assert quick_site.unknown("disabled")["device_id"] == "d1"
    assert quick_site.stored() == []


def test_a_device_of_another_protocol_is_not_heard(quick_site: Site) -> None:
    """d1 is registered for AIS-140; somebody logs in over GT06 with its number."""
    login = sealed(0x01, bytes.fromhex("0" + IMEI))
    with quick_site.unit() as unit:
        unit.sendall(login * 3)
        hear_the_end(unit)
    assert quick_site.unknown("other_protocol")["protocol"] == "gt06"


def test_a_wrong_checksum_proves_nothing_and_is_kept(site: Site) -> None:
    garbled = normal(5).replace(b"22.7196", b"22.7296")
    with site.unit() as unit:
        unit.sendall(normal(0) + garbled + normal(10) + HEARTBEAT)
        hear(unit, HEARTBEAT_ANSWER)
    assert [f.mark for f in site.stored()] == [None, "invalid", None]
    row = site.unknown("checksum")
    assert (row["device_id"], row["text"]) == ("d1", garbled.strip().decode())


def test_nobody_is_known_by_a_garbled_frame(quick_site: Site) -> None:
    garbled = normal(0).replace(b"22.7196", b"22.7296")
    with quick_site.unit() as unit:
        unit.sendall(garbled * 3)
        hear_the_end(unit)
    assert quick_site.stored() == []
    assert quick_site.unknown("checksum")["n"] == 3


def test_no_frame_of_one_unit_is_written_to_another(site: Site) -> None:
    """The connection is d1's; frames signed by d2 are kept as unknown, then it is closed."""
    with site.unit() as unit:
        unit.sendall(LOGIN)
        hear(unit, LOGIN_ANSWER)
        unit.sendall(normal(0) + normal(5, imei=OTHER_IMEI) * 3 + normal(10))
        hear_the_end(unit)
    assert [(f.t - T0).seconds for f in site.stored()] == [0]
    assert site.stored("d2") == []
    row = site.unknown("other_unit")
    assert (row["device_id"], row["external_id"], row["n"]) == ("d1", OTHER_IMEI, 3)


def test_a_newer_connection_of_the_unit_takes_the_place_of_the_older(quick_site: Site) -> None:
    with quick_site.unit() as older:
        older.sendall(LOGIN)
        hear(older, LOGIN_ANSWER)
        with quick_site.unit() as newer:
            newer.sendall(LOGIN)
            hear(newer, LOGIN_ANSWER)
            hear_the_end(older)
            newer.sendall(normal(0) + HEARTBEAT)
            hear(newer, HEARTBEAT_ANSWER)
    assert len(quick_site.stored()) == 1


def test_a_second_connection_for_emergencies_stands_beside_the_first(quick_site: Site) -> None:
    """Units open one to each of their servers, and a city may be both."""
    with quick_site.unit() as main, quick_site.unit() as urgent:
        main.sendall(LOGIN)
        hear(main, LOGIN_ANSWER)
        urgent.sendall(emergency())
        assert quick_site.eventually(quick_site.stored)[0].event == "sos"
        main.sendall(HEARTBEAT)
        hear(main, HEARTBEAT_ANSWER)


def test_a_frame_without_end_closes_the_connection(sqlite_kit: Kit) -> None:
    with a_site(sqlite_kit, units_frame_max_bytes=1024) as site, site.unit() as unit:
        unit.sendall(b"$NRM," + b"9" * 3000)
        hear_the_end(unit)
        assert site.unknown("length")["text"].startswith("$NRM,999")


def test_a_unit_that_says_nothing_whole_is_disconnected(sqlite_kit: Kit) -> None:
    """Bytes that drip in without ever being a frame do not keep it alive."""
    with a_site(sqlite_kit, units_idle_s=1.0) as site, site.unit() as unit:
        unit.sendall(LOGIN)
        hear(unit, LOGIN_ANSWER)
        started_s = time.monotonic()
        try:
            while time.monotonic() < started_s + 30:
                unit.sendall(b"$")
                time.sleep(0.1)
        except ConnectionError:
            return
        raise AssertionError("It was never disconnected.")


def test_bytes_of_no_protocol_are_kept_and_the_connection_closed(quick_site: Site) -> None:
    with quick_site.unit() as unit:
        unit.sendall(b"GET / HTTP/1.1\r\n\r\n")
        hear_the_end(unit)
    row = quick_site.unknown("protocol")
    assert (row["protocol"], row["text"]) == (None, "GET / HTTP/1.1····")


def test_a_frame_that_the_connection_cut_is_kept(quick_site: Site) -> None:
    with quick_site.unit() as unit:
        unit.sendall(LOGIN + normal(0)[:90])
        hear(unit, LOGIN_ANSWER)
    assert quick_site.unknown("unfinished")["device_id"] == "d1"
    assert quick_site.stored() == []


def test_a_unit_on_local_time_is_shown_with_the_layout_that_helps(quick_site: Site) -> None:
    """It says 05:30 too much; with the layout for Indian time its positions are good."""
    ahead = normal(5.5 * 3600)
    with quick_site.unit() as unit:
        unit.sendall(ahead + HEARTBEAT)
        hear(unit, HEARTBEAT_ANSWER)
    assert [f.mark for f in quick_site.stored()] == ["future"]
    assert "ais140-ist" in quick_site.unknown("clock")["why"]
    with quick_site.kit.db.unit_of_work() as session:
        row = session.get(Device, "d1")
        assert row is not None
        row.layout = "ais140-ist"
    with quick_site.unit() as unit:
        unit.sendall(ahead + HEARTBEAT)
        hear(unit, HEARTBEAT_ANSWER)
    assert [(f.t, f.mark) for f in quick_site.stored()][-1] == (T0, None)


def test_unknown_frames_are_bounded(quick_site: Site) -> None:
    """Thirty strangers from one address leave the newest twenty."""
    for n in range(30):
        with quick_site.unit() as unit:
            unit.sendall(normal(imei=f"{n + 1:015d}"))
            unit.shutdown(socket.SHUT_WR)
            hear_the_end(unit)
    newest = f"{30:015d}"
    quick_site.eventually(
        lambda: any(
            f["external_id"] == newest for f in quick_site.get("/api/devices/unknown-frames")
        )
    )
    assert len(quick_site.get("/api/devices/unknown-frames")) == 20


def test_who_is_no_administrator_sees_no_bytes(quick_site: Site) -> None:
    with quick_site.kit.db.unit_of_work() as session:
        create_user(
            session, username="chief", password=PASSWORD, name="C", role=Role.DISPATCHER, zones=None
        )
    with httpx.Client(base_url=f"http://{quick_site.address}") as client:
        assert client.get("/api/devices/unknown-frames").status_code == 401
        client.post("/api/sign-in", json={"username": "chief", "password": PASSWORD})
        assert client.get("/api/devices/unknown-frames").status_code == 403
        assert "ais140-ist" in client.get("/api/devices/layouts").json()["ais140"]


def test_gt06_login_position_alarm_heartbeat(site: Site) -> None:
    """d2 may speak any protocol. Only the login names it; what comes before is of nobody."""
    when = bytes([T0.year - 2000, T0.month, T0.day, T0.hour, T0.minute, T0.second])
    degrees = [round(value * 1_800_000).to_bytes(4) for value in (22.7196, 75.86)]
    place = b"\xca" + b"".join(degrees)
    position = sealed(0x22, when + place + bytes([18, 0x14, 0x5A]) + bytes(8) + b"\x01\x00\x00")
    later = when[:5] + bytes([when[5] + 5])
    alarm = sealed(
        0x26, later + place + bytes([18, 0x14, 0x5A, 9]) + bytes(8) + bytes([0x06, 4, 4, 1, 2]), 9
    )
    with site.unit() as unit:
        unit.sendall(position + sealed(0x01, bytes.fromhex("0" + OTHER_IMEI), 1))
        hear(unit, sealed(0x01, b"", 1))
        unit.sendall(b"\x00noise" + position + alarm + sealed(0x13, b"\x06\x04\x04\x00\x02", 10))
        hear(unit, sealed(0x26, b"", 9) + sealed(0x13, b"", 10))
    first, second = site.stored("d2")
    assert (first.t, first.vehicle_id, first.mark, first.ignition) == (T0, "v2", None, True)
    assert (first.lon, first.lat) == pytest.approx((75.86, 22.7196), abs=1e-6)
    assert (first.speed_mps, first.course_deg) == (5.0, 90.0)
    assert (second.event, second.t) == ("sos", T0 + timedelta(seconds=5))
    assert site.unknown("unidentified")["protocol"] == "gt06"
    assert site.unknown("form")["text"] == "·noise"


RECORDED = [row for row in AIS140 if row.kind in ("position", "emergency")]


def test_every_recorded_frame_is_stored_for_its_own_unit(quick_site: Site) -> None:
    """Each row of the decoder's table, as its unit sent it, on a connection of its own."""
    imeis = {row.imei for row in RECORDED} - {IMEI, OTHER_IMEI}
    with quick_site.kit.db.unit_of_work() as session:
        for imei in imeis:
            register_device(session, id=imei, label=imei, now=T0)
            row = session.get(Device, imei)
            assert row is not None
            row.external_id, row.layout = imei, "ais140-unchecked"
    expected = 0
    for row in RECORDED:
        with quick_site.unit() as unit:
            unit.sendall(row.frame.encode() + b"\r\n")
            unit.shutdown(socket.SHUT_WR)
            hear_the_end(unit)
        expected += len(decode(row.frame.encode(), built_in()).readings)
    fixes, _ = quick_site.app.state.fixlog.received({}, 1000)
    assert len(fixes) == expected
    named = {IMEI: "d1", OTHER_IMEI: "d2"}
    assert {f.device_id for f in fixes} == {named.get(r.imei, r.imei) for r in RECORDED}


def test_the_port_is_off_until_it_is_set(sqlite_kit: Kit) -> None:
    assert Settings().units_tcp_port == 0
    with a_site(sqlite_kit, units_tcp_port=0) as site:
        assert site.get("/api/devices/unknown-frames") == []


def test_only_the_units_networks_are_let_in(sqlite_kit: Kit) -> None:
    with a_site(sqlite_kit, units_networks="10.64.0.0/12, 192.0.2.1") as site, site.unit() as unit:
        unit.sendall(LOGIN)
        hear_the_end(unit)
        assert site.stored() == []


def test_no_more_connections_than_allowed(sqlite_kit: Kit) -> None:
    with a_site(sqlite_kit, units_connections_max=1) as site:
        with site.unit() as first:
            first.sendall(LOGIN)
            hear(first, LOGIN_ANSWER)
            with site.unit() as second:
                hear_the_end(second)

        def answered() -> bool:
            with site.unit() as third:
                third.sendall(HEARTBEAT)
                return third.recv(100) == HEARTBEAT_ANSWER

        assert site.eventually(answered)


def test_a_position_that_cannot_be_stored_is_not_answered(quick_site: Site) -> None:
    """Nor is the heartbeat behind it: the connection ends, and the unit sends both again."""
    with quick_site.unit() as unit:
        unit.sendall(normal(0) + HEARTBEAT)
        hear(unit, HEARTBEAT_ANSWER)
        (day,) = quick_site.kit.settings.fixes_dir.glob("*.sqlite3")
        with sqlite3.connect(day) as connection:
            connection.execute("ALTER TABLE fix RENAME TO away")
        unit.sendall(normal(5) + HEARTBEAT)
        assert unit.recv(100) == b""
        with sqlite3.connect(day) as connection:
            connection.execute("ALTER TABLE away RENAME TO fix")
    with quick_site.unit() as unit:
        unit.sendall(normal(5) + HEARTBEAT)
        hear(unit, HEARTBEAT_ANSWER)
    assert [(f.t - T0).seconds for f in quick_site.stored()] == [0, 5]


def test_what_prometheus_is_told(quick_site: Site) -> None:
    def count(outcome: str) -> float:
        labels = {"protocol": "ais140", "outcome": outcome}
        return REGISTRY.get_sample_value("safai_unit_frames_total", labels) or 0.0

    before = {outcome: count(outcome) for outcome in ("stored", "heard", "unknown")}
    with quick_site.unit() as unit:
        unit.sendall(LOGIN + normal(0) + b"$what,is,this*\r\n" + HEARTBEAT)
        hear(unit, LOGIN_ANSWER + HEARTBEAT_ANSWER)
    counted = {outcome: count(outcome) - was for outcome, was in before.items()}
    assert counted == {"stored": 1, "heard": 2, "unknown": 1}


def test_every_reason_is_told_in_both_languages() -> None:
    for reason in get_args(Reason.__value__):
        for lang in ("en", "hi"):
            assert t(lang, f"gateway.{reason}") != f"gateway.{reason}"
