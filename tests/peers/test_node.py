"""node's smpp 0.5.1 as the message centre, against our link.

What it does that ours does not: an ASCII text goes as GSM with data_coding 1 (option ia5_alphabet), the id is
hexadecimal in the answer and decimal in the receipt (message_id_base), the receipt may come before the answer is read.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from core.message import Heard, SubmitOutcome
from plumbing.clock import SystemClock
from plumbing.pump import connect
from smsc_link.link import OperatorLink
from tests.case import AsyncioTestCase
from tests.peers.npm import install, node
from tests.peers.programs import cannot_run
from tests.smsc_link.ends import FakeIntake, a_link, an_mt, keep

CLOCK = SystemClock()
OPTIONS = {"ia5_alphabet": "gsm7", "message_id_base": "resp_hex_receipt_dec"}


class CentreCase(AsyncioTestCase):
    """It runs as a centre at self.port; what it saw is told."""

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
        self.links: list[OperatorLink] = []
        self.intake = FakeIntake()
        self.centre = node(self.folder, "centre.js")
        await self.centre.until(lambda: bool(self.centre.lines))
        self.port = json.loads(self.centre.lines[0])["port"]

    async def tearDown(self) -> None:
        for link in self.links:
            await link.stop(2)
        await self.centre.stop()

    def seen(self, what: str) -> list[dict[str, Any]]:
        told = [json.loads(line) for line in self.centre.lines[1:]]
        return [one for one in told if one["saw"] == what]

    async def sees(self, what: str, count: int = 1) -> list[dict[str, Any]]:
        await self.centre.until(lambda: len(self.seen(what)) >= count)
        return self.seen(what)

    def order(self, **what: Any) -> None:
        self.centre.say(json.dumps(what))

    def deliver(self, text: str, **fields: Any) -> None:
        fields = {"source_addr": "79001112233", "destination_addr": "4446", "short_message": text} | fields
        self.order(deliver=fields)

    async def link(self, password: str = "password", **values: Any) -> OperatorLink:
        options = OPTIONS | values.pop("options", {})
        link = keep(
            a_link(port=self.port, system_id="esme1", password=password, options=options, **values),
            intake=self.intake,
            connect=connect,
            clock=CLOCK,
        )
        self.links.append(link)
        link.start()
        return link

    async def bound(self, **values: Any) -> OperatorLink:
        opened = len(self.intake.opened)
        link = await self.link(**values)
        await self.intake.until(lambda: len(self.intake.opened) > opened)
        return link


@pytest.mark.peers
class NodeSmpp(CentreCase):
    async def test_a_link_binds_and_unbinds(self) -> None:
        link = await self.bound()
        await link.stop(5)
        await self.sees("close")

        assert self.seen("bind_transceiver") == [{"saw": "bind_transceiver", "good": True, "version": 0x34}]
        assert len(self.seen("unbind")) == 1
        assert self.intake.ended == [("alpha-1", True)]
        assert self.seen("error") == self.seen("unknown") == []

    async def test_a_wrong_password_is_told_and_not_tried_again(self) -> None:
        link = await self.link(password="wrong")
        await self.sees("close")
        while not link.last_error:
            await asyncio.sleep(0.01)

        assert "ESME_RINVPASWD" in link.last_error
        assert len(self.seen("bind_transceiver")) == 1

    async def test_both_ask_whether_the_other_is_there(self) -> None:
        await self.bound(options={"enquire_s": 0.1})
        await self.sees("enquire_link", 2)
        self.order(enquire=True)

        assert (await self.sees("enquire answer"))[0]["status"] == 0

    async def test_its_mo_arrive_and_are_acknowledged(self) -> None:
        await self.bound()
        for text in ("GAME 7", "price@home {7} €5", "Привет"):
            self.deliver(text)
        self.deliver("over the top " * 20, short_message="", message_payload="over the top " * 20)
        answers = await self.sees("deliver answer", 4)

        texts = [one.coding.decode(one.octets) for one in self.intake.deliveries]
        assert texts == ["GAME 7", "price@home {7} €5", "Привет", "over the top " * 20]
        assert {(one.source, one.destination) for one in self.intake.deliveries} == {("79001112233", "4446")}
        assert [one["status"] for one in answers] == [0, 0, 0, 0]

    async def test_the_parts_of_its_long_mo_are_known_as_such(self) -> None:
        await self.bound()
        self.deliver("first ", udh="050003070201")
        self.deliver("second", udh="050003070202")
        await self.sees("deliver answer", 2)

        pieces = [one.piece for one in self.intake.deliveries]
        assert [(one.reference, one.total, one.sequence) for one in pieces if one] == [(7, 2, 1), (7, 2, 2)]
        assert b"".join(one.octets for one in self.intake.deliveries) == b"first second"

    async def test_an_mo_that_cannot_be_kept_now_gets_the_temporary_error(self) -> None:
        self.intake.says = Heard.LATER
        await self.bound(temporary_error="queue_full")
        self.deliver("GAME 7")

        assert (await self.sees("deliver answer"))[0]["status"] == 0x14

    async def test_our_mt_is_accepted_and_its_receipt_is_its_own(self) -> None:
        link = await self.bound()
        [part] = link.write(an_mt("Level {7} für €5"), reference=1)
        answer = await link.submit(part)
        await self.intake.until(lambda: bool(self.intake.receipts))

        [seen] = await self.sees("submit_sm")
        assert (seen["text"], seen["source"], seen["destination"]) == ("Level {7} für €5", "4446", "79001112233")
        assert (answer.outcome, self.intake.receipts[0].keys[0]) == (SubmitOutcome.ACCEPTED, answer.key)
        assert (await self.sees("receipt answer"))[0]["status"] == 0

    async def test_our_long_mt_are_read_by_it_by_every_way(self) -> None:
        text = "Длинный ответ. " * 12
        for way in ("udh8", "udh16", "sar", "payload"):
            before = len(self.seen("submit_sm"))
            link = await self.bound(options={"long_messages": way})
            parts = link.write(an_mt(text), reference=300)
            for part in parts:
                assert (await link.submit(part)).outcome is SubmitOutcome.ACCEPTED
            await link.stop(5)

            seen = (await self.sees("submit_sm", before + len(parts)))[before:]
            assert "".join(one["text"] for one in seen) == text, way
            headers = [(one["udh"], one["total"], one["part"]) for one in seen]
            assert headers == HEADERS[way](len(parts)), way

    async def test_a_refusal_and_throttling_are_told_apart(self) -> None:
        link = await self.bound()
        outcomes = []
        for text in ("refuse", "throttle"):
            [part] = link.write(an_mt(text), reference=1)
            outcomes.append((await link.submit(part)).outcome)

        assert outcomes == [SubmitOutcome.PERMANENT, SubmitOutcome.THROTTLED]

    async def test_its_unbind_is_answered_and_we_come_back(self) -> None:
        await self.bound()
        self.order(unbind=True)
        await self.sees("unbind answer")
        await self.intake.until(lambda: len(self.intake.opened) == 2)

        assert self.intake.ended[0] == ("alpha-1", True)


HEADERS: dict[str, Callable[[int], list[tuple[list[str], int, int]]]] = {
    "udh8": lambda total: [([f"00032c{total:02x}{part:02x}"], 0, 0) for part in range(1, total + 1)],
    "udh16": lambda total: [([f"0804012c{total:02x}{part:02x}"], 0, 0) for part in range(1, total + 1)],
    "sar": lambda total: [([], total, part) for part in range(1, total + 1)],
    "payload": lambda total: [([], 0, 0)],
}
"""What it reads of the headers: the user data header's elements, or sar_total_segments and sar_segment_seqnum."""
