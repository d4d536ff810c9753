"""Receipts that wait for a message: which are listed, and what would have joined them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.clock import DAY_MS, HOUR_MS
from core.message import Receipt, ReceiptState
from store import schema
from store.database import Database
from store.journal import ReceiptFact
from store.pruning import prune_some
from store.unmatched import LinkCount, Unmatched, WaitingReceipt, other_bases, read_unmatched
from tests.makers import NOON
from tests.partner_api.rows import add
from tests.store.mt_desk import SUBSCRIBER, MtDesk
from wire.smpp.message_ids import receipt_key, response_key

ALPHA_1, ALPHA_2, GONE = 1, 2, 9


class Desk(MtDesk):
    """Two links of one operator."""

    def __init__(self, database: Database, **options: Any) -> None:
        super().__init__(database)
        with database.write() as connection:
            add(connection, schema.Operator, id=1, code="alpha", name="Alpha", country="RU", currency="RUB")
            for id_, protocol in ((ALPHA_1, "smpp"), (ALPHA_2, "http")):
                name = f"alpha-{id_}"
                add(connection, schema.Link, id=id_, name=name, operator_id=1, protocol=protocol, options=options)

    def hears(self, *keys: str, link_id: int = ALPHA_1, source: str = SUBSCRIBER) -> None:
        """A receipt comes in."""
        state = ReceiptState.FAILED
        receipt = Receipt("", link_id, 1, keys, state, "UNDELIV", "069", source, "4446", self.clock.now())
        self.write(ReceiptFact(receipt))

    def finds(self, since: int = 0, limit: int = 50) -> Unmatched:
        with self.database.read() as connection:
            return read_unmatched(connection, since, limit)


def test_a_receipt_of_nothing_known_is_listed_with_when_it_came_and_how_long_it_is_kept(database: Database) -> None:
    desk = Desk(database)
    desk.submitted("1A")
    desk.receipt("1A")
    desk.hears("7Z", "7Y")

    found = desk.finds()

    assert found.receipts == (
        WaitingReceipt(
            NOON, NOON + 7 * DAY_MS, "alpha-1", "alpha", ("7Z", "7Y"), SUBSCRIBER, "4446", "failed", "UNDELIV", "069"
        ),
    )
    assert (found.links, found.count) == ((LinkCount("alpha-1", "smpp", 1),), 1)


def test_it_is_gone_when_it_said_and_not_before(database: Database) -> None:
    desk = Desk(database)
    desk.hears("7Z")
    (kept_until,) = [one.kept_until for one in desk.finds().receipts]

    prune_some(database, "receipt", kept_until)
    before = desk.finds().count
    prune_some(database, "receipt", kept_until + 1)

    assert (before, desk.finds().count) == (1, 0)


def test_it_is_gone_when_its_message_came(database: Database) -> None:
    desk = Desk(database)
    desk.hears("7Z")

    desk.submitted("7Z")

    assert desk.finds() == Unmatched((), ())


def test_the_newest_come_first_and_all_are_counted_by_link(database: Database) -> None:
    desk = Desk(database)
    desk.hears("OLD")
    desk.advance(HOUR_MS)
    for key, link_id in (("A", ALPHA_1), ("B", ALPHA_2), ("C", ALPHA_2), ("D", GONE)):
        desk.hears(key, link_id=link_id)

    found = desk.finds(desk.clock.now(), limit=2)

    assert [(one.ids, one.link) for one in found.receipts] == [(("D",), ""), (("C",), "alpha-2")]
    assert found.links == (LinkCount("alpha-2", "http", 2), LinkCount("", "", 1), LinkCount("alpha-1", "smpp", 1))
    assert (found.count, desk.finds().count) == (4, 5)


def test_where_the_other_base_finds_a_message_to_the_same_number_it_is_named(database: Database) -> None:
    desk = Desk(database)
    desk.submitted("6959")
    desk.submitted("4A", "4B")
    desk.hears("1B2F")
    desk.hears("75", source=SUBSCRIBER[1:])
    desk.hears("75", source="79005556677")
    desk.hears("75", source="")
    desk.hears("1B2F", link_id=ALPHA_2)
    desk.hears("1B30")

    bases = [one.base for one in reversed(desk.finds().receipts)]

    assert bases == ["resp_dec_receipt_hex", "resp_hex_receipt_dec", "", "", "", ""]


def test_a_link_whose_base_is_wrong_is_told_to_take_ids_as_they_are(database: Database) -> None:
    desk = Desk(database, message_id_base="resp_hex_receipt_dec")
    desk.submitted(response_key("1234", "resp_hex_receipt_dec"))
    desk.hears(receipt_key("1234", "resp_hex_receipt_dec"))

    assert [one.base for one in desk.finds().receipts] == ["string"]


@given(some.integers(10, 2**64), some.sampled_from(["resp_hex_receipt_dec", "resp_dec_receipt_hex"]))
def test_the_base_that_is_named_would_have_joined_the_two(number: int, base: str) -> None:
    answer, receipt = (f"{number:x}", str(number)) if base.startswith("resp_hex") else (str(number), f"{number:x}")

    assert response_key(answer, base) == receipt_key(receipt, base)
    assert (response_key(answer), base) in other_bases(receipt_key(receipt), "string")
    assert (response_key(str(number), base), "string") in other_bases(receipt_key(str(number), base), base)


@pytest.mark.parametrize("key", ["", "7Z", "9" * 65, "abc", "7", "１２"])
def test_an_id_without_another_base_is_looked_for_in_none(key: str) -> None:
    assert other_bases(key, "string") == []
