"""Persons' words on messages: which process takes them, when, and what it asks for; here, that they are taken back."""

from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS
from core.message import MtState
from core.question import AskedKey
from store import due_orders, processes, schema
from store.bulk import bulk_insert
from store.cancellations import give
from store.database import Database
from store.due_orders import _AT_ONCE, _BY_LINK, _HELD, LEASE_MS, LINK_MAX, Due, DueOrders, Taken
from store.journal import MtFact, OrderFact, OrderHow
from store.journal.rows import AT_ONCE
from store.mt_orders import Given
from store.text import read_text
from tests.store.mt_desk import MtDesk

LINK = 1
UCP_ID = "261124120000/22333"


class Desk(MtDesk):
    """A process with its MT, and what people want of it."""

    def __init__(self, database: Database, clock: object = None) -> None:
        super().__init__(database, clock)  # type: ignore[arg-type]
        self.id = self.journal._process_id
        self.wanted = DueOrders(database, self.clock, process_id=self.id)

    def give(self, *mt_ids: int) -> list[Given]:
        return give(self.database, mt_ids, author="olga", note="wrong text", now=self.clock.now())

    def looks(self, *link_ids: int, under_way: Sequence[int] = ()) -> list[Due]:
        """With these links, none of which is busy."""
        return self.wanted.due(link_ids, link_ids, under_way)

    def due(self, *link_ids: int) -> list[int]:
        """Messages."""
        return [one.mt_id for one in self.looks(*link_ids)]

    def takes(self) -> list[Taken]:
        """What it would ask for, by order."""
        due = self.looks(LINK)
        return [taken for one in due if (taken := self.wanted.take(one.order_id)) is not None]

    def asks(self) -> list[list[tuple[int, str]]]:
        """(part, id) of what it takes, by message."""
        return [[(part.part, part.asked_id or part.key) for part in taken.parts] for taken in self.takes()]


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_queued_message_is_due_to_nobody_from_the_order_on(desk: Desk) -> None:
    mt, other = desk.queued(), desk.queued()

    desk.give(mt.id)

    taken = desk.outbox.mts(10, {mt.traffic: [1]})
    assert [one.id for one in taken] == [other.id]
    assert desk.due() == [mt.id]


def test_what_it_is_taken_for_is_by_the_ids_as_the_operator_wrote_them(desk: Desk) -> None:
    whole, long = desk.submitted(AskedKey("AB3F09", "aB3f09")), desk.submitted("1A", "1B")
    desk.receipt("1A")

    desk.give(whole.id, long.id)

    assert desk.asks() == [[(0, "aB3f09")], [(2, "1B")]]


def test_only_who_has_the_link_takes_what_went_by_it(desk: Desk) -> None:
    mt = desk.submitted("1A")
    desk.give(mt.id)

    assert desk.due() == desk.due(7) == []
    assert desk.due(LINK) == [mt.id]
    desk.advance(DAY_MS)
    assert desk.due() == [mt.id], "nobody waits longer for a link"


def test_only_who_holds_a_message_takes_it_out_of_its_queue(desk: Desk, database: Database) -> None:
    mt = desk.submitting()
    desk.give(mt.id)

    assert desk.due() == [mt.id]
    assert Desk(database, desk.clock).due() == []


def test_what_one_process_took_another_takes_when_it_is_dead_or_silent_about_it(desk: Desk, database: Database) -> None:
    other = Desk(database, desk.clock)
    desk.give(desk.submitted("1A").id)

    assert desk.asks() == [[(0, "1A")]]
    assert other.asks() == []
    desk.advance(LEASE_MS)
    assert other.asks() == [[(0, "1A")]]
    processes.retire(database, other.id, other.clock.now())
    assert desk.asks() == [[(0, "1A")]], "at once"


