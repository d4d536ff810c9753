"""Receipts that wait: beside another process, beside what has no id, by the thousand."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import SECOND_MS
from core.message import Mt, MtState, ReceiptState
from store import bulk
from store.database import Database, connect
from store.journal import StrandedFact, receipts, waiting
from store.journal.receipts import NEWEST_MIN
from store.journal.waiting import PAGE, Place, find_stranded
from store.schema import Receipt
from tests.store.mt_desk import SUBSCRIBER, MtDesk

EVER: Place = (0, 0)
ANOTHER = "79005556677"


def kept(database: Database) -> list[tuple[int, str, str]]:
    with database.read() as connection:
        rows = connection.execute(sa.select(Receipt.id, Receipt.key, Receipt.other_key).order_by(Receipt.id))
        return [(id_, key, other) for id_, key, other in rows]


def wait(desk: MtDesk, *keys: tuple[str, ...], operator_id: int = 1, source: str = SUBSCRIBER) -> None:
    """Receipts that came and found nothing, written as the journal does."""
    facts = [desk.a_receipt(key[0]) for key in keys]
    for fact, its in zip(facts, keys):
        fact.receipt.keys, fact.receipt.operator_id, fact.receipt.source = its, operator_id, source
    desk.write(*facts)


def look(desk: MtDesk, *, behind: Place = EVER, later_ms: int = 0) -> list[int]:
    with desk.database.read() as connection:
        ids, _, is_over = find_stranded(connection, behind, desk.clock.now() + later_ms)
    assert is_over
    return ids


# --- beside another process ---------------------------------------------------------------------------------------


def test_a_receipt_that_is_kept_while_another_process_writes_its_message_finds_it_by_a_look(
    mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees what the other has not committed: no lock is held on what is not there yet."""
    ours, theirs = MtDesk(connect(mariadb_url)), MtDesk(connect(mariadb_url))
    whole, parted = theirs.submitting(), theirs.submitting(parts=2)
    insert = bulk.bulk_insert
    met: list[int] = []

    def insert_late(connection: sa.Connection, table: type[Any], columns: Any, rows: Sequence[Any]) -> None:
        if table is Receipt and not met:
            met.append(len(rows))
            theirs.accepted(whole, "1A")
            theirs.accepted(parted, "2A", "2B")
        insert(connection, table, columns, rows)

    monkeypatch.setattr(receipts, "bulk_insert", insert_late)
    ours.write(*(ours.a_receipt(key) for key in ("1A", "2A", "2B")))
    before = [ours.state(mt) for mt in (whole, parted)]
    ids = look(ours)
    ours.write(StrandedFact(ids))
    # The other process looked at the same time.
    theirs.write(StrandedFact(ids))

    assert met == [3]
    assert before == [MtState.SUBMITTED] * 2
    assert [ours.state(mt) for mt in (whole, parted)] == [MtState.DELIVERED] * 2
    assert (kept(ours.database), look(ours)) == ([], [])


def test_a_look_finds_what_waits_beside_its_message_and_nothing_else(database: Database) -> None:
    desk = MtDesk(database)
    wait(desk, ("1A",), ("77",))
    wait(desk, ("1B",), source=ANOTHER)
    wait(desk, ("1C",), operator_id=2)
    wait(desk, ("1D",), source="")
    (first, *_) = kept(database)
    mts = [desk.submitting() for _ in range(4)]
    with database.write() as connection:
        for mt, key in zip(mts, ("1A", "1B", "1C", "1D"), strict=True):
            row = sa.table("mt", sa.column("id"), sa.column("key"), sa.column("state"), sa.column("link_id"))
            values = {"key": key, "state": int(MtState.SUBMITTED), "link_id": 2 if key == "1D" else 1}
            connection.execute(sa.update(row).where(row.c.id == mt.id).values(**values))

    assert look(desk) == [first[0]]
    assert look(desk, later_ms=-1) == []
    assert look(desk, behind=(desk.clock.now(), first[0])) == []
    desk.write(StrandedFact([first[0], 10**12]))
    assert desk.state(mts[0]) is MtState.DELIVERED
    assert [key for _, key, _ in kept(database)] == ["77", "1B", "1C", "1D"]


