"""Accounts and devices for a demo or a trial: made once, readable by the owner only."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fleet.kit.web import Kit
from fleet.org import assignments
from fleet.org import queries as org
from fleet.people.accounts import create_user, find_user
from fleet.people.models import Role
from tracking.devices.service import register_device

Accounts = dict[str, Any]
"""{admin, dispatcher, operator: {username, password}, drivers: [{username, password, vehicle_id,
device_id, device_token}]}."""

STAFF = {
    "admin": (Role.ADMIN, "Administrator"),
    "dispatcher": (Role.DISPATCHER, "Control room"),
    "operator": (Role.OPERATOR, "Phone desk"),
}


def path_of(kit: Kit) -> Path:
    return kit.settings.data_dir / "accounts.json"


def seed(kit: Kit, progress: Callable[[float], None] = lambda _: None) -> Accounts:
    """One account for each role, and a driver and a device for every vehicle, assigned from now.

    Passwords and tokens are random; the file that holds them is readable by its owner only. A
    second call answers the same accounts.
    """
    if (kept := _kept(kit)) is not None:
        return kept
    accounts: Accounts = {name: _credentials(name) for name in STAFF}
    accounts["drivers"] = []
    with kit.db.reading() as session:
        vehicles = [vehicle.id for vehicle in org.vehicles(session)]
    now = kit.clock.now()
    with kit.db.unit_of_work() as session:
        for name, (role, title) in STAFF.items():
            create_user(session, **accounts[name], name=title, role=role)
        for number, vehicle_id in enumerate(vehicles):
            driver = _credentials(f"driver-{vehicle_id.lower()}")
            user = create_user(
                session, **driver, name=f"Driver of {vehicle_id}", role=Role.DRIVER, lang="hi"
            )
            device_id = f"unit-{vehicle_id.lower()}"
            token = register_device(session, id=device_id, label=f"Unit of {vehicle_id}", now=now)
            assignments.assign(session, "device_vehicle", device_id, vehicle_id, now)
            assignments.assign(session, "crew_vehicle", user.id, vehicle_id, now)
            accounts["drivers"].append(
                driver | {"vehicle_id": vehicle_id, "device_id": device_id, "device_token": token}
            )
            progress((number + 1) / len(vehicles))
        # Before the commit: of accounts whose file is missing nobody would know the passwords.
        _write_private(path_of(kit), json.dumps(accounts, indent=1))
    return accounts


def _kept(kit: Kit) -> Accounts | None:
    """The accounts made before; a file whose accounts were never committed does not count."""
    path = path_of(kit)
    if not path.exists():
        return None
    kept: Accounts = json.loads(path.read_text("utf-8"))
    username = kept["admin"]["username"]
    with kit.db.reading() as session:
        return kept if find_user(session, username) is not None else None


def _credentials(username: str) -> dict[str, str]:
    return {"username": username, "password": f"{secrets.token_hex(3)}-{secrets.token_hex(3)}"}


def _write_private(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
