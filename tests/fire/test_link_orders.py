"""Orders to links by command and by HTTP while messages flow: nothing lost, nothing twice, and each holds as long as it
should. One link speaks SMPP, the other UCP.

Beside them a catalogue that is loaded meanwhile: what it brings is in force within a second, without a restart.
"""

import asyncio
import http.client
import json
import re
import signal
import time
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
IN_FORCE_S = 2.0
"""A catalogue is in force within a second; so much on a machine that does other things too."""
FIRST, SPARE = "link-00", "spare-0"
ADMIN_KEY = "admin-" + "k" * 58
PARTS = 3
"""SMS of every reply."""
NARROW = "window = 2"
"""A reply is longer: every one of them waits in its middle."""
_LATER = """
[[service]]
partner = "acme"
name = "later"
method = "http_get"
url = "{url}"
secret = "s3cret"
mode = "sync"
prefixes = [ {{ short_code = "4446", prefix = "LATER" }} ]
status = "approved"
"""
_EARLY = "SUBSTR(text, 1, 5) = 'LATER' AND service_id = 0"
"""Written before its word was in force: nobody's."""


async def order(stage: Stage, *words: str, code: int = 0) -> str:
    """A command as a person gives it; what it said."""
    config = str(stage.service.config)
    done = await asyncio.to_thread(
        lambda: tollbridge("link", *words, "--by", "olga", "--config", config, cwd=stage.service.folder)
    )
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done.stdout + done.stderr


async def order_by_http(stage: Stage, kind: str, name: str) -> str:
    """The same as an administrator's program gives it; what came of it."""

    def ask() -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", stage.service.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json"}
            connection.request("POST", f"/admin/links/{name}/{kind}", json.dumps({"by": "olga"}), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    status, told = await asyncio.to_thread(ask)
    (process,) = told["processes"]
    assert (status, process["outcome"]) == (200, "done"), told
    result: str = process["result"]
    return result


def bound(stage: Stage) -> int:
    """How many links are, as the centres see it."""
    return sum(len(centre.esmes) for centre in stage.centres)


def binds(stage: Stage) -> int:
    """How many there ever were."""
    return sum(centre.counted.binds for centre in stage.centres)


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
    for mt in (mt for centre in stage.centres for mt in centre.mts):
        (id_,) = set(re.findall(r"(?<!\d)\d{18}(?!\d)", mt.text))
        parts[id_].append(mt.text)
    ids = {str(id_) for (id_,) in stage.rows(f"SELECT id FROM mo WHERE NOT ({_EARLY})")}
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
        ask = Ask(
            database=database,
            link=NARROW,
            spares=(("ucp", NARROW),),
            quirks=Quirks(retry_s=0.2, window=50),
        )
        async with Stage(ask) as stage:
            config = stage.service.config
            config.write_text(config.read_text().replace("[api]\n", f'[api]\nadmin_key = "{ADMIN_KEY}"\n'))
            # A reply of several parts: what is cut in its middle would go anew over the other link.
            stage.book.reply = lambda id_: partners.response(200, b" ".join([b"re %d" % id_] * 16))
            await stage.service.up()
            await stage.until_bound()
            async with stage.under_load(40):
                await stage.until_acknowledged(40)
                await self.loaded(stage)
                await self.drained(stage)
                await self.drained_through_a_restart(stage)
                await self.reconnected(stage)
                await self.disabled(stage)
            await stage.until_settled()
            raise_for(await asyncio.to_thread(faults, stage), "after orders to links")
            known = [
                bool(id_)
                for (id_,) in stage.rows("SELECT service_id FROM mo WHERE SUBSTR(text, 1, 5) = 'LATER' ORDER BY id")
            ]
            assert known == sorted(known), "a word that was in force was not for a moment"
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

    async def loaded(self, stage: Stage) -> None:
        """A word that `tollbridge load` brings, written again and again from the moment that it is committed."""
        file, config, now = stage.service.folder / "later.toml", str(stage.service.config), time.monotonic
        file.write_text(_LATER.format(url=stage.partner.url))
        loading = asyncio.ensure_future(
            asyncio.to_thread(tollbridge, "load", str(file), "--config", config, cwd=stage.service.folder)
        )
        while not await asyncio.to_thread(stage.row, "SELECT 1 FROM service WHERE name = 'later'"):
            assert not loading.done() or not (await loading).returncode, await loading
            await asyncio.sleep(0.005)
        committed_at = now()
        called = written = 0
        while not called:
            assert now() - committed_at < IN_FORCE_S, f"{written} times written, and nobody was called"
            stage.centre.write("79003334455", "4446", f"LATER {written}")
            written += 1
            await asyncio.sleep(0.01)
            called = sum(text.startswith("LATER") for text in stage.book.ids)
        in_force_s = now() - committed_at

        done = await loading
        assert done.returncode == 0, done.stderr
        assert "catalogue version" in done.stdout, done.stdout
        print(f"the partner was called for a new word {in_force_s:.2f} s after the commit that brought it")
        assert in_force_s < IN_FORCE_S

    async def drained(self, stage: Stage) -> None:
        said = await order_by_http(stage, "drain", FIRST)
        assert "none is in flight; MO and receipts still come" in said

        moved = await moved_on(stage)

        assert moved[FIRST] == 0, moved
        assert moved[SPARE] > 0, moved
        assert (await states(stage))[FIRST]["orders"] == ["drain by olga"]

    async def drained_through_a_restart(self, stage: Stage) -> None:
        await stage.service.down(signal.SIGTERM)
        await stage.service.up()
        await stage.until_bound()

        assert (await moved_on(stage))[FIRST] == 0

        assert "bound" in await order(stage, "enable", FIRST)
        moved = await moved_on(stage)
        assert moved[FIRST] > 0, moved
        assert (await states(stage))[FIRST]["orders"] == []

    async def reconnected(self, stage: Stage) -> None:
        before = binds(stage)
        for name in (FIRST, SPARE, FIRST):
            said = await order(stage, "reconnect", name)
            assert said.endswith("bound\n"), said
        assert binds(stage) == before + 3

    async def disabled(self, stage: Stage) -> None:
        said = await order(stage, "disable", FIRST)
        assert "unbound; it stays down until it is enabled" in said
        assert bound(stage) == 1
        assert (await moved_on(stage))[FIRST] == 0
        found = (await states(stage))[FIRST]
        assert (found["state"], found["orders"]) == ("disabled", ["disabled by olga"])

        await stage.service.down(signal.SIGTERM)
        await stage.service.up()
        await stage.until(lambda: bound(stage) == 1, "the spare bound")
        assert (await moved_on(stage))[FIRST] == 0
        assert "is disabled" in await order(stage, "reconnect", FIRST, code=1)
        assert "bound" in await order(stage, "enable", FIRST)
        # A reply goes by the link of its MO, so the other one has to go before this one is surely used again.
        await order(stage, "disable", SPARE)
        moved = await moved_on(stage)
        assert (moved[FIRST] > 0, moved[SPARE]) == (True, 0), moved
        assert await order_by_http(stage, "enable", SPARE) == "bound"
