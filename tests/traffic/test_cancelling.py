"""Messages that are taken back: out of the sender's hands, and over the line that they went by."""

import asyncio
from dataclasses import replace

import pytest

from core.errors import StoreAway
from core.message import MtState
from core.question import CANCEL, Finding, Found, Ordered
from store.due_orders import Taken
from store.journal import OrderHow
from tests.makers import a_link
from tests.smsc_link.virtual import virtually
from tests.traffic.cancels import (
    KEPT,
    TAKEN,
    CancellingLine,
    Office,
    PlainLine,
    Wanted,
    a_due,
    a_part,
    story_of,
)
from tests.traffic.desk import an_mt
from traffic import order_kind
from traffic.cancelling import NO_ID, Counted
from traffic.order_kind import NO_LINK
from traffic.orders import ASKED_MAX, LOOK_S, ROOM_S


def test_what_was_submitted_is_asked_for_part_by_part_over_its_line() -> None:
    line = CancellingLine(says=lambda one: KEPT if one.part == 2 else TAKEN)

    (fact,) = story_of(Wanted(a_due(), parts={1: [a_part(1), a_part(2), a_part(3)]}), line)

    assert line.asked == [1, 2, 3]
    assert (fact.how, fact.parts) == (OrderHow.ASKED, [(1, True), (2, False), (3, True)])
    assert fact.sentence == "part 2: the operator keeps it: 0x11 ESME_RCANCELFAIL: cancel failed"
    assert fact.again_at is None


def test_what_is_said_of_several_parts_is_told_once() -> None:
    line = CancellingLine(says=lambda one: Finding(Found.LATER, "no answer") if one.part == 3 else KEPT)

    (fact,) = story_of(Wanted(a_due(asked=4), parts={1: [a_part(one) for one in (1, 2, 3, 4)]}), line)

    assert fact.sentence == (
        "parts 1, 2, 4: the operator keeps it: 0x11 ESME_RCANCELFAIL: cancel failed; part 3: no answer"
    )


def test_what_came_of_orders_and_questions_is_counted() -> None:
    says = [TAKEN, KEPT, Finding(Found.LATER), Finding(Found.REFUSED), Finding(Found.NOT_KNOWN)]

    async def story() -> order_kind.Counted:
        parts = {order: [a_part()] for order in range(1, 6)}
        line = CancellingLine(says=lambda one: says.pop(0))
        office = Office(Wanted(*map(a_due, parts), parts=parts), line)
        await office.looks()
        await office.ends()
        return office.orders.counted[CANCEL]

    counted = virtually(story())

    assert counted == Counted(done=5, asked=4, taken_back=1, kept=1, unanswered=1, refused=1)


def test_parts_that_the_centre_names_alike_are_taken_back_together() -> None:
    told = [TAKEN, KEPT]
    line = CancellingLine(says=lambda one: told.pop(0))

    (fact,) = story_of(Wanted(a_due(), parts={1: [a_part(1, "261124/1"), a_part(2, "261124/1")]}), line)

    assert (fact.parts, fact.sentence) == ([(1, True), (2, True)], "")


def test_an_operator_that_does_not_offer_it_is_asked_for_one_part_only() -> None:
    line = CancellingLine(says=lambda one: Finding(Found.REFUSED, "unknown command"))

    (fact,) = story_of(Wanted(a_due(), parts={1: [a_part(1), a_part(2)]}), line)

    assert line.asked == [1]
    assert fact.sentence == "the operator of alpha-1 takes no messages back: unknown command"
    assert fact.again_at is None


@pytest.mark.parametrize(("asked", "pause_s"), [(0, 5), (3, 300), (4, None)])
def test_without_an_answer_it_is_asked_again_later_and_not_for_ever(asked: int, pause_s: int | None) -> None:
    line = CancellingLine(says=lambda one: Finding(Found.LATER, "no answer (timeout)"))

    (fact,) = story_of(Wanted(a_due(asked=asked), parts={1: [a_part()]}), line)

    assert fact.again_at == (None if pause_s is None else fact.at + 1000 * pause_s)
    assert fact.sentence.endswith("; it is asked again") == (pause_s is not None)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (PlainLine(), "link alpha-1 speaks http, which has no way to take a message back"),
        (
            CancellingLine(link=replace(a_link(), bind="receiver"), can=()),
            "link alpha-1 only receives, so its operator cannot be asked over it",
        ),
    ],
)
def test_a_line_that_cannot_says_why(line: PlainLine, sentence: str) -> None:
    (fact,) = story_of(Wanted(a_due(), parts={1: [a_part()]}), line)

    assert (fact.how, fact.sentence) == (OrderHow.NOT, sentence)


def test_what_the_operator_gave_no_id_is_told_so_whether_its_link_is_up_or_not() -> None:
    for line in (CancellingLine(), CancellingLine(is_open=False)):
        (fact,) = story_of(Wanted(a_due(has_id=False)), line)

        assert (fact.how, fact.sentence) == (OrderHow.NOT, NO_ID)


