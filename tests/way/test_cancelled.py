"""Messages that a person takes back: what waits is not sent, what the operator has is asked for, by every protocol."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from core.catalogue import Catalogue
from core.clock import DAY_MS
from core.message import Answer, MtState, Outcome
from sim.quirks import Quirks
from store import schema
from store.cancellations import give
from store.journal import OrderFact
from store.life import MtLife
from store.messages import read_life
from store.mt_orders import Order, read_given
from tests.makers import a_catalogue, a_link
from tests.simulation.faults import Fault
from tests.way.office import Office, Process, story
from traffic.orders import ASKED_MAX, LOOK_S

protocols = pytest.mark.parametrize("protocol", ["smpp", "ucp", "cimd2"])
SLOW = Quirks(receipt_delay_s=60)
LONG = "far too long for one message " * 12


def a_catalogue_by(protocol: str = "smpp", **options: Any) -> Catalogue:
    link = a_link(system_id="tollbridge", password="secret", options=options)
    return a_catalogue(links=[replace(link, protocol=protocol)])


def orders(office: Office, *mt_ids: int, author: str = "olga", note: str = "wrong text") -> list[int]:
    """A person takes messages back; ids of the orders."""
    ids = mt_ids or [row.id for row in office.rows(schema.Mt)]
    return [one.order_id for one in give(office.database, ids, author=author, note=note, now=office.clock.now())]


def what_came(office: Office, ids: Sequence[int]) -> list[Order]:
    with office.database.read() as connection:
        return read_given(connection, ids, office.clock.now())


async def over(office: Office, ids: Sequence[int], within_s: float = 60) -> Order:
    """When nothing more comes of an order."""
    await office.until(lambda: what_came(office, ids)[0].is_over, "the end of an order", within_s)
    return what_came(office, ids)[0]


async def submitted(office: Office, text: str = "thank you") -> Process:
    """A reply is with the operator."""
    office.partner.answers = lambda callback: Answer(Outcome.ANSWERED, text, status=200)
    process = await office.opens()
    office.writes()
    await office.until(lambda: office.states() == [MtState.SUBMITTED], "the submission")
    return process


def life_of(office: Office) -> MtLife:
    (mt,) = office.rows(schema.Mt)
    with office.database.read() as connection:
        life = read_life(connection, mt.id)
    assert life is not None
    assert life.mt is not None
    return life.mt


def reasons(office: Office) -> list[str]:
    return [move.reason for move in life_of(office).moves]


@protocols
@story
async def test_the_operator_takes_back_what_it_has_not_delivered(protocol: str) -> None:
    office = Office(a_catalogue_by(protocol), cancels=True, quirks=SLOW)
    await submitted(office)

    order = await over(office, orders(office))
    await office.passes(120)

    assert (order.outcome, order.result) == ("done", "the operator took it back")
    assert office.centre.counted.taken_back == 1
    mt = life_of(office)
    assert (mt.state, mt.error, bool(mt.final_at)) == ("cancelled", order.result, True)
    # Its receipt, which says that it was deleted, may be quicker.
    steps = [(move.old, move.new) for move in mt.moves if move.old != move.new]
    assert steps in ([("submitted", "cancelled")], [("submitted", "failed"), ("failed", "cancelled")])
    (word,) = mt.cancels
    assert (word.author, word.note, word.outcome) == ("olga", "wrong text", "done")
    assert office.audit() == []


@protocols
@story
async def test_a_partner_is_told_that_it_is_cancelled_and_not_by_whom(protocol: str) -> None:
    office = Office(a_catalogue_by(protocol), cancels=True, quirks=SLOW)
    await submitted(office)
    await over(office, orders(office))

    (mt,) = office.rows(schema.Mt)
    seen = office.seen_by_partner(mt.id)

    assert isinstance(seen, MtLife)
    assert seen.state == "cancelled"
    assert not any("olga" in said or "wrong text" in said for said in [seen.error, *(one.reason for one in seen.moves)])


@protocols
@story
async def test_every_part_of_a_long_message_is_taken_back(protocol: str) -> None:
    office = Office(a_catalogue_by(protocol), cancels=True, quirks=SLOW)
    await submitted(office, LONG)

    order = await over(office, orders(office))
    await office.passes(120)

    parts = office.rows(schema.MtPart)
    assert len(parts) == 3
    assert order.outcome == "done"
    assert office.states() == [MtState.CANCELLED]
    assert {part.state for part in parts} == {MtState.FAILED}
    assert office.audit() == []


@protocols
@story
async def test_what_is_delivered_is_kept_and_the_operators_words_are_told(protocol: str) -> None:
    office = Office(a_catalogue_by(protocol), cancels=True, quirks=Quirks(lose_receipts=1.0))
    await submitted(office)

    order = await over(office, orders(office))

    assert order.outcome == "failed"
    assert order.result.startswith("the operator keeps it: ")
    assert office.states() == [MtState.SUBMITTED], "its receipt may still come"
    assert reasons(office) == [f"cancel: {order.result}"]


@protocols
@story
async def test_an_operator_that_takes_nothing_back_says_so(protocol: str) -> None:
    office = Office(a_catalogue_by(protocol), cancels=True, quirks=replace(SLOW, changes="unknown"))
    await submitted(office)

    order = await over(office, orders(office))

    assert order.outcome == "failed"
    assert order.result.startswith("the operator of alpha-1 takes no messages back: ")
    assert office.states() == [MtState.SUBMITTED]


@story
async def test_what_waits_while_no_process_runs_is_never_sent() -> None:
    office = Office(cancels=True, quirks=Quirks(throttle=1.0))
    process = await office.opens()
    office.writes()
    await office.until(lambda: office.states() == [MtState.SUBMITTING], "the reply waits in the process")
    await process.stops()
    assert office.states() == [MtState.QUEUED]

    given = orders(office)
    (row,) = office.rows(schema.Mt)
    sentence = what_came(office, given)[0].sentence()
    office.centre.quirks = Quirks()
    await office.opens()
    order = await over(office, given)
    await office.passes(60)

    assert row.due_at is None, "due to nobody from the order on"
    assert sentence.startswith("held back: it is not sent")
    assert (order.outcome, order.result) == ("done", "taken back before it was sent")
    assert office.states() == [MtState.CANCELLED]
    assert office.texts() == []
    assert office.audit() == []


@pytest.mark.parametrize("ends", ["it stops", "it dies"])
@story
async def test_what_a_process_held_when_the_order_came_is_never_sent_by_the_next_one(ends: str) -> None:
    """The one that held it ends before it hears of the order."""
    office = Office(cancels=True, quirks=Quirks(throttle=1.0))
    process = await office.opens()
    office.writes()
    await office.until(lambda: office.states() == [MtState.SUBMITTING], "the reply waits in the process")

    given = orders(office)
    if ends == "it stops":
        await process.stops()
    else:
        process.dies()
    left = office.states()
    office.centre.quirks = Quirks()
    await office.opens()
    order = await over(office, given)
    await office.passes(60)

    assert left == [MtState.QUEUED if ends == "it stops" else MtState.SUBMITTING], "nobody took it back before"
    assert order.is_done
    assert office.texts() == []
    assert office.audit() == []


@story
async def test_what_waits_for_room_on_its_link_is_taken_out_of_the_queue() -> None:
    office = Office(cancels=True, quirks=Quirks(throttle=1.0))
    await office.opens()
    office.writes()
    await office.until(lambda: office.states() == [MtState.SUBMITTING], "the reply waits in the process")

    order = await over(office, orders(office))
    office.centre.quirks = Quirks()
    await office.passes(60)

    assert order.result == "taken back before it was sent"
    assert office.states() == [MtState.CANCELLED]
    assert office.texts() == []
    assert reasons(office)[-1] == "taken back before it was sent"


@story
async def test_what_is_just_being_submitted_is_asked_for_when_it_has_its_answer() -> None:
    office = Office(cancels=True, quirks=replace(SLOW, lose_answers=1.0))
    await office.opens()
    office.writes()
    await office.until(lambda: office.centre.counted.submitted == 1, "the submission")

    given = orders(office)
    await office.passes(3 * LOOK_S)
    waits = what_came(office, given)[0]
    office.centre.quirks = SLOW
    order = await over(office, given, 120)

    assert waits.sentence().startswith("it is just being sent")
    assert order.is_done
    assert office.states() == [MtState.CANCELLED]


@story
async def test_an_order_waits_for_its_link_and_no_other_is_asked() -> None:
    both = [a_link(), a_link(id=2, name="alpha-2", port=2776)]
    office = Office(a_catalogue(links=both), cancels=True, quirks=SLOW)
    process = await submitted(office)
    (mt,) = office.rows(schema.Mt)
    name = "alpha-1" if mt.link_id == 1 else "alpha-2"
    link = process.links.named(name)
    assert link is not None
    await link.stop()

    given = orders(office)
    await office.passes(10)
    asked = [centre.counted.cancels for centre in office.centres.values()]
    waits = what_came(office, given)[0]
    link.start()
    order = await over(office, given)

    assert asked == [0, 0]
    assert not waits.is_over
    assert order.is_done
    assert office.centres[name].counted.taken_back == 1


@story
async def test_a_link_that_does_not_come_up_for_a_day_ends_the_waiting() -> None:
    office = Office(cancels=True, quirks=replace(SLOW, receipt_delay_s=10 * DAY_MS / 1000))
    process = await submitted(office)
    link = process.links.named("alpha-1")
    assert link is not None
    await link.stop()

    given = orders(office)
    office.jumps(DAY_MS)
    order = await over(office, given)

    assert order.outcome == "failed"
    assert "was not up for a day" in order.result


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.DOUBT_LOST, Fault.DOUBT_WRITTEN])
@story
async def test_a_crash_between_the_answer_and_its_commit_loses_no_order(fault: Fault) -> None:
    office = Office(cancels=True, quirks=SLOW)
    await submitted(office)
    office.at(OrderFact, fault)

    given = orders(office)
    if fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
        await office.dies()
        await office.opens()
    order = await over(office, given)
    await office.passes(120)

    # What is lost with the answer, its receipt tells: the centre deleted it.
    is_lost = fault is Fault.CRASH_BEFORE
    assert office.centre.counted.taken_back == 1
    assert office.states() == [MtState.FAILED if is_lost else MtState.CANCELLED]
    assert order.is_done != is_lost
    assert not is_lost or order.result.startswith("it has its end: failed (")
    assert office.audit() == []


@story
async def test_an_order_that_no_process_took_is_taken_by_the_next_one() -> None:
    office = Office(cancels=True, quirks=SLOW)
    process = await submitted(office)
    process.dies()

    given = orders(office)
    await office.opens()
    order = await over(office, given)

    assert order.is_done
    assert office.states() == [MtState.CANCELLED]


@story
async def test_who_hears_something_temporary_asks_again_and_gives_up_in_the_end() -> None:
    office = Office(cancels=True, quirks=replace(SLOW, receipt_delay_s=36_000, changes="failed"))
    await submitted(office)
    tongue = office.centre.tongue  # Of all centres.
    said = tongue.refuse_change

    with patch.object(tongue, "refuse_change", lambda change, how: replace(said(change, how), status=0x08)):
        given = orders(office)
        await office.passes(10)
        early = what_came(office, given)[0]
        await office.passes(400)
        (order,) = what_came(office, given)

    assert not early.is_over
    assert early.sentence().endswith("; it is asked again")
    assert office.centre.counted.cancels == ASKED_MAX
    assert order.outcome == "failed"
    assert office.states() == [MtState.SUBMITTED]
    assert len(reasons(office)) == 1, "one line, not one for each time"


@story
async def test_ordered_twice_it_is_done_once() -> None:
    office = Office(cancels=True, quirks=SLOW)
    await submitted(office)

    first, second = orders(office), orders(office, author="ada", note="me too")
    await over(office, first)
    again = await over(office, second)

    assert again.is_done
    assert office.centre.counted.taken_back == 1
    assert len(life_of(office).cancels) == 2


@story
async def test_what_has_its_end_is_left_alone() -> None:
    office = Office()
    await office.opens()
    office.writes()
    await office.quiet()
    (mt,) = office.rows(schema.Mt)

    (given,) = give(office.database, [mt.id], author="olga", note="too late", now=office.clock.now())

    assert (given.order_id, given.sentence) == (0, "it has its end: delivered; nothing was done")
    assert office.rows(schema.MtOrder) == []