def test_what_was_asked_a_while_ago_waits_for_its_pause(desk: Desk) -> None:
    mt = desk.submitted("1A")
    (given,) = desk.give(mt.id)
    now = desk.clock.now()
    desk.asks()

    fact = OrderFact(given.order_id, mt.id, now, OrderHow.ASKED, [(0, False)], "no answer", now + 5000)
    desk.write(fact)

    assert desk.due(LINK) == []
    desk.advance(5000)
    (one,) = desk.looks(LINK)
    assert one.asked == 1


def test_without_an_id_of_the_operators_there_is_nothing_to_ask(desk: Desk) -> None:
    desk.give(desk.submitted("").id)

    assert desk.asks() == [[]]


def test_one_without_an_id_is_told_so_whatever_its_link_is(desk: Desk) -> None:
    whole, part, long = desk.submitted(""), desk.submitting(parts=2), desk.submitted("1A", "1B")
    lost = [(1, "1C", MtState.SUBMITTED), (2, "", MtState.UNKNOWN)]
    desk.write(MtFact(part, MtState.UNKNOWN, desk.clock.now(), None, "no answer (timeout)", lost))
    desk.receipt("1C")
    desk.give(whole.id, part.id, long.id)

    far, near = desk.looks(), desk.looks(LINK)

    assert [(one.mt_id, one.has_id) for one in far] == [(whole.id, False), (part.id, False)]
    assert [(one.mt_id, one.has_id) for one in near] == [(whole.id, False), (part.id, False), (long.id, True)]


@pytest.mark.parametrize("ids", [(UCP_ID,), (UCP_ID, "261124120000/99")])
def test_of_two_that_the_operator_calls_the_same_none_is_asked_for(desk: Desk, ids: tuple[str, ...]) -> None:
    """A whole one, or a part: it could be the other that is taken back."""
    other = desk.submitted(*ids)
    mt = desk.submitted(UCP_ID)
    desk.give(mt.id)

    refused = desk.takes()
    desk.receipt(UCP_ID)  # of the first of them
    only_one_is_open = desk.asks()

    assert refused == [Taken((), f"the operator cannot tell it from message {other.id}")]
    assert only_one_is_open == [[(0, UCP_ID)]]


def test_parts_of_one_message_and_messages_to_others_may_share_an_id(desk: Desk) -> None:
    long, elsewhere = desk.submitted(UCP_ID, UCP_ID), desk.submitted(UCP_ID)
    with desk.database.write() as connection:
        connection.execute(sa.update(schema.Mt).where(schema.Mt.id == elsewhere.id).values(destination="79990000000"))

    desk.give(long.id)

    assert desk.asks() == [[(1, UCP_ID), (2, UCP_ID)]]


# --- what cannot be done now keeps nothing else waiting ------------------------------------------------------


def test_each_link_has_its_own_turn_and_a_busy_one_has_none(desk: Desk) -> None:
    many = [desk.submitted(f"1{number}").id for number in range(LINK_MAX + 2)]
    one = desk.submitted("2A", link_id=7).id
    desk.give(*many, one)

    both, busy = desk.due(LINK, 7), [due.mt_id for due in desk.wanted.due([LINK, 7], [7], [])]

    assert both == [*many[:LINK_MAX], one]
    assert busy == [one]


def test_what_is_under_way_stands_before_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due_orders, "DUE_MAX", 2)
    queued = [desk.queued().id for _ in range(3)]
    orders = [one.order_id for one in desk.give(*queued)]

    first, rest = desk.due(), [due.mt_id for due in desk.looks(under_way=orders[:2])]

    assert first == queued[:2]
    assert rest == queued[2:]


def test_what_flies_stands_before_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due_orders, "DUE_MAX", 2)
    held = [desk.submitting().id for _ in range(3)]
    desk.give(*held)

    looks = [desk.due() for _ in range(3)]

    assert looks == [held[:2], held[2:], held[:2]]


def test_what_is_old_waits_for_a_link_that_is_up_and_busy(desk: Desk) -> None:
    desk.give(desk.submitted("1A").id)
    desk.advance(DAY_MS)

    assert desk.wanted.due([LINK], [], []) == []
    assert len(desk.wanted.due([], [], [])) == 1, "its link is down: it waited long enough"


