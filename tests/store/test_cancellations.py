"""A person's word that a message is not to be delivered: what it is refused for, and which process takes it."""

import pytest

from core.clock import DAY_MS
from core.errors import UserMistake
from core.message import MtState
from core.question import AskedKey
from store import processes, schema
from store.cancellations import LEASE_MS, Cancellations, Given, UnknownMessage, give, read_given, read_of
from store.database import Database
from store.journal import CancelFact, CancelHow
from tests.partner_api.rows import add
from tests.store.mt_desk import MtDesk

LINK = 1


class Desk(MtDesk):
    """A process with its MT, and what people want of it."""

    def __init__(self, database: Database, clock: object = None) -> None:
        super().__init__(database, clock)  # type: ignore[arg-type]
        self.id = self.journal._process_id
        self.wanted = Cancellations(database, self.clock, process_id=self.id)

    def give(self, *mt_ids: int) -> list[Given]:
        return give(self.database, mt_ids, author="olga", note="wrong text", now=self.clock.now())

    def due(self, *link_ids: int) -> list[int]:
        """Messages."""
        return [one.mt_id for one in self.wanted.due(link_ids)]

    def asks(self) -> list[list[tuple[int, str]]]:
        """(part, id) of what it takes, by message."""
        due = self.wanted.due([LINK])
        taken = self.wanted.take([one.order_id for one in due]) if due else {}
        return [[(part.part, part.asked_id or part.key) for part in parts] for parts in taken.values()]


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

    fact = CancelFact(given.order_id, mt.id, now, CancelHow.ASKED, [(0, False)], "no answer", now + 5000)
    desk.write(fact)

    assert desk.due(LINK) == []
    desk.advance(5000)
    (one,) = desk.wanted.due([LINK])
    assert one.asked == 1


def test_without_an_id_of_the_operators_there_is_nothing_to_ask(desk: Desk) -> None:
    desk.give(desk.submitted("").id)

    assert desk.asks() == [[]]


def test_what_has_its_end_is_told_so_and_nothing_is_written(desk: Desk) -> None:
    done, open_one = desk.submitted("1A"), desk.submitted("1B")
    desk.receipt("1A")

    first, second = desk.give(done.id, open_one.id)

    assert first == Given(done.id, 0, "it has its end: delivered; nothing was done")
    assert second.order_id
    with desk.database.read() as connection:
        assert read_of(connection, done.id) == []
        (order,) = read_of(connection, open_one.id)
    assert (order.author, order.note, order.state) == ("olga", "wrong text", MtState.SUBMITTED)


def test_an_id_that_is_none_is_refused_before_anything_is_written(desk: Desk) -> None:
    mt = desk.queued()

    with pytest.raises(UnknownMessage, match="no message has the id 77; look for it with"):
        desk.give(mt.id, 77)

    assert desk.due() == []
    assert len(desk.outbox.mts(10, {mt.traffic: [1]})) == 1


@pytest.mark.parametrize(("author", "note", "wrong"), [("", "why", "--by"), ("olga", " ", "--because")])
def test_a_name_and_a_reason_are_needed(desk: Desk, author: str, note: str, wrong: str) -> None:
    with pytest.raises(UserMistake, match=wrong):
        give(desk.database, [desk.queued().id], author=author, note=note, now=desk.clock.now())


def test_an_order_says_what_it_waits_for(desk: Desk) -> None:
    with desk.database.write() as connection:
        add(connection, schema.Operator, id=1, code="alpha")
        add(connection, schema.Link, id=LINK, name="alpha-1", operator_id=1, enabled=False)
    given = desk.give(desk.queued().id, desk.submitting().id, desk.submitted("1A").id)

    with desk.database.read() as connection:
        found = read_given(connection, [one.order_id for one in given], desk.clock.now())

    assert [one.sentence() for one in found] == [
        "held back: it is not sent; the service writes its end when it runs",
        "it is just being sent; its operator is asked when it has answered",
        "link alpha-1 is not up (disabled); its operator is asked when it is",
    ]
    assert not any(one.is_over for one in found)
    assert {one.value()["outcome"] for one in found} == {"pending"}
