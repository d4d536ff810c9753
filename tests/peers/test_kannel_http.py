"""Kannel as an operator that speaks HTTP, by the mapping of conf/http-kannel.toml: pocket SMSC → Kannel → our link, MT
back by sendsms, and what dlr-url brings.
"""

import asyncio
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import pytest

from core.message import Receipt, ReceiptState, SubmitOutcome
from plumbing.clock import SystemClock
from plumbing.pump import connect
from smsc_link.keeping import Surroundings
from smsc_link.protocols import PROTOCOLS
from smsc_link.protocols.http import HttpLink
from smsc_link.protocols.http.door import DoorTerms, HttpDoor
from tests.peers.kannel import CONF, Kannel
from tests.peers.test_kannel import LONG, KannelCase
from tests.smsc_link.ends import FakeIntake, a_link, an_mt, an_operator

EXAMPLE = Path("conf/http-kannel.toml").resolve()
ANNA = "79001112233"


def conf_with(door: int) -> str:
    """Kannel's side, as the head of the example says."""
    named = [line.removeprefix("#   ") for line in EXAMPLE.read_text().splitlines() if line.startswith("#   ")]
    [get_url] = [line for line in named if line.startswith("get-url")]
    [old] = [line for line in CONF.splitlines() if line.startswith("get-url")]
    [name] = [line for line in named if line.startswith("username")]
    [password] = [line for line in named if line.startswith("password")]
    conf = CONF.replace(old, get_url.replace("127.0.0.1:8082", f"127.0.0.1:{door}"))
    return conf.replace("username = tester", name).replace("password = foobar", password)


@pytest.mark.peers
class KannelAsTheOperator(KannelCase):
    async def test_mo_mt_and_receipts(self) -> None:
        door, intake = HttpDoor(DoorTerms(port=0)), FakeIntake()
        example: dict[str, Any] = tomllib.loads(EXAMPLE.read_text())["link"][0]
        # The door first, since Kannel's file names its port; the link when the port of sendsms is known.
        first = self.link(example, door, intake, port=1)
        first.start()
        await intake.until(lambda: bool(intake.opened))
        centre = self.serving()
        kannel = Kannel(self.folder, smsc_port=self.port, partner=self.partner, conf=conf_with(door.port))
        self.boxes.append(kannel)
        await kannel.with_smsbox()
        await first.stop(1)
        link = self.link(example, door, intake, port=kannel.sendsms_port)
        link.start()
        await intake.until(lambda: len(intake.opened) == 2)

        for text in ("GAME 7 {x} €5 @home & more", "Привет, как дела?", LONG):
            centre.write(ANNA, "4446", text)
        await intake.until(lambda: len(intake.deliveries) == 3)
        came = {one.coding.decode(one.octets): one for one in intake.deliveries}
        assert set(came) == {"GAME 7 {x} €5 @home & more", "Привет, как дела?", LONG}
        assert {(one.source, one.destination) for one in came.values()} == {(ANNA, "4446")}
        assert len({one.key for one in came.values()}) == 3

        for number, text in enumerate(("Level 7 & {more} €", "Уровень 7", LONG)):
            [operation] = link.write(an_mt(text, id=1000 + number), reference=number)
            answer = await link.submit(operation)
            assert answer.outcome is SubmitOutcome.ACCEPTED, answer
            await self.until_delivered(intake, answer.key)
        texts = [mt.text for mt in centre.mts]
        assert texts[:2] == ["Level 7 & {more} €", "Уровень 7"]
        assert "".join(texts[2:]) == LONG

        await kannel.stop()
        self.boxes.clear()
        [operation] = link.write(an_mt("Nobody there"), reference=9)
        assert (await link.submit(operation)).outcome is SubmitOutcome.UNSENT
        await link.stop(1)
        await door.close()

    def link(self, example: dict[str, Any], door: HttpDoor, intake: FakeIntake, *, port: int) -> HttpLink:
        values = {key: value for key, value in example.items() if key not in ("operator", "port")}
        link = a_link(**values | {"port": port})
        link.options["public_url"] = f"http://127.0.0.1:{door.port or 1}"  # type: ignore[index]
        protocol = PROTOCOLS["http"]
        around = Surroundings(intake, connect, SystemClock(), Random(1), door)
        kept = protocol.keep(link, protocol.adapter(link, an_operator()), around)
        assert isinstance(kept, HttpLink)
        return kept

    async def until_delivered(self, intake: FakeIntake, key: str) -> None:
        def has_come() -> bool:
            return any(self.tells(one, key) for one in intake.receipts)

        async with asyncio.timeout(20):
            await intake.until(has_come)

    def tells(self, receipt: Receipt, key: str) -> bool:
        return receipt.keys == (key,) and receipt.state is ReceiptState.DELIVERED