def test_a_process_takes_again_what_it_let_go_and_nobody_else_does(desk: Desk, database: Database) -> None:
    other = Desk(database, desk.clock)
    desk.give(desk.submitted("1A").id)

    taken = [desk.asks(), desk.asks(), other.asks()]

    assert taken == [[[(0, "1A")]], [[(0, "1A")]], []]
    assert [one.asked for one in desk.looks(LINK)] == [0], "nobody was asked"


def test_a_pause_outlasts_the_process_that_began_it(desk: Desk, database: Database) -> None:
    mt = desk.submitted("1A")
    (given,) = desk.give(mt.id)
    desk.asks()
    now = desk.clock.now()
    desk.write(OrderFact(given.order_id, mt.id, now, OrderHow.ASKED, [(0, False)], "no answer", now + 5000))
    other = Desk(database, desk.clock)
    processes.retire(database, desk.id, now)

    assert other.asks() == []
    other.advance(5000)
    assert other.asks() == [[(0, "1A")]]


def test_what_was_ordered_by_a_clock_that_was_ahead_waits_for_no_such_time(desk: Desk, database: Database) -> None:
    mt, other = desk.submitted("1A"), Desk(database, desk.clock)
    desk.advance(DAY_MS)
    desk.give(mt.id)
    desk.advance(-DAY_MS)

    assert desk.asks() == [[(0, "1A")]], "the clock was set back"
    assert other.asks() == [], "what one has taken"


@pytest.mark.parametrize("ends", ["it stops", "it dies"])
def test_what_was_just_being_sent_when_the_order_came_is_sent_by_nobody_afterwards(
    desk: Desk, database: Database, ends: str
) -> None:
    mt, other = desk.submitting(), Desk(database, desk.clock)
    desk.give(mt.id)

    if ends == "it stops":
        desk.write(MtFact(mt, MtState.QUEUED, desk.clock.now(), desk.clock.now(), "given back at the stop"))
    else:
        with database.write() as connection:
            back = {"state": int(MtState.QUEUED), "due_at": AT_ONCE, "maybe_twice": True}
            connection.execute(sa.update(schema.Mt).where(schema.Mt.id == mt.id).values(**back))

    assert other.outbox.mts(10, {mt.traffic: [1]}) == []
    assert other.due() == [mt.id]


def test_a_look_goes_by_the_index_of_what_is_due_and_then_to_each_message(desk: Desk) -> None:
    """Whatever is open, and however much was ordered before."""
    said = ("kind", "mt_id", "author", "note", "at", "text", "old_text", "in_doubt")
    columns = (*said, "process_id", "asked", "due_at", "done_at", "outcome", "result")
    mts = [desk.submitted(f"1{number}") for number in range(20)]
    done = ("olga", "why", 1, "", "", False, 0, 0, None, 1, "done", "")
    ended = [("cancel", mts[number % 20].id, *done) for number in range(2000)]
    with desk.database.write() as connection:
        bulk_insert(connection, schema.MtOrder, columns, ended)
    desk.give(mts[0].id)

    for query in (_AT_ONCE.format("0", "1"), _HELD.format("0"), _BY_LINK.format("0", "1, 2")):
        with desk.database.read() as connection:
            is_sqlite = connection.dialect.name == "sqlite"
            explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
            plan = read_text(connection, f"{explain} {query}", (1,) * query.count("?"))
        if is_sqlite:
            used = [row[3] for row in plan if "USING" in row[3]]
            orders, *_ = [one for one in used if one.startswith("SEARCH c ")]
            messages, *_ = [one for one in used if one.startswith("SEARCH mt ")]
            assert "due_at" in orders, plan
            assert "mt_1 (id=?)" in messages, plan
            assert used.index(orders) < used.index(messages), plan
        else:
            # The third column is the table, the sixth the index. Where it begins, the sizes of the tables decide.
            indexes = {row[2]: row[5] for row in plan}
            assert indexes["mt"] in ("PRIMARY", "mt_due"), plan
            assert indexes["c"], plan
