"""Parts of a dead process are restored while a message of ours waits, or is written, under the same reference."""

import pytest

from core.message import Heard
from core.sms.alphabet import Alphabet, encode
from store.journal import MoFact, PartFact
from store.recovery import WaitingPart
from tests.makers import a_link, an_operator
from tests.traffic.desk import run
from tests.traffic.test_accept import Desk

OLD, NEW = 5, 1 << 62
"""Ids of before and of after all that comes here."""


def a_row(desk: Desk, text: str, number: int, total: int = 3, *, id_: int = OLD) -> WaitingPart:
    """A part that another process had acknowledged."""
    octets = encode(text, Alphabet.GSM7)
    return WaitingPart(
        id_ + number, a_link().id, an_operator().id, "79001112233", "4446", 1, 8, total, number, 0, octets, 99,
        desk.clock.now(),
    )  # fmt: skip


def restore(desk: Desk, *rows: WaitingPart) -> None:
    desk.accept.restore(rows, {a_link().id: (a_link(), an_operator())})


def left_over(desk: Desk) -> list[int]:
    """Parts that were acknowledged and are in no message."""
    joined = {part for fact in desk.paper.facts if isinstance(fact, MoFact) for part in fact.joined}
    return [fact.id for fact in desk.paper.facts if isinstance(fact, PartFact) and fact.id not in joined]


def test_a_part_that_is_being_written_is_in_its_message_though_another_has_its_reference() -> None:
    async def story() -> None:
        desk = Desk()
        desk.comes("one ", 1, 3)
        await desk.flow()
        desk.gate.clear()
        desk.comes("two ", 2, 3)
        await desk.flow()

        restore(desk, a_row(desk, "uno ", 1))
        desk.gate.set()
        await desk.flow()
        desk.comes("three", 3, 3)
        await desk.flow()
        desk.passes(1)
        await desk.flow()

        assert {heard for _, heard in desk.heard} == {Heard.TAKEN}
        assert left_over(desk) == []
        assert sorted(desk.texts) == ["one two three", "uno "]

    run(story)


def test_an_older_message_that_is_restored_whole_stands_beside_ours() -> None:
    """No part of it goes into ours, which has room for two."""

    async def story() -> None:
        desk = Desk()
        desk.comes("one ", 1, 3)
        await desk.flow()

        restore(desk, a_row(desk, "tres", 3), a_row(desk, "uno ", 1), a_row(desk, "dos ", 2))
        desk.comes("two ", 2, 3)
        desk.comes("three", 3, 3)
        await desk.flow()
        desk.passes(1)
        await desk.flow()

        assert sorted(desk.texts) == ["one two three", "uno dos tres"]
        assert all(mo.complete for mo in desk.mos)
        assert left_over(desk) == []

    run(story)


def test_a_newer_message_that_is_restored_takes_the_place_of_ours() -> None:
    async def story() -> None:
        desk = Desk()
        desk.comes("one ", 1, 3)
        await desk.flow()

        restore(desk, a_row(desk, "uno ", 1, id_=NEW))
        await desk.flow()
        desk.comes("dos ", 2, 3)
        desk.comes("tres", 3, 3)
        await desk.flow()
        desk.passes(1)
        await desk.flow()

        assert sorted(desk.texts) == ["one ", "uno dos tres"]
        assert left_over(desk) == []

    run(story)


def test_two_messages_that_were_restored_under_one_reference_are_two() -> None:
    async def story() -> None:
        desk = Desk()

        rows = [a_row(desk, "one ", 1), a_row(desk, "two ", 2)]
        rows += [a_row(desk, text, number, id_=NEW) for number, text in enumerate(("uno ", "dos ", "tres"), 1)]
        restore(desk, *rows)
        desk.passes(1)
        await desk.flow()

        assert desk.texts == ["one two ", "uno dos tres"]

    run(story)


@pytest.mark.parametrize("times", [2, 3])
def test_what_stands_beside_ours_is_restored_once(times: int) -> None:
    """A look for the dead that got no answer from the database is made again."""

    async def story() -> None:
        desk = Desk()
        desk.comes("one ", 1, 3)
        await desk.flow()
        rows = [a_row(desk, "uno ", 1), a_row(desk, "dos ", 2)]

        for _ in range(times):
            restore(desk, *rows)
        desk.passes(1)
        await desk.flow()

        assert desk.texts == ["uno dos "]

    run(story)
