"""Photos over HTTP: bytes in, the same picture out, and a refusal that says what to do."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from structlog.testing import capture_logs

from tests.main.conftest import Served, problem


def picture(size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of 60,000 × 60,000 pixels in 100 bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def test_a_photo_is_stored_once_and_seen_by_whoever_knows_it(shared_town: Served) -> None:
    anybody = shared_town.anybody
    sent = {"content": picture(), "headers": {"X-Client-Id": "photo-0001"}}
    made = anybody.post("/api/photos", **sent)
    assert made.status_code == 201
    assert made.json() == {
        "photo_id": made.json()["photo_id"], "width": 40, "height": 30, "lon": None, "lat": None,
    }  # fmt: skip
    assert anybody.post("/api/photos", **sent).json() == made.json()
    seen = anybody.get(f"/api/photos/{made.json()['photo_id']}")
    assert seen.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(seen.content)).size == (40, 30)


def test_an_id_stands_for_one_photo(shared_town: Served) -> None:
    headers = {"X-Client-Id": "photo-0002"}
    shared_town.anybody.post("/api/photos", content=picture(), headers=headers)
    other = shared_town.anybody.post("/api/photos", content=picture((20, 20)), headers=headers)
    assert (other.status_code, problem(other)["field"]) == (409, "X-Client-Id")


def test_an_unknown_photo_is_not_found(shared_town: Served) -> None:
    answer = shared_town.anybody.get("/api/photos/pho_none")
    assert (answer.status_code, problem(answer)["field"]) == (404, "photo")


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"<svg/>", 422), (b"", 422), (picture()[:200], 422), (bomb(), 413)],
    ids=["no image", "nothing", "cut short", "bomb"],
)
def test_what_is_no_photo_is_refused_and_logged(
    shared_town: Served, content: bytes, status: int
) -> None:
    with capture_logs() as logs:
        answer = shared_town.anybody.post("/api/photos", content=content)
    refusal = problem(answer)
    assert (refusal["status"], refusal["field"]) == (status, "photo")
    assert refusal["remedy"]
    (entry,) = (log for log in logs if log["event"] == "request_refused")
    assert (entry["path"], entry["status"], entry["field"]) == ("/api/photos", status, "photo")


def test_an_upload_is_not_read_beyond_the_limit(shared_town: Served) -> None:
    """Neither when its length is announced, nor when it comes piece by piece."""
    most = shared_town.kit.settings.photo_max_bytes
    announced = shared_town.anybody.post(
        "/api/photos", content=b"x", headers={"Content-Length": str(most + 1)}
    )
    assert (announced.status_code, problem(announced)["field"]) == (413, "photo")
    streamed = shared_town.anybody.post("/api/photos", content=iter([bytes(1_000_000)] * 13))
    assert problem(streamed)["status"] == 413
