"""The service as a process of its own, as an operator of ours would run it.

ServiceProcess   `tollbridge run` with a configuration file; killed, frozen and started again by tests.services.Server
Health           what GET /health said, how fast

Rule: nothing of ours is patched in, but for control runs, which say so (`module`).
"""

import asyncio
import http.client
import json
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.services import Server
from tollbridge.memory import sizes_of

UP_WITHIN_S = 30.0
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Health:
    """An answer of GET /health; status 0: none within the limit."""

    status: int
    latency_s: float
    body: dict[str, Any] = field(default_factory=dict)


class ServiceProcess(Server):
    """A service; its log is JSON in `folder/log`."""

    def __init__(self, config: str, *, module: str = "tollbridge.cli") -> None:
        super().__init__("service")
        self.module = module
        self.arguments: list[str] = []
        self.under: list[str] = []
        """A command that it runs under."""
        self.roles = "links,dispatch,api"
        self._ups = 0
        self.config = self.folder / "tollbridge.toml"
        self.config.write_text(config.replace("PORT", str(self.port)))

    def command(self) -> list[str]:
        run = [sys.executable, "-m", self.module, *self.arguments, "run", "--config", str(self.config)]
        return [*self.under, *run, "--roles", self.roles]

    def start(self) -> None:
        self._ups = len(self.said("up")) if (self.folder / "log").exists() else 0
        super().start()

    def answers(self) -> bool:
        if "api" not in self.roles:
            return len(self.said("up")) > self._ups
        return self.health(1.0).status == 200

    @property
    def pid(self) -> int:
        assert self.process is not None, "it does not run"
        return self.process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def health(self, timeout_s: float = 3.0) -> Health:
        """Ask; blocks."""
        begun = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            return Health(answer.status, time.monotonic() - begun, json.loads(answer.read()))
        except (OSError, http.client.HTTPException, ValueError):
            return Health(0, time.monotonic() - begun)
        finally:
            connection.close()

    async def up(self) -> None:
        """Start it and wait until it answers."""
        await asyncio.to_thread(self.start)

    async def down(self, how: int = signal.SIGTERM) -> None:
        """Send a signal and wait for the end."""
        await asyncio.to_thread(self.stop, how)

    async def end(self, *how: int, within_s: float = UP_WITHIN_S) -> tuple[int, float]:
        """Send signals, the second once the first was heeded; the exit code, and how long it took since the last."""
        process = self.process
        assert process is not None, "it does not run"
        for number, one in enumerate(how):
            if number:
                await self.until_said("stopping: draining links and calls")
            process.send_signal(one)
        begun = time.monotonic()
        code = await asyncio.to_thread(process.wait, within_s)
        seconds = time.monotonic() - begun
        await self.down()
        return code, seconds

    async def until_said(self, event: str, within_s: float = UP_WITHIN_S) -> list[dict[str, Any]]:
        """Wait for a line of the log; all lines about this event. Raises TimeoutError."""
        begun = time.monotonic()
        while not (lines := await asyncio.to_thread(self.said, event)):
            if time.monotonic() - begun > within_s:
                raise TimeoutError(f"the log does not say within {within_s:g} s: {event}")
            await asyncio.sleep(POLL_S)
        return lines

    async def until_health(
        self, wanted: Callable[[Health], bool], within_s: float = UP_WITHIN_S
    ) -> tuple[float, Health]:
        """Poll until it is as wanted: after how long, and what was said. Raises TimeoutError."""
        begun = time.monotonic()
        said = Health(0, 0.0)
        while time.monotonic() - begun < within_s:
            said = await asyncio.to_thread(self.health)
            if wanted(said):
                return time.monotonic() - begun, said
            await asyncio.sleep(POLL_S)
        raise TimeoutError(f"/health is not as wanted within {within_s:g} s; it says {said}")

    def log(self) -> list[dict[str, Any]]:
        """What it logged, lines that are not JSON as {"event": line}."""
        return [_read(line) for line in (self.folder / "log").read_text(errors="replace").splitlines() if line.strip()]

    def said(self, event: str) -> list[dict[str, Any]]:
        """Its lines about one event."""
        return [line for line in self.log() if line.get("event") == event]

    def rss_mib(self) -> float:
        """Memory in use."""
        return float(psutil.Process(self.pid).memory_info().rss) / (1 << 20)

    def files(self) -> int:
        """Descriptors in use."""
        return int(psutil.Process(self.pid).num_fds())

    def limit_files(self, count: int) -> None:
        """RLIMIT_NOFILE from now on."""
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (count, count))

    def data_bytes(self) -> int:
        """What the kernel counts against RLIMIT_DATA."""
        return sizes_of(Path(f"/proc/{self.pid}/status").read_text())["VmData"]

    def limit_data(self, size: int) -> None:
        """RLIMIT_DATA from now on."""
        resource.prlimit(self.pid, resource.RLIMIT_DATA, (size, resource.RLIM_INFINITY))

    def post(self, path: str, key: str, body: bytes) -> int:
        """Ask the API for something; the status; blocks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def remove(self) -> None:
        """Its folder too."""
        if self.process is not None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def _read(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {"event": line}
    return value if isinstance(value, dict) else {"event": line}


def tail(path: Path, lines: int = 30) -> str:
    """The end of a log, for the message of a failure."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
