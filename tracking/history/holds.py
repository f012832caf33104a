"""Fixes that retention must not touch: what rooms above rest a decision on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Hold:
    """A vehicle's fixes with since ≤ t < until."""

    vehicle_id: str
    since: datetime
    until: datetime


type Holder = Callable[[Session], list[Hold]]

holders: list[Holder] = []
"""Filled by the wiring of rooms above, through `register`."""


def register(holder: Holder) -> None:
    """Have a room asked before fixes are deleted; again is harmless."""
    if holder not in holders:
        holders.append(holder)


def held(session: Session) -> list[Hold]:
    """Everything that is held now."""
    return [hold for holder in holders for hold in holder(session)]
