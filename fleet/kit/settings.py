"""Settings of a server, from environment variables with the prefix ``SAFAI_``.

Every field has a default and one line of help; ``docs/settings.md`` lists them all.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fleet.kit.clock import Clock, ScaledClock, SteppedClock, WallClock
from fleet.kit.times import aware


class ClockMode(StrEnum):
    WALL = "wall"
    SCALED = "scaled"
    STEPPED = "stepped"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Settings(BaseSettings):
    """What an operator may set. Units stand in the names."""

    model_config = SettingsConfigDict(env_prefix="SAFAI_", frozen=True, extra="forbid")

    data_dir: Path = Field(
        default=Path("safai-data"),
        description="Folder with the database, fixes, photos, the imported city, clock and secret.",
    )
    database_url: str = Field(
        default="",
        description="SQLAlchemy URL, such as postgresql://user@host/safai; empty: "
        "safai.sqlite3 in the data folder.",
    )
    host: str = Field(default="127.0.0.1", description="Address on which the web process listens.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port of the web process.")
    public_url: str = Field(
        default="",
        description="Address under which residents and tablets reach the server, such as "
        "https://safai.example; empty: http://host:port. https marks cookies secure.",
    )
    clock: ClockMode = Field(
        default=ClockMode.WALL,
        description="City time: wall (real), scaled (clock_rate times as fast) or stepped.",
    )
    clock_rate: float = Field(
        default=1.0, gt=0, le=3600, description="City seconds per real second of a scaled clock."
    )
    clock_start: datetime | None = Field(
        default=None,
        description="City time at which a scaled or stepped clock of a fresh data folder starts, "
        "RFC 3339 with offset; empty: now.",
    )
    allow_advance: bool = Field(
        default=False,
        description="Whether a caller on this machine may move a stepped clock forward.",
    )
    fix_future_tolerance_s: float = Field(
        default=120.0, ge=0, description="How far a fix may lie ahead of city time."
    )
    device_frame_max_bytes: int = Field(
        default=262_144, ge=1024, description="Largest frame that a device may send."
    )
    device_frame_max_fixes: int = Field(
        default=500, ge=1, description="Most fixes in one frame of a device."
    )
    device_frames_per_s: float = Field(
        default=20.0,
        gt=0,
        description="Frames per real second that a device may send on average (bursts of 5 s); "
        "not limited while the clock is stepped.",
    )
    units_tcp_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port for units on bare sockets (AIS-140, GT06); 0: off.",
    )
    units_tcp_host: str = Field(
        default="0.0.0.0",
        description="Address on which that port listens, once it is set.",
    )
    units_networks: str = Field(
        default="",
        description="Networks that units may come from, with commas, such as the operator's "
        "10.64.0.0/12; empty: any. These protocols know no password.",
    )
    units_connections_max: int = Field(
        default=5000, ge=1, description="Most connections of units at the same time."
    )
    units_idle_s: float = Field(
        default=900.0,
        gt=0,
        description="Real seconds after which a unit that says nothing is disconnected.",
    )
    units_frame_max_bytes: int = Field(
        default=16_384, ge=1024, description="Most bytes that a unit's unfinished frame may have."
    )
    units_frames_per_s: float = Field(
        default=50.0,
        gt=0,
        description="Frames per real second that a unit may send on average (bursts of 5 s); what "
        "is more has to wait. Not limited while the clock is stepped.",
    )
    units_layouts: str = Field(
        default="",
        description="Path of a TOML file with further frame layouts of units; empty: none.",
    )
    photo_max_bytes: int = Field(
        default=12_582_912, ge=1024, description="Largest photo that is accepted for upload."
    )
    photo_max_pixels: int = Field(
        default=50_000_000, ge=10_000, description="Most pixels of a photo that is decoded."
    )
    sign_in_attempts: int = Field(
        default=8,
        ge=1,
        description="Failed sign-ins after which a user name has to wait at an address; the "
        "address itself waits after ten times as many.",
    )
    sign_in_window_s: float = Field(
        default=300.0, gt=0, description="How long failed sign-ins are remembered, in real seconds."
    )
    session_days: float = Field(
        default=14.0, gt=0, description="Days of city time after which a sign-in expires."
    )
    osrm_base_port: int = Field(
        default=5600,
        ge=1024,
        le=65000,
        description="First loopback port of the road servers; one port per vehicle class.",
    )
    job_parallel: int = Field(default=2, ge=1, description="Jobs that run at the same time.")
    log_level: LogLevel = Field(default=LogLevel.INFO, description="Least level that is logged.")
    log_json: bool = Field(
        default=False, description="Log one JSON object per line, not coloured text."
    )
    secret: str = Field(
        default="",
        description="Key for signing, 32 characters or more; empty: made once in the data folder.",
    )

    @field_validator("clock_start")
    @classmethod
    def _clock_start_is_aware(cls, value: datetime | None) -> datetime | None:
        return None if value is None else aware(value)

    @field_validator("secret")
    @classmethod
    def _secret_is_long(cls, value: str) -> str:
        if value and len(value) < 32:
            raise ValueError("Expected 32 characters or more.")
        return value

    @property
    def effective_database_url(self) -> str:
        """`database_url`, or the SQLite file of the data folder."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'safai.sqlite3').absolute()}"

    @property
    def effective_public_url(self) -> str:
        """`public_url` without a trailing slash, or the address that the web process listens on."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def fixes_dir(self) -> Path:
        return self.data_dir / "fixes"

    @property
    def photos_dir(self) -> Path:
        return self.data_dir / "photos"

    @property
    def city_dir(self) -> Path:
        return self.data_dir / "city"

    @property
    def clock_path(self) -> Path:
        return self.data_dir / "clock.json"

    def open_clock(self) -> Clock:
        """City time as set; the data folder is made when it is absent."""
        if self.clock is ClockMode.WALL:
            return WallClock()
        start = self.clock_start or WallClock().now()
        if self.clock is ClockMode.SCALED:
            return ScaledClock(self.clock_path, self.clock_rate, start)
        return SteppedClock(self.clock_path, start)

    def load_secret(self) -> bytes:
        """The signing key; a random one is made once, readable by its owner only."""
        if self.secret:
            return self.secret.encode()
        path = self.data_dir / "secret"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"secret.{os.getpid()}.part")
        if not path.exists():
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(part, path)  # atomic, and never over another process's secret
            except FileExistsError:
                pass
            finally:
                part.unlink()
        return path.read_bytes()
