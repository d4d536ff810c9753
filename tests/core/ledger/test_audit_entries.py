"""The audit asks for the entries themselves: each is there, with the digest of its postings."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from core.ledger.audit import EntryRow, PostingRow, check_entries
from core.ledger.entry import Entry, Posting
from tests.core.ledger.books import the_ledger
from tests.core.ledger.memory import Ledger


def entry_rows(ledger: Ledger) -> list[EntryRow]:
    """As the store reads them, with the digests of their postings."""
    ids = sorted({row.entry_id for row in ledger.postings})
    return [EntryRow(id_, _digest(row for row in ledger.postings if row.entry_id == id_), "batch") for id_ in ids]


def _digest(rows: Iterable[PostingRow]) -> str:
    return Entry("", tuple(Posting(r.debit, r.credit, r.currency, r.amount, r.month) for r in rows)).digest()


def found_in(ledger: Ledger, entries: list[EntryRow]) -> list[tuple[str, str, str]]:
    """(check, row, sentence) of what is wrong with entries."""
    findings = check_entries(
        sorted(ledger.charges, key=lambda row: row.entry_id), ledger.postings, ledger.details, entries
    )
    return [(finding.check, finding.row, finding.sentence) for finding in findings]


def test_entries_that_are_there_with_their_digests_are_no_finding() -> None:
    ledger = the_ledger()

    assert found_in(ledger, [*entry_rows(ledger), EntryRow(99, _digest(iter(())), "batch")]) == []


@pytest.mark.parametrize("place", [0, 1, -1])
def test_l4_finds_an_entry_that_is_gone(place: int) -> None:
    ledger = the_ledger()
    entries = entry_rows(ledger)
    gone = entries.pop(place)

    assert found_in(ledger, entries) == [("L4", str(gone.entry_id), "charges name it, and it is not there")]


def test_l3_finds_an_entry_that_postings_alone_name() -> None:
    ledger = the_ledger()
    ledger.postings.append(replace(ledger.postings[0], entry_id=99))

    found = found_in(ledger, entry_rows(ledger)[:-1])

    assert ("L3", "99", "postings name it, and it is not there") in found


@pytest.mark.parametrize("place", [0, 1, -1])
def test_l3_finds_a_digest_of_something_else(place: int) -> None:
    ledger = the_ledger()
    entries = entry_rows(ledger)
    entries[place] = entries[place]._replace(digest="0" * 64)

    row = str(entries[place].entry_id)
    assert found_in(ledger, entries) == [("L3", row, "its digest is not that of its postings")]


def test_an_entry_of_another_kind_may_have_the_digest_of_what_was_asked_for() -> None:
    ledger = the_ledger()
    entries = [row._replace(digest="0" * 64, kind="payout") for row in entry_rows(ledger)]

    assert found_in(ledger, entries) == []
