"""The chart of accounts, row by row as section 5 has it."""

import pytest

from core.ledger import accounts
from core.ledger.accounts import AccountKind, NoSuchAccount, balance, check_place, has_floor, kind_of

CHART = [
    (accounts.receivable("alpha"), "operator:alpha:receivable", AccountKind.ASSET, False),
    (accounts.payable("alpha"), "operator:alpha:payable", AccountKind.LIABILITY, False),
    (accounts.bank("main"), "bank:main", AccountKind.ASSET, False),
    (accounts.provider("wallet"), "provider:wallet", AccountKind.ASSET, False),
    (accounts.earnings("acme"), "partner:acme:earnings", AccountKind.LIABILITY, False),
    (accounts.held("acme"), "partner:acme:held", AccountKind.LIABILITY, False),
    (accounts.prepaid("acme"), "partner:acme:prepaid", AccountKind.LIABILITY, True),
    (accounts.reserved("acme"), "partner:acme:reserved", AccountKind.LIABILITY, True),
    (accounts.payout("acme"), "partner:acme:payout", AccountKind.LIABILITY, True),
    (accounts.suspense("alpha"), "suspense:alpha", AccountKind.LIABILITY, False),
    (accounts.INCOME_MARGIN, "income:margin", AccountKind.INCOME, False),
    (accounts.INCOME_OUTGOING, "income:outgoing", AccountKind.INCOME, False),
    (accounts.TAX_VAT, "tax:vat", AccountKind.LIABILITY, False),
    (accounts.outgoing_cost("alpha"), "expense:outgoing:alpha", AccountKind.EXPENSE, False),
    (accounts.EXPENSE_LOSS, "expense:loss", AccountKind.EXPENSE, False),
    (accounts.conversion("JPY", "RUB"), "conversion:JPY:RUB", AccountKind.EQUITY, False),
    ("partner:acme:float", "partner:acme:float", AccountKind.LIABILITY, True),
    ("subscriber:79001112233:wallet", "subscriber:79001112233:wallet", AccountKind.LIABILITY, True),
    ("agent:kofi", "agent:kofi", AccountKind.LIABILITY, True),
    ("agent:kofi:float", "agent:kofi:float", AccountKind.LIABILITY, True),
]


@pytest.mark.parametrize(("made", "address", "kind", "floored"), CHART, ids=[row[1] for row in CHART])
def test_an_account_has_its_address_kind_and_floor(made: str, address: str, kind: AccountKind, floored: bool) -> None:
    assert made == address
    assert kind_of(address) is kind
    assert has_floor(address) is floored


@pytest.mark.parametrize(
    "address",
    [
        "", "bank", "bank:", "operator:alpha", "operator:alpha:margin", "partner::earnings", "income:gifts", "x:y:z:w",
        "bank:main:1", "bank:main 1", "bank:-main", "partner:a c:earnings", "operator:al pha:payable", "suspense:a:b",
        "subscriber:acme:wallet", "conversion:RUB:RUB", "conversion:RUR:RUB", "expense:outgoing:", "agent:kofi:a b",
        "bank:" + "x" * 41,
    ],
)  # fmt: skip
def test_an_address_outside_the_chart_is_refused(address: str) -> None:
    with pytest.raises(NoSuchAccount, match=r"there is no account .*; write partner:LOGIN:earnings, "):
        kind_of(address)


@pytest.mark.parametrize("currency", ["RUR", "", "rub", "XXX"])
def test_a_currency_that_is_none_has_no_accounts(currency: str) -> None:
    check_place("bank:main", "RUB")

    with pytest.raises(NoSuchAccount, match="no currency of ISO 4217"):
        check_place("bank:main", currency)


@pytest.mark.parametrize("kind", list(AccountKind))
def test_the_normal_side_is_debit_for_assets_and_expenses_only(kind: AccountKind) -> None:
    expected = 7 if kind in {AccountKind.ASSET, AccountKind.EXPENSE} else -7

    assert balance(kind, 10, 3) == expected
