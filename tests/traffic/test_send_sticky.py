"""Lines on which numbers stay: what waits for one waits as it would without, by class, and no longer than valid."""

import pytest

from core.message import MtState, TrafficClass
from tests.makers import NOON, a_link
from tests.traffic.desk import ACCEPTED, THROTTLED, Desk, FakeLine, an_mt, run
from traffic.routes import SPARED_MS, Terms
from traffic.send import HELD_MAX

STICKY = Terms(sticky=True)
BULK = TrafficClass.BULK


def a_line(number: int, terms: Terms = STICKY, *, room: int = 0, parts: int = 0) -> FakeLine:
    line = FakeLine(a_link(f"alpha-{number}", id=number), room=room, parts=parts)
    line.terms = terms
    return line


def ids(line: FakeLine) -> list[int]:
    return [sent.mt_id >> 22 for sent in line.sent]


def test_a_number_stays_on_its_line_whether_that_has_room_or_not() -> None:
    async def story() -> None:
        desk, lines = Desk(), [a_line(1, room=100), a_line(2, room=100)]
        for line in lines:
            desk.sender.line_opened(line)

        def all_numbers(first: int) -> None:
            for number in range(40):
                mt = an_mt(id=first + number << 22, link_id=0, reply_to=0, destination=f"790011122{number:02d}")
                desk.sender.offer(mt)

        all_numbers(0)
        await desk.flow()
        homes = [set(ids(line)) for line in lines]
        lines[0].free = 0
        all_numbers(100)
        await desk.flow()
        lines[0].gets_room(desk, 100)
        await desk.flow()

        assert min(map(len, homes)) > 5
        assert [{id_ - 100 for id_ in ids(line)[len(home) :]} for line, home in zip(lines, homes)] == homes

    run(story)


def test_what_waits_for_its_line_goes_by_another_one_when_it_is_slowed() -> None:
    """Also where the operator said so of what it took: SMPP 5's congestion_state."""

    async def story() -> None:
        desk, lines = Desk(), [a_line(1), a_line(2)]
        for line in lines:
            desk.sender.line_opened(line)
        for number in range(10):
            desk.sender.offer(an_mt(id=number << 22, link_id=0, reply_to=0))
        await desk.flow()
        other, home = lines
        other.gets_room(desk, 100)
        before = [len(ids(line)) for line in lines]

        home.is_slowed = True
        other.gets_room(desk, 100)
        await desk.flow()

        assert before == [0, 0], "they wait for the one"
        assert [len(ids(line)) for line in lines] == [10, 0]

    run(story)


def test_what_waits_for_its_line_goes_by_class() -> None:
    async def story() -> None:
        desk, line = Desk(), a_line(1)
        desk.sender.line_opened(line)
        for number in range(30):
            desk.sender.offer(an_mt(id=number << 22, link_id=0, reply_to=0, traffic=BULK))
        desk.sender.offer(an_mt(id=100 << 22, link_id=0))

        line.gets_room(desk, 3)
        desk.sender.offer(an_mt(id=101 << 22, link_id=0))
        line.gets_room(desk, 3)
        line.free = 2
        desk.sender.offer(an_mt(id=102 << 22, link_id=0, reply_to=0, traffic=BULK))
        await desk.flow()

        assert ids(line) == [100, 0, 1, 101, 2, 3, 4, 5]

    run(story)


def test_what_waits_for_its_line_is_not_sent_when_its_time_is_over() -> None:
    async def story() -> None:
        desk, line = Desk(), a_line(1)
        desk.sender.line_opened(line)
        for number, valid_ms in enumerate((1000, 5000, 9000)):
            desk.sender.offer(an_mt(id=number << 22, link_id=0, valid_until=NOON + valid_ms))

        desk.clock.advance(1000)
        desk.sender.sweep()
        await desk.flow()
        assert desk.states == [MtState.EXPIRED]

        desk.clock.advance(4000)
        line.gets_room(desk, 10)
        await desk.flow()

        assert ids(line) == [2]
        assert sorted(desk.states, key=lambda state: state.name) == [MtState.EXPIRED] * 2 + [MtState.SUBMITTED]

    run(story)


