"""The loop, tasks that are kept, and a process of one coroutine."""

import asyncio
import gc
import signal
import subprocess
import sys
from typing import Any

import uvloop
from structlog.testing import capture_logs

from plumbing.clock import SystemClock
from plumbing.loop import spawn
from tests.case import AsyncioTestCase


class Tasks(AsyncioTestCase):
    async def test_the_reactor_runs_on_uvloop(self) -> None:
        assert isinstance(asyncio.get_running_loop(), uvloop.Loop)

    async def test_a_task_that_nobody_keeps_is_kept(self) -> None:
        reached = asyncio.Event()

        async def work() -> None:
            # Only the task itself knows this future: without spawn() both are garbage.
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(gc.collect)
            asyncio.get_running_loop().call_soon(waiting.set_result, None)
            await waiting
            reached.set()

        spawn(work(), name="work")
        gc.collect()
        await reached.wait()

    async def test_a_failure_that_nobody_awaits_is_logged_with_its_name(self) -> None:
        async def fail() -> None:
            raise RuntimeError("a bug")

        with capture_logs() as logs:
            task: asyncio.Task[Any] = spawn(fail(), name="failing")
            await asyncio.wait([task])
            await asyncio.sleep(0)

        assert [(entry["event"], entry["task"], entry["log_level"]) for entry in logs] == [
            ("task failed", "failing", "error")
        ]

    async def test_a_cancelled_task_is_no_failure(self) -> None:
        with capture_logs() as logs:
            task = spawn(asyncio.sleep(100), name="sleeping")
            task.cancel()
            await asyncio.wait([task])
            await asyncio.sleep(0)

        assert logs == []


STORY = """
import asyncio
from plumbing.loop import run

async def main():
    print("up", flush=True)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        print("ending", flush=True)
        {ending}
    return 7

print("returned", run(main), flush=True)
"""


def started(ending: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", STORY.format(ending=ending)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_a_signal_lets_the_process_end_well() -> None:
    process = started("await asyncio.sleep(0)")
    process.send_signal(signal.SIGTERM)

    output, _ = process.communicate(timeout=10)

    assert (output, process.returncode) == ("ending\nreturned 7\n", 0)


def test_a_second_signal_ends_it_at_once() -> None:
    process = started("await asyncio.sleep(60)")
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "ending\n"
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=10) == -signal.SIGTERM
    process.stdout.close()


def test_the_clock_counts_milliseconds() -> None:
    clock = SystemClock()

    assert clock.now() > 1_700_000_000_000
    assert clock.monotonic_ms() <= clock.monotonic_ms()
