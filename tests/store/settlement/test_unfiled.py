"""An operator's month for which nobody staged a file is named as long as it owes anything, on both databases."""

from pathlib import Path

import pytest

from store.database import Database
from store.settlement.approve import dismiss
from store.settlement.paid import book_payment
from store.settlement.unfiled import Unfiled, read_unfiled
from tests.store.settlement.office import RUB, Office

OCTOBER, NOVEMBER = 202410, 202411
DAY_S = 86_400


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    """Three messages of October, 5.00 RUB each. It is November."""
    office = Office(database, tmp_path)
    for after in (0, 1000, 2000):
        office.mo(after=after)
    office.later()
    return office


def unfiled(office: Office, until: int = OCTOBER, operator: str = "") -> list[Unfiled]:
    with office.database.read() as connection:
        return read_unfiled(connection, until, operator)


def pay(office: Office, amount: int, reference: str) -> None:
    book_payment(office.clerk, "alpha", amount, bank="main", reference=reference, by="olga")


def stage(office: Office) -> int:
    return office.stage(office.russian(["1", "15.10.2024", "15:00:00", "79001112233", "4446", "12,00", "5,00", ""])).run


def test_it_is_named_with_what_is_owed_for_it(office: Office) -> None:
    assert unfiled(office) == [Unfiled("alpha", "RUB", (OCTOBER,), 15 * RUB, 15 * RUB)]
    assert unfiled(office, operator="alpha") == unfiled(office)
    assert unfiled(office, operator="beta") == []
    assert unfiled(office, until=202409) == []


def test_a_file_ends_it_and_one_that_is_dismissed_as_a_whole_does_not(office: Office) -> None:
    run = stage(office)
    assert unfiled(office) == []

    dismiss(office.database, run, None, by="ada", reason="the wrong layout", now=office.clock.now())

    assert [one.months for one in unfiled(office)] == [(OCTOBER,)]


def test_a_payment_of_a_part_leaves_it_named_and_all_of_it_ends_it(office: Office) -> None:
    pay(office, 12 * RUB, "PO 1")
    assert unfiled(office) == [Unfiled("alpha", "RUB", (OCTOBER,), 15 * RUB, 3 * RUB)]

    pay(office, 3 * RUB, "PO 2")
    assert unfiled(office) == []


def test_a_later_month_with_a_file_that_is_paid_does_not_hide_it(office: Office) -> None:
    """What is paid settles the oldest month in the ageing; the month without a file is named all the same."""
    office.mo(after=20 * DAY_S)
    pay(office, 15 * RUB, "PO of November")

    assert unfiled(office, until=NOVEMBER) == [Unfiled("alpha", "RUB", (OCTOBER, NOVEMBER), 20 * RUB, 5 * RUB)]


def test_many_months_are_told_by_the_first_and_the_last() -> None:
    months = tuple(range(202401, 202406))

    assert Unfiled("alpha", "RUB", months[:2], 1, 1).when == "2024-01, 2024-02"
    assert Unfiled("alpha", "RUB", months, 1, 1).when == "5 months from 2024-01 to 2024-05"
