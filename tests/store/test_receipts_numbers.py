"""A receipt names its subscriber as its network does: with the country's code or without, behind a prefix or not."""

import pytest
import sqlalchemy as sa

from core.message import MtState
from store.database import Database
from store.journal.receipts import is_same_number
from store.schema import Receipt
from tests.store.mt_desk import MtDesk

SPELLINGS = [
    ("4512345678", "12345678", "Denmark: eight digits"),
    ("4512345678", "4512345678", "international"),
    ("4512345678", "004512345678", "behind an exit prefix"),
    ("354612345", "612345", "six digits"),
    ("79001112233", "9001112233", "ten digits"),
    ("79001112233", "89001112233", "behind the trunk prefix"),
    ("380501112233", "0501112233", "behind the trunk prefix"),
    ("79001112233", "", "not said"),
]


@pytest.mark.parametrize(("number", "spelled", "how"), SPELLINGS, ids=[f"{s[0]}-{s[1]}" for s in SPELLINGS])
def test_a_receipt_is_taken_however_its_network_writes_the_subscriber(
    database: Database, number: str, spelled: str, how: str
) -> None:
    desk = MtDesk(database)
    mt = desk.submitting()
    with database.write() as connection:
        connection.execute(sa.text("UPDATE mt SET destination = :number"), {"number": number})
    mt.destination = number
    desk.accepted(mt, "12")
    receipt = desk.a_receipt("12")
    receipt.receipt.source = spelled

    desk.write(receipt)

    assert desk.state(mt) is MtState.DELIVERED, how


@pytest.mark.parametrize(("number", "spelled", "how"), SPELLINGS, ids=[f"{s[0]}-{s[1]}" for s in SPELLINGS])
def test_a_receipt_that_came_early_over_a_link_with_other_ids_is_looked_for_by_its_subscriber(
    database: Database, number: str, spelled: str, how: str
) -> None:
    desk = MtDesk(database)
    first, second = desk.submitting(), desk.submitting()
    first.link_id, second.link_id = 1, 2
    first.destination = second.destination = number
    with database.write() as connection:
        connection.execute(sa.text("UPDATE mt SET destination = :number"), {"number": number})
    desk.accepted(first, "12")
    receipt = desk.a_receipt("12", link_id=2)
    receipt.receipt.source = spelled

    desk.write(receipt)
    waited = desk.state(first)
    desk.accepted(second, "77")

    assert waited is MtState.SUBMITTED, how
    if spelled:
        assert desk.state(first) is MtState.DELIVERED, how


@pytest.mark.parametrize(
    ("number", "other"),
    [("4512345678", "12345679"), ("4512345678", "45678"), ("4512345678", "4612345678"), ("79001112233", "112233445")],
)
def test_a_receipt_of_another_subscriber_is_not_taken(database: Database, number: str, other: str) -> None:
    assert not is_same_number(number, other)
    desk = MtDesk(database)
    mt = desk.submitting()
    with database.write() as connection:
        connection.execute(sa.text("UPDATE mt SET destination = :number"), {"number": number})
    mt.destination = number
    desk.accepted(mt, "12")
    receipt = desk.a_receipt("12")
    receipt.receipt.source = other

    desk.write(receipt)

    assert desk.state(mt) is MtState.SUBMITTED
    with database.read() as connection:
        assert list(connection.execute(sa.select(Receipt.source)).scalars()) == [other]


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("parts", [1, 2])
def test_an_id_that_is_longer_than_its_column_finds_its_message(database: Database, early: bool, parts: int) -> None:
    desk = MtDesk(database)
    mt = desk.submitting(parts=parts)
    keys = [str(int("F" * 64, 16) - part) for part in range(parts)]
    assert len(keys[0]) > 65

    if early:
        for key in keys:
            desk.receipt(key)
        desk.accepted(mt, *keys)
    else:
        desk.accepted(mt, *keys)
        for key in keys:
            desk.receipt(key)

    assert desk.state(mt) is MtState.DELIVERED
