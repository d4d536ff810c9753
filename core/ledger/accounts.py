"""The chart of accounts (billing.md, section 5).

receivable … conversion   the addresses, `kind:owner[:sub]`; one account per currency
kind_of                   asset, liability, income, expense or equity, by address
has_floor                 whether the account has a balance row that may not fall below a floor
balance                   debits and credits → the balance on the kind's normal side

Rule: an address that is not in the chart is refused, never guessed.
"""

from enum import Enum


class AccountKind(Enum):
    """What an account is; decides its normal side."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"
    EQUITY = "equity"

    @property
    def is_debit(self) -> bool:
        """The normal side is debit: assets and expenses."""
        return self in {AccountKind.ASSET, AccountKind.EXPENSE}


class NoSuchAccount(ValueError):
    """An address that the chart does not have."""


INCOME_MARGIN = "income:margin"
INCOME_OUTGOING = "income:outgoing"
TAX_VAT = "tax:vat"
EXPENSE_LOSS = "expense:loss"


def receivable(operator: str) -> str:
    """What the operator owes us for MO and premium MT."""
    return f"operator:{operator}:receivable"


def payable(operator: str) -> str:
    """What we owe the operator for outgoing SMS."""
    return f"operator:{operator}:payable"


def bank(name: str) -> str:
    """Our bank account."""
    return f"bank:{name}"


def provider(name: str) -> str:
    """Money at a payment provider."""
    return f"provider:{name}"


def earnings(partner: str) -> str:
    """Earned by the partner, not yet paid."""
    return f"partner:{partner}:earnings"


def held(partner: str) -> str:
    """Earned by the partner, but withheld by a fraud decision."""
    return f"partner:{partner}:held"


def prepaid(partner: str) -> str:
    """Paid in by the partner, for outgoing SMS."""
    return f"partner:{partner}:prepaid"


def reserved(partner: str) -> str:
    """Set aside for the partner's messages on their way."""
    return f"partner:{partner}:reserved"


def payout(partner: str) -> str:
    """Requested by the partner or under way to it."""
    return f"partner:{partner}:payout"


def suspense(operator: str) -> str:
    """Revenue from the operator for messages that belong to nobody yet."""
    return f"suspense:{operator}"


def outgoing_cost(operator: str) -> str:
    """What outgoing SMS through the operator cost us."""
    return f"expense:outgoing:{operator}"


def conversion(source: str, target: str) -> str:
    """The two sides of a conversion between two currencies."""
    return f"conversion:{source}:{target}"


# (kind word, sub or fixed owner) → kind of account. `partner:…:float`, `subscriber:…:wallet` and `agent:…` come
# with their products.
_BY_SUB = {
    ("operator", "receivable"): AccountKind.ASSET,
    ("operator", "payable"): AccountKind.LIABILITY,
    ("partner", "earnings"): AccountKind.LIABILITY,
    ("partner", "held"): AccountKind.LIABILITY,
    ("partner", "prepaid"): AccountKind.LIABILITY,
    ("partner", "reserved"): AccountKind.LIABILITY,
    ("partner", "payout"): AccountKind.LIABILITY,
    ("partner", "float"): AccountKind.LIABILITY,
    ("subscriber", "wallet"): AccountKind.LIABILITY,
}
_FIXED = {
    INCOME_MARGIN: AccountKind.INCOME,
    INCOME_OUTGOING: AccountKind.INCOME,
    TAX_VAT: AccountKind.LIABILITY,
    EXPENSE_LOSS: AccountKind.EXPENSE,
}
_BY_OWNER = {
    "bank": AccountKind.ASSET,
    "provider": AccountKind.ASSET,
    "suspense": AccountKind.LIABILITY,
    "agent": AccountKind.LIABILITY,
}
_FLOORED = {
    ("partner", "prepaid"),
    ("partner", "reserved"),
    ("partner", "payout"),
    ("partner", "float"),
    ("subscriber", "wallet"),
}


def kind_of(address: str) -> AccountKind:
    """The kind of the account at an address. Raises NoSuchAccount."""
    kind = _FIXED.get(address)
    if kind is not None:
        return kind
    words = address.split(":")
    if all(words):
        if len(words) == 2 and words[0] in _BY_OWNER:
            return _BY_OWNER[words[0]]
        if len(words) == 3:
            if (words[0], words[2]) in _BY_SUB:
                return _BY_SUB[words[0], words[2]]
            if words[0] == "agent":
                return AccountKind.LIABILITY
            if words[:2] == ["expense", "outgoing"]:
                return AccountKind.EXPENSE
            if words[0] == "conversion":
                return AccountKind.EQUITY
    raise NoSuchAccount(f"{address!r} is no account of the chart; see core/ledger/accounts.py")


def has_floor(address: str) -> bool:
    """Whether the account has a balance row with a floor: it is locked, changed and checked in the transaction."""
    words = address.split(":")
    return words[0] == "agent" or (len(words) == 3 and (words[0], words[2]) in _FLOORED)


def balance(kind: AccountKind, debits: int, credits: int) -> int:
    """The balance on the normal side: debits − credits of an asset or expense, credits − debits otherwise."""
    return debits - credits if kind.is_debit else credits - debits
