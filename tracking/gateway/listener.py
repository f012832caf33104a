"""The port that units on bare sockets connect to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import structlog

from fleet.kit.web import Kit
from tracking.gateway.metrics import CONNECTIONS
from tracking.gateway.session import UnitSession
from tracking.gateway.unknown import Keeper
from tracking.ingest import Ingest
from tracking.protocols.layouts import Layouts

log = structlog.get_logger(__name__)


class Gateway:
    """All open connections, and the rules of who may open one."""

    def __init__(self, kit: Kit, ingest: Ingest, layouts: Layouts) -> None:
        self._kit = kit
        self._ingest = ingest
        self._layouts = layouts
        self._keeper = Keeper(kit)
        self._networks = networks(kit.settings.units_networks)
        self._open: dict[UnitSession, asyncio.Task[None]] = {}
        self._places: dict[tuple[str, str], UnitSession] = {}

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listens while the block runs; without a port it only runs the block.

        Raises:
            OSError: the port cannot be had.
        """
        settings = self._kit.settings
        if settings.units_tcp_port == 0:
            yield
            return
        server = await asyncio.start_server(
            self._connected,
            settings.units_tcp_host,
            settings.units_tcp_port,
            limit=settings.units_frame_max_bytes,
        )
        writing = asyncio.create_task(self._keeper.write_forever())
        log.info("units_listening", host=settings.units_tcp_host, port=settings.units_tcp_port)
        try:
            yield
        finally:
            server.close()
            for session in list(self._open):
                session.close()
            tasks = list(self._open.values())
            if tasks:
                await asyncio.wait(tasks, timeout=10)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self._keeper.write()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._admits(str((writer.get_extra_info("peername") or ("",))[0])):
            log.warning("unit_refused", why="network")
            writer.close()
            return
        if len(self._open) >= self._kit.settings.units_connections_max:
            log.warning("unit_refused", why="too many connections")
            writer.close()
            return
        session = UnitSession(
            self._kit, self._ingest, self._layouts, self._keeper, reader, writer, self._take
        )
        task = asyncio.current_task()
        assert task is not None
        self._open[session] = task
        CONNECTIONS.set(len(self._open))
        try:
            await session.run()
        finally:
            del self._open[session]
            CONNECTIONS.set(len(self._open))
            for place in [p for p, held in self._places.items() if held is session]:
                del self._places[place]

    def _take(self, session: UnitSession, place: tuple[str, str]) -> None:
        """A newer connection takes the place of the older: the unit has given that one up."""
        older = self._places.get(place)
        self._places[place] = session
        if older is not None and older is not session:
            log.info("unit_replaced", device_id=place[0])
            older.close()

    def end(self, device_id: str) -> None:
        """Closes what a device has open: it was disabled or changed."""
        for (owner, _), session in list(self._places.items()):
            if owner == device_id:
                session.close()

    def _admits(self, peer: str) -> bool:
        if not self._networks:
            return True
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def networks(text: str) -> Sequence[IPv4Network | IPv6Network]:
    """The networks of a list with commas.

    Raises:
        ValueError: one of them is none.
    """
    return [ip_network(each.strip()) for each in text.split(",") if each.strip()]
