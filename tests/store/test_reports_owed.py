"""What we owe operators for outgoing SMS: what came on it, and what persons took off it. On both databases."""

from collections.abc import Mapping

import pytest

from core.clock import DAY_MS
from core.report import Owed
from store.acts import Acts, Draft
from store.balances import read_balances
from store.database import Database
from store.desk import Desk
from store.reports_owed import Receivable, read_payables
from tests.makers_money import micros
from tests.store.clerk import a_clerk
from tests.store.journal.paid import Office, the_catalogue

OCTOBER, NOVEMBER, DECEMBER = 202610, 202611, 202612
PAYABLE = "operator:alpha:payable"


@pytest.fixture
def office(database: Database) -> Office:
    """acme sent three SMS that cost us 0.40 each."""
    office = Office(database, the_catalogue())
    office.pay_in(micros("100"))
    for _ in range(3):
        office.ends(office.sent())
    return office


def people(office: Office) -> Desk:
    return a_clerk(office.database, office.catalogue, office.clock)


def ask(office: Office, kind: str, values: Mapping[str, str], *, most: str = "1000") -> None:
    """One person asks, and is a second one's to approve above `most`."""
    told: dict[str, str | int] = {**values, "amount": micros(values["amount"])}
    Acts(people(office), micros(most)).ask(Draft(kind, "olga", f"letter {values}", (), told))


def adjust(office: Office, debit: str, credit: str, amount: str, *, most: str = "1000") -> None:
    ask(office, "adjust", {"debit": debit, "credit": credit, "amount": amount, "currency": "RUB"}, most=most)


def payables(office: Office, since: int = NOVEMBER, until: int = DECEMBER) -> list[Receivable]:
    with office.database.read() as connection:
        return read_payables(connection, since, until)


def test_what_is_netted_with_a_partner_is_written_off_and_was_never_accrued_less(office: Office) -> None:
    adjust(office, PAYABLE, "partner:acme:earnings", "20")
    adjust(office, PAYABLE, "expense:loss", "3")
    adjust(office, "expense:loss", "partner:acme:earnings", "1")

    (alpha,) = payables(office)

    assert alpha.months == [Owed(NOVEMBER, 0, micros("1.20"), 0, micros("23"), 0)]
    with office.database.read() as connection:
        (stands,) = read_balances(connection, [PAYABLE])
    assert alpha.months[-1].open == stands.amount == micros("-21.80")


def test_what_a_partner_takes_over_is_owed_more(office: Office) -> None:
    adjust(office, "partner:acme:prepaid", PAYABLE, "2.50")

    assert payables(office)[0].months == [Owed(NOVEMBER, 0, micros("1.20"), 0, micros("-2.50"), 0)]


def test_an_adjustment_counts_in_its_month_and_one_that_waits_for_another_person_not_yet(office: Office) -> None:
    adjust(office, PAYABLE, "partner:acme:earnings", "0.70", most="0.50")
    ask(office, "pay_operator", {"operator": "alpha", "amount": "1.00", "bank": "main", "reference": "7"})
    office.advance(10 * DAY_MS)
    adjust(office, PAYABLE, "partner:acme:earnings", "0.125")

    (alpha,) = payables(office)
    (december,) = payables(office, DECEMBER)

    assert alpha.months == [
        Owed(NOVEMBER, 0, micros("1.20"), 0, 0, micros("1.00")),
        Owed(DECEMBER, micros("0.20"), 0, 0, micros("0.125"), 0),
    ]
    assert december.months == alpha.months[1:]


def test_many_adjustments_are_all_found(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.reports_owed._AT_ONCE", 2)
    for number in range(1, 6):
        adjust(office, PAYABLE, "partner:acme:earnings", f"{number}")

    assert payables(office)[0].months[0].written_off == micros("15")
