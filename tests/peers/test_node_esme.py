"""node's smpp 0.5.1 as the ESME, against our sides: the pocket SMSC, the server for partners."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.peers.npm import install, node
from tests.peers.programs import Program, cannot_run
from tests.peers.server import PeerCase
from wire.smpp import status as st

A_SUBMIT = {
    "source_addr": "4446", "destination_addr": "79001112233", "short_message": "Level 7", "registered_delivery": 1,
}  # fmt: skip


class NodeCase(PeerCase):
    timeout = 60
    folder: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="tollbridge-node-"))
        reason = install(cls.folder)
        if reason:
            shutil.rmtree(cls.folder)
            cannot_run(reason)

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.folder)

    async def setUp(self) -> None:
        self.begin()
        self.esmes: list[Program] = []

    async def tearDown(self) -> None:
        for esme in self.esmes:
            await esme.stop()
        await self.close_all()

    async def connected(self) -> None:
        self.esmes.append(node(self.folder, "esme.js", str(self.port)))
        await self.sees("connect")

    async def sees(self, what: str) -> dict[str, Any]:
        """The next that it sees of a kind."""
        lines = self.esmes[-1].lines
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found[:] = [one for one in map(json.loads, lines) if one["saw"] == what]
            return bool(found)

        await self.esmes[-1].until(is_there)
        return found[-1]

    async def ask(self, what: str, **fields: Any) -> dict[str, Any]:
        self.esmes[-1].lines.clear()
        self.esmes[-1].say(json.dumps({"ask": what, "fields": fields}))
        return await self.sees(f"{what}_resp")


@pytest.mark.peers
class NodeAtThePocket(NodeCase):
    async def test_it_binds_takes_an_mo_submits_and_gets_a_receipt(self) -> None:
        centre = self.serving()
        await self.connected()
        bound = await self.ask("bind_transceiver", system_id="esme1", password="password")
        mo = centre.write("79001112233", "4446", "GAME 7")
        came = await self.sees("deliver_sm")
        await centre.until(lambda: mo.is_acknowledged)
        answer = await self.ask("submit_sm", **A_SUBMIT)
        receipt = await self.sees("deliver_sm")
        await centre.until(lambda: centre.counted.receipts == 1)

        assert (bound["status"], bound["system_id"]) == (0, "pocket")
        assert (came["text"], came["source"]) == ("GAME 7", "79001112233")
        assert (answer["status"], answer["message_id"]) == (0, centre.mts[0].message_id)
        assert "stat:DELIVRD" in receipt["text"]

    async def test_a_wrong_password_is_refused_in_words_that_it_knows(self) -> None:
        centre = self.serving()
        await self.connected()

        answer = await self.ask("bind_transceiver", system_id="esme1", password="wrong")
        await self.sees("close")

        assert (answer["status"], answer["system_id"]) == (st.RINVPASWD, "pocket")
        assert centre.counted.refused_binds == 1


@pytest.mark.peers
class NodeAsPartner(NodeCase):
    async def test_it_binds_by_all_three_ways_asks_and_unbinds(self) -> None:
        server = await self.serving_partners()
        for kind in ("bind_receiver", "bind_transmitter", "bind_transceiver"):
            await self.connected()
            bound = await self.ask(kind, system_id="acme", password="password")
            assert (bound["status"], bound["system_id"]) == (0, "tollbridge")
            assert (await self.ask("enquire_link"))["status"] == 0
            assert (await self.ask("unbind"))["status"] == 0
            await self.sees("close")
        await server.until(lambda: len(server.ends) == 3)

        assert server.ends == ["the peer unbound"] * 3

    async def test_a_wrong_password_is_refused_in_words_that_it_knows(self) -> None:
        server = await self.serving_partners()
        await self.connected()

        answer = await self.ask("bind_transceiver", system_id="acme", password="wrong")
        await self.sees("close")

        assert (answer["status"], answer["system_id"]) == (st.RINVPASWD, "tollbridge")
        assert server.refused() == 1

    async def test_what_it_submits_is_refused_and_the_session_goes_on(self) -> None:
        await self.serving_partners()
        await self.connected()
        await self.ask("bind_transceiver", system_id="acme", password="password")

        refused = await self.ask("submit_sm", **A_SUBMIT)
        again = await self.ask("bind_transceiver", system_id="acme", password="password")

        assert (refused["status"], again["status"]) == (st.RINVCMDID, st.RALYBND)
        assert (await self.ask("enquire_link"))["status"] == 0

    async def test_our_stop_unbinds_it(self) -> None:
        server = await self.serving_partners()
        await self.connected()
        await self.ask("bind_receiver", system_id="acme", password="password")
        await server.stop(5)

        assert server.ends == ["we stop"]
