"""Checksums of the AIS-140 family, each proven on recorded frames.

| form | where | over |
|---|---|---|
| `xor` | 2 digits after `*` | between `$` and `*` |
| `xor-framed` | 2 digits after `*` | `$` to `*` with both |
| `crc32` | 8 digits after `*` | `$` up to `*` |
| `xor-comma` | 2 digits, last field | `$` to the comma before it |
| `sum16-comma` | 4 digits, last field | `$` to the comma before it |
| `crc16-kermit` | 4 digits, last field | `$` up to the comma before it |
| `crc32-comma`, `crc32-mpeg2-comma` | 8 digits, last field | `$` to the comma before it |
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tracking.protocols.units import Checksum

_AFTER_STAR: Final = re.compile(rb"\*([0-9A-Fa-f]+)\s*\Z")
_LAST_FIELD: Final = re.compile(rb",([0-9A-Fa-f]+),?(?:\*[^*]*)?\s*\Z")


@dataclass(frozen=True, slots=True)
class _Form:
    place: re.Pattern[bytes]
    digits: int
    value: Callable[[bytes], int]
    """Of the bytes up to the `*`, or up to the comma."""


def crc16_reflected(data: bytes, start: int) -> int:
    """CRC-16 with the polynomial 0x1021, least bit first: Kermit (start 0), and before its last
    inversion X.25, which GT06 calls CRC-ITU (start 0xFFFF).

    >>> hex(crc16_reflected(b"123456789", 0))
    '0x2189'
    """
    crc = start
    for byte in data:
        crc = crc >> 8 ^ _CRC16[(crc ^ byte) & 0xFF]
    return crc


def crc32_mpeg2(data: bytes) -> int:
    """CRC-32 with the polynomial 0x04C11DB7, most bit first, not inverted at the end.

    >>> hex(crc32_mpeg2(b"123456789"))
    '0x376e6e7'
    """
    crc = 0xFFFF_FFFF
    for byte in data:
        crc = (crc << 8 & 0xFFFF_FFFF) ^ _MPEG2[crc >> 24 ^ byte]
    return crc


def _xor(data: bytes) -> int:
    """Of all bytes: halves laid over each other until one byte is left."""
    value, width = int.from_bytes(data), 1 << max(len(data) - 1, 0).bit_length()
    while width > 1:
        width //= 2
        value = value >> 8 * width ^ value & (1 << 8 * width) - 1
    return value


def _reflected_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ 0x8408 if byte & 1 else byte >> 1
        table.append(byte)
    return tuple(table)


def _mpeg2_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7) & 0xFFFF_FFFF if crc & 0x8000_0000 else crc << 1
        table.append(crc)
    return tuple(table)


_CRC16: Final = _reflected_table()
_MPEG2: Final = _mpeg2_table()

_FORMS: Final[Mapping[str, _Form]] = {
    "xor": _Form(_AFTER_STAR, 2, lambda data: _xor(data[1:])),
    "xor-framed": _Form(_AFTER_STAR, 2, lambda data: _xor(data + b"*")),
    "crc32": _Form(_AFTER_STAR, 8, zlib.crc32),
    "xor-comma": _Form(_LAST_FIELD, 2, lambda data: _xor(data + b",")),
    "sum16-comma": _Form(_LAST_FIELD, 4, lambda data: sum(data + b",") & 0xFFFF),
    "crc16-kermit": _Form(_LAST_FIELD, 4, lambda data: crc16_reflected(data, 0)),
    "crc32-comma": _Form(_LAST_FIELD, 8, lambda data: zlib.crc32(data + b",")),
    "crc32-mpeg2-comma": _Form(_LAST_FIELD, 8, lambda data: crc32_mpeg2(data + b",")),
}


def state(frame: bytes, forms: Sequence[str]) -> Checksum:
    """Whether a frame carries a checksum of one of the forms, and whether it is right."""
    claimed = False
    for name in forms:
        form = _FORMS[name]
        found = form.place.search(frame)
        if found is None or len(found[1]) != form.digits:
            continue
        claimed = True
        if int(found[1], 16) == form.value(frame[: found.start()]):
            return "present"
    return "wrong" if claimed else "absent"
