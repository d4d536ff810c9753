"""The chart of accounts (billing.md, section 5).

receivable … conversion   the addresses, `kind:owner[:sub]`; one account per currency
WRITTEN                   the addresses as a person writes them
is_bank_name              whether a name may stand in `bank:NAME`
kind_of                   asset, liability, income, expense or equity, by address
check_place               an address and its currency, as an account of the ledger must have them
has_floor                 whether the account has a balance row that may not fall below a floor
balance                   debits and credits → the balance on the kind's normal side

Rule: an address that is not in the chart is refused, never guessed.
"""

import re
from enum import Enum

from core.errors import UserMistake
from core.money import CURRENCIES


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


WRITTEN = (
    "partner:LOGIN:earnings, partner:LOGIN:held, partner:LOGIN:prepaid, operator:CODE:receivable, "
    "operator:CODE:payable, suspense:CODE, bank:NAME, provider:NAME, income:margin, income:outgoing, tax:vat, "
    "expense:loss or expense:outgoing:CODE"
)
"""Those that people name; all others move by what they belong to."""


class NoSuchAccount(UserMistake):
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


# Names as provisioning has them (store/provisioning/fields.py), so that no address can be read in two ways.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,39}")
_NUMBER = re.compile(r"[0-9]{1,15}")
_OWNERS = {
    "operator": _NAME, "partner": _LOGIN, "subscriber": _NUMBER, "bank": _NAME, "provider": _NAME, "suspense": _NAME,
    "agent": _LOGIN,
}  # fmt: skip

# (kind word, sub) → kind of account. `partner:…:float`, `subscriber:…:wallet` and `agent:…` come
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


def owner_of(address: str) -> tuple[str, str]:
    """Whose account of the chart it is: ("partner", login), ("operator", code), or ("", "") for what is ours."""
    words = address.split(":")
    if words[0] == "partner":
        return "partner", words[1]
    if words[0] in {"operator", "suspense"}:
        return "operator", words[1]
    return ("operator", words[2]) if address.startswith("expense:outgoing:") else ("", "")


def is_bank_name(name: str) -> bool:
    """Whether a name may stand in `bank:NAME`: letters (a–z), digits, dots, dashes, like `main`."""
    return _NAME.fullmatch(name) is not None


def kind_of(address: str) -> AccountKind:
    """The kind of the account at an address. Raises NoSuchAccount."""
    kind = _FIXED.get(address) or _kind_of_words(address.split(":"))
    if kind is None:
        raise NoSuchAccount(f"there is no account {address[:120]!r}; write {WRITTEN}")
    return kind


def _kind_of_words(words: list[str]) -> AccountKind | None:
    kind, *rest = words
    if kind in _OWNERS and rest and _OWNERS[kind].fullmatch(rest[0]):
        if len(rest) == 1:
            return _BY_OWNER.get(kind)
        if len(rest) == 2:
            is_of_agent = kind == "agent" and _NAME.fullmatch(rest[1])
            return AccountKind.LIABILITY if is_of_agent else _BY_SUB.get((kind, rest[1]))
    if len(rest) == 2 and kind == "expense" and rest[0] == "outgoing" and _NAME.fullmatch(rest[1]):
        return AccountKind.EXPENSE
    if len(rest) == 2 and kind == "conversion" and rest[0] != rest[1] and CURRENCIES.issuperset(rest):
        return AccountKind.EQUITY
    return None


def check_place(address: str, currency: str) -> None:
    """Whether there may be an account of this address in this currency. Raises NoSuchAccount."""
    kind_of(address)
    if currency not in CURRENCIES:
        raise NoSuchAccount(f"{address}: {currency[:10]!r} is no currency of ISO 4217; write one like EUR")


def has_floor(address: str) -> bool:
    """Whether the account has a balance row with a floor: it is locked, changed and checked in the transaction."""
    words = address.split(":")
    return words[0] == "agent" or (len(words) == 3 and (words[0], words[2]) in _FLOORED)


def balance(kind: AccountKind, debits: int, credits: int) -> int:
    """The balance on the normal side: debits − credits of an asset or expense, credits − debits otherwise."""
    return debits - credits if kind.is_debit else credits - debits
