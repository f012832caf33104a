"""What drivers tap on their tablets: mostly what happened, not always."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from PIL import Image

from simulators.client import Api
from simulators.journal import Journal
from simulators.vehicles import Finished

_REASONS = ("lane_blocked", "not_out", "vehicle_full", "other")


class Driver:
    """Signed in on one vehicle's tablet; taps wait until `flush`."""

    def __init__(self, api: Api, vehicle_id: str, *, seed: int, journal: Journal) -> None:
        self.api = api
        self._vehicle_id = vehicle_id
        self._seed = seed
        self._journal = journal
        self._waiting: list[dict[str, Any]] = []
        self._load_kg = 0.0

    def note(self, done: Finished) -> None:
        """Decide what to tap about a visit."""
        visit = done.visit
        kind = visit["kind"]
        if done.truth.kind != "skipped":
            self._load_kg += sum(visit["kg"].values()) if kind in ("lane", "bin", "request") else 0
        if kind == "disposal":
            self._tap("unload", visit, done.at_s, kg=round(self._load_kg, 1))
            self._load_kg = 0.0
        elif kind in ("lane", "bin", "request"):
            chance = random.Random(f"{self._seed}:{self._vehicle_id}:{visit['ref']}:tap")
            draw = chance.random()
            if done.truth.kind != "skipped":
                if draw < 0.97 or kind == "request":
                    self._tap("done", visit, done.at_s)
            elif draw < 0.5:
                self._tap("could_not", visit, done.at_s, reason=chance.choice(_REASONS))
            elif draw < 0.7:
                self._tap("done", visit, done.at_s)

    async def flush(self) -> None:
        """Send what waits. A photo goes with each stop that a resident asked for."""
        if not self._waiting:
            return
        events, self._waiting = self._waiting, []
        for event in events:
            if event.pop("with_photo"):
                stored = await self.api.upload("/api/photos", photo(event["id"]), event["id"])
                event["photo_id"] = stored["photo_id"]
        answer = await self.api.post("/api/cab/events", {"events": events})
        self._journal.events[self._vehicle_id].update(answer["accepted"])
        self._journal.events_refused += len(answer["refused"])

    def _tap(self, kind: str, visit: Mapping[str, Any], at_s: float, **rest: Any) -> None:
        self._waiting.append(
            {
                "id": str(uuid5(NAMESPACE_URL, f"safai:{self._vehicle_id}:{visit['id']}:{kind}")),
                "kind": kind,
                "visit_id": visit["id"],
                "t": rfc3339(at_s),
                "with_photo": kind == "done" and visit["kind"] == "request",
                **rest,
            }
        )


def photo(seed: str) -> bytes:
    """A small JPEG of a clean street, so to speak.

    >>> photo("a")[:2] == b"\\xff\\xd8"
    True
    """
    chance = random.Random(seed)
    image = Image.new("RGB", (160, 120), tuple(chance.randrange(120, 200) for _ in range(3)))
    kerb = Image.new("RGB", (160, 30), (96, 92, 88))
    image.paste(kerb, (0, 90))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=70)
    return out.getvalue()


def rfc3339(epoch_s: float) -> str:
    """
    >>> rfc3339(60.0)
    '1970-01-01T00:01:00Z'
    """
    at = datetime.fromtimestamp(round(epoch_s), UTC)
    return at.isoformat().replace("+00:00", "Z")
