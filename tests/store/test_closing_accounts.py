"""Accounts that are nobody's, made before anything refused them: closing and the audit say which, and what to do."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.ledger.accounts import bank, earnings
from core.ledger.details import DetailKind, moved
from store import accounts
from store.books import Act
from store.closing import ClosingRefused, close, preview
from store.database import Database
from store.schema import Account
from tests.makers import a_partner
from tests.makers_money import moment
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock

OCTOBER = 202610


@pytest.fixture
def desk(database: Database) -> MonthDesk:
    desk = MonthDesk(database, a_world(), clock=HandClock(moment("2026-10-02T12:00:00Z")))
    desk.earn("GAME 1")
    return desk


def book_to(desk: MonthDesk, monkeypatch: pytest.MonkeyPatch, address: str, currency: str = "RUB") -> None:
    """As it was booked before the chart was asked."""
    clerk = desk.clerk()
    details = moved(DetailKind.ADJUSTED, "expense:loss", address, 5_000_000, currency=currency, month=OCTOBER)
    with monkeypatch.context() as patch:
        patch.setattr(accounts, "check_place", lambda address, currency: None)
        act = Act("k", "adjust", "k", clerk.now())
        clerk.run(lambda connection: clerk.books.book(connection, act, details=details))


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (
            "bank:main:1",
            "there is an account 'bank:main:1', and it is not in the chart of accounts; correct its address",
        ),
        ("partner:amce:earnings", "partner:amce:earnings RUB, and no partner 'amce'; load a partner of this login"),
        ("partner:amce:held", "no partner 'amce'"),
    ],
)
def test_an_account_of_nobody_is_a_sentence(
    desk: MonthDesk, monkeypatch: pytest.MonkeyPatch, address: str, sentence: str
) -> None:
    book_to(desk, monkeypatch, address)
    desk.at("2026-11-03")

    clerk = desk.clerk()
    with pytest.raises(ClosingRefused) as caught:
        close(clerk, OCTOBER, "olga")
    with pytest.raises(ClosingRefused) as looked:
        preview(desk.database, desk.catalogue, OCTOBER, desk.clock.now())

    assert sentence in str(caught.value)
    assert str(looked.value) == str(caught.value)


@pytest.mark.parametrize(
    ("address", "currency", "sentence"),
    [
        ("bank:main:1", "RUB", "there is no account 'bank:main:1'"),
        ("bank:main", "RUR", "'RUR' is no currency"),
        ("partner:amce:earnings", "RUB", "there is no partner 'amce'"),
        ("operator:nosuch:payable", "RUB", "there is no operator 'nosuch'"),
    ],
)
def test_the_audit_names_it(
    desk: MonthDesk, monkeypatch: pytest.MonkeyPatch, address: str, currency: str, sentence: str
) -> None:
    book_to(desk, monkeypatch, address, currency)

    assert {(one.check, sentence in one.sentence) for one in desk.audit()} == {("L1", True)}


def test_what_is_said_helps(desk: MonthDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The partner is loaded, or the address corrected."""
    book_to(desk, monkeypatch, earnings("amce"))
    desk.at("2026-11-03")
    world = a_world()
    desk.use(replace(world, partners={**world.partners, "amce": a_partner("amce", id=3)}))

    assert ("amce", "RUB") in desk.close(OCTOBER)
    assert desk.audit() == []


def test_an_address_that_was_corrected_is_closed(desk: MonthDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    book_to(desk, monkeypatch, "bank:main:1")
    with desk.database.write() as connection:
        connection.execute(sa.update(Account).where(Account.address == "bank:main:1").values(address=bank("main-1")))
    desk.at("2026-11-03")

    desk.close(OCTOBER)

    assert desk.audit() == []
