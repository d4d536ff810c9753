"""Orders to links by command while messages flow: nothing lost, nothing twice, and each holds as long as it should."""

import asyncio
import json
import re
import signal
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from sim.quirks import Quirks
from tests import partners
from tests.case import AsyncioTestCase
from tests.fire.process import ServiceProcess
from tests.fire.stage import Ask, Stage
from tests.fire.truth import audit_faults, end_faults, kept_faults, raise_for
from tests.plumbing.pcap_reader import packets, streams
from tests.smsc_link.dissect import HAS_TSHARK, dissected
from tests.tollbridge.shell import tollbridge

pytestmark = pytest.mark.campaign

SOON_MS = 3000
"""An order is taken within a second; so much on a machine that does other things too."""
FIRST, SPARE = "link-00", "spare"
PARTS = 3
"""SMS of every reply."""
NARROW = "window = 2"
"""A reply is longer: every one of them waits in its middle."""
_SPARE = """
[[link]]
name = "spare"
operator = "op00"
protocol = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "tollbridge"
password = "secret"
{narrow}
"""


async def order(stage: Stage, *words: str, code: int = 0) -> str:
    """A command as a person gives it; what it said."""
    config = str(stage.service.config)
    done = await asyncio.to_thread(
        lambda: tollbridge("link", *words, "--by", "olga", "--config", config, cwd=stage.service.folder)
    )
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done.stdout + done.stderr


async def states(stage: Stage) -> dict[str, dict[str, Any]]:
    config = str(stage.service.config)
    listed = await asyncio.to_thread(
        lambda: tollbridge("link", "list", "--json", "--config", config, cwd=stage.service.folder)
    )
    return {one["name"]: one for one in json.loads(listed.stdout)}


def sent_by(stage: Stage) -> dict[str, int]:
    """MT that an operator accepted, by link; one that waits is still with the link that its MO came by."""
    return dict(
        stage.rows("SELECT l.name, COUNT(*) FROM mt JOIN link l ON l.id = mt.link_id WHERE state > 1 GROUP BY l.name")
    )


async def moved_on(stage: Stage, more: int = 15) -> dict[str, int]:
    """What went over each link until so many MT went in all."""
    before = await asyncio.to_thread(sent_by, stage)
    goal = sum(before.values()) + more
    await stage.until_rows("SELECT COUNT(*) FROM mt WHERE state > 1", lambda row: row[0] >= goal, f"{more} more MT")
    after = await asyncio.to_thread(sent_by, stage)
    return {name: after.get(name, 0) - before.get(name, 0) for name in (FIRST, SPARE)}


def faults(stage: Stage) -> list[str]:
    """Every MO once and with its whole reply once, part by part, at the operator; blocks."""
    found = audit_faults(stage) + kept_faults(stage)
    parts: dict[str, list[str]] = defaultdict(list)
    for mt in stage.centre.mts:
        (id_,) = set(re.findall(r"(?<!\d)\d{18}(?!\d)", mt.text))
        parts[id_].append(mt.text)
    ids = {str(id_) for (id_,) in stage.rows("SELECT id FROM mo")}
    found += [f"the reply to {id_} came in {len(parts[id_])} parts" for id_ in ids if len(parts[id_]) != PARTS]
    return found + [f"a reply to {id_}, which is no MO" for id_ in parts if id_ not in ids]


