"""Residents: those who were truly missed complain, some who were served complain too."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulators.client import Api, RefusalError
from simulators.journal import Journal
from simulators.streetmap import StreetMap
from simulators.vehicles import Finished, epoch_s

COMPLAIN_IF_MISSED, COMPLAIN_IF_SERVED = 0.6, 0.015
DELAY_S = (1800.0, 7200.0)
AGAIN_S = 1800.0
TRIES = 4
LOOK_EVERY_S = 600.0
_ENDED = frozenset({"closed", "answered"})
_WORDS = (
    ("en", "The vehicle did not come to our lane today."),
    ("hi", "आज हमारी गली में कचरा गाड़ी नहीं आई।"),
    ("hi", "गाड़ी बिना रुके निकल गई, कचरा नहीं उठाया।"),
    ("en", "It stopped at the corner only; our end was left out."),
)


@dataclass(slots=True)
class Complaint:
    """One resident's story. `code` is None until the server has taken it."""

    lane_ref: str
    truly_missed: bool
    body: dict[str, Any]
    code: str | None = None
    tries: int = 0
    made_s: float | None = None
    status: str = ""
    ended_s: float | None = None

    @property
    def ended(self) -> bool:
        return self.status in _ENDED


class Residents:
    """All residents of the city; `act` does what is due by a city time."""

    def __init__(
        self, api: Api, streets: StreetMap, service_code: str, *, seed: int, journal: Journal
    ) -> None:
        self._api = api
        self._streets = streets
        self._service_code = service_code
        self._seed = seed
        self._journal = journal
        self.complaints: list[Complaint] = []
        self.patience: dict[str, float] = {}
        """By visit of a lane that was not served: when somebody there complains, or would have,
        in epoch seconds."""
        self._due: list[tuple[float, int, Complaint]] = []
        self._tie = itertools.count()
        self._follow_at_s = 0.0

    def note(self, vehicle_id: str, done: Finished) -> None:
        """A lane's turn came or went: decide whether somebody will complain, and when."""
        visit = done.visit
        if visit["kind"] != "lane":
            return
        if done.truth.kind != "served":
            quiet = random.Random(f"{self._seed}:{vehicle_id}:{visit['ref']}:patience")
            self.patience[visit["id"]] = done.at_s + quiet.uniform(*DELAY_S)
        if not visit.get("households"):
            return
        chance = random.Random(f"{self._seed}:{vehicle_id}:{visit['ref']}:resident")
        missed = done.truth.kind != "served"
        if chance.random() >= (COMPLAIN_IF_MISSED if missed else COMPLAIN_IF_SERVED):
            return
        lang, words = chance.choice(_WORDS)
        lon, lat = self._door(visit)
        complaint = Complaint(
            visit["ref"],
            missed,
            {
                "client_id": str(uuid5(NAMESPACE_URL, f"safai:{visit['id']}:{done.at_s}")),
                "service_code": self._service_code,
                "lon": lon,
                "lat": lat,
                "words": words,
                "lang": lang,
            },
        )
        due_s = done.at_s + chance.uniform(*DELAY_S)
        if missed:
            self.patience[visit["id"]] = due_s
        self._put(due_s, complaint)

    def _door(self, visit: Any) -> tuple[float, float]:
        """The middle of the lane, where the complaint is pinned."""
        line = self._streets.line(visit["ref"]) or self._streets.plane.line(visit["path"])
        x, y = line[len(line) // 2]
        if len(line) == 2:
            x, y = (line[0][0] + line[1][0]) / 2, (line[0][1] + line[1][1]) / 2
        lon, lat = self._streets.plane.lonlat(x, y)
        return round(lon, 6), round(lat, 6)

    def _put(self, at_s: float, complaint: Complaint) -> None:
        heapq.heappush(self._due, (at_s, next(self._tie), complaint))

    async def act(self, now_s: float) -> None:
        while self._due and self._due[0][0] <= now_s:
            await self._complain(heapq.heappop(self._due)[2], now_s)
        if now_s >= self._follow_at_s:
            self._follow_at_s = now_s + LOOK_EVERY_S
            await self.look()

    async def _complain(self, complaint: Complaint, now_s: float) -> None:
        """Told that the vehicle is still to come, people wait and try again."""
        complaint.tries += 1
        try:
            answer = await self._api.post("/api/requests", complaint.body)
        except RefusalError as refusal:
            if refusal.status != 409:
                raise
            if complaint.tries < TRIES:
                self._put(now_s + AGAIN_S, complaint)
            return
        complaint.code, complaint.status = answer["code"], answer["status"]
        self._journal.requests.add(answer["code"])
        self.complaints.append(complaint)

    async def look(self) -> None:
        """Everybody with an open request opens its page, and rates what has ended."""
        for complaint in self.complaints:
            if complaint.ended:
                continue
            page = await self._api.get(f"/api/r/{complaint.code}")
            complaint.status = page["status"]
            complaint.made_s = epoch_s(page["created_at"])
            if complaint.ended:
                complaint.ended_s = epoch_s(page["timeline"][-1]["at"])
                if page["may_rate"]:
                    await self._rate(complaint)

    async def _rate(self, complaint: Complaint) -> None:
        chance = random.Random(f"{self._seed}:{complaint.lane_ref}:rating").random()
        pleased = complaint.status == "closed" and chance < 0.8
        rating = "satisfied" if pleased else ("neutral" if chance < 0.9 else "unhappy")
        await self._api.post(f"/api/r/{complaint.code}/rating", {"rating": rating})
