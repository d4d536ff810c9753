"""A caller of an HTTP link who gives up while his request is held: his message may come again, and no other's."""

import asyncio
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from store.schema import InDoubt, Mo
from tests.partners import Heard, Partner, answers
from tests.tollbridge.test_http_links import CONF, Place

VOTERS = range(3)


def path(place: Place, number: int, text: str) -> str:
    return f"{place.url}?msisdn=7900111220{number}&sn=4446&msg=GAME+{text}"


async def gives_up(place: Place, asked: str) -> None:
    """Sends it, and is gone once its message is durable."""
    _, writer = await asyncio.open_connection("127.0.0.1", place.listens)
    target = asked.partition(str(place.listens))[2]
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await writer.drain()
    await place.until(partial(has, place, Mo, len(VOTERS) + 1))
    writer.close()


def has(place: Place, table: type[Mo] | type[InDoubt], count: int) -> bool:
    return len(place.rows(table)) >= count


def test_a_caller_who_gives_up_makes_nobody_elses_next_message_a_repeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator gives no ids, so a message that may come again is known by its text."""
    (tmp_path / "conf").mkdir()
    text = (CONF / "http-query.toml").read_text()
    assert '    id = "smsid"\n' in text
    (tmp_path / "conf/http-query.toml").write_text(text.replace('    id = "smsid"\n', ""))
    monkeypatch.setattr("tests.tollbridge.test_http_links.CONF", tmp_path / "conf")
    at_once, thanks = asyncio.Event(), answers("thank you")

    async def waits(heard: Heard, writer: asyncio.StreamWriter) -> None:
        await at_once.wait()
        await thanks(heard, writer)

    async def story(place: Place, client: aiohttp.ClientSession) -> None:
        at_once.set()
        for number in VOTERS:
            async with client.get(path(place, number, "vote")) as answer:
                assert await answer.text() == "thank you"
        at_once.clear()
        await gives_up(place, path(place, 9, "vote"))
        await place.until(partial(has, place, InDoubt, 1))
        at_once.set()
        for number in (*VOTERS, 9):
            async with client.get(path(place, number, "vote")) as answer:
                assert answer.status == 200

        by_number = sorted(row.source for row in place.rows(Mo))
        assert by_number == sorted([f"7900111220{number}" for number in VOTERS] * 2 + ["79001112209"])

    asyncio.run(Place(tmp_path, "http-query").play(story, Partner(waits)))
