"""Replies in the answer to the request of their MO, over real sockets."""

import asyncio
from typing import Any

import pytest

from core.ids import Ids
from core.message import Heard, SubmitOutcome
from tests.case import AsyncioTestCase
from tests.smsc_link.ends import an_mt
from tests.smsc_link.protocols.http.aggregator import CLOCK, Rig
from traffic.ports import Delivery

ANNA = "79001112233"


class Replies(AsyncioTestCase):
    timeout = 20
    ANSWER: dict[str, Any] = {"reply": "answer", "hold_s": 1, "reply_answer": {"body": "{text}"}}

    def reply_to(self, delivery: Delivery, text: str = "Level 7") -> Any:
        """As the service makes one."""
        made = Ids(3).next(delivery.arrived_at)
        return an_mt(text, reply_to=made, destination=delivery.source, source=delivery.destination)

    async def test_the_reply_goes_in_the_answer(self) -> None:
        async with Rig(self.ANSWER) as rig:
            asking = asyncio.ensure_future(rig.mo())
            await rig.intake.until(lambda: bool(rig.intake.deliveries))
            [operation] = rig.link.write(self.reply_to(rig.intake.deliveries[0], "Привет"), reference=1)

            answer = await rig.link.submit(operation)

            assert (answer.outcome, answer.key) == (SubmitOutcome.ACCEPTED, "")
            assert await asking == (200, "Привет")
            assert not rig.aggregator.asked

    async def test_a_reply_that_is_there_before_the_request_waits_is_not_too_early(self) -> None:
        """A default reply is committed with its MO, and offered in the same breath."""
        async with Rig(self.ANSWER, says=None) as rig:
            asking = asyncio.ensure_future(rig.mo())
            await rig.intake.until(lambda: bool(rig.intake.deliveries))
            delivery = rig.intake.deliveries[0]
            delivery.answer(Heard.TAKEN)
            [operation] = rig.link.write(self.reply_to(delivery), reference=1)

            assert (await rig.link.submit(operation)).outcome is SubmitOutcome.ACCEPTED
            assert await asking == (200, "Level 7")

    async def test_a_reply_that_is_late_goes_by_a_request(self) -> None:
        async with Rig({**self.ANSWER, "hold_s": 0.1}) as rig:
            assert await rig.mo() == (200, "OK")

            [operation] = rig.link.write(self.reply_to(rig.intake.deliveries[0]), reference=1)
            await rig.link.submit(operation)

            assert rig.aggregator.asked[0].query["text"] == "Level 7"

    async def test_a_reply_that_is_late_and_has_no_other_way_says_so(self) -> None:
        async with Rig({**self.ANSWER, "hold_s": 0.1, "submit": {}}) as rig:
            await rig.mo()
            with pytest.raises(ValueError, match=r"answered already, .* give submit.path, or a longer hold_s"):
                rig.link.write(self.reply_to(rig.intake.deliveries[0]), reference=1)

    async def test_two_of_one_subscriber_get_each_its_own_reply(self) -> None:
        async with Rig(self.ANSWER) as rig:
            first = asyncio.ensure_future(rig.mo(id="1"))
            await rig.intake.until(lambda: len(rig.intake.deliveries) == 1)
            await asyncio.sleep(0.02)
            second = asyncio.ensure_future(rig.mo(id="2"))
            await rig.intake.until(lambda: len(rig.intake.deliveries) == 2)
            for number, delivery in reversed(list(enumerate(rig.intake.deliveries, 1))):
                mt = an_mt(f"{number}", reply_to=Ids(3).next(delivery.arrived_at), destination=ANNA)
                [operation] = rig.link.write(mt, reference=1)
                await rig.link.submit(operation)

            assert [await first, await second] == [(200, "1"), (200, "2")]

    async def test_a_reply_to_an_mo_that_came_again_finds_the_request_that_is_open(self) -> None:
        async with Rig(self.ANSWER) as rig:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await rig.mo()
            again = asyncio.ensure_future(rig.mo())
            await rig.intake.until(lambda: len(rig.intake.deliveries) == 2)

            [operation] = rig.link.write(self.reply_to(rig.intake.deliveries[0]), reference=1)
            await rig.link.submit(operation)

            assert await again == (200, "Level 7")

    async def test_a_caller_who_is_gone_before_the_reply_is_no_acceptance(self) -> None:
        async with Rig({**self.ANSWER, "mo": {}}) as rig:
            asking = asyncio.ensure_future(rig.mo())
            await rig.intake.until(lambda: bool(rig.intake.deliveries))
            delivery = rig.intake.deliveries[0]
            asking.cancel()
            await rig.intake.until(lambda: rig.intake.never_heard == [delivery])

            [operation] = rig.link.write(self.reply_to(delivery), reference=1)
            await rig.link.submit(operation)

            assert len(rig.aggregator.asked) == 1, "it fell back to a request"
            assert rig.intake.ended == [("alpha-1", True)], "what others were answered is not in doubt"

    async def test_a_stop_answers_those_who_wait(self) -> None:
        async with Rig({**self.ANSWER, "hold_s": 1}) as rig:
            asking = asyncio.ensure_future(rig.mo())
            await rig.intake.until(lambda: bool(rig.intake.deliveries))
            began_ms = CLOCK.monotonic_ms()

            await rig.link.stop(10)

            assert await asking == (200, "OK")
            assert CLOCK.monotonic_ms() - began_ms < 900
            assert rig.link.state == "disabled"

    async def test_an_mo_that_comes_again_after_its_reply_gets_the_same_answer(self) -> None:
        """By its operator's id: two equal texts without one are two messages, each with a reply of its own."""
        async with Rig(self.ANSWER) as rig:
            asking = asyncio.ensure_future(rig.mo())
            await rig.intake.until(lambda: bool(rig.intake.deliveries))
            [operation] = rig.link.write(self.reply_to(rig.intake.deliveries[0]), reference=1)
            await rig.link.submit(operation)
            assert await asking == (200, "Level 7")
            begun_ms = CLOCK.monotonic_ms()

            assert await rig.mo() == (200, "Level 7")

            assert CLOCK.monotonic_ms() - begun_ms < 500
            assert await rig.mo(id="op-2") == (200, "OK")

    async def test_of_a_list_nobody_waits_for_a_reply(self) -> None:
        mo = {"methods": ["POST"], "format": "json", "each": "list", "id": "id"}
        async with Rig({**self.ANSWER, "mo": mo}) as rig:
            entries = [{"id": n, "from": ANNA, "to": "4446", "text": "x"} for n in (1, 2)]
            async with rig.client.post(rig.url, json={"list": entries}) as answer:
                assert answer.status == 200

            assert not len(rig.link._reception.held)
