"""What `report partners` and `report receivables` say of a month is what its statements and its ledger say, to the last
millionth, whatever happened in it. On both databases."""

import random
from collections.abc import Iterable

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, Month
from core.ledger.corrections import Corrected
from core.ledger.details import DetailKind, moved
from core.statement import Line, LineKind
from store import schema
from store.balances import read_balances
from store.books import Act
from store.corrections import Messages
from store.database import Database
from store.issuing import Issued
from store.reports import Period, Wanted, read_earnings
from store.reports_owed import read_receivables
from tests.makers_money import micros, moment
from tests.partner_api.rows import add
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock
from tests.store.test_closing import a_november, an_october
from tests.store.test_closing_anything import anything

OCTOBER, NOVEMBER, DECEMBER = 202610, 202611, 202612
START = moment("2026-10-02T12:00:00Z")
OF_MESSAGES = frozenset(
    {
        LineKind.MO, LineKind.PREMIUM_MT, LineKind.ASSIGNED, LineKind.TIER_CORRECTION, LineKind.CHARGE_BACK,
        LineKind.HOLD_REFUSED, LineKind.HOLD_RELEASED, LineKind.REFERRAL,
    }
)  # fmt: skip
Owner = tuple[str, str]


@pytest.fixture
def named(database: Database) -> Database:
    """The names of those of `a_world`: reports tell them from the database."""
    with database.write() as connection:
        for id_, code, currency in ((1, "alpha", "RUB"), (2, "beta", "EUR")):
            add(connection, schema.Operator, id=id_, code=code, currency=currency)
        for id_, login, service in ((1, "acme", "game"), (2, "friend", "quiz")):
            add(connection, schema.Partner, id=id_, login=login)
            add(connection, schema.Service, id=id_, partner_id=id_, name=service)
        add(connection, schema.ReferralTerms, id=5, partner_id=1, referrer_id=2)
    return database


def moved_by_messages(lines: Iterable[Line], account: str) -> int:
    """What a statement's lines about messages move on an account."""
    return sum(line.amount for line in lines if line.account == account and line.kind in OF_MESSAGES)


def by_statements(closed: dict[Owner, Issued]) -> dict[Owner, tuple[int, int]]:
    """(earnings, held) by messages."""
    moved = {
        owner: (moved_by_messages(one.lines, "earnings"), moved_by_messages(one.lines, "held"))
        for owner, one in closed.items()
    }
    return {owner: amounts for owner, amounts in moved.items() if any(amounts)}


def by_report(database: Database, month: Month, *more: str) -> dict[Owner, tuple[int, int]]:
    """The same, split by more or not, as the report has it."""
    found: dict[Owner, tuple[int, int]] = {}
    with database.read() as connection:
        for one in read_earnings(connection, Wanted(Period(month=month), (*more, "partner"))):
            owner = (str(one.line.key[-1]), one.line.currency)
            earnings, held = found.get(owner, (0, 0))
            earned = one.line.total("partner_part") - one.held + one.referral_income
            found[owner] = (earnings + earned, held + one.held)
    return {owner: amounts for owner, amounts in found.items() if any(amounts)}


def test_a_partners_line_is_what_its_statement_says(named: Database) -> None:
    desk = MonthDesk(named, a_world(), clock=HandClock(START))
    an_october(desk)

    closed = desk.at("2026-11-02").close(OCTOBER)

    with named.read() as connection:
        found = read_earnings(connection, Wanted(Period(month=OCTOBER), ("partner",)))
    assert [(one.line.key, one.line.currency, one.held, one.referral_income) for one in found] == [
        (("acme",), "EUR", 0, 0), (("friend",), "EUR", 0, micros("0.055277")), (("acme",), "RUB", micros("3.50"), 0),
        (("friend",), "RUB", 0, micros("1.02")),
    ]  # fmt: skip
    assert found[2].line.total("partner_part") == micros("19.80")
    assert by_report(named, OCTOBER) == by_statements(closed)


def test_what_is_let_go_later_leaves_what_is_held_in_the_month_in_which_it_was_let_go(named: Database) -> None:
    desk = MonthDesk(named, a_world(), clock=HandClock(START))
    of = an_october(desk)
    before = desk.at("2026-11-02").close(OCTOBER)
    a_november(desk, of)

    after = desk.at("2026-12-02").close(NOVEMBER)

    assert by_report(named, OCTOBER) == by_statements(before)
    assert by_report(named, NOVEMBER) == by_statements(after)
    assert by_statements(after)["acme", "RUB"][1] == -micros("3.50")


