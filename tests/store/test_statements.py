"""Issued statements read again, on both databases."""

import pytest

from core.statement import LineKind
from store import schema
from store.closing import close
from store.database import Database
from store.statements import list_statements, read_month, read_statement
from tests.makers_money import micros, moment
from tests.partner_api.rows import add
from tests.store.cashier import RUB, a_till, asked
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock

OCTOBER, NOVEMBER = 202610, 202611


@pytest.fixture
def desk(database: Database) -> MonthDesk:
    """Two months: acme in two currencies and friend."""
    with database.write() as connection:
        for id_, login in ((1, "acme"), (2, "friend")):
            add(connection, schema.Partner, id=id_, login=login, currency="RUB", active=True)
        for id_, code in ((1, "alpha"), (2, "beta")):
            add(connection, schema.Operator, id=id_, code=code, name=code.title(), country="RU", currency="RUB")
    desk = MonthDesk(database, a_world(), clock=HandClock(moment("2026-10-05T12:00:00Z")))
    for until, month in (("2026-11-02", OCTOBER), ("2026-12-02", NOVEMBER)):
        desk.earn("GAME 1", "GAME 2", "GAME 3", "QUIZ 1")
        desk.earn("GAME 1", euros=True)
        desk.at(until).close(month)
    return desk


def test_the_newest_are_listed_first_by_partner_and_by_month(desk: MonthDesk) -> None:
    with desk.database.read() as connection:
        every = list_statements(connection)
        of_acme = list_statements(connection, partner="acme")
        of_october = list_statements(connection, month=OCTOBER)
        last = list_statements(connection, limit=1)

    assert [one.number for one in every] == [f"2026-{number:06d}" for number in range(8, 0, -1)]
    assert {(one.partner, one.currency, one.month) for one in of_acme} == {
        ("acme", "EUR", OCTOBER), ("acme", "RUB", OCTOBER), ("acme", "EUR", NOVEMBER), ("acme", "RUB", NOVEMBER)
    }  # fmt: skip
    assert {one.month for one in of_october} == {OCTOBER}
    assert last == every[:1]


def test_one_is_read_with_its_lines_and_the_names_of_its_operators(desk: MonthDesk) -> None:
    with desk.database.read() as connection:
        (one,) = [one for one in list_statements(connection, partner="acme", month=OCTOBER) if one.currency == "RUB"]
        stated = read_statement(connection, one.number)

        assert read_statement(connection, "2026-000099") is None

    assert stated is not None
    assert stated.statement == one
    assert one.closing == micros("9.30")
    assert [(line.kind, line.operator, line.amount) for line in stated.lines] == [
        (LineKind.OPENING, "", 0),
        (LineKind.MO, "alpha", micros("7.20")),
        (LineKind.MO, "alpha", micros("2.10")),
        (LineKind.CLOSING, "", micros("9.30")),
    ]
    assert stated.operators == {"alpha": "Alpha"}


def test_all_of_a_month_come_in_the_order_of_their_numbers(desk: MonthDesk) -> None:
    with desk.database.read() as connection:
        found = list(read_month(connection, NOVEMBER))
        alone = [read_statement(connection, one.statement.number) for one in found]

    assert [one.statement.number for one in found] == [f"2026-{number:06d}" for number in range(5, 9)]
    assert found == alone


def test_a_payout_that_failed_or_was_cancelled_is_not_told_as_one_that_came_back(database: Database) -> None:
    till = a_till(database)
    till.earn(3)
    payouts = till.payouts()
    for number, key in enumerate(("k1", "k2", "k3"), 1):
        payouts.approve(asked(payouts, number * RUB, key=key).id, approver="olga")
    payouts.cancel(1, author="olga", reason="asked twice")
    for number in (2, 3):
        payouts.begin_sending(number, author="olga")
    payouts.failed(2, author="olga", reason="no: AC04", by_provider=True)
    payouts.paid(3, author="olga")
    payouts.returned(3, author="olga", reason="closed")
    till.clock.advance(moment("2026-12-02T00:00:00Z") - till.clock.now())

    closed = close(till.clerk(), NOVEMBER, "ada")

    acme = next(one for one in closed.statements if one.partner == "acme")
    came = [
        (line.kind, line.note.partition(" ")[2], line.amount)
        for line in acme.lines
        if line.account == "earnings" and line.amount > 0 and "payout:" in line.note
    ]
    assert came == [
        (LineKind.PAYOUT_FAILED, "payout:2: no: AC04", 2 * RUB),
        (LineKind.PAYOUT_CANCELLED, "payout:1: asked twice", RUB),
        (LineKind.PAYOUT_RETURNED, "payout:3: closed", 3 * RUB),
    ]
    assert {line.kind: line.amount for line in acme.lines if line.account == "payout" and line.amount < 0} == {
        LineKind.PAYOUT_PAID: -3 * RUB, LineKind.PAYOUT_FAILED: -2 * RUB, LineKind.PAYOUT_CANCELLED: -RUB
    }  # fmt: skip
    with till.database.read() as connection:
        stated = read_statement(connection, acme.number)
    assert stated is not None
    assert [(line.kind, line.amount) for line in stated.lines] == [(line.kind, line.amount) for line in acme.lines]
    assert till.findings() == []
