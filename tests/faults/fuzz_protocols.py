"""Mutated frames against every decoder: `python -m tests.faults.fuzz_protocols --frames 1000000`.

Each decoder starts from its recorded frames. A mutation flips bits, cuts, splices two frames of
the protocol, swaps parts, repeats a part or puts in a hostile word; frames of GT06 get their right
checksum back half of the time, so that what lies behind it is reached. A decoder may read a frame
or refuse it with an error of its own; what it reads has to be storable or refused by `check`, of
bounded size, and finite. A crash is any other error, and its frame is printed.

`--socket-frames` of the AIS-140 and GT06 frames go over real sockets into the running application,
on connections of one unit: no fix of another may come of them.

| key | |
|---|---|
| frames, read, refused, crashes | numbers, by decoder |
| strangers_fixes | fixes that came to a device whose unit did not send them |
| rss_mb_first, rss_mb_last, rss_mb_most | memory after warming up, at the end, the most between |
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import random
import re
import resource
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import structlog

from tests.tracking.protocols import (
    test_gpx,
    test_osmand,
    test_owntracks,
    test_traccar,
    test_vendor_rest,
)
from tests.tracking.protocols.unit_frames import AIS140, GT06
from tracking.protocols import ais140, gpx, gt06, osmand, owntracks, traccar, vendor_rest, websocket
from tracking.protocols.checksums import crc16_reflected
from tracking.protocols.layouts import built_in
from tracking.protocols.lenient import Unreadable, parsed
from tracking.protocols.reading import Limits, Reading, check
from tracking.protocols.units import NO_TIME, Decoded, FrameTooLong, UnknownFrame

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LIMITS = Limits(most_fixes=500, future_s=120, retention_days=30)
MOST_HELD = 16_384
WORDS = [
    b"", b",", b"$", b"*", b"\x00", b"\r\n", b"9" * 40, b"-0", b"1e999", b"NaN", b"null", b"[]",
    b"{}", b"[" * 60, b'"', b"\xff\xfe", "९".encode(), b"xx", b"yy", b"$,", b"\x78\x78",
    b"\x79\x79", b"24122018", b"000000", b"-91.0", b"181", b"1" + b"0" * 400,
]  # fmt: skip

VALUES = [
    b"0", b"-1", b"1e308", b"1e999", b"-0.0", b"99999999999999999999", b"1" + b"0" * 400, b"null",
    b"true", b'""', b'"x"', b'"1e999"', b'"2026-13-45T99:99:99Z"', b"[]", b"{}", b'"\\ud800"',
    b"31022020", b"000000", b"V", b"S", b"352093085223096",
]  # fmt: skip
"""What may come where a value was, so that the frame keeps its form."""
_VALUE = re.compile(rb'"[^"]*"|-?\d+(?:\.\d+)?|true|false|null')


@dataclass(frozen=True)
class Target:
    """A decoder with recorded frames; `decode` answers the readings, or raises one of `errors`."""

    name: str
    seeds: Sequence[bytes]
    decode: Callable[[bytes], Iterable[Reading]]
    errors: tuple[type[Exception], ...]
    mend: Callable[[bytes], bytes] = lambda frame: frame


def targets() -> list[Target]:
    """One for each protocol that a unit, a server or an administrator can bring bytes in."""
    mappings = [(answer, body.encode()) for answer, body, *_ in test_vendor_rest.ANSWERS.values()]
    fix = {
        "t": 1772411400.5, "lon": 75.86, "lat": 22.72, "speed_mps": 1.5, "course_deg": 90,
        "hdop": 0.8, "sats": 11, "ignition": True, "battery_v": 12.6, "load_kg": 320, "inputs": 3,
        "event": "sos", "valid": False,
    }  # fmt: skip
    return [
        Target("ais140", [row.frame.encode() for row in AIS140], _ais140, (UnknownFrame,)),
        Target("ais140-stream", [row.frame.encode() for row in AIS140], _text_stream, ()),
        Target("gt06", [bytes.fromhex(row.frame) for row in GT06], _gt06, (UnknownFrame,), _reseal),
        Target("gt06-stream", [bytes.fromhex(row.frame) for row in GT06], _binary_stream, ()),
        Target(
            "websocket",
            [
                json.dumps({"seq": 7, "fixes": [fix]}).encode(),
                json.dumps(
                    {"seq": 8, "fixes": [fix | {"t": "2026-03-02T06:00:00+05:30"}] * 3}
                ).encode(),
            ],
            _websocket,
            (websocket.MalformedFrame, websocket.TooManyFixes),
        ),
        Target(
            "osmand",
            [query.encode() for query, *_ in test_osmand.PARAMETERS.values()],
            lambda body: [_osmand_parameters(body)],
            (Unreadable,),
        ),
        Target(
            "osmand-json",
            [_OSMAND_JSON],
            lambda body: [osmand.decode_json(body).reading],
            (Unreadable,),
        ),
        Target(
            "owntracks",
            [body.encode() for body, *_ in test_owntracks.MESSAGES.values()],
            owntracks.decode,
            (Unreadable,),
        ),
        Target(
            "traccar",
            [body.encode() for body, *_ in test_traccar.POSITIONS.values()],
            lambda body: [each.reading for each in traccar.decode(body)],
            (Unreadable,),
        ),
        Target(
            "gpx",
            [test_gpx.GPSLOGGER_1_0.encode(), test_gpx.GARMIN_1_1.encode()],
            lambda body: [reading for _, reading in gpx.read(body).readings],
            (Unreadable,),
        ),
        *(
            Target(
                f"vendor-rest-{i}",
                [body],
                lambda body, mapping=mapping: _vendor(body, mapping),
                (Unreadable,),
            )
            for i, (mapping, body) in enumerate(mappings)
        ),
    ]


_OSMAND_JSON = json.dumps(
    {
        "location": {
            "timestamp": "2026-03-02T00:30:05.000Z",
            "coords": {
                "latitude": 22.72, "longitude": 75.86, "accuracy": 5, "speed": 1.4, "heading": 92,
                "altitude": 553,
            },
            "battery": {"level": 0.4, "is_charging": False},
            "event": "motionchange",
        },
        "device_id": "phone-1",
    }
).encode()  # fmt: skip


def _ais140(frame: bytes) -> Iterable[Reading]:
    return _answered(ais140.decode(frame, built_in()), frame)


def _gt06(frame: bytes) -> Iterable[Reading]:
    return _answered(gt06.decode(frame, built_in()), frame)


def _answered(decoded: Decoded, frame: bytes) -> Iterable[Reading]:
    """The readings, after a look at the answer."""
    if decoded.reply is not None:
        assert len(decoded.reply(NOW)) <= len(frame) + 64, "an answer larger than what it answers"
    return [
        msgspec.structs.replace(r, t=NOW.timestamp()) if r.t == NO_TIME else r
        for r in decoded.readings
    ]


def _text_stream(data: bytes) -> Iterable[Reading]:
    return _stream(ais140.TextFramer(MOST_HELD), data, _ais140)


def _binary_stream(data: bytes) -> Iterable[Reading]:
    return _stream(gt06.BinaryFramer(MOST_HELD), data, _gt06)


def _stream(
    framer: Any, data: bytes, decode: Callable[[bytes], Iterable[Reading]]
) -> list[Reading]:
    """Through the framer in uneven segments; what it gives out is what came in, and no more."""
    readings: list[Reading] = []
    given = 0
    cut = len(data) // 3 + 1
    for at in range(0, len(data), cut):
        with suppress(FrameTooLong):
            for frame in (*framer.feed(data[at : at + cut]), *framer.pause()):
                given += len(frame)
                with suppress(UnknownFrame):
                    readings += decode(frame)
    assert given + len(framer.rest()) <= len(data), "the framer made bytes up"
    return readings


def _websocket(body: bytes) -> Iterable[Reading]:
    return [reading for _, reading in websocket.decode(body, LIMITS).readings]


def _osmand_parameters(body: bytes) -> Reading:
    parameters = dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
    return osmand.decode_parameters(parameters).reading


def _vendor(body: bytes, mapping: vendor_rest.Answer) -> Iterable[Reading]:
    return [reading for _, reading in vendor_rest.decode(parsed(body), mapping).readings]


def _reseal(frame: bytes) -> bytes:
    """The same content with a length and a checksum that are right."""
    content = frame[3:-4][:250]
    body = bytes([len(content) + 2]) + content
    crc = crc16_reflected(body, 0xFFFF) ^ 0xFFFF
    return b"\x78\x78" + body + crc.to_bytes(2) + b"\r\n"


def mutate(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A frame that no unit has sent."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at, to = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        match rng.randrange(11):
            case 0:
                for _ in range(rng.randint(1, 4)):
                    if data:
                        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            case 1:
                del data[at:]
            case 2:
                del data[:at]
            case 3:
                del data[at : min(to, at + 30)]
            case 4:
                other = rng.choice(seeds)
                data[at:] = other[rng.randrange(len(other)) :]
            case 5:
                data[at:at] = data[at:to] * rng.choice((1, 1, 2, 20))
            case 6:
                data[at : at + rng.randrange(8)] = rng.choice(WORDS)
            case 7 | 8 | 9:
                values = list(_VALUE.finditer(data))
                if values:
                    value = rng.choice(values)
                    data[value.start() : value.end()] = rng.choice(VALUES)
            case _:
                a, b = (rng.choice(_parts(data)) for _ in range(2))
                data = bytearray(bytes(data).replace(a, b, 1)) if a else data
        del data[MOST_HELD:]
    return bytes(data)


def _parts(data: bytearray) -> list[bytes]:
    """Fields, so that a swapped one looks like what should stand there."""
    return bytes(data).split(b"," if b"," in data else b"&" if b"&" in data else b"\x00")


def inspect(readings: Iterable[Reading], frame: bytes) -> None:
    """What every reading must be, wherever it came from."""
    readings = list(readings)
    assert len(readings) <= max(500, len(frame)), "more readings than bytes"
    for i, reading in enumerate(readings):
        if isinstance(check(i, reading), tuple):
            assert -90 <= reading.lat <= 90
            assert -180 <= reading.lon <= 180
            for value in msgspec.structs.astuple(reading):
                assert not isinstance(value, float) or math.isfinite(value), "an endless number"


def fuzz(
    target: Target, frames: int, rng: random.Random, show: Callable[[str], None]
) -> Counter[str]:
    """The outcome of each mutated frame, counted."""
    counts: Counter[str] = Counter()
    for _ in range(frames):
        frame = mutate(rng, target.seeds)
        if rng.random() < 0.5:
            frame = target.mend(frame)
        try:
            inspect(target.decode(frame), frame)
        except target.errors:
            counts["refused"] += 1
        except Exception as error:
            counts["crashes"] += 1
            show(f"{target.name}: {type(error).__name__}: {error}: {frame[:400]!r}")
        else:
            counts["read"] += 1
    return counts


def rss_mb() -> float:
    """What this process holds now; the most it ever held where the system does not tell."""
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def served() -> Iterator[tuple[Any, int, dict[str, str]]]:
    """The application with every recorded IMEI as a device; (app, port, device by IMEI)."""
    from fleet.kit.db import Database
    from fleet.kit.settings import ClockMode, Settings
    from fleet.kit.web import Kit
    from tests.tracking.serving import make_app, serving
    from tracking.devices.models import Device
    from tracking.devices.service import register_device

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder), clock=ClockMode.STEPPED, clock_start=NOW,
            units_tcp_port=port, units_tcp_host="127.0.0.1",
        )  # fmt: skip
        kit = Kit.open(settings)
        kit.db.create_all()
        imeis = {row.imei for row in AIS140}
        with kit.db.unit_of_work() as session:
            for imei in imeis:
                register_device(session, id=f"d{imei}", label=imei, now=NOW)
                device = session.get(Device, f"d{imei}")
                assert device is not None
                device.external_id, device.layout = imei, "ais140-unchecked"
        app = make_app(kit)
        assert isinstance(kit.db, Database)
        with serving(app):
            yield app, port, {imei: f"d{imei}" for imei in imeis}
        kit.db.close()


def over_sockets(frames: int, rng: random.Random) -> dict[str, int]:
    """Connections of one unit at a time, each sending its login, its own and others' frames."""
    with served() as (app, port, devices):
        seeds = [row.frame.encode() for row in AIS140]
        sent = 0
        stored = strangers = 0
        cursor: dict[str, int] = {}
        while sent < frames:
            imei = rng.choice(list(devices))
            lines = [f"$LGN,X,{imei},1.0*\r\n".encode()]
            for _ in range(25):
                frame = mutate(rng, seeds)
                if rng.random() < 0.5:
                    for other in devices:
                        frame = frame.replace(other.encode(), imei.encode())
                lines.append(frame + b"\r\n")
            sent += len(lines) - 1
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 10) as unit:
                unit.sendall(b"".join(lines))
                unit.shutdown(socket.SHUT_WR)
                while unit.recv(4096):
                    pass
            while True:
                fixes, cursor = app.state.fixlog.received(cursor, 1000)
                stored += len(fixes)
                strangers += sum(fix.device_id != devices[imei] for fix in fixes)
                if len(fixes) < 1000:
                    break
        return {"socket_frames": sent, "socket_fixes": stored, "strangers_fixes": strangers}


