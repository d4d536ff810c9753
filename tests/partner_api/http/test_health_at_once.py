"""Several who ask GET /health at once share a question to the database, and none gets the answer to another's."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from partner_api.http.app import Health


@pytest.mark.parametrize("turns", range(8))
def test_who_asks_while_another_is_being_answered_disturbs_nobody(turns: int) -> None:
    """He comes so many turns of the loop after the database has answered: between that and the other's answer, too."""

    async def story() -> None:
        loop = asyncio.get_running_loop()
        asked: list[asyncio.Future[int]] = []

        def run_read(function: Callable[[Any], Any]) -> asyncio.Future[int]:
            asked.append(loop.create_future())
            return asked[-1]

        health = Health(SimpleNamespace(run_read=run_read))  # type: ignore[arg-type]
        first = asyncio.ensure_future(health._database_answers())
        while not asked:
            await asyncio.sleep(0)
        second = loop.create_future()

        def come(left: int) -> None:
            if left:
                loop.call_soon(come, left - 1)
            else:
                second.set_result(asyncio.ensure_future(health._database_answers()))

        come(turns)
        asked[0].set_result(1)
        assert await first
        other = await second
        for _ in range(5):
            await asyncio.sleep(0)
        if not asked[-1].done():
            asked[-1].set_result(1)
        assert await other

    asyncio.run(story())
