"""Identifiers: unguessable, prefixed by what they name, safe in a URL."""

from __future__ import annotations

import secrets

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_CLEAR = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0/O, 1/I/L: residents read codes aloud."""


def new_id(prefix: str) -> str:
    """A new random id such as ``req_7k3…``: the prefix and 16 base32 characters (80 bits)."""
    return f"{prefix}_{''.join(secrets.choice(_BASE32) for _ in range(16))}"


def public_code() -> str:
    """A new code of 8 characters for residents, without look-alikes (about 39 bits)."""
    return "".join(secrets.choice(_CLEAR) for _ in range(8))
