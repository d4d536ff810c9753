"""Several lines of one operator: whose turn it is, falling over when one is lost or throttled, what goes first."""

import pytest

from core.message import MtState, TrafficClass
from tests.makers import a_link
from tests.traffic.desk import ACCEPTED, THROTTLED, UNSENT, Desk, FakeLine, an_mt, run
from traffic.routes import SETTLE_MS, SPARED_MS, Terms
from traffic.send import HELD_MAX


def a_line(number: int, terms: Terms | None = None, *, room: int = 100) -> FakeLine:
    line = FakeLine(a_link(f"alpha-{number}", id=number), room=room)
    line.terms = terms or Terms()
    return line


def test_a_message_goes_over_its_own_link_and_over_another_if_that_has_no_room() -> None:
    async def story() -> None:
        desk = Desk()
        lines = [a_line(number) for number in (1, 2, 3)]
        for line in lines:
            desk.sender.line_opened(line)

        desk.sender.offer(an_mt(id=1 << 22, link_id=2))
        lines[1].free = 0
        desk.sender.offer(an_mt(id=2 << 22, link_id=2))
        await desk.flow()

        assert len(lines[1].sent) == 1
        assert len(lines[0].sent) + len(lines[2].sent) == 1

    run(story)


def test_what_no_link_has_a_claim_to_is_shared_by_weight() -> None:
    async def story() -> None:
        desk, light, heavy = Desk(), a_line(1), a_line(2, Terms(weight=3))
        for line in (light, heavy):
            desk.sender.line_opened(line)

        for number in range(40):
            desk.sender.offer(an_mt(id=number << 22, link_id=0, reply_to=0))
        await desk.flow()

        assert (len(light.sent), len(heavy.sent)) == (10, 30)

    run(story)


def test_what_was_on_its_way_over_a_lost_line_goes_at_once_over_another() -> None:
    async def story() -> None:
        desk, first, second = Desk(), a_line(1), a_line(2)
        first.holds_answers = True
        for line in (first, second):
            desk.sender.line_opened(line)
        desk.sender.offer(an_mt(link_id=1))
        assert len(first.sent) == 1

        first.is_open = False
        first.answers(UNSENT)
        desk.sender.line_closed(first.link)
        await desk.flow()

        assert len(second.sent) == 1
        assert desk.states == [MtState.SUBMITTED]
        assert not desk.paper.moves[-1].mt.maybe_twice

    run(story)


def test_what_only_waited_for_a_lost_line_goes_at_once_over_another() -> None:
    async def story() -> None:
        sticky = Terms(sticky=True)
        desk, first, second = Desk(), a_line(1, sticky, room=0), a_line(2, sticky, room=0)
        for line in (first, second):
            desk.sender.line_opened(line)
        for number in range(20):
            desk.sender.offer(an_mt(id=number << 22, link_id=0, reply_to=0, destination=f"790011122{number:02d}"))
        assert first.sent == second.sent == []

        second.is_open = False
        desk.sender.line_closed(second.link)
        first.gets_room(desk, 100)
        await desk.flow()

        assert len(first.sent) == 20
        assert desk.sender.waiting == 0

    run(story)


def test_what_waited_for_a_lost_line_alone_goes_over_the_next_that_opens() -> None:
    async def story() -> None:
        desk, first = Desk(), a_line(1, Terms(sticky=True), room=0)
        desk.sender.line_opened(first)
        desk.sender.offer(an_mt(link_id=0, reply_to=0))
        first.is_open = False
        desk.sender.line_closed(first.link)
        await desk.flow()
        assert desk.sender.waiting == 1

        second = a_line(2)
        desk.sender.line_opened(second)
        await desk.flow()

        assert len(second.sent) == 1

    run(story)


def test_what_an_operator_throttles_goes_over_its_other_line_for_a_moment() -> None:
    async def story() -> None:
        desk, first, second = Desk(), a_line(1), a_line(2, Terms(priority=2))
        for line in (first, second):
            desk.sender.line_opened(line)
        first.says = lambda sent: THROTTLED

        desk.sender.offer(an_mt(id=1 << 22, link_id=0))
        await desk.flow()
        desk.sender.offer(an_mt(id=2 << 22, link_id=0))
        await desk.flow()
        assert [sent.mt_id >> 22 for sent in second.sent] == [1, 2]

        desk.clock.advance(SPARED_MS)
        first.says = second.says
        desk.sender.offer(an_mt(id=3 << 22, link_id=0))
        await desk.flow()
        assert [sent.mt_id >> 22 for sent in first.sent] == [1, 3]

    run(story)


def test_a_line_that_came_back_is_trusted_after_a_while() -> None:
    async def story() -> None:
        desk, first, second = Desk(), a_line(1), a_line(2, Terms(priority=2))
        for line in (first, second, first):
            desk.sender.line_opened(line)

        desk.sender.offer(an_mt(id=1 << 22, link_id=1))
        desk.clock.advance(SETTLE_MS)
        desk.sender.offer(an_mt(id=2 << 22, link_id=1))
        await desk.flow()

        assert [sent.mt_id >> 22 for sent in second.sent] == [1]
        assert [sent.mt_id >> 22 for sent in first.sent] == [2]

    run(story)


