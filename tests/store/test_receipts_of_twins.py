"""Receipts of messages that have one id: UCP names a message by its recipient and the second."""

import pytest
import sqlalchemy as sa

from core.message import MtState, ReceiptState
from store.database import Database
from store.schema import Receipt
from tests.store.mt_desk import MtDesk

KEY = "241126081000/01112233"
SECOND_MS = 1000


def test_of_two_within_a_second_the_older_gets_the_first_receipt(database: Database) -> None:
    desk = MtDesk(database)
    first = desk.submitted(KEY)
    desk.advance(300)
    second = desk.submitted(KEY)

    desk.receipt(KEY, ReceiptState.FAILED)

    assert (desk.state(first), desk.state(second)) == (MtState.FAILED, MtState.SUBMITTED)
    desk.receipt(KEY)
    assert (desk.state(first), desk.state(second)) == (MtState.FAILED, MtState.DELIVERED)


def test_so_it_is_when_both_receipts_come_at_once(database: Database) -> None:
    desk = MtDesk(database)
    first, second, third = (desk.submitted(KEY) for _ in range(3))

    desk.write(
        desk.a_receipt(KEY, ReceiptState.EXPIRED),
        desk.a_receipt(KEY, ReceiptState.FAILED),
        desk.a_receipt(KEY),
    )

    assert [desk.state(mt) for mt in (first, second, third)] == [MtState.EXPIRED, MtState.FAILED, MtState.DELIVERED]


def test_one_that_is_on_its_way_leaves_the_older_the_first(database: Database) -> None:
    desk = MtDesk(database)
    first, second = desk.submitted(KEY), desk.submitted(KEY)

    desk.receipt(KEY, ReceiptState.ON_ITS_WAY)
    desk.receipt(KEY)

    assert (desk.state(first), desk.state(second)) == (MtState.DELIVERED, MtState.SUBMITTED)


def test_the_parts_of_a_long_one_share_their_id_and_each_gets_its_receipt(database: Database) -> None:
    desk = MtDesk(database)
    long = desk.submitted(KEY, KEY, KEY)
    single = desk.submitted(KEY)

    for _ in range(2):
        desk.receipt(KEY)
    assert (desk.state(long), desk.state(single)) == (MtState.SUBMITTED, MtState.SUBMITTED)
    desk.receipt(KEY, ReceiptState.FAILED)

    assert (desk.state(long), desk.state(single)) == (MtState.FAILED, MtState.SUBMITTED)
    desk.receipt(KEY)
    assert desk.state(single) is MtState.DELIVERED


@pytest.mark.parametrize(("apart_ms", "of_the_older"), [(5 * SECOND_MS, True), (5 * SECOND_MS + 1, False)])
def test_of_two_that_are_further_apart_the_younger_is_meant_as_the_centre_has_begun_anew(
    database: Database, apart_ms: int, of_the_older: bool
) -> None:
    desk = MtDesk(database)
    first = desk.submitted("12")
    desk.advance(apart_ms)
    second = desk.submitted("12")

    desk.receipt("12")

    states = (desk.state(first), desk.state(second))
    assert states == (
        (MtState.DELIVERED, MtState.SUBMITTED) if of_the_older else (MtState.SUBMITTED, MtState.DELIVERED)
    )


def test_the_older_one_of_another_link_is_no_twin(database: Database) -> None:
    desk = MtDesk(database)
    other = desk.submitted(KEY, link_id=2)
    own = desk.submitted(KEY, link_id=1)

    desk.receipt(KEY, link_id=1)

    assert (desk.state(other), desk.state(own)) == (MtState.SUBMITTED, MtState.DELIVERED)


def test_one_that_is_early_for_the_younger_waits_for_it_where_the_older_has_its_end(database: Database) -> None:
    desk = MtDesk(database)
    first, second = desk.submitted(KEY), desk.submitting()
    desk.receipt(KEY, ReceiptState.FAILED)

    desk.receipt(KEY)
    desk.accepted(second, KEY)

    assert (desk.state(first), desk.state(second)) == (MtState.FAILED, MtState.DELIVERED)
    assert kept(database) == []


def test_so_it_is_when_both_come_before_either_answer(database: Database) -> None:
    desk = MtDesk(database)
    first, second = desk.submitting(), desk.submitting()
    desk.receipt(KEY, ReceiptState.FAILED)
    desk.receipt(KEY)

    desk.accepted(first, KEY)
    assert (desk.state(first), desk.state(second)) == (MtState.FAILED, MtState.SUBMITTING)
    desk.accepted(second, KEY)

    assert (desk.state(first), desk.state(second)) == (MtState.FAILED, MtState.DELIVERED)
    assert kept(database) == []


def test_a_repeated_one_waits_for_what_is_being_submitted_and_then_changes_nothing(database: Database) -> None:
    desk = MtDesk(database)
    first, second = desk.submitted("12"), desk.submitting()
    desk.receipt("12", ReceiptState.FAILED)

    desk.receipt("12")
    desk.accepted(second, "13")

    assert (desk.state(first), desk.state(second)) == (MtState.FAILED, MtState.SUBMITTED)
    assert kept(database) == []


def kept(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(Receipt.key)).scalars())
