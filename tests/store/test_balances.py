"""Balances as sums of postings."""

import pytest

from store.balances import AccountBalance, PartnerBalance, partner_balance, read_balances
from store.database import Database
from tests.partner_api import rows


@pytest.fixture
def world(database: Database) -> Database:
    with database.write() as connection:
        rows.a_world(connection)
    return database


def test_each_account_stands_on_its_normal_side(world: Database) -> None:
    with world.read() as connection:
        found = {(line.address, line.currency): line.amount for line in read_balances(connection)}

    assert found == {
        ("operator:alpha:receivable", "RUB"): 5_000_000,
        ("partner:acme:earnings", "RUB"): 3_049_993,
        ("partner:acme:earnings", "EUR"): 0,
        ("partner:acme:held", "RUB"): 7,
        ("partner:acme:prepaid", "RUB"): -5_000_000,
        ("partner:cy:earnings", "RUB"): 200_000,
        ("income:margin", "RUB"): 1_750_000,
    }


def test_some_accounts_only(world: Database) -> None:
    with world.read() as connection:
        assert read_balances(connection, ["income:margin", "bank:none"]) == [
            AccountBalance("income:margin", "RUB", 1_750_000)
        ]
        assert read_balances(connection, []) == []


def test_a_partner_sees_its_money_by_currency(world: Database) -> None:
    with world.read() as connection:
        assert partner_balance(connection, "acme") == [
            PartnerBalance("EUR"),
            PartnerBalance("RUB", earnings=3_049_993, held=7, prepaid=-5_000_000),
        ]
        assert partner_balance(connection, "nobody") == []