def test_what_has_lost_its_parts_meanwhile_or_has_a_twin_is_not_asked_for() -> None:
    class Twins(Wanted):
        async def take(self, order_id: int, /) -> Taken | None:
            return Taken() if order_id == 1 else Taken((), "the operator cannot tell it from message 7")

    line = CancellingLine()

    facts = story_of(Twins(a_due(1), a_due(2)), line)

    assert line.asked == []
    assert [fact.sentence for fact in facts] == [NO_ID, "the operator cannot tell it from message 7"]


def test_what_waits_in_this_process_is_let_go_and_what_does_not_is_looked_at_again() -> None:
    held, flying = a_due(1, MtState.SUBMITTING), a_due(2, MtState.SUBMITTING)

    (fact,) = story_of(Wanted(held, flying), held=[an_mt(id=held.mt_id)])

    assert (fact.mt_id, fact.how, fact.maybe_twice) == (held.mt_id, OrderHow.HELD, False)


def test_all_that_wait_in_this_process_are_let_go_at_once_and_who_may_have_gone_before_is_told() -> None:
    async def story() -> None:
        held = [a_due(order, MtState.SUBMITTING) for order in (1, 2, 3)]
        again = an_mt(id=102)
        again.maybe_twice = True
        office = Office(Wanted(*held), held=[an_mt(id=101), again])

        facts = await office.looks()

        assert office.holder.asked == [{101, 102, 103}]
        assert [(fact.mt_id, fact.maybe_twice) for fact in facts] == [(101, False), (102, True)]
        await office.ends()

    virtually(story())


@pytest.mark.parametrize("state", [MtState.QUEUED, MtState.DELIVERED])
def test_of_what_waits_in_the_database_the_journal_decides(state: MtState) -> None:
    (fact,) = story_of(Wanted(a_due(1, state)))

    assert fact.how is OrderHow.QUEUED


def test_a_line_that_is_down_is_not_asked_and_its_messages_wait_a_day() -> None:
    closed = CancellingLine(is_open=False)
    wanted = Wanted(a_due(at=-(1 << 40)), a_due(2, at=1 << 50))

    (fact,) = story_of(wanted, closed)

    assert wanted.up == [[]]
    assert closed.asked == []
    assert (fact.order_id, fact.how, fact.sentence) == (1, OrderHow.NOT, NO_LINK)


def test_a_withdrawal_goes_as_soon_as_its_line_tells_of_room() -> None:
    async def story() -> None:
        line = CancellingLine(has_room=False)
        office = Office(Wanted(a_due(), parts={1: [a_part()]}), line)
        await office.looks()

        line.has_room = True
        office.orders.line_has_room(line)

        assert line.asked == [0], "before the line is handed to who sends"
        await asyncio.sleep(0.01)
        assert office.paper.facts[0].parts == [(0, True)]
        await office.ends()

    virtually(story())


@pytest.mark.parametrize("asked", [0, ASKED_MAX - 1])
def test_a_line_without_room_for_long_or_that_goes_down_is_asked_again_later_and_that_counts_for_nothing(
    asked: int,
) -> None:
    async def story() -> None:
        full, wanted = CancellingLine(has_room=False), Wanted(a_due(asked=asked), parts={1: [a_part()], 2: [a_part()]})
        office = Office(wanted, full)
        await asyncio.sleep(ROOM_S + 2)
        wanted.all = [a_due(2, asked=asked)]
        await office.looks()
        full.is_open = False
        await office.looks()

        assert [(fact.how, fact.again_at and fact.again_at - fact.at) for fact in office.paper.facts] == [
            (OrderHow.UNASKED, 5000),
            (OrderHow.UNASKED, 5000),
        ]
        assert full.asked == []
        await office.ends()

    virtually(story())


def test_a_line_without_room_is_waited_for_a_day_and_no_longer() -> None:
    full = CancellingLine(has_room=False)

    (fact,) = story_of(Wanted(a_due(at=-(1 << 40)), parts={1: [a_part()]}), full, looks=int(ROOM_S / LOOK_S) + 4)

    assert (fact.how, fact.sentence) == (OrderHow.NOT, NO_LINK)


def test_a_line_that_goes_down_between_two_parts_is_asked_for_the_rest_however_often_it_was_before() -> None:
    line = CancellingLine(says=lambda one: TAKEN)

    def says(one: Ordered) -> Finding:
        line.is_open = False
        return TAKEN

    line.says = says

    (fact,) = story_of(Wanted(a_due(asked=ASKED_MAX - 1), parts={1: [a_part(1), a_part(2)]}), line)

    assert (fact.how, fact.parts) == (OrderHow.ASKED, [(1, True), (2, False)])
    assert fact.sentence == "part 2: link alpha-1 went down, or had no room; it is asked again"
    assert fact.again_at is not None


def test_an_outage_ends_nothing() -> None:
    wanted = Wanted(a_due(1, MtState.QUEUED))
    wanted.fails = [StoreAway("away"), ValueError("a bug")]

    facts = story_of(wanted, looks=3)

    assert len(facts) == 1


def test_an_order_that_could_not_be_taken_is_taken_at_the_next_look() -> None:
    line, wanted = CancellingLine(), Wanted(a_due(), parts={1: [a_part()]})
    wanted.cannot_take = [StoreAway("away"), ValueError("a bug")]

    (fact,) = story_of(wanted, line, looks=3)

    assert fact.parts == [(0, True)]
    assert line.asked == [0]
