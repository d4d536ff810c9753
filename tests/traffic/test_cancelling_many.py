"""Many messages that are taken back at once: each link has its own few, and nobody waits for another's."""

import asyncio
from dataclasses import replace

from store.journal import OrderHow
from tests.makers import a_link
from tests.smsc_link.virtual import virtually
from tests.traffic.cancels import (
    CancellingLine,
    Office,
    Shelf,
    SlowLine,
    Wanted,
    a_due,
    a_part,
)
from traffic.orders import FRESH_S, ROOM_LOOK_S


def test_a_slow_link_keeps_no_other_waiting_and_all_of_its_own_are_asked_for_in_their_order() -> None:
    """Of many each waits longer for its turn than one may wait for room."""

    async def story() -> None:
        slow, quick = SlowLine(), CancellingLine(link=replace(a_link(), id=2, name="alpha-2"))
        shelf = Shelf(*[a_due(order) for order in range(1, 26)])
        office = Office(shelf, slow, quick)
        office.paper.wrote = shelf.wrote
        await asyncio.sleep(10)

        shelf.all.append(a_due(26, link=2))
        await office.looks()
        others = list(quick.asked)
        await asyncio.sleep(25 * (slow.seconds + 1))

        assert others == [0], "at the next look"
        assert slow.mt_ids == [101 + number for number in range(25)]
        assert {fact.how for fact in office.paper.facts} == {OrderHow.ASKED}
        assert len(office.paper.facts) == 26
        assert sorted(shelf.taken) == list(range(1, 27))
        await office.ends()

    virtually(story())


def test_each_is_taken_when_its_turn_comes() -> None:
    """Of what it took with it when it died, the next process cannot know whether it was asked for."""

    async def story() -> None:
        slow, shelf = SlowLine(seconds=30), Shelf(*[a_due(order) for order in range(1, 5)])
        office = Office(shelf, slow)
        office.paper.wrote = shelf.wrote

        await asyncio.sleep(40)
        taken = list(shelf.taken)
        await asyncio.sleep(100)

        assert taken == [1, 2]
        assert slow.mt_ids == [101, 102, 103, 104]
        await office.ends()

    virtually(story())


def test_what_was_taken_a_while_ago_is_asked_for_no_more() -> None:
    """The process stood still: it may be buried, its order another's, and done."""

    async def story() -> None:
        line, shelf = CancellingLine(has_room=False), Shelf(a_due())
        office = Office(shelf, line)
        office.paper.wrote = shelf.wrote
        await office.looks()

        await asyncio.sleep(FRESH_S)
        line.has_room = True
        office.orders.line_has_room(line)
        await asyncio.sleep(1)

        assert (shelf.taken, line.asked) == ([1], [])
        assert [fact.how for fact in office.paper.facts] == [OrderHow.UNASKED]
        await office.ends()

    virtually(story())


def test_others_of_a_link_without_room_are_let_go_with_the_first() -> None:
    async def story() -> None:
        full, shelf = CancellingLine(has_room=False), Shelf(a_due(1), a_due(2))
        office = Office(shelf, full)
        office.paper.wrote = shelf.wrote

        await asyncio.sleep(FRESH_S + 2)
        full.has_room = True
        await office.looks()

        assert [(fact.order_id, fact.how) for fact in office.paper.facts] == [
            (1, OrderHow.UNASKED),
            (2, OrderHow.ASKED),
        ]
        assert shelf.taken == [1, 2]
        await office.ends()

    virtually(story())


def test_a_withdrawal_goes_also_where_nobody_tells_that_it_may() -> None:
    """Another question was under way."""

    async def story() -> None:
        line = CancellingLine(has_room=False)
        office = Office(Wanted(a_due(), parts={1: [a_part()]}), line)
        await office.looks()

        line.has_room = True
        await asyncio.sleep(2 * ROOM_LOOK_S)

        assert line.asked == [0]
        await office.ends()

    virtually(story())
