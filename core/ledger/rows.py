"""Rows as the audit reads them, and what it says of them. The store fills them; `row` is the row's name for a person.

ChargeRow    a charge with its entry, its message's parts and moment of acceptance
PostingRow   a posting with the currencies of its two accounts
DetailRow    a fact that is not rated (a payment, a release): it moves one amount
AccountTotal debits and credits of one account
BalanceRow   the balance row of an account that has a floor
VolumeRow    the counter of a partner's volume
MoRow        an acknowledged MO: its charge's state or why there is none
Versions     where versions are found by the id that a charge names
Finding      what is wrong, where

Rule: an entry id of 0 is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from core.catalogue import OutgoingCost, PlanVersion, ReferralTerms, Tariff, VatRate
from core.clock import Instant, Month
from core.tariff.charge import Charge


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold: which invariant, in which row of which table, in words with the amounts."""

    check: str
    table: str
    row: str
    sentence: str


@dataclass(slots=True)
class ChargeRow:
    """A charge as it is stored. `parts` and `accepted_at` are the message's; only L7 asks for them.

    `referral_given` is the referral of what a correction takes back; None where there is nothing to take back.
    `came_in` is where the message did: the ids of operator and service around the short code; daily sums ask for it.
    """

    row: str
    entry_id: int
    charge: Charge
    parts: int = 1
    accepted_at: Instant = 0
    table: str = "charge"
    referral_given: int | None = None
    came_in: tuple[int, str, int] = (0, "", 0)


@dataclass(slots=True)
class PostingRow:
    """A posting as it is stored: `currency` is its own, the other two are those of its accounts."""

    row: str
    entry_id: int
    debit: str
    credit: str
    currency: str
    amount: int
    month: Month
    debit_currency: str
    credit_currency: str
    table: str = "posting"


@dataclass(slots=True)
class DetailRow:
    """What a fact that is not rated moves."""

    row: str
    entry_id: int
    debit: str
    credit: str
    currency: str
    amount: int
    month: Month
    table: str = "detail"


@dataclass(slots=True)
class AccountTotal:
    """All that was ever debited from and credited to one account (folded sums and the postings since)."""

    row: str
    address: str
    currency: str
    debits: int
    credits: int
    table: str = "account"


@dataclass(slots=True)
class BalanceRow:
    """The locked balance of an account, on its normal side; `opening` is what it began with."""

    row: str
    address: str
    currency: str
    opening: int
    balance: int
    floor: int
    table: str = "balance"


@dataclass(slots=True)
class VolumeRow:
    """The counter from which the next message of a partner is rated."""

    row: str
    partner_id: int
    plan_version_id: int
    month: Month
    volume: int
    table: str = "volume"


class MoRow(NamedTuple):
    """An acknowledged MO."""

    message_id: int
    charge_state: int
    reason: str


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions by id; None where there is none."""

    tariff: Callable[[int], Tariff | None]
    vat: Callable[[int], VatRate | None]
    plan: Callable[[int], PlanVersion | None]
    referral: Callable[[int], ReferralTerms | None]
    cost: Callable[[int], OutgoingCost | None]
