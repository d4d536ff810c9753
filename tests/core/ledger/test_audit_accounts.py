"""L1 names every account that is none: by its address, its currency, or whose it would be."""

import pytest

from core.ledger.audit_accounts import account_fault, check_accounts, check_balances
from core.ledger.rows import BalanceRow

LOGINS, OPERATORS = {"acme"}, {"alpha"}


@pytest.mark.parametrize(
    ("address", "currency", "fault"),
    [
        ("bank:main:1", "RUB", "there is no account 'bank:main:1'"),
        ("bank:main", "RUR", "'RUR' is no currency"),
        ("partner:amce:earnings", "RUB", "partner:amce:earnings RUB: there is no partner 'amce'"),
        ("operator:nosuch:receivable", "RUB", "there is no operator 'nosuch'"),
        ("suspense:nosuch", "RUB", "there is no operator 'nosuch'"),
        ("expense:outgoing:nosuch", "RUB", "there is no operator 'nosuch'"),
    ],
)
def test_an_account_that_is_none_is_named(address: str, currency: str, fault: str) -> None:
    (found,) = check_accounts([("7", address, currency)], LOGINS, OPERATORS)

    assert (found.check, found.table, found.row) == ("L1", "account", "7")
    assert fault in found.sentence


@pytest.mark.parametrize(
    "address", ["", "partner", "prepaid", "partner:prepaid", "partner:acme:other:prepaid", "agent"]
)
def test_a_floor_of_an_account_that_is_none_is_found_too(address: str) -> None:
    found = list(check_balances([BalanceRow("7", address, "RUB", 0, 0, -1)], [], lambda login, limit: True))

    assert [one.sentence for one in found if one.sentence.endswith(" RUB, not 0.00")] != []


@pytest.mark.parametrize(
    "address",
    [
        "partner:acme:earnings", "operator:alpha:payable", "suspense:alpha", "expense:outgoing:alpha", "bank:main",
        "provider:yoomoney", "income:margin", "expense:loss", "tax:vat", "conversion:EUR:RUB",
    ],
)  # fmt: skip
def test_an_account_of_the_chart_is_fine(address: str) -> None:
    assert account_fault(address, "RUB", LOGINS, OPERATORS) == ""
