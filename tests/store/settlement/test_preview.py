"""A preview is what approving books, wherever the rows of a message stand, and leaves no trace; on both databases."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from core.settlement import Verdict
from store.database import Database
from store.schema import Charge, Detail
from store.settlement import approve as approving
from store.settlement import preview as previewing
from store.settlement.preview import preview
from tests.store.settlement.office import RUB, Office
from tests.store.settlement.test_approve import ALL, a_row, a_run

V = Verdict


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


def test_a_message_that_pays_less_and_is_refused_in_one_file_owes_nothing(office: Office) -> None:
    office.mo()
    run = office.matched(
        office.russian(a_row(0, paid="4,00"), a_row(0, paid="0", state="Отказ"), a_row(0, paid="-4,00", state="Отказ"))
    )
    office.later()
    shown = preview(office.clerk, run, ALL)

    office.approve(run, *ALL)

    assert (
        office.balances().get("operator:alpha:receivable", 0)
        == sum(
            amount * ((debit.startswith("operator")) - (credit.startswith("operator")))
            for (debit, credit), amount in shown.postings.items()
        )
        + 5 * RUB
    )
    assert office.journal.audit() == []


def test_the_preview_is_what_is_booked(office: Office) -> None:
    run = a_run(office)

    shown = preview(office.clerk, run, ALL)
    before = office.balances()
    office.approve(run, *ALL)

    moved = changed(before, office.balances())
    assert moved == moved_by(shown.postings)
    assert (shown.rows, shown.problems) == (6, 0)
    assert sum(one.due for one in shown.sums) == moved["operator:alpha:receivable"]


@pytest.mark.parametrize("chunk", [1, 2, 500])
def test_the_preview_is_what_is_booked_wherever_the_rows_of_a_message_are_parted(
    office: Office, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """One message paid less, then refused, then the payment taken back: a charge-back undoes what was booked before."""
    monkeypatch.setattr(approving, "CHUNK", chunk)
    monkeypatch.setattr(previewing, "CHUNK", chunk)
    for after in (0, 1000, 2000, 3000):
        office.mo(after=after)
    rows = [
        a_row(0, paid="4,00"), a_row(1000, paid="5,50"), a_row(0, paid="0", state="Отказ"),
        a_row(0, paid="-4,00", state="Отказ"), a_row(1000, paid="0", state="Отказ"),
        a_row(1000, paid="-5,50", state="Отказ"), a_row(2000),
    ]  # fmt: skip
    run = office.matched(office.russian(*rows))
    office.later()

    shown = preview(office.clerk, run, ALL)
    before = office.balances()
    office.approve(run, *ALL)

    assert changed(before, office.balances()) == moved_by(shown.postings)
    problems = [row.problem for row in office.rows(run) if row.problem]
    assert (shown.rows, len(problems)) == (7, shown.problems)
    assert office.journal.audit() == []


def moved_by(postings: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """What postings do to accounts, by their normal side."""
    moved: dict[str, int] = {}
    for (debit, credit), amount in postings.items():
        for address, sign in ((debit, 1), (credit, -1)):
            is_debit = address.startswith(("operator", "expense"))
            moved[address] = moved.get(address, 0) + (amount if is_debit else -amount) * sign
    return {address: amount for address, amount in moved.items() if amount}


def changed(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Accounts that are not as they were, by how much."""
    found = {address: after.get(address, 0) - before.get(address, 0) for address in {*before, *after}}
    return {address: amount for address, amount in found.items() if amount}


def test_a_preview_writes_nothing(office: Office) -> None:
    run = a_run(office)
    before = (office.balances(), office.rows(run), office.journal.rows(Charge), office.journal.rows(Detail))

    preview(office.clerk, run, ALL)

    assert (office.balances(), office.rows(run), office.journal.rows(Charge), office.journal.rows(Detail)) == before
