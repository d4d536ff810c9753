"""What stands on accounts and how it came there: whatever was booked and folded, each line leads to the next."""

import itertools
import random
from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import HOUR_MS, month_start
from core.errors import UserMistake
from core.ids import first_id_at
from store import account_lines, schema
from store.account_lines import AccountLine, Standing, find_accounts, group_of, read_lines, read_standing
from store.balances import read_balances
from store.database import Database
from store.folding import fold_some
from tests.partner_api.rows import add
from tests.store.ledger_rows import post

ADDRESSES = (
    "operator:alpha:receivable", "operator:alpha:payable", "partner:acme:earnings", "partner:acme:payout",
    "income:margin", "bank:main",
)  # fmt: skip
START = month_start(202609)
MONTHS = (202609, 202610, 202611)
ENTRIES = 150


@pytest.fixture(params=[0, 70, ENTRIES * 2])
def world(request: pytest.FixtureRequest, database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Postings in three months, some of them folded; a piece is smaller than what there is."""
    monkeypatch.setattr(account_lines, "PIECE", 37)
    chance = random.Random(7)
    with database.write() as connection:
        for id_, login in ((1, "acme"), (2, "bolt")):
            add(connection, schema.Partner, id=id_, login=login)
        add(connection, schema.Operator, id=1, code="alpha")
        for id_, address in enumerate(ADDRESSES, 1):
            add(connection, schema.Account, id=id_, address=address, currency="RUB")
        for number in range(ENTRIES):
            at = START + number * 14 * HOUR_MS
            some = [(*chance.sample(range(1, 7), 2), chance.randrange(1, 10**9), chance.choice(MONTHS))]
            post(connection, at, [(debit, credit, amount, month) for debit, credit, amount, month in some])
        add(connection, schema.Balance, account_id=4, opening=5, amount=5 + _sum(connection, 4, "credit"), floor=0)
    if request.param:
        fold_some(database, START + ENTRIES * 15 * HOUR_MS, request.param)
    return database


def _sum(connection: sa.Connection, account: int, side: str, month: int = 0) -> int:
    """What all postings moved, on this side."""
    total = 0
    for row in connection.execute(sa.select(schema.Posting.__table__)):
        if not month or row.month == month:
            total += row.amount * ((row.debit_id == account) - (row.credit_id == account))
    return total if side == "debit" else -total


def standing(world: Database, address: str, month: int = 0) -> Standing:
    with world.read() as connection:
        (one,) = read_standing(connection, [address], month)
    return one


def lines(world: Database, address: str, **words: Any) -> list[AccountLine]:
    with world.read() as connection:
        (one,) = read_standing(connection, [address], words.get("month", 0))
        return read_lines(connection, one, **words)


def test_what_stands_there_is_what_balances_say_whatever_was_folded(world: Database) -> None:
    with world.read() as connection:
        found = {one.address: one.amount for one in read_standing(connection)}
        assert found == {one.address: one.amount for one in read_balances(connection)}
        assert [one.address for one in read_standing(connection)] == sorted(ADDRESSES)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_line_leads_from_the_balance_before_to_its_own(world: Database, address: str) -> None:
    found, one = lines(world, address, most=1000), standing(world, address)

    begun = found[0].balance - found[0].amount
    assert begun == one.opening == (5 if address == "partner:acme:payout" else 0)
    for before, after in itertools.pairwise(found):
        assert after.balance == before.balance + after.amount
        assert after.posting_id > before.posting_id
    assert found[-1].balance == one.amount
    with world.read() as connection:
        account = ADDRESSES.index(address) + 1
        of_it = sa.or_(schema.Posting.debit_id == account, schema.Posting.credit_id == account)
        count = connection.execute(sa.select(sa.func.count()).where(of_it)).scalar_one()
    assert len(found) == count


def test_the_last_ones_are_the_end_of_all(world: Database) -> None:
    whole = lines(world, "partner:acme:earnings", most=1000)

    assert lines(world, "partner:acme:earnings", most=3) == whole[-3:]
    assert all(line.kind == "batch" and line.key == f"batch:{line.entry_id}" for line in whole)
    assert {line.other for line in whole} == set(ADDRESSES) - {"partner:acme:earnings"}


def test_a_month_begins_with_what_the_months_before_left(world: Database) -> None:
    before = 0
    for month in MONTHS:
        one, found = (
            standing(world, "partner:acme:earnings", month),
            lines(world, "partner:acme:earnings", month=month, most=1000),
        )
        with world.read() as connection:
            moved = _sum(connection, 3, "credit", month)

        assert (one.opening, one.amount) == (before, before + moved)
        assert found[-1].balance == one.amount
        assert found[0].balance - found[0].amount == before
        assert {line.month for line in found} == {month}
        before = one.amount


def test_looking_ends_with_the_first_posting_of_the_account(database: Database, statements: list[str]) -> None:
    """A million postings before the first one of an account are not looked through."""
    with database.write() as connection:
        for id_, address in enumerate(ADDRESSES, 1):
            add(connection, schema.Account, id=id_, address=address, currency="RUB")
        post(connection, START, [(1, 5, 1, 202609)])
        add(connection, schema.Posting, id=10_000_000, entry_id=first_id_at(START), debit_id=6, credit_id=3,
            currency="RUB", amount=7, month=202610)  # fmt: skip

    with database.read() as connection:
        (one,) = read_standing(connection, ["partner:acme:earnings"])
        del statements[:]
        assert [line.balance for line in read_lines(connection, one)] == [7]

    assert sum("FROM posting" in text and "ORDER BY" in text for text in statements) == 1


@pytest.fixture
def statements(database: Database) -> list[str]:
    seen: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda _c, _k, statement, *_: seen.append(statement))
    return seen


def test_people_name_an_account_a_partner_or_an_operator(world: Database) -> None:
    with world.read() as connection:
        assert find_accounts(connection, ["bank:main", "acme", "bank:main"]) == [
            "bank:main", *(f"partner:acme:{sub}" for sub in ("earnings", "held", "prepaid", "reserved", "payout")),
        ]  # fmt: skip
        assert find_accounts(connection, ["alpha"]) == [
            "operator:alpha:receivable", "operator:alpha:payable", "suspense:alpha", "expense:outgoing:alpha",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("acmee", "there is no partner and no operator 'acmee'; did you mean acme?"),
        ("ACME", "there is no partner and no operator 'ACME'; did you mean acme?"),
        ("zzzz", "there is no partner and no operator 'zzzz'; tollbridge dump shows them"),
        (
            "partner:acme:earning",
            "nothing was ever booked on partner:acme:earning; did you mean partner:acme:earnings?",
        ),
        ("x:\x1b[2J", r"nothing was ever booked on x:\x1b[2J; tollbridge balance --all shows what there is"),
    ],
)
def test_what_is_not_there_says_what_was_meant(world: Database, name: str, sentence: str) -> None:
    with world.read() as connection, pytest.raises(UserMistake) as refused:
        find_accounts(connection, [name])

    assert str(refused.value) == sentence


def test_owners_of_accounts() -> None:
    assert group_of("partner:acme:held") == ("partner", "acme", "held")
    assert group_of("operator:alpha:payable") == ("operator", "alpha", "payable")
    assert group_of("suspense:alpha") == ("operator", "alpha", "suspense")
    assert group_of("expense:outgoing:alpha") == ("operator", "alpha", "cost")
    assert group_of("bank:main") == ("", "", "bank:main")
