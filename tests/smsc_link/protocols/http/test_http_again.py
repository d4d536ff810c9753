"""Signed requests that come again, over real sockets: from the operator whose answer was lost, or from who saw them."""

import asyncio
import hashlib
import hmac
import time
from typing import Any

from core.ids import Ids
from core.message import Heard
from tests.case import AsyncioTestCase
from tests.smsc_link.ends import an_mt
from tests.smsc_link.protocols.http.aggregator import CLOCK, Rig

ANNA = "79001112233"
SIGNED: dict[str, Any] = {
    "auth": {"kind": "hmac", "secret": "k", "header": "X-Sign", "signed": ["timestamp", "query"],
             "timestamp": "X-Time"},
    "mo": {"taken": {"body": "OK"}},
    "receipt": {},
}  # fmt: skip
QUERY = f"from={ANNA}&to=4446&text=GAME"


def shown(at: int, query: str = QUERY) -> dict[str, str]:
    """Header fields of a request that was signed then."""
    digest = hmac.new(b"k", f"{at}{query}".encode(), hashlib.sha256).hexdigest()
    return {"X-Sign": digest, "X-Time": str(at)}


async def call(rig: Rig, headers: dict[str, str], query: str = QUERY) -> tuple[int, str]:
    async with rig.client.get(f"{rig.url}?{query}", headers=headers) as answer:
        return answer.status, await answer.text()


class SeenBefore(AsyncioTestCase):
    timeout = 20

    async def test_a_signed_request_is_one_message_however_often_it_comes(self) -> None:
        async with Rig(SIGNED) as rig:
            now = int(time.time())

            heard = [await call(rig, shown(now)) for _ in range(3)]

            assert heard == [(200, "OK")] * 3, "who lost our answer hears it again"
            assert len(rig.intake.deliveries) == 1
            assert rig.intake.ended == [("alpha-1", True)], "nothing of it is in doubt"
            assert await call(rig, shown(now - 1)) == (200, "OK")
            assert len(rig.intake.deliveries) == 2, "another time is another request"
            sign = shown(now)["X-Sign"].upper()
            assert await call(rig, {**shown(now), "X-Sign": sign}) == (200, "OK")
            assert len(rig.intake.deliveries) == 2, "in capitals it is the same"

    async def test_what_is_put_off_or_refused_is_no_message_yet(self) -> None:
        async with Rig(SIGNED, says=Heard.LATER) as rig:
            now = int(time.time())
            assert (await call(rig, shown(now)))[0] == 503
            rig.intake.says = Heard.TAKEN

            assert await call(rig, shown(now)) == (200, "OK")

            assert len(rig.intake.deliveries) == 2

    async def test_while_the_first_is_not_decided_the_second_is_put_off(self) -> None:
        async with Rig(SIGNED, says=None) as rig:
            now = int(time.time())
            first = asyncio.ensure_future(call(rig, shown(now)))
            await rig.intake.until(lambda: len(rig.intake.deliveries) == 1)

            assert (await call(rig, shown(now)))[0] == 503
            rig.intake.deliveries[0].answer(Heard.TAKEN)

            assert await first == (200, "OK")
            assert await call(rig, shown(now)) == (200, "OK")
            assert len(rig.intake.deliveries) == 1

    async def test_one_whose_answer_did_not_leave_goes_to_the_journal_which_doubts_it(self) -> None:
        async with Rig(SIGNED, says=None) as rig:
            now = int(time.time())
            first = asyncio.ensure_future(call(rig, shown(now)))
            await rig.intake.until(lambda: len(rig.intake.deliveries) == 1)
            first.cancel()
            while not rig.intake.deliveries[0].lost:
                await asyncio.sleep(0)
            assert not rig.intake.deliveries[0].answer(Heard.TAKEN)
            rig.intake.says = Heard.TAKEN

            assert await call(rig, shown(now)) == (200, "OK")
            assert len(rig.intake.deliveries) == 2, "its doubt is used up there"
            assert await call(rig, shown(now)) == (200, "OK")
            assert len(rig.intake.deliveries) == 2

    async def test_where_nothing_is_doubted_the_second_is_told_here(self) -> None:
        async with Rig(SIGNED, says=None, repeat="never") as rig:
            now = int(time.time())
            first = asyncio.ensure_future(call(rig, shown(now)))
            await rig.intake.until(lambda: len(rig.intake.deliveries) == 1)
            first.cancel()
            while not rig.intake.deliveries[0].lost:
                await asyncio.sleep(0)
            rig.intake.deliveries[0].answer(Heard.TAKEN)

            assert await call(rig, shown(now)) == (200, "OK")
            assert len(rig.intake.deliveries) == 1

    async def test_the_reply_is_said_again_and_no_second_one_is_waited_for(self) -> None:
        async with Rig({**SIGNED, "reply": "answer", "hold_s": 1}) as rig:
            now = int(time.time())
            asking = asyncio.ensure_future(call(rig, shown(now)))
            await rig.intake.until(lambda: len(rig.intake.deliveries) == 1)
            made = Ids(3).next(rig.intake.deliveries[0].arrived_at)
            [operation] = rig.link.write(an_mt("PIN 7", reply_to=made, created_at=CLOCK.now()), reference=1)
            await rig.link.submit(operation)
            assert await asking == (200, "PIN 7")

            assert await call(rig, shown(now)) == (200, "PIN 7")

            assert len(rig.intake.deliveries) == 1

    async def test_an_id_of_the_operator_is_what_decides_where_there_is_one(self) -> None:
        """The journal knows it for longer, and after a restart."""
        async with Rig({**SIGNED, "mo": {"id": "id"}}) as rig:
            query = f"{QUERY}&id=op-1"
            now = int(time.time())

            for _ in range(2):
                assert (await call(rig, shown(now, query), query))[0] == 200

            assert [one.key for one in rig.intake.deliveries] == ["op-1", "op-1"]

    async def test_without_a_time_two_equal_requests_are_two_messages(self) -> None:
        auth = {"kind": "hmac", "secret": "k", "header": "X-Sign", "signed": ["query"]}
        async with Rig({**SIGNED, "auth": auth}) as rig:
            sign = hmac.new(b"k", QUERY.encode(), hashlib.sha256).hexdigest()
            for _ in range(2):
                assert (await call(rig, {"X-Sign": sign}))[0] == 200

            assert len(rig.intake.deliveries) == 2

    async def test_a_time_that_is_a_signed_field_is_not_taken_from_a_header(self) -> None:
        auth = {"kind": "hmac", "secret": "k", "header": "X-Sign", "signed": ["query"], "timestamp": "field:at"}
        async with Rig({**SIGNED, "auth": auth}) as rig:
            now = int(time.time())
            for at, status in ((now, 200), (now - 400, 401)):
                query = f"{QUERY}&at={at}"
                sign = hmac.new(b"k", query.encode(), hashlib.sha256).hexdigest()
                for headers in ({"X-Sign": sign}, {"X-Sign": sign, "at": str(now)}):
                    assert (await call(rig, headers, query))[0] == status
            assert len(rig.intake.deliveries) == 1
