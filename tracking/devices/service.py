"""Registering devices and knowing them again."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from fleet.kit.errors import Conflict, Malformed
from fleet.kit.i18n import t
from tracking.devices.models import Device, Kind

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NO_HASH = bytes(32)


def register_device(
    session: Session,
    *,
    id: str,
    label: str,
    now: datetime,
    kind: Kind = "gps",
    external_id: str | None = None,
    protocol: str | None = None,
    layout: str | None = None,
    lang: str = "en",
) -> str:
    """Adds a device and answers its token, which is not kept and cannot be read again.

    Raises:
        Malformed: the id does not fit into an address.
        Conflict: the id is taken.
    """
    if not _ID.fullmatch(id):
        raise Malformed(
            t(lang, "tracking.device_id", id=id),
            field="id",
            remedy=t(lang, "tracking.device_id_remedy"),
        )
    if session.get(Device, id) is not None:
        raise Conflict(
            t(lang, "tracking.device_taken", id=id),
            field="id",
            remedy=t(lang, "tracking.device_taken_remedy"),
        )
    token = secrets.token_urlsafe(32)
    session.add(
        Device(
            id=id,
            label=label,
            kind=kind,
            external_id=external_id,
            protocol=protocol,
            layout=layout,
            token_hash=_hash(token),
            created_at=now,
            disabled=False,
        )
    )
    session.flush()
    return token


def is_authentic(session: Session, device_id: str, token: str) -> bool:
    """Whether the token is that of this device, and the device is in use."""
    device = session.get(Device, device_id)
    known = device.token_hash if device is not None else _NO_HASH
    matches = hmac.compare_digest(known, _hash(token))
    return matches and device is not None and not device.disabled


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
