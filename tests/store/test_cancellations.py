"""A person's word that a message is not to be delivered: what it is refused for, and what it waits for."""

import pytest

from core.errors import UserMistake
from core.message import MtState
from store import schema
from store.cancellations import give
from store.database import Database
from store.mt_orders import Given, UnknownMessage, read_given, read_of
from tests.partner_api.rows import add
from tests.store.test_due_orders import LINK, Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


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
