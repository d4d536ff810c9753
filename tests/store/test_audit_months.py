"""The audit of closed months on both databases: silent on a healthy one, and it finds what was done to it."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from store import schema
from store.database import Database
from store.schema import FrozenTotal, Series, Statement, StatementLine
from tests.makers_money import moment
from tests.store.ledger_rows import post
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock

OCTOBER, NOVEMBER = 202610, 202611


@pytest.fixture
def desk(database: Database) -> MonthDesk:
    """Two closed months of two partners in two currencies."""
    desk = MonthDesk(database, a_world(hold_days=20, minimum="1.00"), clock=HandClock(moment("2026-10-05T12:00:00Z")))
    for until, month in (("2026-11-02", OCTOBER), ("2026-12-02", NOVEMBER)):
        desk.earn("GAME 1", "GAME 2", "GAME 3", "QUIZ 1")
        desk.earn("GAME 1", euros=True)
        desk.earn("GAME 4", held=True)
        desk.at(until).close(month)
    return desk


def unlock(connection: Connection) -> None:
    """The triggers that keep what is frozen."""
    for name in ("frozen_total", "statement", "statement_line", "posting"):
        for act in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}_no_{act}")


def test_two_healthy_months_have_nothing_to_find(desk: MonthDesk) -> None:
    assert len(desk.rows(Statement)) == 8
    assert desk.audit() == []


def _thaw(connection: Connection) -> None:
    row = connection.execute(sa.select(FrozenTotal).order_by(FrozenTotal.account_id)).scalars().first()
    assert row is not None
    change = sa.update(FrozenTotal).where(FrozenTotal.month == NOVEMBER)
    connection.execute(change.values(debits=FrozenTotal.debits + 1))


def _post_into(connection: Connection) -> None:
    query = sa.select(schema.Account.address, schema.Account.id).where(schema.Account.currency == "RUB")
    ids = {address: id_ for address, id_ in connection.execute(query)}
    post(connection, moment("2026-12-05T12:00:00Z"), [(ids["income:margin"], ids["partner:acme:held"], 7, OCTOBER)])


def _add_to_a_line(connection: Connection) -> None:
    change = sa.update(StatementLine).where(StatementLine.kind == "mo", StatementLine.account == "held")
    connection.execute(change.values(amount=StatementLine.amount + 1))


def _drop_a_line(connection: Connection) -> None:
    connection.execute(sa.delete(StatementLine).where(StatementLine.kind == "referral"))


def _pay_more(connection: Connection) -> None:
    connection.execute(sa.update(Statement).values(due=Statement.due + 10_000))


def _lose_a_statement(connection: Connection) -> None:
    connection.execute(sa.delete(Statement).where(Statement.number == "2026-000003"))


def _skip_a_number(connection: Connection) -> None:
    connection.execute(sa.update(Series).where(Series.name == "statement:2026").values(last=Series.last + 1))


def _open_again(connection: Connection) -> None:
    connection.execute(sa.update(Series).where(Series.name == "months").values(last=OCTOBER))


@pytest.mark.parametrize(
    ("harm", "checks"),
    [
        (_thaw, {"L11"}),
        (_post_into, {"L11", "L12", "L3"}),
        (_add_to_a_line, {"L12"}),
        (_drop_a_line, {"L12"}),
        (_pay_more, {"L12"}),
        (_lose_a_statement, {"L12"}),
        (_skip_a_number, {"L12"}),
        (_open_again, {"L11"}),
    ],
)
def test_what_was_done_to_it_is_found(desk: MonthDesk, harm: Callable[[Connection], None], checks: set[str]) -> None:
    with desk.database.write() as connection:
        unlock(connection)
        harm(connection)

    assert {finding.check for finding in desk.audit()} == checks
