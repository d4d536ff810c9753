"""While memory is short new messages wait, at every door, and a person is told once; then it goes on by itself."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from core.catalogue import Catalogue
from core.message import Heard
from partner_api.http.ports import Ports
from plumbing.clock import SystemClock
from store.journal import AlertFact
from tests.traffic.test_accept import Desk
from tollbridge.config import ApiSection
from tollbridge.door import open_api
from tollbridge.health import health_of
from tollbridge.memory import Bound
from tollbridge.memory_watch import read_bounds, watch_memory

MIB = 1 << 20


class Place:
    """A desk where MO come in, and what it reads of its memory. To be made inside a story."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.percent = 50
        self.fails: Exception | None = None
        self._task = asyncio.ensure_future(
            watch_memory(self.desk.batcher, self.desk.clock, self._read, look_s=0)  # Each turn of the loop.
        )

    def _read(self) -> list[Bound]:
        if self.fails is not None:
            raise self.fails
        return [Bound("the group", self.percent * MIB, 100 * MIB)]

    async def uses(self, percent: int) -> None:
        """So much, and it is looked at."""
        self.percent = percent
        await self.desk.flow()

    def health(self) -> dict[str, Any]:
        idle = SimpleNamespace(waiting=0, running=0)
        way: Any = SimpleNamespace(batcher=self.desk.batcher, dispatcher=idle, sender=idle)
        return health_of(way, is_up=True, links={"alpha-1": "bound"}, smpp=None)

    def alerts(self) -> list[str]:
        return [fact.sentence for fact in self.desk.paper.facts if isinstance(fact, AlertFact)]


def test_mo_wait_while_it_is_short_and_what_is_under_way_goes_on() -> None:
    async def story() -> None:
        place = Place()
        desk = place.desk
        await place.uses(89)
        desk.gate.clear()
        desk.comes("UNDER WAY")

        await place.uses(91)
        desk.comes("WHILE SHORT")
        said = place.health()
        refused = list(desk.heard)
        desk.gate.set()
        await desk.flow()
        await place.uses(86)
        desk.comes("STILL SHORT")
        await place.uses(84)
        desk.comes("AFTERWARDS")
        await desk.flow()

        assert refused == [("WHILE SHORT", Heard.LATER)]
        assert desk.heard[1:] == [
            ("UNDER WAY", Heard.TAKEN), ("STILL SHORT", Heard.LATER), ("AFTERWARDS", Heard.TAKEN),
        ]  # fmt: skip
        assert desk.accept.counted.refused_now == 2
        short = "memory is short: 91 of 100 MiB of the group are in use; new messages wait"
        assert (said["status"], said["reason"]) == ("unavailable", short)
        assert place.health()["status"] == "ok"
        assert place.alerts() == [f"{short}: raise the limit, or see what takes it"]

    asyncio.run(story())


def test_a_look_that_fails_changes_nothing() -> None:
    async def story() -> None:
        place = Place()
        await place.uses(95)
        place.fails = OSError("no /proc")
        await place.desk.flow()
        while_blind = place.desk.batcher.why_short
        place.fails = None
        await place.uses(10)

        assert while_blind
        assert not place.desk.batcher.why_short

    asyncio.run(story())


def test_while_it_is_short_nothing_is_submitted_and_everything_else_is_answered() -> None:
    async def story() -> None:
        why = ["memory is short: 91 of 100 MiB of the group are in use"]
        ports = Ports(
            catalogue=Catalogue, run_read=_answers, reply=_nobody, health=lambda: {"status": "ok"}, metrics=lambda: b"",
        )  # fmt: skip
        section = ApiSection(listen="127.0.0.1:0")
        runner = await open_api(ports, section, SystemClock(), is_up=lambda: True, why_short=lambda: why[0])
        port = runner.addresses[0][1]
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
                submitted = await client.post("/v1/messages/17/reply", json={"text": "hello"})
                told = await submitted.json()
                asked = await client.get("/v1/messages/17")
                why[0] = ""
                later = await client.post("/v1/messages/17/reply", json={"text": "hello"})
        finally:
            await runner.cleanup()

        assert (submitted.status, submitted.headers["Retry-After"]) == (503, "5")
        assert told["detail"].startswith("the service is short of room; send the request again later")
        assert "MiB" not in told["detail"]
        # Without a key: they came as far as the question who asks.
        assert (asked.status, later.status) == (401, 401)

    asyncio.run(story())


async def _answers(function: Callable[[Any], Any], /) -> Any:
    raise AssertionError(function)


async def _nobody(*request: object) -> Any:
    raise AssertionError(request)


def test_the_limits_are_those_of_the_machine_the_groups_and_the_process(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    (proc / "self").mkdir(parents=True)
    (proc / "self/status").write_text("VmSize:\t900 kB\nVmRSS:\t100 kB\nVmData:\t200 kB\n")
    (proc / "meminfo").write_text("MemTotal:       8000 kB\nMemFree: 1 kB\n")
    (proc / "self/cgroup").write_text("0::/a/b\n")
    (groups / "a/b").mkdir(parents=True)
    (groups / "a/b/memory.max").write_text("max\n")
    (groups / "a/memory.max").write_text("409600\n")

    found = [bound for bound in read_bounds(proc, groups) if "RLIMIT" not in bound.name]

    assert found == [
        Bound("this machine's memory", 102_400, 8_192_000), Bound("the control group's memory", 102_400, 409_600),
    ]  # fmt: skip


def test_without_groups_the_machine_is_the_limit(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self/status").write_text("VmRSS:\t100 kB\n")
    (tmp_path / "meminfo").write_text("MemTotal: 8000 kB\n")

    (first, *_) = read_bounds(tmp_path, tmp_path)

    assert first.percent == 1.25


@pytest.mark.parametrize(("which", "name"), [("RLIMIT_AS", "address space"), ("RLIMIT_DATA", "data")])
def test_a_limit_of_the_process_is_seen_with_what_the_kernel_counts_against_it(which: str, name: str) -> None:
    """In a process of its own: the limit stands at what it uses and 32 MiB, so it can allocate 16 MiB, not 64."""
    script = f"""
import resource
from tollbridge.memory import sizes_of
from tollbridge.memory_watch import read_bounds
from pathlib import Path

size = sizes_of(Path("/proc/self/status").read_text())[{"VmSize" if which == "RLIMIT_AS" else "VmData"!r}]
resource.setrlimit(resource.{which}, (size + (32 << 20), resource.RLIM_INFINITY))
def share():
    (bound,) = [bound for bound in read_bounds() if "{which}" in bound.name]
    assert bound.limit == size + (32 << 20), bound
    return bound.limit - bound.used
before = share()
held = bytearray(16 << 20)
after = share()
try:
    bytearray(64 << 20)
except MemoryError:
    print(before >> 20, after >> 20)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    assert 28 <= before <= 32, name
    assert 15 <= before - after <= 17


def test_this_process_has_a_machine() -> None:
    (machine, *_) = read_bounds()

    assert 0 < machine.used < machine.limit
    assert machine.used >= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 100
