"""The processes behind `safai serve`: started in order, restarted when they die, ended cleanly."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger("supervisor")

STOP_GRACE_S = 10.0
RESTART_FIRST_S, RESTART_MOST_S = 0.5, 15.0
HEALTHY_AFTER_S = 30.0


@dataclass(frozen=True, slots=True)
class Service:
    """One child: its command line, and what to wait for before the next one starts."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], None] | None = None
    foreign: bool = False
    """Not our program: its output is dropped, and the kernel ends it with the supervisor."""


def python_service(name: str, *arguments: str, ready: Callable[[], None] | None = None) -> Service:
    """A child that runs one of our own commands in a fresh interpreter."""
    return Service(name, (sys.executable, "-m", "fleet.main.cli", *arguments), ready=ready)


class Supervisor:
    """Keeps children running until `stop` is set; then ends them in reverse order."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._started_s: dict[str, float] = {}
        self._pause_s: dict[str, float] = {}
        self.stop = threading.Event()

    def start(self) -> None:
        """Start every child in order, each after the one before it is ready."""
        for service in self._services:
            if self.stop.is_set():
                return
            self._spawn(service)
            if service.ready is not None:
                service.ready()

    def watch(self) -> None:
        """Block until `stop`; a child that ends by itself starts again, later each time."""
        while not self.stop.wait(0.3):
            for service in self._services:
                child = self._children[service.name]
                if child.poll() is None:
                    continue
                lived_s = time.monotonic() - self._started_s[service.name]
                pause_s = RESTART_FIRST_S
                if lived_s < HEALTHY_AFTER_S:
                    pause_s = min(RESTART_MOST_S, 2 * self._pause_s.get(service.name, pause_s / 2))
                self._pause_s[service.name] = pause_s
                log.error(
                    "child_died", child=service.name, code=child.returncode, again_in_s=pause_s
                )
                if self.stop.wait(pause_s):
                    return
                self._spawn(service)

    def end(self) -> None:
        """End the children in reverse order: ask, wait, then kill."""
        for service in reversed(self._services):
            child = self._children.get(service.name)
            if child is None or child.poll() is not None:
                continue
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(STOP_GRACE_S)
            except subprocess.TimeoutExpired:
                log.warning("child_killed", child=service.name)
                child.kill()
                child.wait()

    def _spawn(self, service: Service) -> None:
        sink = subprocess.DEVNULL if service.foreign else None
        self._children[service.name] = subprocess.Popen(
            list(service.command),
            env={**os.environ, **service.environment, "SAFAI_SUPERVISOR_PID": str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            preexec_fn=_die_with_parent if service.foreign and sys.platform == "linux" else None,
        )
        self._started_s[service.name] = time.monotonic()


PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Runs in the new child: a killed supervisor must not leave a server on its port (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` at SIGTERM, and in a supervised child ignore SIGINT: the supervisor passes it on.

    A child whose supervisor vanished (SIGKILL) must not live on with the port and the database.
    """
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    supervisor = os.environ.get("SAFAI_SUPERVISOR_PID")
    if supervisor is None:
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch_parent() -> None:
        while not stop.wait(1.0):
            if os.getppid() != int(supervisor):
                stop.set()

    threading.Thread(target=watch_parent, name="watch-parent", daemon=True).start()
