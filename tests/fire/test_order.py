"""The order of system calls under load: no acknowledgement before the fsync, or the COMMIT's OK, that covers it."""

import asyncio
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests import services
from tests.case import AsyncioTestCase
from tests.fire.stage import Ask, Stage
from tests.fire.syscalls import TRACE, Judged, Server, judge, read_calls

pytestmark = pytest.mark.campaign

MESSAGES = 300


class OrderOfSystemCalls(AsyncioTestCase):
    timeout = 240

    async def test_no_acknowledgement_is_written_before_the_fsync_that_covers_its_message(self) -> None:
        judged = await traced(Ask())

        print(judged)
        assert judged.faults == []
        assert judged.with_text >= MESSAGES
        assert judged.syncs > 0

    async def test_a_service_that_acknowledges_early_is_found_out(self) -> None:
        judged = await traced(Ask(module="tests.fire.service", arguments=("early",)))

        print(f"{len(judged.faults)} faults of {judged.acknowledged}")
        assert len(judged.faults) > MESSAGES // 2

    async def test_with_mariadb_none_is_written_before_the_ok_to_its_commit_was_read(self) -> None:
        judged = await traced(Ask(database="mariadb"))

        print(judged)
        assert judged.faults == []
        assert judged.with_text >= MESSAGES
        assert judged.syncs > 0

    async def test_with_mariadb_a_service_that_acknowledges_early_is_found_out(self) -> None:
        judged = await traced(Ask(database="mariadb", module="tests.fire.service", arguments=("early",)))

        print(f"{len(judged.faults)} faults of {judged.acknowledged}")
        assert len(judged.faults) > MESSAGES // 2


async def traced(ask: Ask) -> Judged:
    """Run the service under strace, under load; what its calls look like."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: apt-get install strace")
    async with Stage(ask) as stage:
        output = stage.service.folder / "strace"
        # 70 octets a PDU, 50 in a window, and the WAL's pages of 4096: 16 KiB shows them all. So does it the pieces in
        # which a statement is sent to MariaDB.
        # -D: the service is the child that gets our signals, and strace a grandchild of ours.
        stage.service.under = ["strace", "-D", "-f", "-yy", "-s", "16384", "-e", f"trace={TRACE}", "-o", str(output)]
        if not await asyncio.to_thread(_may_trace):
            pytest.skip("strace may not trace here (ptrace is forbidden)")
        await stage.service.up()
        async with stage.under_load(150):
            await stage.until_acknowledged(MESSAGES)
        await stage.until_settled()
        port = stage.ports[0]
        await stage.service.down(signal.SIGTERM)
        async with asyncio.timeout(10):
            while not await asyncio.to_thread(_is_written, output):
                await asyncio.sleep(0.02)
        server = services.mariadb().port if ask.database == "mariadb" else 0
        return await asyncio.to_thread(_judge, output, port, server)


def _is_written(output: Path) -> bool:
    """strace has written the last line about the service."""
    with output.open("rb") as file:
        file.seek(max(0, output.stat().st_size - 200))
        return b"+++" in file.read()


def _judge(output: Path, port: int, server: int) -> Judged:
    with output.open(encoding="latin-1") as lines:
        calls = list(read_calls(lines))
    return judge(calls, port, Server(calls, server) if server else None)


def _may_trace() -> bool:
    done = subprocess.run(["strace", "-o", os.devnull, "true"], check=False, capture_output=True)
    return done.returncode == 0