def test_a_crowd_that_waits_for_one_line_leaves_room_for_replies_in_memory() -> None:
    async def story() -> None:
        desk = Desk()
        desk.sender.line_opened(a_line(1))
        for number in range(HELD_MAX):
            desk.sender.offer(an_mt(id=number << 22, link_id=0, reply_to=0, traffic=BULK))

        assert not desk.sender.holds(1, BULK)
        assert desk.sender.holds(1, TrafficClass.REPLY)
        assert desk.sender.waiting == HELD_MAX

    run(story)


def test_what_waits_for_its_line_is_not_under_way_and_finds_another_when_that_is_held() -> None:
    async def story() -> None:
        desk, first = Desk(), a_line(1)
        desk.sender.line_opened(first)
        for number in range(5):
            desk.sender.offer(an_mt(id=number << 22, link_id=0))
        second = a_line(2, Terms(priority=2), room=100)
        desk.sender.line_opened(second)
        assert second.sent == []

        desk.sender.rests.hold({1})
        assert desk.sender.rests.under_way(1) == 0
        assert await desk.sender.rests.quiet(1, 0)
        desk.sender.sweep()
        await desk.flow()

        assert ids(second) == [0, 1, 2, 3, 4]

    run(story)


def test_what_waits_for_a_line_that_is_throttled_goes_over_another_in_its_order() -> None:
    async def story() -> None:
        desk, first, second = Desk(), a_line(1, room=1), a_line(2, Terms(priority=2), room=100)
        first.holds_answers = True
        for line in (first, second):
            desk.sender.line_opened(line)
        for number in range(4):
            desk.sender.offer(an_mt(id=number << 22, link_id=0))
        assert (ids(first), ids(second)) == ([0], [])

        first.answers(THROTTLED)
        await desk.flow()
        assert ids(second) == [0, 1, 2, 3]

        desk.clock.advance(SPARED_MS)
        first.holds_answers = False
        first.gets_room(desk, 10)
        desk.sender.offer(an_mt(id=9 << 22, link_id=0))
        await desk.flow()
        assert ids(first) == [0, 9]

    run(story)


def test_what_waits_for_a_line_goes_over_the_one_that_takes_its_place() -> None:
    async def story() -> None:
        desk = Desk()
        desk.sender.line_opened(a_line(1))
        for number in range(3):
            desk.sender.offer(an_mt(id=number << 22, link_id=0))

        again = a_line(1, room=2)
        desk.sender.line_opened(again)
        await desk.flow()

        assert ids(again) == [0, 1]
        assert desk.sender.waiting == 1

    run(story)


def test_a_stop_gives_back_what_waits_for_its_line() -> None:
    async def story() -> None:
        desk, line = Desk(), a_line(1, room=1)
        desk.sender.line_opened(line)
        for number in range(3):
            desk.sender.offer(an_mt(id=number << 22, link_id=0))

        await desk.sender.stop(0)
        await desk.flow()

        assert [(move.mt.id >> 22, move.new) for move in desk.paper.moves] == [
            (0, MtState.SUBMITTED), (1, MtState.QUEUED), (2, MtState.QUEUED),
        ]  # fmt: skip
        assert desk.sender.waiting == 0

    run(story)


def test_the_parts_that_are_left_end_with_the_time_of_the_message_if_no_room_comes() -> None:
    async def story() -> None:
        desk, line = Desk(), a_line(1, Terms(), room=2, parts=3)
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(valid_until=NOON + 1000, parts=3))
        await desk.flow()

        desk.clock.advance(1000)
        desk.sender.sweep()
        await desk.flow()

        assert desk.states == [MtState.EXPIRED]
        assert desk.sender.waiting == 0

    run(story)


@pytest.mark.parametrize("under_way", [0, 1])
def test_the_parts_that_are_left_do_not_go_when_the_time_of_the_message_is_over(under_way: int) -> None:
    async def story() -> None:
        desk, line = Desk(), a_line(1, Terms(), room=2, parts=3)
        line.holds_answers = True
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(valid_until=NOON + 1000, parts=3, reply_to=0))
        line.answers(*[ACCEPTED for _ in range(2 - under_way)])
        await desk.flow()

        desk.clock.advance(1000)
        line.gets_room(desk, 5)
        line.answers(*[ACCEPTED] * under_way)
        await desk.flow()

        assert len(line.sent) == 2
        assert desk.states == [MtState.EXPIRED]
        assert [state for _, _, state in desk.paper.moves[-1].parts] == [
            MtState.SUBMITTED, MtState.SUBMITTED, MtState.FAILED,
        ]  # fmt: skip

    run(story)
