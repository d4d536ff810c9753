"""Receipts where two links of one operator number alike, and a subscriber has messages over both."""

import pytest
import sqlalchemy as sa

from core.message import Mt, MtState, ReceiptState
from store.cancellations import give
from store.database import Database
from store.journal import OrderFact, OrderHow
from store.schema import Receipt
from tests.store.mt_desk import MtDesk
from wire.ucp.codes import reason_sentence


def over(link_id: int, mt: Mt) -> Mt:
    mt.link_id = link_id
    return mt


def kept(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(Receipt.key)).scalars())


def test_a_receipt_that_came_early_over_its_own_link_is_not_given_to_the_other_links_message(
    database: Database,
) -> None:
    desk = MtDesk(database)
    first, second = over(1, desk.submitting()), over(2, desk.submitting())

    desk.receipt("12", link_id=2)
    desk.accepted(first, "12")
    desk.accepted(second, "12")

    assert desk.state(second) is MtState.DELIVERED
    assert desk.state(first) is MtState.SUBMITTED
    desk.receipt("12", link_id=1)
    assert desk.state(first) is MtState.DELIVERED
    assert kept(database) == []


def test_a_receipt_that_may_be_for_what_is_being_submitted_waits_until_that_is_known(database: Database) -> None:
    desk = MtDesk(database)
    first, second = over(1, desk.submitted("12")), over(2, desk.submitting())

    desk.receipt("12", link_id=2)
    waits = kept(database)
    desk.accepted(second, "12")

    assert waits == ["12"]
    assert (desk.state(first), desk.state(second)) == (MtState.SUBMITTED, MtState.DELIVERED)


def test_it_finds_the_other_links_message_once_what_was_being_submitted_has_another_id(database: Database) -> None:
    desk = MtDesk(database)
    first, second = over(1, desk.submitted("12")), over(2, desk.submitting())

    desk.receipt("12", link_id=2)
    desk.accepted(second, "77")

    assert (desk.state(first), desk.state(second)) == (MtState.DELIVERED, MtState.SUBMITTED)
    assert kept(database) == []


@pytest.mark.parametrize("links", [(1, 2), (2, 1)])
def test_a_receipt_over_another_link_of_the_operator_is_taken_when_nothing_else_is_on_its_way(
    database: Database, links: tuple[int, int]
) -> None:
    desk = MtDesk(database)
    mt = over(links[0], desk.submitting())
    desk.accepted(mt, "12")

    desk.receipt("12", link_id=links[1])

    assert desk.state(mt) is MtState.DELIVERED


def test_what_was_taken_back_is_delivered_all_the_same_when_another_link_says_so(database: Database) -> None:
    desk = MtDesk(database)
    mt = over(1, desk.submitted("12"))
    (given,) = give(database, [mt.id], author="olga", note="wrong text", now=desk.clock.now())
    desk.write(OrderFact(given.order_id, mt.id, desk.clock.now(), OrderHow.ASKED, [(0, True)]))
    taken_back = desk.state(mt)

    desk.receipt("12", link_id=2)

    assert (taken_back, desk.state(mt)) == (MtState.CANCELLED, MtState.DELIVERED)
    assert kept(database) == []


def test_a_receipt_that_waits_keeps_its_whole_reason(database: Database) -> None:
    desk = MtDesk(database)
    reason = reason_sentence("200")
    early = desk.a_receipt("12", ReceiptState.FAILED)
    early.receipt.error = reason

    desk.write(early)
    mt = desk.submitted("12")

    assert len(reason) > 50
    assert reason in desk.row(mt).error
