"""The server as a child process, known by its command line and its port only."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import httpx

READY_WITHIN_S = 180.0
STOP_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1


class CommandError(Exception):
    """A command of the server's command line failed; the message ends with what it printed."""


class Server:
    """One data folder with its commands, and the running `serve` on it."""

    def __init__(self, data_dir: Path, start: str, log: Path) -> None:
        self.port = _free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self._start = start
        self._log_path = log
        self._environment = {
            **os.environ,
            "SAFAI_DATA_DIR": str(data_dir),
            "SAFAI_CLOCK": "stepped",
            "SAFAI_CLOCK_START": start,
            "SAFAI_ALLOW_ADVANCE": "1",
            "SAFAI_LOG_LEVEL": "WARNING",
            "SAFAI_OSRM_BASE_PORT": str(_free_port()),
        }
        self._child: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def command(self, *arguments: str) -> str:
        """Runs a command to its end; what it printed.

        Raises:
            CommandError: it ended with another code than 0.
        """
        done = subprocess.run(
            _line(*arguments), env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-2000:]
            raise CommandError(f"safai {' '.join(arguments)}: code {done.returncode}\n{said}")
        return done.stdout

    def accounts(self) -> Mapping[str, Any]:
        """The trial accounts, made where there are none."""
        accounts: dict[str, Any] = json.loads(self.command("people", "seed"))
        return accounts

    def start(self) -> None:
        """Starts `serve` as the leader of a process group of its own."""
        self._log = self._log_path.open("ab")
        self._child = subprocess.Popen(
            _line("serve", "--clock", "stepped", "--start", self._start, "--port", str(self.port)),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    async def ready(self) -> None:
        """Returns when `/healthz` answers.

        Raises:
            CommandError: the server ended, or did not answer in time.
        """
        deadline_s = time.monotonic() + READY_WITHIN_S
        async with httpx.AsyncClient(base_url=self.base_url, timeout=5.0) as http:
            while time.monotonic() < deadline_s:
                if self._child is None or self._child.poll() is not None:
                    break
                try:
                    if (await http.get("/healthz")).is_success:
                        return
                except httpx.TransportError:
                    pass  # not listening yet
                await asyncio.sleep(LOOK_EVERY_S)
        tail = self._log_path.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise CommandError(f"safai serve did not become ready.\n{tail}")

    def kill(self) -> None:
        """SIGKILL to the whole process group, as when the machine's power goes."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM to the supervisor; returns when every process of the group has ended."""
        child = self._child
        if child is None:
            return
        child.terminate()
        with suppress(subprocess.TimeoutExpired):  # the group is killed below
            child.wait(STOP_WITHIN_S)
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._child is None:
            return
        with suppress(ProcessLookupError):  # all gone already
            os.killpg(self._child.pid, how)
        self._child.wait()
        self._child = None
        if self._log is not None:
            self._log.close()


def _line(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "fleet.main.cli", *arguments]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
