"""The same Idempotency-Key in a hundred requests at once, and with another content."""

import asyncio
import signal
from typing import Any

import aiohttp
import pytest

from tests import partners
from tests.case import AsyncioTestCase
from tests.fire.stage import API_KEY, Ask, Stage, a_key

pytestmark = pytest.mark.campaign

AT_ONCE = 100


class SameKey(AsyncioTestCase):
    timeout = 120

    async def test_the_same_reply_in_a_hundred_requests_at_once_is_one_reply_and_one_answer(self) -> None:
        async with Stage(Ask()) as stage, aiohttp.ClientSession() as session:
            mo_id = await self._an_mo_to_be_answered(stage)
            key = a_key()

            answers = await asyncio.gather(*(ask(stage, session, mo_id, key, "thanks") for _ in range(AT_ONCE)))

            assert answers == [answers[0]] * AT_ONCE
            assert answers[0][0] == 202
            await stage.until(lambda: len(stage.centre.mts) == 1, "the reply at the operator")
            assert stage.row("SELECT COUNT(*) FROM mt")[0] == 1

            status, problem = await ask(stage, session, mo_id, key, "something else")
            assert status == 422, problem
            status, problem = await ask(stage, session, mo_id, a_key(), "thanks")
            assert status == 409, problem

            await stage.service.down(signal.SIGKILL)
            await stage.service.up()
            assert await ask(stage, session, mo_id, key, "thanks") == answers[0], "a restart forgot the answer"
            assert [mt.text for mt in stage.centre.mts] == ["thanks"]

    async def _an_mo_to_be_answered(self, stage: Stage) -> int:
        """Its partner said 202: the reply comes later."""
        stage.book.reply = lambda id_: partners.response(202)
        await stage.service.up()
        stage.centre.write("79001112233", "4446", "GAME 7")
        await stage.until_rows("SELECT COUNT(*) FROM callback WHERE due_at IS NULL", lambda row: row == (1,), "202")
        mo_id: int = stage.row("SELECT id FROM mo")[0]
        return mo_id


async def ask(stage: Stage, session: aiohttp.ClientSession, mo_id: int, key: str, text: str) -> tuple[int, Any]:
    """POST a reply."""
    url = f"http://127.0.0.1:{stage.service.port}/v1/messages/{mo_id}/reply"
    headers = {"Authorization": f"Bearer {API_KEY}", "Idempotency-Key": key}
    async with session.post(url, json={"text": text}, headers=headers) as answer:
        return answer.status, await answer.json()
