"""Photos: re-encoded, stripped of EXIF, stored by the hash of their bytes, named at random."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from fleet.kit.db import Base, Database, now_of
from fleet.kit.errors import Conflict, Malformed, NotFound, TooLarge
from fleet.kit.i18n import speaking, t
from fleet.kit.ids import new_id

MAX_SIDE_PX = 1600
JPEG_QUALITY = 85
FORMATS = ("JPEG", "PNG", "WEBP")


class Photo(Base):
    """One upload. Several rows may share a file (`sha256` of its bytes)."""

    __tablename__ = "photos"

    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str | None] = mapped_column(unique=True)
    source_sha256: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    width: Mapped[int]
    height: Mapped[int]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    taken_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A stored photo; width and height in pixels; place and time as the camera wrote them."""

    id: str
    sha256: str
    width: int
    height: int
    lon: float | None
    lat: float | None
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Decoded:
    jpeg: bytes
    width: int
    height: int
    lon: float | None
    lat: float | None
    taken_at: datetime | None


class PhotoStore:
    """Photos in a folder, their rows in the database.

    Args:
        root: folder of the files.
        db: database of the rows.
        max_bytes: largest upload.
        max_pixels: most pixels that are decoded.
    """

    def __init__(
        self,
        root: Path,
        db: Database,
        *,
        max_bytes: int = 12_582_912,
        max_pixels: int = 50_000_000,
    ) -> None:
        self._root = root
        self._db = db
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels

    def save(self, data: bytes, *, client_id: str | None = None) -> StoredPhoto:
        """Store an upload; opens its own unit of work once the file is safe on disk.

        Args:
            data: the image as uploaded.
            client_id: the client's own id for this upload: the same again answers the same photo.

        Raises:
            Malformed, TooLarge: no image that we can read, or one that is too large.
            Conflict: the same `client_id` came with other bytes.
        """
        source_sha256 = hashlib.sha256(data).hexdigest()
        with self._db.reading() as session:
            if known := _by_client(session, client_id, source_sha256):
                return known
        decoded = self._decode(data)
        sha256 = hashlib.sha256(decoded.jpeg).hexdigest()
        self._write(sha256, decoded.jpeg)
        with self._db.unit_of_work() as session:
            if known := _by_client(session, client_id, source_sha256):
                return known
            photo = Photo(
                id=new_id("pho"),
                client_id=client_id,
                source_sha256=source_sha256,
                sha256=sha256,
                width=decoded.width,
                height=decoded.height,
                lon=decoded.lon,
                lat=decoded.lat,
                taken_at=decoded.taken_at,
                created_at=now_of(session),
            )
            session.add(photo)
            return _stored(photo)

    def open(self, photo_id: str) -> Path:
        """Path of a photo's JPEG.

        Raises:
            NotFound: no such photo.
        """
        with self._db.reading() as session:
            photo = session.get(Photo, photo_id)
        if photo is None:
            raise NotFound(
                t(speaking.get(), "kit.photo_unknown", id=photo_id),
                field="photo",
                remedy=t(speaking.get(), "kit.unknown_remedy"),
            )
        return self._path(photo.sha256)

    def _path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / f"{sha256}.jpg"

    def _write(self, sha256: str, jpeg: bytes) -> None:
        path = self._path(sha256)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            file.write(jpeg)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def check_length(self, length: int) -> None:
        """Raise `TooLarge` for an upload of so many bytes; for those who read it piece by piece."""
        if length > self._max_bytes:
            raise TooLarge(
                t(
                    speaking.get(),
                    "kit.photo_large",
                    mb=f"{length / 1e6:.1f}",
                    most_mb=f"{self._max_bytes / 1e6:.1f}",
                ),
                field="photo",
                remedy=t(speaking.get(), "kit.photo_large_remedy"),
            )

    def _decode(self, data: bytes) -> _Decoded:
        self.check_length(len(data))
        if data[4:8] == b"ftyp" and data[8:12] in {b"heic", b"heix", b"mif1", b"hevc", b"msf1"}:
            raise _unreadable("kit.photo_heic")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                    self._check_size(image)
                    place = _place(image.getexif())
                    taken_at = _taken_at(image.getexif())
                    upright = ImageOps.exif_transpose(image).convert("RGB")
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise self._too_many_pixels() from error
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise _unreadable("kit.photo_unreadable") from error
        upright.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
        out = io.BytesIO()
        upright.save(out, "JPEG", quality=JPEG_QUALITY, optimize=True)
        lon, lat = place or (None, None)
        return _Decoded(out.getvalue(), upright.width, upright.height, lon, lat, taken_at)

    def _check_size(self, image: Image.Image) -> None:
        if image.width * image.height > self._max_pixels:
            raise self._too_many_pixels()

    def _too_many_pixels(self) -> TooLarge:
        return TooLarge(
            t(speaking.get(), "kit.photo_pixels", most=f"{self._max_pixels / 1e6:g}"),
            field="photo",
            remedy=t(speaking.get(), "kit.photo_pixels_remedy"),
        )


def _unreadable(key: str) -> Malformed:
    lang = speaking.get()
    return Malformed(t(lang, key), field="photo", remedy=t(lang, f"{key}_remedy"))


def _by_client(session: Session, client_id: str | None, source_sha256: str) -> StoredPhoto | None:
    if client_id is None:
        return None
    photo = session.scalar(select(Photo).where(Photo.client_id == client_id))
    if photo is None:
        return None
    if photo.source_sha256 != source_sha256:
        raise Conflict(
            t(speaking.get(), "kit.photo_other"),
            field="X-Client-Id",
            remedy=t(speaking.get(), "kit.photo_other_remedy"),
        )
    return _stored(photo)


def _stored(photo: Photo) -> StoredPhoto:
    return StoredPhoto(
        photo.id,
        photo.sha256,
        photo.width,
        photo.height,
        photo.lon,
        photo.lat,
        photo.taken_at,
    )


def _place(exif: Image.Exif) -> tuple[float, float] | None:
    """(lon, lat) in degrees, where the camera wrote a plausible one."""
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    try:
        lon = _degrees(gps[ExifTags.GPS.GPSLongitude])
        lat = _degrees(gps[ExifTags.GPS.GPSLatitude])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if gps.get(ExifTags.GPS.GPSLongitudeRef) == "W":
        lon = -lon
    if gps.get(ExifTags.GPS.GPSLatitudeRef) == "S":
        lat = -lat
    if not (-180 <= lon <= 180 and -90 <= lat <= 90) or (lon, lat) == (0.0, 0.0):
        return None  # also refuses NaN: a camera without reception
    return lon, lat


def _degrees(parts: tuple[float, float, float]) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600


def _taken_at(exif: Image.Exif) -> datetime | None:
    """When the camera says so with an offset; a local time of unknown zone tells nothing."""
    ifd = exif.get_ifd(ExifTags.IFD.Exif)
    taken = ifd.get(ExifTags.Base.DateTimeOriginal)
    offset = ifd.get(ExifTags.Base.OffsetTimeOriginal)
    try:
        return datetime.strptime(f"{taken}{offset}", "%Y:%m:%d %H:%M:%S%z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
