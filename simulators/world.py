"""Everybody outside the server at once: vehicles, drivers, residents and a dispatcher.

Pacing is the caller's: `act` lets people act at the present city time, `move` drives on to a later
one and returns when every fix is acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from simulators.client import Api, DeviceLink
from simulators.dispatcher import Dispatcher
from simulators.drivers import Driver
from simulators.journal import Journal
from simulators.motion import Plane
from simulators.residents import Residents
from simulators.streetmap import StreetMap
from simulators.truth import TruthLog
from simulators.vehicles import Vehicle, Visit

LOOK_AT_ROUTES_S = 300.0
SIGN_IN_TOGETHER = 4


class World:
    """Build with `World.enter`."""

    def __init__(
        self, base_url: str, accounts: Mapping[str, Any], *, seed: int, taps: bool
    ) -> None:
        self._base_url = base_url
        self._accounts = {entry["vehicle_id"]: entry for entry in accounts["drivers"]}
        self._seed = seed
        self._taps = taps
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=64))
        self.journal = Journal()
        self.truth: TruthLog | None = None
        self.city: dict[str, Any] = {}
        self.streets = StreetMap(Plane(0.0, 0.0), ())
        self.vehicles: dict[tuple[str, str], Vehicle] = {}
        """By vehicle and shift."""
        self.drivers: dict[str, Driver] = {}
        self._links: dict[str, DeviceLink] = {}
        self.dispatcher = Dispatcher(self._api(), self.shown)
        self.residents: Residents
        self._look_at_routes_s = 0.0

    @classmethod
    async def enter(
        cls,
        base_url: str,
        accounts: Mapping[str, Any],
        *,
        seed: int,
        taps: bool = True,
        truth: TruthLog | None = None,
    ) -> World:
        """Sign in, and learn the city's streets."""
        world = cls(base_url, accounts, seed=seed, taps=taps)
        world.truth = truth
        api = world.dispatcher.api
        await api.sign_in(accounts["dispatcher"])
        world.city = await api.get("/api/city")
        wards = await api.get("/api/wards")
        features: list[Any] = []
        for ward in wards["features"]:
            ward_id = ward["properties"].get("ward_id") or ward["properties"]["id"]
            features += (await api.get("/api/lanes", ward=ward_id))["features"]
        world.streets = StreetMap(Plane(*world.city["center"]), features)
        code = next(c["service_code"] for c in world.city["categories"] if c["kind"] == "miss")
        world.residents = Residents(
            world._api(), world.streets, code, seed=seed, journal=world.journal
        )
        return world

    def _api(self) -> Api:
        return Api(self._base_url, self._transport)

    async def leave(self) -> None:
        await asyncio.gather(*(link.close() for link in self._links.values()))
        await self._transport.aclose()

    # --- routes

    async def look_at_routes(self, service_date: str, now_s: float) -> None:
        """Take on new routes and new versions; a route that has begun is joined in its middle."""
        self._look_at_routes_s = now_s + LOOK_AT_ROUTES_S
        summaries = await self.dispatcher.api.get("/api/routes", service_date=service_date)
        wanted = {s["vehicle_id"] for s in summaries} & self._accounts.keys() - self.drivers.keys()
        together = asyncio.Semaphore(SIGN_IN_TOGETHER)
        await asyncio.gather(*(self._hire(vehicle_id, together) for vehicle_id in sorted(wanted)))
        for summary in summaries:
            vehicle = self.vehicles.get((summary["vehicle_id"], summary["shift"]))
            if vehicle is None or (vehicle.route_id, vehicle.version) != (
                summary["id"],
                summary["version"],
            ):
                await self._read_route(summary["id"], now_s)

    async def _hire(self, vehicle_id: str, together: asyncio.Semaphore) -> None:
        account = self._accounts[vehicle_id]
        api = self._api()
        async with together:
            await api.sign_in(account)
        self.drivers[vehicle_id] = Driver(api, vehicle_id, seed=self._seed, journal=self.journal)
        self._links[vehicle_id] = DeviceLink(
            self._base_url, vehicle_id, account["device_id"], account["device_token"], self.journal
        )

    async def _read_route(self, route_id: str, now_s: float) -> None:
        route = await self.dispatcher.api.get(f"/api/routes/{route_id}")
        key = (route["vehicle_id"], route["shift"])
        if route["vehicle_id"] not in self.drivers:
            return
        vehicle = self.vehicles.get(key)
        if vehicle is not None and vehicle.service_date == route["service_date"]:
            vehicle.follow(route)
            return
        self.vehicles[key] = Vehicle(route["vehicle_id"], route, self.streets, seed=self._seed)
        self.vehicles[key].resume(now_s)

    async def shown(self, vehicle_id: str, visit_id: str) -> bool:
        """Whether the driver's tablet shows a stop; if so, the driver follows that route."""
        route = (await self.drivers[vehicle_id].api.get("/api/cab/route"))["route"]
        if route is None or all(visit["id"] != visit_id for visit in route["visits"]):
            return False
        self.vehicles[vehicle_id, route["shift"]].follow(route)
        return True

    # --- time

    async def act(self, service_date: str, now_s: float) -> None:
        """People do what is due at a city time that the server has reached."""
        if now_s >= self._look_at_routes_s:
            await self.look_at_routes(service_date, now_s)
        if self._taps:
            await asyncio.gather(*(driver.flush() for driver in self.drivers.values()))
        await self.residents.act(now_s)
        waiting = {c.code for c in self.residents.complaints if c.code and not c.ended}
        if waiting:
            await self.dispatcher.act(waiting)

    async def move(self, to_s: float) -> None:
        """Drive on; returns when every fix is acknowledged."""
        sending = []
        for (vehicle_id, _), vehicle in self.vehicles.items():
            progress = vehicle.advance(to_s)
            for done in progress.finished:
                if self.truth is not None and is_work(done.visit):
                    self.truth.record(vehicle_id, done.visit, done.truth, done.at_s)
                self.residents.note(vehicle_id, done)
                if self._taps:
                    self.drivers[vehicle_id].note(done)
            if progress.fixes:
                sending.append(self._links[vehicle_id].send(progress.fixes))
        await asyncio.gather(*sending)


def is_work(visit: Visit) -> bool:
    """Whether waste is collected there."""
    return visit["kind"] in ("lane", "bin", "request")
