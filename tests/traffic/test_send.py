"""From «submitting» over a line to «submitted», and everything that may be said on the way."""

import pytest

from core.message import MtKind, MtState
from tests.makers import a_link
from tests.traffic.desk import (
    ACCEPTED,
    PERMANENT,
    TEMPORARY,
    THROTTLED,
    UNANSWERED,
    UNSENT,
    Desk,
    FakeLine,
    an_mt,
    run,
)
from traffic.send import TAKE_OVER_MS

CHARGED = pytest.mark.parametrize(
    ("kind", "reply_to"), [(MtKind.STANDARD, 0), (MtKind.PREMIUM, 0), (MtKind.PREMIUM, 7)]
)
"""Whoever pays for it, and whether or not it answers an MO."""


def test_what_is_accepted_is_submitted_under_the_operators_id() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        desk.sender.line_opened(line)

        desk.sender.offer(an_mt())
        await desk.flow()

        (move,) = desk.paper.moves
        assert (move.new, move.mt.keys, move.parts) == (MtState.SUBMITTED, ["KEY"], ())

    run(story)


def test_a_text_of_several_parts_that_goes_as_one_has_its_id_with_its_part() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(parts=1)
        desk.sender.line_opened(line)

        desk.sender.offer(an_mt(parts=3))
        await desk.flow()

        (move,) = desk.paper.moves
        assert (move.mt.keys, move.parts) == ([], [(1, "KEY", MtState.SUBMITTED)])

    run(story)


def test_a_text_counted_as_one_that_takes_two_over_this_line_has_both_ids() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(parts=2)
        desk.sender.line_opened(line)

        desk.sender.offer(an_mt(parts=1))
        await desk.flow()

        (move,) = desk.paper.moves
        assert (move.mt.keys, [part for part, _, _ in move.parts]) == ([], [1, 2])

    run(story)


def test_a_part_that_is_refused_for_good_ends_the_whole_and_saves_the_rest() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=1)
        line.says = lambda sent: PERMANENT if sent.part == 1 else ACCEPTED
        desk.sender.line_opened(line)

        desk.sender.offer(an_mt(parts=4))
        for _ in range(4):
            await desk.flow()
            line.gets_room(desk)

        assert [sent.part for sent in line.sent] == [0, 1]
        (move,) = desk.paper.moves
        assert (move.new, move.error) == (MtState.FAILED, PERMANENT.sentence)
        assert [(number, bool(key), state) for number, key, state in move.parts] == [
            (1, True, MtState.SUBMITTED),
            *((number, False, MtState.FAILED) for number in (2, 3, 4)),
        ], "what was not sent any more has failed as well, and the operator takes nothing for it"

    run(story)


def test_throttled_parts_go_again_in_their_order_before_later_ones() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=2)
        line.holds_answers = True
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(parts=4))

        line.free = 0
        line.answers(ACCEPTED, THROTTLED)
        await desk.flow()
        line.holds_answers = False
        line.gets_room(desk, 100)
        await desk.flow()

        assert [sent.part for sent in line.sent] == [0, 1, 1, 2, 3]
        assert desk.states == [MtState.SUBMITTED]

    run(story)


def test_a_message_that_was_throttled_goes_before_those_that_came_after_it() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=1)
        line.holds_answers = True
        desk.sender.line_opened(line)
        for number in (1, 2, 3):
            desk.sender.offer(an_mt(id=number << 22))

        line.answers(THROTTLED)
        await desk.flow()
        line.gets_room(desk, 3)
        await desk.flow()

        assert [sent.mt_id >> 22 for sent in line.sent] == [1, 1, 2, 3]

    run(story)


def test_a_message_of_which_a_part_was_throttled_goes_on_before_one_that_began_after_it() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=3)
        line.holds_answers = True
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(id=1 << 22, parts=2))
        desk.sender.offer(an_mt(id=2 << 22, parts=2))

        line.answers(ACCEPTED, THROTTLED)
        await desk.flow()
        line.gets_room(desk)
        await desk.flow()
        line.gets_room(desk)
        await desk.flow()

        assert [(sent.mt_id >> 22, sent.part) for sent in line.sent] == [(1, 0), (1, 1), (2, 0), (1, 1), (2, 1)]

    run(story)


def test_what_begun_first_goes_first_when_there_is_room() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=1)
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(id=1 << 22, parts=3))
        desk.sender.offer(an_mt(id=2 << 22, parts=1))

        for _ in range(4):
            await desk.flow()
            line.gets_room(desk)

        assert [(sent.mt_id >> 22, sent.part) for sent in line.sent] == [(1, 0), (1, 1), (1, 2), (2, 0)]

    run(story)


def test_a_free_reply_without_an_answer_goes_again_later_and_is_marked() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        line.says = lambda sent: UNANSWERED
        desk.sender.line_opened(line)

        desk.sender.offer(an_mt())
        await desk.flow()

        (move,) = desk.paper.moves
        assert (move.new, move.mt.maybe_twice, move.mt.attempt) == (MtState.QUEUED, True, 1)
        assert move.due_at is not None
        assert move.due_at > desk.clock.now()

    run(story)


