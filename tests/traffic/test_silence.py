"""A line that is up and does not answer: what waits goes another way, until it answers."""

import asyncio

from core.message import MtState
from tests.makers import a_link
from tests.traffic.desk import ACCEPTED, UNANSWERED, Desk, FakeLine, an_mt
from tests.way.office import story
from traffic.routes import Terms
from traffic.silence import ASK_S, LOOK_S

SILENT_S = 2 * LOOK_S + 0.01


def a_line(number: int, *, room: int = 100, priority: int = 1, parts: int = 0) -> FakeLine:
    line = FakeLine(a_link(f"alpha-{number}", id=number), room=room, parts=parts)
    line.terms = Terms(priority=priority)
    return line


class Two:
    """The first of two lines is the better one, and says nothing."""

    def __init__(self, *, room: int = 100, parts: int = 0) -> None:
        self.desk = Desk()
        self.first, self.second = a_line(1, room=room, parts=parts), a_line(2, priority=2, parts=parts)
        self.first.holds_answers = True
        for line in (self.first, self.second):
            self.desk.sender.line_opened(line)
        self._number = 0

    def offer(self, count: int = 1, *, link_id: int = 1) -> None:
        for _ in range(count):
            self._number += 1
            self.desk.sender.offer(an_mt(id=self._number << 22, link_id=link_id))

    @property
    def sent(self) -> tuple[int, int]:
        return len(self.first.sent), len(self.second.sent)


@story
async def test_what_comes_once_a_line_is_silent_goes_over_the_other_one() -> None:
    two = Two()
    two.offer(3)
    await asyncio.sleep(SILENT_S)

    two.offer(3)

    assert two.sent == (3, 3)


@story
async def test_what_waits_for_room_in_the_window_of_a_silent_line_goes_over_the_other_one() -> None:
    two = Two(room=2)
    two.offer(5)
    assert two.sent == (2, 0), "a line of a worse rank is for when the better one is down"

    await asyncio.sleep(SILENT_S)

    assert two.sent == (2, 3)


@story
async def test_a_line_that_answers_slowly_and_steadily_is_not_silent() -> None:
    two = Two()
    for _ in range(20):
        two.offer(2)
        await asyncio.sleep(LOOK_S * 0.9)
        two.first.answers(ACCEPTED)

    assert two.sent == (40, 0)


@story
async def test_one_answer_brings_it_back() -> None:
    two = Two()
    two.offer(3)
    await asyncio.sleep(SILENT_S)
    two.offer()

    two.first.answers(ACCEPTED)
    await two.desk.flow()
    two.offer()

    assert two.sent == (4, 1)
    assert two.desk.states == [MtState.SUBMITTED, MtState.SUBMITTED]


@story
async def test_a_time_out_is_no_answer_and_what_was_under_way_may_go_over_the_other_one() -> None:
    two = Two()
    two.offer(2)
    await asyncio.sleep(SILENT_S)

    two.first.answers(UNANSWERED, UNANSWERED)
    await two.desk.flow()
    assert two.desk.states == [MtState.QUEUED, MtState.QUEUED]
    for move in two.desk.paper.moves:
        move.mt.state = MtState.SUBMITTING
        two.desk.sender.offer(move.mt)

    assert two.sent == (2, 2)
    assert all(move.mt.maybe_twice for move in two.desk.paper.moves)


@story
async def test_a_silent_line_is_asked_by_one_message_now_and_then() -> None:
    two = Two()
    two.offer(2)
    await asyncio.sleep(SILENT_S)
    two.first.answers(UNANSWERED, UNANSWERED)

    await asyncio.sleep(ASK_S + SILENT_S)
    two.offer(5)
    assert two.sent == (3, 4)
    two.first.answers(UNANSWERED)
    await asyncio.sleep(ASK_S + SILENT_S)
    two.offer(5)
    assert two.sent == (3, 9), "the second time it waits twice as long"
    await asyncio.sleep(ASK_S)
    two.first.holds_answers = False
    two.offer(1)
    await two.desk.flow()
    two.offer(5)

    assert two.sent == (9, 9)


@story
async def test_a_long_message_asks_with_its_first_part_only() -> None:
    two = Two(parts=3)
    two.offer(1)
    await asyncio.sleep(SILENT_S)
    two.first.answers(UNANSWERED, UNANSWERED, UNANSWERED)

    await asyncio.sleep(ASK_S + SILENT_S)
    two.offer(2)

    assert two.sent == (4, 3)


@story
async def test_a_line_that_is_the_only_one_is_used_however_long_it_says_nothing() -> None:
    two = Two()
    two.second.is_open = False
    two.offer(2)
    await asyncio.sleep(SILENT_S)

    two.offer(2)

    assert two.sent == (4, 0)


@story
async def test_when_the_other_one_goes_a_silent_line_is_better_than_none() -> None:
    two = Two()
    two.offer(2)
    await asyncio.sleep(SILENT_S)
    two.second.is_open = False
    two.desk.sender.line_closed(two.second.link)

    two.offer(2)
    await asyncio.sleep(SILENT_S)

    assert two.sent == (4, 0)


@story
async def test_a_line_that_was_opened_anew_is_not_silent() -> None:
    two = Two()
    two.offer(2)
    await asyncio.sleep(SILENT_S)
    two.first.answers(UNANSWERED, UNANSWERED)
    two.first.holds_answers = False

    two.desk.sender.line_opened(two.first)
    two.desk.clock.advance(60_000)
    two.offer(2)

    assert two.sent == (4, 0)
