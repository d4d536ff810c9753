"""A partner's own currency stays as it is while a plan or money is in it; on both databases."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from core.errors import ProvisioningError
from store.database import Database
from store.provisioning import load
from store.schema import Account, Partner
from store.secrets import Keyring

NOW = 1_795_500_000_000
KEYRING = Keyring(Fernet.generate_key().decode())
PLAN = """
[[tariff_plan]]
name = "standard"
tiers = [ { from = "0", share = "0.60" } ]
currency = "RUB"
"""


def a_partner(currency: str, more: str = "") -> str:
    return f'[[partner]]\nlogin = "acme"\ncurrency = "{currency}"\n{more}'


def load_text(database: Database, text: str) -> None:
    load(database, text, "p.toml", NOW, KEYRING)


def currency_of(database: Database) -> str:
    with database.read() as connection:
        return str(connection.execute(sa.select(Partner.currency)).scalar_one())


def an_account(address: str, currency: str) -> Callable[[Database], object]:
    def make(database: Database) -> Any:
        with database.write() as connection:
            connection.execute(sa.insert(Account).values(address=address, currency=currency))

    return make


def test_it_cannot_change_while_a_plan_is_in_it(database: Database) -> None:
    load_text(database, PLAN + a_partner("RUB", 'plan = "standard"'))

    with pytest.raises(ProvisioningError) as caught:
        load_text(database, a_partner("EUR"))

    assert str(caught.value) == (
        "p.toml:3: partner.currency: acme has a plan in RUB, so it stays; write RUB, or make a partner of another login"
    )
    assert currency_of(database) == "RUB"


@pytest.mark.parametrize("sub", ["prepaid", "earnings", "reserved", "payout", "held"])
def test_it_cannot_change_while_money_was_booked_in_it(database: Database, sub: str) -> None:
    load_text(database, a_partner("RUB"))
    an_account(f"partner:acme:{sub}", "RUB")(database)

    with pytest.raises(ProvisioningError, match="acme has balances in RUB, so it stays"):
        load_text(database, a_partner("EUR"))


@pytest.mark.parametrize(("address", "currency"), [("partner:acme:prepaid", "EUR"), ("partner:acme2:prepaid", "RUB")])
def test_where_nothing_is_in_it_a_slip_can_be_mended(database: Database, address: str, currency: str) -> None:
    load_text(database, a_partner("RUB"))
    an_account(address, currency)(database)

    load_text(database, a_partner("EUR"))

    assert currency_of(database) == "EUR"
