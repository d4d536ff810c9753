"""Lines that get nothing new: what has begun goes on over them, the rest goes elsewhere or waits, and comes back."""

import asyncio

from core.message import MtState
from tests.makers import a_link
from tests.traffic.desk import ACCEPTED, THROTTLED, UNSENT, Desk, FakeLine, an_mt, run


def a_desk(*lines: FakeLine) -> Desk:
    desk = Desk()
    for line in lines:
        desk.sender.line_opened(line)
    return desk


def a_line(number: int, *, room: int = 100, parts: int = 0) -> FakeLine:
    return FakeLine(a_link(f"alpha-{number}", id=number), room=room, parts=parts)


def test_nothing_new_goes_over_a_held_line_and_a_reply_leaves_its_own_link() -> None:
    async def story() -> None:
        first, second = a_line(1), a_line(2)
        desk = a_desk(first, second)
        desk.sender.rests.hold({1})

        for number in range(10):
            desk.sender.offer(an_mt(id=number << 22, link_id=1))
        await desk.flow()

        assert (len(first.sent), len(second.sent)) == (0, 10)
        assert desk.sender.rests.held == {1}

    run(story)


def test_what_waits_goes_when_the_only_line_is_held_no_more() -> None:
    async def story() -> None:
        line = a_line(1)
        desk = a_desk(line)
        desk.sender.rests.hold([1])
        desk.sender.offer(an_mt())
        await desk.flow()
        assert (line.sent, desk.sender.waiting) == ([], 1)

        desk.sender.rests.hold(())
        await desk.flow()

        assert len(line.sent) == 1
        assert desk.states == [MtState.SUBMITTED]

    run(story)


def test_an_order_holds_before_the_line_opens_and_over_its_reconnects() -> None:
    async def story() -> None:
        desk = Desk()
        desk.sender.rests.hold({1})
        first = a_line(1)
        desk.sender.line_opened(first)
        desk.sender.offer(an_mt())
        first.is_open = False
        desk.sender.line_closed(first.link)
        again = a_line(1)
        desk.sender.line_opened(again)
        await desk.flow()

        assert first.sent == again.sent == []

    run(story)


def test_the_parts_that_are_left_of_a_long_message_go_over_the_line_it_began_on() -> None:
    async def story() -> None:
        first, second = a_line(1, room=2, parts=3), a_line(2)
        desk = a_desk(first, second)
        desk.sender.offer(an_mt(parts=3))
        await desk.flow()
        resting = asyncio.ensure_future(desk.sender.rests.rest(1, 60))
        await desk.flow()
        assert not resting.done()
        assert desk.sender.rests.under_way(1) == 1

        first.gets_room(desk)
        assert await resting

        assert [sent.part for sent in first.sent] == [0, 1, 2]
        assert second.sent == []
        assert desk.states == [MtState.SUBMITTED]
        assert not desk.paper.moves[-1].mt.maybe_twice

    run(story)


def test_a_line_rests_when_the_last_answer_is_there_and_wakes_with_what_waited() -> None:
    async def story() -> None:
        line = a_line(1)
        line.holds_answers = True
        desk = a_desk(line)
        desk.sender.offer(an_mt(id=1 << 22))
        resting = asyncio.ensure_future(desk.sender.rests.rest(1, 60))
        await desk.flow()
        desk.sender.offer(an_mt(id=2 << 22))
        await desk.flow()
        assert (resting.done(), len(line.sent)) == (False, 1)

        line.answers(ACCEPTED)
        assert await resting
        assert len(line.sent) == 1
        desk.sender.rests.wake(1)
        await desk.flow()

        assert len(line.sent) == 2

    run(story)


def test_what_was_throttled_on_a_resting_line_goes_over_another() -> None:
    async def story() -> None:
        first, second = a_line(1), a_line(2)
        first.holds_answers = True
        desk = a_desk(first, second)
        desk.sender.offer(an_mt())
        resting = asyncio.ensure_future(desk.sender.rests.rest(1, 60))
        await desk.flow()

        first.answers(THROTTLED)
        assert await resting
        await desk.flow()

        assert (len(first.sent), len(second.sent)) == (1, 1)

    run(story)


def test_a_line_that_is_lost_rests() -> None:
    async def story() -> None:
        line = a_line(1)
        line.holds_answers = True
        desk = a_desk(line)
        desk.sender.offer(an_mt())
        resting = asyncio.ensure_future(desk.sender.rests.rest(1, 60))
        await desk.flow()

        line.is_open = False
        line.answers(UNSENT)
        desk.sender.line_closed(line.link)

        assert await resting

    run(story)


def test_who_waits_too_long_is_told_so_and_an_idle_line_rests_at_once() -> None:
    async def story() -> None:
        line = a_line(1)
        line.holds_answers = True
        desk = a_desk(line)
        assert await desk.sender.rests.quiet(1, 0)
        assert await desk.sender.rests.quiet(99, 0)
        desk.sender.offer(an_mt())
        await desk.flow()

        assert not await desk.sender.rests.rest(1, 0.01)
        assert not await desk.sender.rests.quiet(1, 0.01)
        assert desk.sender.rests.under_way(1) == 1

    run(story)


def test_a_wake_does_not_undo_an_order() -> None:
    async def story() -> None:
        line = a_line(1)
        desk = a_desk(line)
        desk.sender.rests.hold({1})
        await desk.sender.rests.rest(1, 0)
        desk.sender.rests.wake(1)
        desk.sender.offer(an_mt())
        await desk.flow()

        assert line.sent == []

    run(story)


def test_the_database_is_not_asked_for_what_may_not_go() -> None:
    async def story() -> None:
        line = a_line(1)
        desk = a_desk(line)
        desk.sender.rests.hold({1})

        assert not any(1 in ids for ids in desk.sender._wanted().values())
        desk.sender.rests.hold(())
        assert any(1 in ids for ids in desk.sender._wanted().values())

    run(story)
