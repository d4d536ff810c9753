"""The machine has no more to give: a full disk, no more file descriptors, no more memory."""

import asyncio
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import partners
from tests.case import AsyncioTestCase
from tests.fire.outages import AWAY
from tests.fire.stage import API_KEY, Ask, Stage
from tests.fire.truth import end_faults, kept_faults, raise_for

pytestmark = pytest.mark.campaign

DISK = 16 * 1024 * 1024
FILES = 64
FEW = 15
"""Fewer than open the partner's breaker."""
_FAILED = "SELECT COUNT(*) FROM callback WHERE error <> ''"
_ALERTS = "SELECT kind, subject, sentence FROM alert"
_DUE = "SELECT COUNT(*) FROM callback WHERE due_at IS NOT NULL"
_FEW = "SELECT COUNT(*) FROM alert WHERE kind = 'host'"


class HostLimits(AsyncioTestCase):
    timeout = 240

    async def test_a_full_disk_gives_temporary_errors_and_503_and_work_resumes_when_there_is_room(self) -> None:
        with small_disk() as disk:
            async with Stage(Ask(folder=disk)) as stage:
                await stage.service.up()
                async with stage.under_load(150):
                    await stage.until_acknowledged(100)
                    await asyncio.to_thread(fill, disk)
                    after_s, said = await stage.service.until_health(lambda said: said.status == 503)
                    put_off = stage.centre.counted.put_off
                    await stage.until(lambda: stage.centre.counted.put_off > put_off + 20, "temporary errors")
                    acknowledged = stage.acknowledged

                    (disk / "filler").unlink()
                    back_s, _ = await stage.service.until_health(lambda said: said.status == 200)
                    await stage.until_acknowledged(50)
                    raise_for(await asyncio.to_thread(kept_faults, stage), "after the disk was full")
                await stage.until_settled()
                raise_for(await asyncio.to_thread(end_faults, stage), "after the disk was full")

                print(
                    f"disk full: 503 after {after_s:.1f} s ({said.body.get('reason')}), 200 {back_s:.1f} s after there "
                    f"was room, {stage.centre.counted.put_off} put off, {acknowledged} acknowledged before"
                )
                assert stage.centre.counted.binds == 1
                ((kind, subject, sentence),) = await asyncio.to_thread(stage.rows, _ALERTS)
                assert (kind, subject) == ("outage", "the database"), "once, not for each message"
                assert "full" in sentence
                # A commit may find room for itself on a full disk, and the next one none.
                assert 1 <= len(stage.service.said(AWAY)) < 10, "a line for each outage, not for each message"

    async def test_a_service_without_file_descriptors_lives_and_recovers(self) -> None:
        async with Stage(Ask()) as stage:
            stage.book.reply = lambda id_: partners.response(200, b"re %d" % id_, "text/plain", "Connection: close")
            await stage.service.up()
            stage.centre.flood(50)
            await stage.until_settled()

            stage.service.limit_files(FILES)
            guests = [await knock(stage.service.port) for _ in range(FILES)]
            stage.centre.flood(FEW)
            # A call needs a connection of its own here, and there is no descriptor for it.
            await stage.until_rows(_FAILED, lambda row: row[0] > 0, "a call without a descriptor")
            (said,) = await stage.service.until_said("few file descriptors are left")
            used = stage.service.files()
            assert stage.service.is_alive
            for guest in guests:
                guest.transport.abort()
            await stage.service.until_health(lambda said: said.status == 200)
            await stage.until_settled()

            raise_for(await asyncio.to_thread(end_faults, stage), "after the descriptors were used up")
            await stage.until_rows(_FEW, lambda row: row[0] > 0, "an alert")
            host = [row for row in await asyncio.to_thread(stage.rows, _ALERTS) if row[0] == "host"]
            failed, error = stage.row("SELECT COUNT(*), MAX(error) FROM callback_attempt")
            put_off = stage.centre.counted.put_off
            print(
                f"{FILES} descriptors, {used} used: {put_off} put off, {failed} calls failed ({error}), all done since"
            )
            assert used >= FILES - 2
            assert said["limit"] == FILES
            assert len(host) == 1, "once, not for each call"
            assert f"of {FILES} file descriptors were in use" in host[0][2]
            assert stage.centre.counted.binds == 1

    async def test_a_service_at_its_limit_of_memory_gives_temporary_errors_and_lives_when_it_is_raised(self) -> None:
        """It may have little more than it uses: what is under way has that, and what is new has to wait."""
        async with Stage(Ask()) as stage:
            service = stage.service
            await service.up()
            async with stage.under_load(100):
                await stage.until_acknowledged(100)
                stage.book.pause = asyncio.Event()
                used = service.data_bytes()
                service.limit_data(used * 100 // 92)
                after_s, said = await service.until_health(lambda said: said.status == 503)
                put_off = stage.centre.counted.put_off
                await stage.until(lambda: stage.centre.counted.put_off > put_off + 20, "temporary errors")
                refused = await asyncio.to_thread(service.post, "/v1/messages/1/reply", API_KEY, b'{"text": "hello"}')
                while_short = stage.acknowledged
                stage.book.pause.set()
                await stage.until_rows(_FEW, lambda row: row[0] > 0, "an alert")
                # Under way goes on: whatever was acknowledged is called and answered, with so little.
                await stage.until_rows(_DUE, lambda row: row[0] == 0, "no call left")
                await stage.until(lambda: stage.centre.counted.put_off > put_off + 60, "more temporary errors")
                assert stage.acknowledged == while_short, "nothing is acknowledged meanwhile"

                service.limit_data(resource.RLIM_INFINITY)
                back_s, _ = await service.until_health(lambda said: said.status == 200)
                await stage.until_acknowledged(50)
                raise_for(await asyncio.to_thread(kept_faults, stage), "after memory was short")
            await stage.until_settled()
            raise_for(await asyncio.to_thread(end_faults, stage), "after memory was short")

            host = [row for row in await asyncio.to_thread(stage.rows, _ALERTS) if row[0] == "host"]
            print(
                f"memory: {used >> 20} MiB of data at 92 % of its limit: 503 after {after_s:.1f} s, "
                f"{stage.centre.counted.put_off} put off, 200 {back_s:.1f} s after it was raised"
            )
            assert said.body["reason"].startswith("memory is short: ")
            assert refused == 503
            assert [row[1] for row in host] == ["memory"], "once, not for each message"
            assert "data (RLIMIT_DATA)" in host[0][2]
            assert len(service.said("memory is short; new messages get the temporary error")) == 1
            assert stage.centre.counted.binds == 1


async def knock(port: int) -> asyncio.StreamWriter:
    """A connection to the API that says nothing."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    return writer


def fill(disk: Path) -> None:
    """A file that takes all the room there is."""
    with (disk / "filler").open("wb", buffering=0) as file:
        for size in (65536, 512):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@contextmanager
def small_disk() -> Iterator[Path]:
    """A tmpfs of its own; skips where we may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="tollbridge-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tollbridge", str(folder)]
    try:
        done = subprocess.run(mount, check=False, capture_output=True, text=True)
        if os.getuid() != 0 or done.returncode:
            pytest.skip(f"no small disk: {done.stderr.strip() or 'only root may mount one'}")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=False)
    finally:
        folder.rmdir()