@CHARGED
def test_a_charged_message_without_an_answer_is_unknown_and_never_sent_again(kind: MtKind, reply_to: int) -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        line.says = lambda sent: UNANSWERED if sent.part == 1 else ACCEPTED
        desk.sender.line_opened(line)

        desk.sender.offer(an_mt(kind=kind, reply_to=reply_to, parts=2))
        await desk.flow()

        (move,) = desk.paper.moves
        assert (move.new, move.due_at, move.error) == (MtState.UNKNOWN, None, UNANSWERED.sentence)
        assert move.parts == [(1, "KEY", MtState.SUBMITTED), (2, "", MtState.UNKNOWN)]

    run(story)


@pytest.mark.parametrize("reply_to", [0, 7])
def test_a_free_message_without_an_answer_goes_again_marked_whether_or_not_it_is_a_reply(reply_to: int) -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        line.says = lambda sent: UNANSWERED
        desk.sender.line_opened(line)

        desk.sender.offer(an_mt(reply_to=reply_to))
        await desk.flow()

        (move,) = desk.paper.moves
        assert (move.new, move.mt.maybe_twice) == (MtState.QUEUED, True)

    run(story)


@CHARGED
def test_a_charged_message_that_the_centre_did_not_take_goes_again(kind: MtKind, reply_to: int) -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        line.says = lambda sent: TEMPORARY
        desk.sender.line_opened(line)

        desk.sender.offer(an_mt(kind=kind, reply_to=reply_to))
        await desk.flow()

        (move,) = desk.paper.moves
        assert (move.new, move.mt.maybe_twice) == (MtState.QUEUED, False)

    run(story)


@CHARGED
def test_a_charged_message_of_which_a_part_was_taken_is_sent_by_no_other_line(kind: MtKind, reply_to: int) -> None:
    async def story() -> None:
        desk, first = Desk(), FakeLine(room=1)
        desk.sender.line_opened(first)
        desk.sender.offer(an_mt(kind=kind, reply_to=reply_to, parts=2))
        await desk.flow()

        first.is_open = False
        second = FakeLine(a_link("alpha-2", id=2))
        desk.sender.line_opened(second)
        desk.sender.sweep()
        desk.clock.advance(TAKE_OVER_MS)
        desk.sender.sweep()
        await desk.flow()

        assert second.sent == []
        assert desk.states == [MtState.UNKNOWN]

    run(story)


def test_an_operation_written_for_one_line_goes_over_no_other() -> None:
    async def story() -> None:
        desk, first = Desk(), FakeLine()
        second = FakeLine(a_link("alpha-2", id=2), parts=3)
        first.says = lambda sent: UNSENT
        desk.sender.line_opened(first)
        first.holds_answers = True
        desk.sender.offer(an_mt(parts=2))

        first.is_open = False
        first.answers(UNSENT, UNSENT)
        await desk.flow()
        desk.sender.line_opened(second)
        await desk.flow()

        assert [sent.part for sent in second.sent] == [0, 1, 2], "as many as it takes there"
        assert second.sent[0].reference != first.sent[0].reference, "parts of both must not be joined"
        (move,) = desk.paper.moves
        assert (move.new, move.mt.link_id, move.mt.maybe_twice) == (MtState.SUBMITTED, 2, False)

    run(story)


def test_a_link_that_was_made_anew_writes_anew() -> None:
    async def story() -> None:
        desk, old = Desk(), FakeLine(room=1)
        desk.sender.line_opened(old)
        desk.sender.offer(an_mt(parts=2))
        await desk.flow()

        old.is_open = False
        new = FakeLine(parts=3)
        desk.sender.line_opened(new)
        await desk.flow()

        assert [sent.part for sent in new.sent] == [0, 1, 2]
        assert desk.paper.moves[-1].mt.maybe_twice, "a part of it was accepted before"

    run(story)


def test_a_line_that_comes_back_ends_what_it_began() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine(room=1)
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(parts=2))
        await desk.flow()

        line.is_open = False
        await desk.flow()
        line.is_open, line.free = True, 100
        desk.sender.line_opened(line)
        await desk.flow()

        assert [sent.part for sent in line.sent] == [0, 1]
        assert not desk.paper.moves[-1].mt.maybe_twice

    run(story)


def test_a_text_that_a_line_cannot_write_fails_and_holds_up_nobody() -> None:
    async def story() -> None:
        desk, line = Desk(), FakeLine()
        line.wrong = "300 parts are more than 255"
        desk.sender.line_opened(line)
        desk.sender.offer(an_mt(id=1 << 22))
        line.wrong = ""
        desk.sender.offer(an_mt(id=2 << 22))
        await desk.flow()

        assert [(move.mt.id >> 22, move.new) for move in desk.paper.moves] == [
            (1, MtState.FAILED),
            (2, MtState.SUBMITTED),
        ]
        assert desk.paper.moves[0].error == "it cannot be written for alpha-1: 300 parts are more than 255"

    run(story)
