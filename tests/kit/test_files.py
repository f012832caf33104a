"""Photos: what is stored, what is read from them, what is refused."""

from __future__ import annotations

import io
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image
from sqlalchemy import func, select

from fleet.kit.errors import Conflict, Malformed, NotFound, Problem, TooLarge
from fleet.kit.files import Photo, PhotoStore
from fleet.kit.i18n import speaking
from fleet.kit.web import Kit


def picture(
    size: tuple[int, int] = (40, 30), kind: str = "JPEG", exif: Image.Exif | None = None
) -> bytes:
    out = io.BytesIO()
    options: dict[str, Any] = {} if exif is None else {"exif": exif}
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **options)
    return out.getvalue()


def exif(**gps: Any) -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = 6
    tags.get_ifd(ExifTags.IFD.GPSInfo).update(
        {ExifTags.GPS[f"GPS{name}"].value: value for name, value in gps.items()}
    )
    tags.get_ifd(ExifTags.IFD.Exif).update(
        {
            ExifTags.Base.DateTimeOriginal: "2026:03:02 06:15:00",
            ExifTags.Base.OffsetTimeOriginal: "+05:30",
        }
    )
    return tags


def test_a_photo_is_stored_upright_without_its_exif(kit: Kit) -> None:
    tags = exif(
        Longitude=(75.0, 54.0, 0.0), LongitudeRef="E", Latitude=(22.0, 45.0, 0.0), LatitudeRef="N"
    )
    stored = kit.photos.save(picture((40, 30), exif=tags))
    assert (stored.width, stored.height) == (30, 40)
    assert (stored.lon, stored.lat) == pytest.approx((75.9, 22.75))
    assert stored.taken_at == datetime(2026, 3, 2, 0, 45, tzinfo=UTC)
    with Image.open(kit.photos.open(stored.id)) as image:
        assert (image.format, image.size) == ("JPEG", (30, 40))
        assert not image.getexif()


@pytest.mark.parametrize(
    ("gps", "place"),
    [
        pytest.param(
            {
                "Longitude": (43.0, 12.0, 0.0),
                "LongitudeRef": "W",
                "Latitude": (20.0, 27.0, 0.0),
                "LatitudeRef": "S",
            },
            (-43.2, -20.45),
            id="south-west",
        ),
        pytest.param({"Longitude": (0.0,) * 3, "Latitude": (0.0,) * 3}, None, id="null-island"),
        pytest.param({"Longitude": (200.0, 0.0, 0.0), "Latitude": (1.0,) * 3}, None, id="far"),
        pytest.param({"Longitude": (75.0, 1.0, 1.0)}, None, id="half"),
        pytest.param({}, None, id="none"),
    ],
)
def test_the_cameras_place_is_read_where_it_is_plausible(
    sqlite_kit: Kit, gps: dict[str, Any], place: tuple[float, float] | None
) -> None:
    stored = sqlite_kit.photos.save(picture(exif=exif(**gps)))
    if place is None:
        assert (stored.lon, stored.lat) == (None, None)
    else:
        assert (stored.lon, stored.lat) == pytest.approx(place)


def test_a_large_photo_is_scaled_down(sqlite_kit: Kit) -> None:
    stored = sqlite_kit.photos.save(picture((3200, 800), "PNG"))
    assert (stored.width, stored.height) == (1600, 400)


def test_the_same_picture_has_one_file_and_two_ids(sqlite_kit: Kit) -> None:
    first, second = (sqlite_kit.photos.save(picture()) for _ in range(2))
    assert first.id != second.id
    assert sqlite_kit.photos.open(first.id) == sqlite_kit.photos.open(second.id)
    files = [path.name for path in sqlite_kit.settings.photos_dir.rglob("*") if path.is_file()]
    assert files == [f"{first.sha256}.jpg"]


def test_the_same_upload_is_one_photo_and_another_under_its_id_a_conflict(kit: Kit) -> None:
    first = kit.photos.save(picture(), client_id="phone-1")
    assert kit.photos.save(picture(), client_id="phone-1") == first
    with pytest.raises(Conflict):
        kit.photos.save(picture((50, 50)), client_id="phone-1")
    with kit.db.reading() as session:
        assert session.scalar(select(func.count(Photo.id))) == 1


def bomb(side: int = 30_000) -> bytes:
    """A small PNG that claims 900 million pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    header = side.to_bytes(4) * 2 + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(b"", Malformed, id="empty"),
        pytest.param(b"GIF89a and so on", Malformed, id="other-format"),
        pytest.param(b"%PDF-1.7 " * 100, Malformed, id="pdf"),
        pytest.param(picture((90, 90))[:700], Malformed, id="truncated"),
        pytest.param(b"\x00\x00\x00\x18ftypheic" + bytes(100), Malformed, id="heic"),
        pytest.param(bomb(), TooLarge, id="bomb"),
        pytest.param(picture((200, 60)), TooLarge, id="too-many-pixels"),
        pytest.param(picture((90, 90)) + bytes(20_000), TooLarge, id="too-many-bytes"),
    ],
)
def test_what_is_no_usable_photo_is_refused_and_leaves_nothing(
    sqlite_kit: Kit, tmp_path: Path, data: bytes, kind: type[Problem]
) -> None:
    store = PhotoStore(tmp_path / "small", sqlite_kit.db, max_bytes=20_000, max_pixels=10_000)
    with pytest.raises(kind) as caught:
        store.save(data)
    assert caught.value.field == "photo"
    assert caught.value.remedy
    assert not list(tmp_path.rglob("*.jpg"))
    assert not list(tmp_path.rglob("*.part"))
    with sqlite_kit.db.reading() as session:
        assert session.scalar(select(func.count(Photo.id))) == 0


def test_a_refusal_speaks_the_callers_language(sqlite_kit: Kit) -> None:
    token = speaking.set("hi")
    with pytest.raises(Malformed, match="फ़ोटो"):
        sqlite_kit.photos.save(b"no photo")
    speaking.reset(token)


def test_an_unknown_photo_is_not_found(sqlite_kit: Kit) -> None:
    with pytest.raises(NotFound):
        sqlite_kit.photos.open("pho_unknown")
