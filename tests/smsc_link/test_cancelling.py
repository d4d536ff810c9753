"""A link takes a message back, in memory and in virtual time: before what is to be sent, one at a time."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import Link
from core.message import SubmitAnswer, SubmitOutcome
from core.question import Finding, Found, Question, Withdrawal
from sim.quirks import Quirks
from tests.smsc_link.ends import Rig, a_link, an_mt
from tests.smsc_link.virtual import virtually

protocols = pytest.mark.parametrize("protocol", ["smpp", "ucp", "cimd2"])
SLOW = Quirks(receipt_delay_s=60)


def a_link_by(protocol: str = "smpp", **values: Any) -> Link:
    return replace(a_link(protocol=protocol), **values)


async def submitted(rig: Rig, **values: Any) -> Withdrawal:
    """An MT that the centre took, and what takes it back."""
    mt = an_mt(**values)
    [part] = rig.link.write(mt, reference=1)
    answer: SubmitAnswer = await rig.link.submit(part)
    return Withdrawal(mt.id, 0, mt.operator_id, mt.link_id, answer.key, mt.source, mt.destination, 0)


async def cancel(rig: Rig, withdrawal: Withdrawal) -> Finding:
    future = rig.link.order(withdrawal)
    assert future is not None, "there is room"
    return await future


@protocols
def test_a_link_takes_back_what_is_still_with_the_operator_once(protocol: str) -> None:
    async def story() -> None:
        rig = Rig(a_link_by(protocol), quirks=SLOW)
        await rig.bound()
        withdrawal = await submitted(rig)

        first, second = await cancel(rig, withdrawal), await cancel(rig, withdrawal)

        assert (first.found, second.found) == (Found.CANCELLED, Found.KEPT)
        assert rig.centre.counted.taken_back == 1
        assert rig.link.unused("refused") == rig.link.unused("ignored") == 0
        await rig.link.stop()
        assert rig.intake.ended == [("alpha-1", True)], "all that was said has its answer"

    virtually(story())


@protocols
@pytest.mark.parametrize("bind", ["receiver", "transmitter"])
def test_only_a_link_that_sends_takes_back_and_only_when_it_is_bound(protocol: str, bind: str) -> None:
    async def story() -> None:
        rig = Rig(a_link_by(protocol, bind=bind))

        assert rig.link.obeys(Withdrawal) == (bind == "transmitter")
        assert rig.link.order(Withdrawal(5, 0, 7, 1, "1", "4446", "79001112233", 0)) is None

    virtually(story())


def test_it_goes_before_the_messages_that_wait_for_room() -> None:
    async def story() -> None:
        rig = Rig(a_link_by(window=1), quirks=SLOW)
        await rig.bound()
        withdrawal = await submitted(rig)
        [part] = rig.link.write(an_mt(id=6), reference=1)
        under_way = rig.link.submit(part)
        assert rig.link.room() == 0, "a message waits for the room"

        in_vain = rig.link.order(withdrawal)
        question = rig.link.ask(Question(5, 0, 7, 1, withdrawal.key, "4446", "79001112233", 0))
        await under_way
        finding = await cancel(rig, withdrawal)

        assert in_vain is question is None
        assert finding.found is Found.CANCELLED
        await rig.link.stop()

    virtually(story())


def test_who_was_asked_in_vain_is_told_of_room() -> None:
    async def story() -> None:
        rig = Rig(a_link_by(window=1), quirks=SLOW)
        await rig.bound()
        withdrawal = await submitted(rig)
        [part] = rig.link.write(an_mt(id=6), reference=1)
        under_way = rig.link.submit(part)
        rig.intake.roomy.clear()

        assert rig.link.order(withdrawal) is None
        assert (await under_way).outcome is SubmitOutcome.ACCEPTED

        assert rig.intake.roomy == ["alpha-1"]
        await rig.link.stop()

    virtually(story())


@protocols
def test_a_session_that_is_lost_meanwhile_leaves_it_open(protocol: str) -> None:
    async def story() -> None:
        rig = Rig(a_link_by(protocol), quirks=SLOW)
        await rig.bound()
        withdrawal = await submitted(rig)
        future = rig.link.order(withdrawal)
        assert future is not None

        for pipe in rig.network.pipes:
            pipe.sever()
        finding = await future

        assert finding == Finding(Found.LATER, "no answer (lost)", in_doubt=True)
        await rig.link.stop()

    virtually(story())


def test_what_was_answered_stands_when_the_session_ends_while_a_58_may_come(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        rig = Rig(a_link_by("ucp"), quirks=SLOW)
        made = rig.centre.tongue.made
        monkeypatch.setattr(rig.centre.tongue, "made", lambda change, made_of: (made(change, made_of)[0], None))
        await rig.bound()
        withdrawal = await submitted(rig)

        future = rig.link.order(withdrawal)
        assert future is not None
        await asyncio.sleep(1)
        heard = future.done()
        for pipe in rig.network.pipes:
            pipe.sever()

        assert (heard, (await future).found) == (False, Found.CANCELLED)
        await rig.link.stop()

    virtually(story())


def test_a_centre_that_sends_no_58_is_believed_by_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        rig = Rig(a_link_by("ucp"), quirks=SLOW)
        made = rig.centre.tongue.made
        monkeypatch.setattr(rig.centre.tongue, "made", lambda change, made_of: (made(change, made_of)[0], None))
        await rig.bound()
        withdrawal = await submitted(rig)

        began = asyncio.get_running_loop().time()
        finding = await cancel(rig, withdrawal)

        assert finding.found is Found.CANCELLED
        assert 3 <= asyncio.get_running_loop().time() - began < 4
        await rig.link.stop()

    virtually(story())