def test_a_long_look_goes_on_where_it_was(database: Database) -> None:
    desk = MtDesk(database)
    wait(desk, *((f"F{number}",) for number in range(PAGE)))
    desk.advance(SECOND_MS)
    wait(desk, ("1A",))
    with database.read() as connection:
        none, place, is_over = find_stranded(connection, EVER, desk.clock.now())
        rest, end, is_all = find_stranded(connection, place, desk.clock.now())

    assert (none, is_over, rest, is_all) == ([], False, [], True)
    assert place < end == (desk.clock.now(), kept(database)[-1][0])


# --- beside what has no id ----------------------------------------------------------------------------------------


def test_a_submission_without_an_id_leaves_the_subscribers_receipts_as_they_are(database: Database) -> None:
    desk = MtDesk(database)
    early = desk.submitting()
    wait(desk, ("1A", "2B"))
    before = kept(database)

    nameless = desk.submitting()
    desk.accepted(nameless, "")
    after = kept(database)
    desk.accepted(early, "1A")

    assert after == before
    assert (desk.state(early), desk.state(nameless)) == (MtState.DELIVERED, MtState.SUBMITTED)
    assert kept(database) == []


def nameless(desk: MtDesk, key: str, state: ReceiptState, link_id: int) -> None:
    fact = desk.a_receipt(key, state, link_id=link_id)
    fact.receipt.source = ""
    desk.write(fact)


def test_a_receipt_that_names_nobody_is_for_its_own_link_alone(database: Database) -> None:
    desk = MtDesk(database)
    first, second = desk.submitted("5", link_id=1), desk.submitted("5", link_id=2)

    nameless(desk, "5", ReceiptState.DELIVERED, 1)
    nameless(desk, "5", ReceiptState.FAILED, 1)

    assert (desk.state(first), desk.state(second)) == (MtState.DELIVERED, MtState.SUBMITTED)
    nameless(desk, "5", ReceiptState.FAILED, 2)
    assert desk.state(second) is MtState.FAILED


def test_a_receipt_that_names_nobody_and_is_early_waits_for_its_own_links_message(database: Database) -> None:
    desk = MtDesk(database)
    second, first = desk.submitted("5", link_id=2), desk.submitting()

    nameless(desk, "5", ReceiptState.DELIVERED, 1)
    waits = [key for _, key, _ in kept(database)]
    desk.accepted(first, "5")

    assert waits == ["5"]
    assert (desk.state(first), desk.state(second)) == (MtState.DELIVERED, MtState.SUBMITTED)


# --- by the thousand ----------------------------------------------------------------------------------------------


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many each statement of the journal's receipts gives."""
    counts: list[int] = []

    def counted(read: Callable[..., Sequence[Any]]) -> Callable[..., Sequence[Any]]:
        def counting(*args: Any, **more: Any) -> Sequence[Any]:
            rows = read(*args, **more)
            counts.append(len(rows))
            return rows

        return counting

    for module in (receipts, waiting):
        monkeypatch.setattr(module, "read_text", counted(module.read_text))
    return counts


def test_a_subscriber_of_thousands_of_receipts_holds_up_nobody(database: Database, rows_read: list[int]) -> None:
    desk = MtDesk(database)
    for start in range(0, 2 * NEWEST_MIN, 100):
        wait(desk, *((f"F{number}",) for number in range(start, start + 100)))
        wait(desk, *((f"E{number}",) for number in range(start, start + 100)), operator_id=2)
    mt = desk.submitting()
    wait(desk, ("1A",))
    before = kept(database)
    rows_read.clear()

    desk.accepted(mt, "1A")

    assert desk.state(mt) is MtState.DELIVERED
    assert kept(database) == before[:-1]
    assert max(rows_read) == NEWEST_MIN


def test_a_centre_that_answers_one_id_to_all_holds_up_nobody(database: Database, rows_read: list[int]) -> None:
    desk = MtDesk(database)
    mts: list[Mt] = []
    for _ in range(NEWEST_MIN + 5):
        mts.append(desk.submitted("0"))
        desk.advance(10 * SECOND_MS)
    rows_read.clear()

    desk.receipt("0")

    assert desk.state(mts[-1]) is MtState.DELIVERED
    assert {desk.state(mt) for mt in mts[:-1]} == {MtState.SUBMITTED}
    assert max(rows_read) == NEWEST_MIN