@pytest.mark.parametrize("seed", range(4))
def test_three_months_of_anything_are_reported_as_they_are_stated(named: Database, seed: int) -> None:
    chance = random.Random(seed)
    world = a_world(mode=chance.choice(("graduated", "volume")))
    desk = MonthDesk(named, world, clock=HandClock(START))
    earned: list[int] = []
    held: list[int] = []
    lost: list[int] = []
    on_hold: set[int] = set()
    for until, month in (("2026-11-03", OCTOBER), ("2026-12-03", NOVEMBER), ("2027-01-03", DECEMBER)):
        for _ in range(40):
            desk.clock.advance(chance.randrange(DAY_MS // 2))
            anything(desk, chance, earned, held, lost)
        closed = desk.at(until).close(month)

        assert by_report(named, month) == by_report(named, month, "service", "short_code") == by_statements(closed)
        on_hold.update(amount for _, amount in by_statements(closed).values())
    assert on_hold > {0}
    assert desk.audit() == []


def test_what_is_booked_by_ids_ahead_of_the_clock_is_in_the_month_after_its_close_too(named: Database) -> None:
    """The clock was ten days ahead for a moment: ids go on from there, and so do the days of what is booked."""
    desk = MonthDesk(named, a_world(), clock=HandClock(START))
    desk.at("2026-10-25").earn("GAME 1")
    desk.clock.advance(10 * DAY_MS)
    desk.mo("GAME 2")
    desk.clock.advance(-10 * DAY_MS)
    desk.earn("GAME 3", "GAME 4")
    before = by_report(named, OCTOBER)

    closed = desk.at("2026-11-01").close(OCTOBER)

    assert closed["acme", "RUB"].movement == micros("9.30")
    assert by_report(named, OCTOBER) == before == by_statements(closed)
    assert desk.audit() == []


def test_one_partners_income_is_found_where_those_whom_it_referred_earned(named: Database) -> None:
    desk = MonthDesk(named, a_world(), clock=HandClock(START))
    an_october(desk)

    with named.read() as connection:
        wanted = Wanted(Period(month=OCTOBER), ("partner", "service", "short_code"), partner_id=2)
        found = read_earnings(connection, wanted)

    assert [(one.line.key, one.line.messages, one.referral_income) for one in found if one.line.currency == "RUB"] == [
        (("friend", "acme/game", "4446"), 0, micros("0.72")), (("friend", "acme/game", "7715"), 0, micros("0.30"))
    ]  # fmt: skip


# --- what operators owe ------------------------------------------------------------------------------------


def test_what_came_off_a_receivable_is_told_by_how_it_came_off(named: Database) -> None:
    """Paid, written off, refunded by us and then taken back, found to be more, corrected by hand."""
    desk = MonthDesk(named, a_world(), clock=HandClock(START))
    first, second, third, _ = desk.earn("GAME 1", "GAME 2", "GAME 3", "GAME 4")
    for kind, debit, credit, amount in (
        (DetailKind.OPERATOR_PAID, "bank:main", "operator:alpha:receivable", "7.00"),
        (DetailKind.WRITTEN_OFF, "expense:loss", "operator:alpha:receivable", "1.50"),
        (DetailKind.FOUND, "operator:alpha:receivable", "suspense:alpha", "0.25"),
        (DetailKind.ADJUSTED, "operator:alpha:receivable", "bank:main", "2.00"),
        (DetailKind.ADJUSTED, "income:margin", "operator:alpha:receivable", "0.125"),
    ):
        book(desk, kind, debit, credit, amount)
    refund(desk, first, second)
    desk.correct("charge_back", second, third)

    with named.read() as connection:
        (found,) = read_receivables(connection, OCTOBER, OCTOBER)
        stands = {line.address: line.amount for line in read_balances(connection)}

    (owed,) = found.months
    assert (owed.accrued, owed.taken_back, owed.paid) == (micros("20"), micros("10"), micros("5"))
    assert owed.written_off == micros("1.50") - micros("0.25") + micros("0.125") + micros("5")
    assert owed.open == stands["operator:alpha:receivable"]
    assert desk.audit() == []


def book(desk: MonthDesk, kind: DetailKind, debit: str, credit: str, amount: str) -> None:
    """A movement by a person."""
    clerk = desk.clerk()
    details = moved(kind, debit, credit, micros(amount), currency="RUB", month=OCTOBER)
    act = Act(f"{kind.value}:{amount}", kind.value, amount, clerk.now())
    clerk.run(lambda connection: clerk.books.book(connection, act, details=details))


def refund(desk: MonthDesk, *ids: int) -> None:
    """We alone pay them back."""
    clerk = desk.clerk()

    def work(connection: sa.Connection) -> None:
        messages = Messages(connection, clerk.books.accounts, clerk.catalogue(), at=clerk.now())
        messages.load(ids)
        done = [messages.refund(id_, author="ada", reason="asked") for id_ in ids]
        details = [detail for one in done if isinstance(one, Corrected) for detail in one.details]
        clerk.books.book(connection, Act("refund", "refund", f"{ids}", clerk.now()), details=details)

    clerk.run(work)
