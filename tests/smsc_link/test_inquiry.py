"""A link asks what became of a message, in memory and in virtual time: where MT leave room, one question at a time."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import Link
from core.message import SubmitAnswer
from core.question import Finding, Found, Question
from sim.quirks import Quirks
from smsc_link.inquiry import HEAR_S
from tests.smsc_link.ends import Rig, a_link, an_mt
from tests.smsc_link.virtual import virtually
from wire.ucp.operations import InquiryResponse
from wire.ucp.text import write_ira

protocols = pytest.mark.parametrize("protocol", ["smpp", "ucp", "cimd2"])
LOST = Quirks(lose_receipts=1.0)


def an_asking_link(protocol: str = "smpp", **values: Any) -> Link:
    return replace(a_link(protocol=protocol, options={"asks": True}), **values)


async def submitted(rig: Rig, **values: Any) -> Question:
    """An MT that the centre took, and the question about it."""
    mt = an_mt(**values)
    [part] = rig.link.write(mt, reference=1)
    answer: SubmitAnswer = await rig.link.submit(part)
    return Question(mt.id, 0, mt.operator_id, mt.link_id, answer.key, mt.source, mt.destination, 0)


async def ask(rig: Rig, question: Question) -> Finding:
    future = rig.link.ask(question)
    assert future is not None, "there is room"
    return await future


@protocols
def test_a_link_asks_and_hears_what_became_of_a_message(protocol: str) -> None:
    async def story() -> None:
        rig = Rig(an_asking_link(protocol), quirks=LOST)
        await rig.bound()
        question = await submitted(rig)

        finding = await ask(rig, question)

        assert finding.found is Found.DELIVERED
        assert (rig.centre.counted.questions, rig.link.counts.questions) == (1, 1)
        assert rig.intake.receipts == []
        assert rig.link.unused("refused") == 0
        await rig.link.stop()
        assert rig.intake.ended == [("alpha-1", True)], "all that was said has its answer"

    virtually(story())


@protocols
def test_a_link_that_is_not_told_to_asks_nothing(protocol: str) -> None:
    async def story() -> None:
        rig = Rig(an_asking_link(protocol, options={}), quirks=LOST)
        await rig.bound()
        question = await submitted(rig)

        assert rig.link.asks_per_minute == 0
        assert rig.link.ask(question) is None
        await rig.link.stop()

    virtually(story())


@protocols
@pytest.mark.parametrize("bind", ["receiver", "transmitter"])
def test_only_a_link_that_sends_asks(protocol: str, bind: str) -> None:
    async def story() -> None:
        rig = Rig(an_asking_link(protocol, bind=bind))

        assert bool(rig.link.asks_per_minute) == (bind == "transmitter")
        assert rig.link.ask(Question(5, 0, 7, 1, "1", "4446", "79001112233", 0)) is None, "it is not bound"

    virtually(story())


@protocols
def test_what_waits_for_its_receipt_is_on_its_way(protocol: str) -> None:
    async def story() -> None:
        rig = Rig(an_asking_link(protocol), quirks=Quirks(receipt_delay_s=60))
        await rig.bound()

        finding = await ask(rig, await submitted(rig))

        assert finding.found is Found.ON_ITS_WAY
        await rig.link.stop()

    virtually(story())


@protocols
def test_one_question_is_under_way_at_a_time(protocol: str) -> None:
    async def story() -> None:
        rig = Rig(an_asking_link(protocol), quirks=LOST)
        await rig.bound()
        question = await submitted(rig)

        first = rig.link.ask(question)
        second = rig.link.ask(question)

        assert first is not None
        assert second is None
        assert (await first).found is Found.DELIVERED
        assert (await ask(rig, question)).found is Found.DELIVERED
        await rig.link.stop()

    virtually(story())


@protocols
def test_a_question_takes_no_room_that_messages_wait_for(protocol: str) -> None:
    async def story() -> None:
        rig = Rig(an_asking_link(protocol, window=2), quirks=LOST)
        await rig.bound()
        question = await submitted(rig)
        parts = [rig.link.write(an_mt(f"{number}"), reference=1)[0] for number in range(2)]

        first = rig.link.submit(parts[0])
        with_one_left = rig.link.ask(question)
        second = rig.link.submit(parts[1])
        assert rig.link.room() == 0
        with_none_left = rig.link.ask(question)
        await asyncio.gather(first, second)

        assert (with_one_left, with_none_left) == (None, None)
        assert (await ask(rig, question)).found is Found.DELIVERED
        await rig.link.stop()

    virtually(story())


@protocols
def test_a_session_that_is_lost_ends_its_question(protocol: str) -> None:
    async def story() -> None:
        rig = Rig(an_asking_link(protocol), quirks=LOST)
        await rig.bound()
        question = await submitted(rig)
        rig.centre.asked = lambda esme, question: None  # type: ignore[method-assign]

        future = rig.link.ask(question)
        assert future is not None
        rig.centre.cut()

        assert (await future).found is Found.LATER
        await rig.link.stop()

    virtually(story())


@protocols
def test_a_centre_that_says_nothing_is_not_waited_for_for_ever(protocol: str) -> None:
    async def story() -> None:
        rig = Rig(an_asking_link(protocol, response_timeout_s=10), quirks=LOST)
        await rig.bound()
        question = await submitted(rig)
        rig.centre.asked = lambda esme, question: None  # type: ignore[method-assign]

        finding = await ask(rig, question)

        assert finding == Finding(Found.LATER, "no answer (timeout)", in_doubt=True)
        assert rig.link.is_open, "the link is fine"
        await rig.link.stop()

    virtually(story())


def test_a_57_that_does_not_come_is_not_waited_for_for_ever_and_a_late_one_is_acknowledged() -> None:
    async def story() -> None:
        rig = Rig(an_asking_link("ucp"), quirks=LOST)
        await rig.bound()
        question = await submitted(rig)
        late = InquiryResponse(adc="4446", mt="3", msg=write_ira(b"1 message"))
        tongue = _Silent(rig.centre.tongue)
        rig.centre.tongue = tongue

        began_ms = rig.clock.monotonic_ms()
        finding = await ask(rig, question)
        waited_ms = rig.clock.monotonic_ms() - began_ms
        tongue.silent = False
        [esme] = rig.centre.esmes
        assert esme.conversation is not None
        esme.conversation.send(late)
        again = await ask(rig, question)

        assert (finding, waited_ms) == (Finding(Found.LATER, "no answer", in_doubt=True), int(1000 * HEAR_S))
        assert again.found is Found.DELIVERED
        await rig.link.stop()
        assert rig.intake.ended == [("alpha-1", True)]

    virtually(story())


class _Silent:
    """A tongue that hears questions, and tells nothing while it is silent."""

    def __init__(self, tongue: Any) -> None:
        self._tongue = tongue
        self.silent = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tongue, name)

    def tell(self, *args: Any) -> Any:
        response, told = self._tongue.tell(*args)
        return response, None if self.silent else told


@pytest.mark.parametrize(("key", "protocol"), [("", "ucp"), ("7", "ucp"), ("x" * 65, "smpp"), ("ж", "smpp")])
def test_what_has_no_form_is_not_asked(key: str, protocol: str) -> None:
    async def story() -> None:
        rig = Rig(an_asking_link(protocol))
        await rig.bound()

        finding = await ask(rig, Question(5, 0, 7, 1, key, "4446", "79001112233", 0))

        assert finding.found is Found.NOT_KNOWN
        assert "cannot be asked" in finding.word
        assert rig.centre.counted.questions == 0
        await rig.link.stop()

    virtually(story())


@protocols
def test_a_link_that_drains_asks_nothing_and_does_not_wait_for_an_answer(protocol: str) -> None:
    async def story() -> None:
        rig = Rig(an_asking_link(protocol), quirks=LOST)
        await rig.bound()
        question = await submitted(rig)

        future = rig.link.ask(question)
        stopping = asyncio.ensure_future(rig.link.stop())
        await asyncio.sleep(0)
        refused = rig.link.ask(question)
        await stopping

        assert future is not None
        assert refused is None
        assert (await future).found in (Found.DELIVERED, Found.LATER)

    virtually(story())