def run(frames: int, socket_frames: int, seed: int, show: Callable[[str], None]) -> dict[str, Any]:
    """The whole run, as the table above says."""
    rng = random.Random(seed)
    all_targets = targets()
    for target in all_targets:
        for frame in target.seeds:
            inspect(target.decode(frame), frame)
        fuzz(target, 200, random.Random(seed), show)
    first = most = rss_mb()
    started_s = time.monotonic()
    by_decoder: dict[str, Counter[str]] = {target.name: Counter() for target in all_targets}
    rounds = 20
    per_round = math.ceil(frames / len(all_targets) / rounds)
    for _ in range(rounds):
        for target in all_targets:
            by_decoder[target.name] += fuzz(target, per_round, rng, show)
        most = max(most, rss_mb())
    last = rss_mb()
    sockets = over_sockets(socket_frames, rng) if socket_frames else {}
    total = sum(by_decoder.values(), Counter())
    return {
        "seed": seed,
        "frames": sum(total.values()),
        "read": total["read"],
        "refused": total["refused"],
        "crashes": total["crashes"],
        "rss_mb_first": round(first, 1),
        "rss_mb_last": round(last, 1),
        "rss_mb_most": round(most, 1),
        "seconds": round(time.monotonic() - started_s),
        **sockets,
        "by_decoder": {name: dict(counts) for name, counts in by_decoder.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000, help="for all decoders together")
    parser.add_argument("--socket-frames", type=int, default=0, help="over real sockets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    report = run(
        options.frames,
        options.socket_frames,
        options.seed,
        lambda line: print(line, file=sys.stderr),
    )
    if options.json:
        print(json.dumps(report))
    else:
        for key, value in report.items():
            print(f"{key:16} {value}")
    return 1 if report["crashes"] or report.get("strangers_fixes") else 0


if __name__ == "__main__":
    sys.exit(main())