class LinkOrders(AsyncioTestCase):
    timeout = 240

    async def test_on_sqlite(self) -> None:
        await self.every_order_under_load("sqlite")

    @pytest.mark.soak
    async def test_on_mariadb(self) -> None:
        await self.every_order_under_load("mariadb")

    async def every_order_under_load(self, database: str) -> None:
        async with Stage(Ask(database=database, link=NARROW, quirks=Quirks(retry_s=0.2, window=50))) as stage:
            await asyncio.to_thread(stage.provision, _SPARE.format(port=stage.ports[0], narrow=NARROW))
            # A reply of several parts: what is cut in its middle would go anew over the other link.
            stage.book.reply = lambda id_: partners.response(200, b" ".join([b"re %d" % id_] * 16))
            await stage.service.up()
            await stage.until(lambda: len(stage.centre.esmes) == 2, "both links bound")
            async with stage.under_load(40):
                await stage.until_acknowledged(40)
                await self.drained(stage)
                await self.drained_through_a_restart(stage)
                await self.reconnected(stage)
                await self.disabled(stage)
            await stage.until_settled()
            raise_for(await asyncio.to_thread(faults, stage), "after orders to links")
            assert stage.row("SELECT COUNT(*) FROM mt WHERE maybe_twice")[0] == 0, "something was sent twice"
            others = stage.rows("SELECT kind, outcome, result FROM link_order WHERE outcome <> 'done'")
            assert others == [("reconnect", "failed", "it is disabled; enable it")]
            late = stage.row("SELECT MAX(taken_at - at) FROM link_order")[0]
            print(f"{stage.database.dialect}: orders were taken within {late} ms")
            assert 0 <= late < SOON_MS

    async def test_every_process_that_keeps_the_link_takes_an_order_and_one_that_is_gone_is_not_asked(
        self,
    ) -> None:
        async with Stage(Ask(database="mariadb")) as stage:
            await stage.service.up()
            other = ServiceProcess(stage._config())
            try:
                await other.up()
                await stage.until(lambda: len(stage.centre.esmes) == 2, "the link bound by both")
                assert (await order(stage, "drain", FIRST)).count("none is in flight") == 2
                assert (await order(stage, "disable", FIRST)).count("unbound") == 2
                assert not stage.centre.esmes
                await other.down(signal.SIGTERM)
                assert (await order(stage, "enable", FIRST)).count("bound") == 1
            finally:
                await asyncio.to_thread(other.remove)

    async def test_a_trace_while_messages_flow(self) -> None:
        async with Stage(Ask(link=NARROW)) as stage:
            folder = stage.service.folder / "traces"
            with stage.service.config.open("a") as config:
                config.write(f'[links]\ntrace_folder = "{folder}"\n')
            await stage.service.up()
            await stage.until_bound()
            output = stage.service.folder / "out.pcap"
            async with stage.under_load(80):
                await stage.until_acknowledged(20)
                said = await order(stage, "trace", FIRST, "--seconds", "3", "--output", str(output))
                short = await order(stage, "trace", FIRST, "--packets", "5")
                await order(stage, "trace", "lnk-00", code=1)
            await stage.until_settled()
            raise_for(await asyncio.to_thread(end_faults, stage), "after a trace")

            path = Path(said.splitlines()[0].rpartition(": ")[2])
            assert path.parent == folder
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.read_bytes() == output.read_bytes()
            assert "5 frames: " in short
            found = packets(output.read_bytes())
            octets = b"".join(streams(found).values())
            assert {packet.target[1] for packet in found} >= {stage.ports[0]}
            assert octets.count(b"\0\0\0\4") > 20
            assert b"GAME" not in octets
            assert b"re 9" not in octets
            if HAS_TSHARK:
                lines = await asyncio.to_thread(dissected, output, "smpp", stage.ports[0])
                print(f"tshark: {len(lines)} packets of {len(found)}, none malformed")

    async def drained(self, stage: Stage) -> None:
        said = await order(stage, "drain", FIRST)
        assert "none is in flight; MO and receipts still come" in said

        moved = await moved_on(stage)

        assert moved[FIRST] == 0, moved
        assert moved[SPARE] > 0, moved
        assert (await states(stage))[FIRST]["orders"] == ["drain by olga"]

    async def drained_through_a_restart(self, stage: Stage) -> None:
        await stage.service.down(signal.SIGTERM)
        await stage.service.up()
        await stage.until(lambda: len(stage.centre.esmes) == 2, "both links bound")

        assert (await moved_on(stage))[FIRST] == 0

        assert "bound" in await order(stage, "enable", FIRST)
        moved = await moved_on(stage)
        assert moved[FIRST] > 0, moved
        assert (await states(stage))[FIRST]["orders"] == []

    async def reconnected(self, stage: Stage) -> None:
        binds = stage.centre.counted.binds
        for name in (FIRST, SPARE, FIRST):
            said = await order(stage, "reconnect", name)
            assert said.endswith("bound\n"), said
        assert stage.centre.counted.binds == binds + 3

    async def disabled(self, stage: Stage) -> None:
        said = await order(stage, "disable", FIRST)
        assert "unbound; it stays down until it is enabled" in said
        assert len(stage.centre.esmes) == 1
        assert (await moved_on(stage))[FIRST] == 0
        found = (await states(stage))[FIRST]
        assert (found["state"], found["orders"]) == ("disabled", ["disabled by olga"])

        await stage.service.down(signal.SIGTERM)
        await stage.service.up()
        await stage.until(lambda: len(stage.centre.esmes) == 1, "the spare bound")
        assert (await moved_on(stage))[FIRST] == 0
        assert "is disabled" in await order(stage, "reconnect", FIRST, code=1)
        assert "bound" in await order(stage, "enable", FIRST)
        # A reply goes by the link of its MO, so the other one has to go before this one is surely used again.
        await order(stage, "disable", SPARE)
        moved = await moved_on(stage)
        assert (moved[FIRST] > 0, moved[SPARE]) == (True, 0), moved