def test_replies_go_before_campaigns_and_do_not_stop_them() -> None:
    async def story() -> None:
        desk, line = Desk(), a_line(1, room=0)
        desk.sender.line_opened(line)
        for number in range(30):
            desk.sender.offer(an_mt(id=number << 22, reply_to=0, traffic=TrafficClass.BULK))
        for number in range(100, 140):
            desk.sender.offer(an_mt(id=number << 22))

        line.gets_room(desk, 40)
        await desk.flow()

        bulk = [sent.mt_id >> 22 for sent in line.sent if sent.mt_id >> 22 < 100]
        assert bulk == [0, 1]
        assert line.sent[19].mt_id == 0 << 22, "each twentieth"

    run(story)


def test_a_crowd_of_campaigns_leaves_room_for_replies_in_memory() -> None:
    async def story() -> None:
        desk = Desk()
        for number in range(HELD_MAX):
            desk.sender.offer(an_mt(id=number << 22, reply_to=0, traffic=TrafficClass.BULK))
        assert not desk.sender.holds(1, TrafficClass.BULK)
        assert desk.sender.holds(1, TrafficClass.REPLY)

    run(story)


# --- lines that only answer ---------------------------------------------------------------------------


def an_answering_line(number: int, *awaited: int) -> FakeLine:
    """It carries replies to these MO, and cannot write anything else."""
    line = a_line(number)
    line.only_answers = True
    line.awaited = set(awaited)
    line.wrong = "" if awaited else "the link answers MO only"
    return line


def test_a_line_that_only_answers_is_no_way_out_for_what_the_others_cannot_take() -> None:
    """Else all that falls over to it would fail for good."""

    async def story() -> None:
        desk, answering, sending = Desk(), an_answering_line(1), a_line(2, room=1)
        for line in (answering, sending):
            desk.sender.line_opened(line)
        sending.says = lambda sent: THROTTLED if len(sending.sent) == 1 else ACCEPTED

        for number in (1, 2, 3):
            desk.sender.offer(an_mt(id=number << 22, link_id=number % 2, reply_to=0))
        await desk.flow()
        assert answering.sent == []
        assert desk.sender.waiting == 3
        sending.gets_room(desk, 100)
        await desk.flow()

        assert answering.sent == []
        assert desk.states == [MtState.SUBMITTED] * 3

    run(story)


@pytest.mark.parametrize("is_slowed", [True, False])
def test_what_waits_on_a_line_with_requests_of_its_own_is_answered_there_whatever_room_they_have(
    is_slowed: bool,
) -> None:
    async def story() -> None:
        desk, own, other = Desk(), a_line(1, room=1), a_line(2, room=100)
        own.awaited, own.is_slowed = {7 << 22}, is_slowed
        for line in (own, other):
            desk.sender.line_opened(line)
        if is_slowed:
            own.says = lambda sent: THROTTLED if len(own.sent) == 1 else ACCEPTED
            desk.sender.offer(an_mt(id=1 << 22, link_id=1, reply_to=0))
            await desk.flow()
        own.free = 0

        desk.sender.offer(an_mt(id=2 << 22, link_id=1, reply_to=7 << 22))
        await desk.flow()

        assert own.sent[-1].mt_id == 2 << 22
        assert 2 << 22 not in [sent.mt_id for sent in other.sent]

    run(story)


def test_what_waits_on_a_line_that_only_answers_is_answered_there_and_what_waits_no_more_goes_otherwise() -> None:
    async def story() -> None:
        desk, answering, sending = Desk(), an_answering_line(1, 7), a_line(2)
        for line in (answering, sending):
            desk.sender.line_opened(line)

        desk.sender.offer(an_mt(id=1 << 22, link_id=1, reply_to=7))
        desk.sender.offer(an_mt(id=2 << 22, link_id=1, reply_to=8))
        await desk.flow()

        assert [sent.mt_id for sent in answering.sent] == [1 << 22]
        assert [sent.mt_id for sent in sending.sent] == [2 << 22]

    run(story)


def test_a_line_that_only_answers_and_takes_nothing_now_holds_up_nobody() -> None:
    async def story() -> None:
        desk, answering, sending = Desk(), an_answering_line(1, 7), a_line(2)
        for line in (answering, sending):
            desk.sender.line_opened(line)
        answering.is_open = False

        desk.sender.offer(an_mt(id=1 << 22, link_id=1, reply_to=7))
        desk.sender.offer(an_mt(id=2 << 22, link_id=2))
        await desk.flow()

        assert [sent.mt_id for sent in sending.sent] == [1 << 22, 2 << 22]

    run(story)


def test_what_a_line_that_only_answers_cannot_carry_waits_for_one_that_comes() -> None:
    async def story() -> None:
        desk, answering, sending = Desk(), an_answering_line(1), a_line(2)
        desk.sender.line_opened(answering)
        desk.sender.offer(an_mt(link_id=1))
        await desk.flow()
        assert desk.paper.moves == []

        desk.sender.line_opened(sending)
        await desk.flow()

        assert desk.states == [MtState.SUBMITTED]
        assert len(sending.sent) == 1

    run(story)


def test_where_an_operator_has_nothing_else_it_is_said_at_once() -> None:
    async def story() -> None:
        desk, answering = Desk(), an_answering_line(1)
        desk.sender.know({"alpha": 1}, mute={1})
        desk.sender.line_opened(answering)
        desk.sender.offer(an_mt(link_id=1))
        await desk.flow()

        assert desk.states == [MtState.FAILED]
        assert "answers MO only" in desk.paper.moves[-1].error

    run(story)
