"""What every HTTP and socket endpoint may ask for.

`UnitOfWork` commits before the response leaves. Only the endpoint itself uses it; a dependency
that reads (such as the one that finds the caller) uses `Reading`: a writer's turn that is taken in
a dependency would be held while the endpoint still waits for a thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from sqlalchemy.orm import Session
from starlette.requests import HTTPConnection

from fleet.kit.clock import Clock, Monotonic, SystemMonotonic
from fleet.kit.db import Database
from fleet.kit.files import PhotoStore
from fleet.kit.live import Hub
from fleet.kit.settings import Settings


@dataclass(frozen=True)
class Kit:
    """The parts that every room shares; `app.state.kit` of the web process, one per process."""

    settings: Settings
    clock: Clock
    monotonic: Monotonic
    db: Database
    hub: Hub
    photos: PhotoStore

    @classmethod
    def open(cls, settings: Settings) -> Kit:
        """Open everything that the settings name; tables are not touched."""
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        clock = settings.open_clock()
        db = Database.open(settings.effective_database_url, clock)
        photos = PhotoStore(
            settings.photos_dir,
            db,
            max_bytes=settings.photo_max_bytes,
            max_pixels=settings.photo_max_pixels,
        )
        return cls(settings, clock, SystemMonotonic(), db, Hub(), photos)


def kit_of(conn: HTTPConnection) -> Kit:
    """The process's kit, for a request or a socket."""
    kit: Kit = conn.app.state.kit
    return kit


KitDep = Annotated[Kit, Depends(kit_of)]


def _unit_of_work(kit: KitDep) -> Iterator[Session]:
    with kit.db.unit_of_work() as session:
        yield session


def _reading(kit: KitDep) -> Iterator[Session]:
    with kit.db.reading() as session:
        yield session


def _now(kit: KitDep) -> datetime:
    return kit.clock.now()


UnitOfWork = Annotated[Session, Depends(_unit_of_work, scope="function")]
Reading = Annotated[Session, Depends(_reading, scope="function")]
Now = Annotated[datetime, Depends(_now)]
