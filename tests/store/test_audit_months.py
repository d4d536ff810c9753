"""The audit of closed months on both databases: silent on a healthy one, and it finds what was done to it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from core.ledger.details import DetailKind
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


@pytest.fixture
def poor(database: Database) -> MonthDesk:
    """A closed month in which acme earned less than its plan pays out."""
    world = a_world(minimum="100.00")
    desk = MonthDesk(database, world, clock=HandClock(moment("2026-10-05T12:00:00Z")))
    desk.earn("GAME 1")
    desk.at("2026-11-02").close(OCTOBER)
    assert {(row.due, row.minimum_payout) for row in desk.rows(Statement) if row.partner_id == 1} == {(0, 100_000_000)}
    return desk


def _paid_all(desk: MonthDesk) -> None:
    """The plan never had a minimum."""
    plan = desk.catalogue.plans["tiered"]
    later = replace(plan.versions[0], minimum_payout=0)
    desk.catalogue = replace(desk.catalogue, plans={**desk.catalogue.plans, "tiered": replace(plan, versions=(later,))})


def _pays_all(desk: MonthDesk) -> None:
    """The plan has no minimum any more, from November on."""
    plan = desk.catalogue.plans["tiered"]
    (first,) = plan.versions
    later = replace(first, id=99, valid_from=moment("2026-11-01T00:00:00Z"), minimum_payout=0)
    plans = {**desk.catalogue.plans, "tiered": replace(plan, versions=(first, later))}
    desk.catalogue = replace(desk.catalogue, plans=plans)


def test_what_was_below_the_minimum_of_its_time_is_nothing_to_find_whatever_the_catalogue_says(poor: MonthDesk) -> None:
    _pays_all(poor)

    assert poor.audit() == []


def test_a_statement_from_before_the_minimum_was_kept_is_held_against_the_version_that_held(poor: MonthDesk) -> None:
    with poor.database.write() as connection:
        unlock(connection)
        connection.execute(sa.update(Statement).values(minimum_payout=None))
    assert poor.audit() == []

    _paid_all(poor)

    assert [finding.check for finding in poor.audit()] == ["L12"]


def test_a_minimum_of_a_plan_that_came_after_the_month_was_closed_is_nothing_to_find(database: Database) -> None:
    world = a_world(minimum="100.00")
    acme = replace(world.partners["acme"], plans=())
    desk = MonthDesk(
        database, replace(world, partners={**world.partners, "acme": acme}),
        clock=HandClock(moment("2026-10-05T12:00:00Z")),
    )  # fmt: skip
    desk.move(DetailKind.ADJUSTED, "5.00")
    desk.at("2026-11-02").close(OCTOBER)
    assert {(row.due, row.minimum_payout) for row in desk.rows(Statement)} == {(5_000_000, 0)}

    desk.catalogue = world

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


def _pay_nothing(connection: Connection) -> None:
    connection.execute(sa.update(Statement).where(Statement.due > 0).values(due=0))


def _pay_nothing_of_old(connection: Connection) -> None:
    """Of statements that were issued before the minimum was kept."""
    connection.execute(sa.update(Statement).where(Statement.due > 0).values(due=0, minimum_payout=None))


def _keep_another_minimum(connection: Connection) -> None:
    """One that changes nothing of what is due."""
    is_due = (Statement.due > 0, Statement.minimum_payout > 0)
    assert connection.execute(sa.update(Statement).where(*is_due).values(minimum_payout=1)).rowcount


def _keep_no_minimum(connection: Connection) -> None:
    change = sa.update(Statement).where(Statement.minimum_payout > 0, Statement.partner_id == 1)
    assert connection.execute(change.values(minimum_payout=0)).rowcount


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
        (_pay_nothing, {"L12"}),
        (_pay_nothing_of_old, {"L12"}),
        (_keep_another_minimum, {"L12"}),
        (_keep_no_minimum, {"L12"}),
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
