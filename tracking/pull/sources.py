"""`pull.toml` in the data folder: which services are asked, how often, and what their answers mean.

```toml
[[source]]
name = "trakzee"                          # devices of it: protocol "pull", layout "trakzee"
url = "https://vendor.example/webservice?token=getUserWiseLiveData"
interval_s = 30
[source.headers]
Authorization = "Bearer ${TRAKZEE_TOKEN}" # ${…}: from the environment, never in the file
[source.query]
user = "${TRAKZEE_USER}"
[source.since]                            # optional: ask for what is new only
parameter = "from"
format = "iso"                            # iso, s, ms, or as Python's strftime with tz
[source.answer]                           # tracking.protocols.vendor_rest
items = "/data"
[source.answer.fields]
id = "/imei"
```
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from fleet.kit.times import iso
from tracking.protocols import vendor_rest

FILE: Final = "pull.toml"
_SECRET = re.compile(r"\$\{(\w+)\}")


class Since(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to ask for what is newer than the newest that is stored."""

    parameter: str
    format: str = "iso"
    tz: str = "UTC"
    overlap_s: Annotated[float, msgspec.Meta(ge=0)] = 300.0
    """Asked for again, since units send late; what is there already is stored once."""

    def text(self, t: datetime) -> str:
        if self.format == "iso":
            return iso(t)
        if self.format in ("s", "ms"):
            return str(int(t.timestamp() * (1000 if self.format == "ms" else 1)))
        return t.astimezone(ZoneInfo(self.tz)).strftime(self.format)


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One vendor's service."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    url: str
    answer: vendor_rest.Answer
    interval_s: Annotated[float, msgspec.Meta(ge=5, le=86_400)] = 60.0
    method: Literal["GET", "POST"] = "GET"
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    json: dict[str, Any] | None = None
    """Body of a POST."""
    since: Since | None = None
    pages: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 20.0
    most_bytes: Annotated[int, msgspec.Meta(ge=1024, le=2**28)] = 8 * 1024 * 1024
    """Of one page."""

    @property
    def origin(self) -> tuple[str, str | None, int | None]:
        parts = urlsplit(self.url)
        return parts.scheme, parts.hostname, parts.port


@dataclass(frozen=True, slots=True)
class Sources:
    """What can be asked, and what is wrong with the rest, by name."""

    good: Sequence[Source] = ()
    faults: Mapping[str, str] = field(default_factory=dict)


def read_sources(folder: Path) -> Sources:
    """The sources of a data folder; a faulty one is told and stops neither others nor the start."""
    path = folder / FILE
    if not path.is_file():
        return Sources()
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("source", [])
        if not isinstance(tables, list):
            raise ValueError("Expected [[source]] tables.")
    except (OSError, ValueError) as error:
        return Sources(faults={FILE: str(error)})
    good: dict[str, Source] = {}
    faults: dict[str, str] = {}
    for i, table in enumerate(tables):
        name = str(table.get("name", i)) if isinstance(table, dict) else str(i)
        try:
            source = msgspec.convert(table, Source)
            _check(source)
            if source.name in good:
                raise ValueError("Another source has this name.")
            good[source.name] = source
        except (msgspec.ValidationError, ValueError) as error:
            faults[name] = str(error)
    return Sources(list(good.values()), faults)


def filled(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text with each ${NAME} from the environment.

    Raises:
        KeyError: a name is not set.
    """
    return _SECRET.sub(lambda found: environment[found[1]], text)


def _check(source: Source) -> None:
    parts = urlsplit(source.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError("url: expected http(s)://host/… without a user.")
    if source.since is not None:
        ZoneInfo(source.since.tz)
    if source.json is not None and source.method != "POST":
        raise ValueError('json: a body needs method = "POST".')
    vendor_rest.check(source.answer)
