"""Registering devices, changing them, and knowing them again."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from fleet.kit.errors import Conflict, Malformed, NotFound, Refused
from fleet.kit.i18n import t
from fleet.org import assignments
from fleet.org.staff import is_person
from tracking.devices.models import Device, Kind, Protocol

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NO_HASH = bytes(32)
CARRIED = ("gps", "person")
"""Kinds that somebody carries, and that send their own fixes."""


def register_device(
    session: Session,
    *,
    id: str,
    label: str,
    now: datetime,
    kind: Kind = "gps",
    external_id: str | None = None,
    protocol: Protocol | None = None,
    layout: str | None = None,
    lang: str = "en",
) -> str:
    """Adds a device and answers its token, which is not kept and cannot be read again.

    Raises:
        Malformed: the id does not fit into an address.
        Conflict: the id is taken, or another device has the external id.
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
    _check_external_id(session, id, external_id, lang)
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


def change_device(
    session: Session, device_id: str, changes: Mapping[str, Any], *, now: datetime, lang: str
) -> Device:
    """Sets the given columns of a device.

    Raises:
        NotFound: there is no such device.
        Conflict: another device has the external id.
        Refused: the kind would no longer fit what the device is assigned to.
    """
    device = _existing(session, device_id, lang)
    if "external_id" in changes:
        _check_external_id(session, device_id, changes["external_id"], lang)
    kind = changes.get("kind", device.kind)
    holder = assignments.holder(session, "device_vehicle", device_id, now)
    if holder is not None and (is_person(holder), True) != (kind == "person", kind in CARRIED):
        raise Refused(
            t(lang, "devices.held", id=device_id, holder=holder),
            field="kind",
            remedy=t(lang, "devices.held_remedy"),
        )
    for name, value in changes.items():
        setattr(device, name, value)
    session.flush()
    return device


def renew_token(session: Session, device_id: str, *, lang: str) -> str:
    """A new token, answered once; the old one ends.

    Raises:
        NotFound: there is no such device.
    """
    device = _existing(session, device_id, lang)
    token = secrets.token_urlsafe(32)
    device.token_hash = _hash(token)
    session.flush()
    return token


def check_carrier(session: Session, device_id: str, holder: str, lang: str) -> None:
    """Raises when this device cannot be held by this vehicle or person: `assignments` asks."""
    device = _existing(session, device_id, lang, field="subject")
    if device.kind not in CARRIED:
        key = "devices.no_holder"
    elif is_person(holder) != (device.kind == "person"):
        key = "devices.person_only" if device.kind == "person" else "devices.vehicle_only"
    else:
        return
    raise Refused(
        t(lang, key, id=device_id, kind=device.kind),
        field="subject",
        remedy=t(lang, "devices.no_holder_remedy"),
    )


def is_authentic(session: Session, device_id: str, token: str) -> bool:
    """Whether the token is that of this device, which is in use and may speak on our socket."""
    device = authenticate(session, device_id, token, "websocket")
    return device is not None and device.id == device_id and device.kind in CARRIED


def authenticate(
    session: Session, name: str | None, token: str, protocol: Protocol
) -> Device | None:
    """The device whose token this is, if it is in use and may speak the protocol.

    Args:
        name: the device's id, or what it calls itself; None: by the token alone.

    Tokens are 32 random bytes: what a database tells by time about their SHA-256 helps nobody.
    """
    digest = _hash(token)
    device: Device | None = None
    if name is None:
        device = session.scalar(select(Device).where(Device.token_hash == digest))
    elif name.isprintable():  # no database takes every character
        device = session.get(Device, name) or session.scalar(
            select(Device).where(Device.external_id == name)
        )
    matches = hmac.compare_digest(device.token_hash if device is not None else _NO_HASH, digest)
    if device is None or not matches or device.disabled:
        return None
    return device if device.protocol in (None, protocol) else None


def _existing(session: Session, device_id: str, lang: str, field: str = "id") -> Device:
    device = session.get(Device, device_id)
    if device is None:
        raise NotFound(
            t(lang, "devices.unknown", id=device_id),
            field=field,
            remedy=t(lang, "devices.unknown_remedy"),
        )
    return device


def _check_external_id(
    session: Session, device_id: str, external_id: str | None, lang: str
) -> None:
    """A name leads to one device: no id of one is the external id of another."""
    clash = or_(Device.external_id.in_([external_id, device_id]), Device.id == external_id)
    others = session.scalar(select(Device.id).where(Device.id != device_id, clash).limit(1))
    if others is not None:
        raise Conflict(
            t(lang, "devices.external_id", id=external_id or device_id),
            field="id" if external_id is None else "external_id",
            remedy=t(lang, "devices.external_id_remedy"),
        )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
