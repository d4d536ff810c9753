"""Details: what an entry holds that is not rated, one movement each (billing.md, sections 4 and 6).

DetailKind   what it is; the words are stored
Detail       the movement; About, what it is about, who did it and why
moved        a detail of one debit and one credit; what is zero is none
converted    the two sides of a conversion, at a rate

Rule: a detail is immutable and names its entry, like a posted charge; L3 counts both.
"""

from dataclasses import dataclass
from enum import Enum

from core.clock import Month
from core.ledger.accounts import conversion
from core.ledger.entry import Posting

RATE_ONE = 10**12
"""A rate of one: rates are whole units of 10⁻¹²."""


class DetailKind(Enum):
    """What moves. The words are stored, and never used for anything else."""

    RESERVED = "reserved"
    RELEASED = "released"
    HOLD_RELEASED = "hold_released"
    PAYMENT = "payment"
    PAYOUT = "payout"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_RETURNED = "payout_returned"
    EARNINGS_USED = "earnings_used"
    OPERATOR_PAID = "operator_paid"
    COST_PAID = "cost_paid"
    WRITTEN_OFF = "written_off"
    FOUND = "found"
    REFUNDED = "refunded"
    ADJUSTED = "adjusted"
    CONVERTED = "converted"


@dataclass(frozen=True, slots=True)
class About:
    """What it is about (`payout:17`, `act:4`), who did it and why; ids are 0 for none."""

    message_id: int = 0
    partner_id: int = 0
    subject: str = ""
    author: str = ""
    reason: str = ""


NOTHING = About()


@dataclass(frozen=True, slots=True)
class Detail:
    """One movement."""

    kind: DetailKind
    posting: Posting
    about: About = NOTHING


def moved(
    kind: DetailKind, debit: str, credit: str, amount: int, *, currency: str, month: Month, about: About = NOTHING
) -> list[Detail]:
    """A movement of micros from one account to another; below zero the other way round, none of zero."""
    if not amount:
        return []
    if amount < 0:
        debit, credit, amount = credit, debit, -amount
    return [Detail(kind, Posting(debit, credit, currency, amount, month), about)]


def converted(
    debit: str, source: str, credit: str, target: str, amount: int, *, rate: int, month: Month, about: About = NOTHING
) -> list[Detail]:
    """`amount` of `source` leaves `debit`, floor(amount × rate) of `target` comes to `credit`.

    `rate` in units of 10⁻¹². Each side balances in its own currency, against `conversion:SOURCE:TARGET`.
    """
    assert source != target, source
    between = conversion(source, target)
    kind = DetailKind.CONVERTED
    return [
        *moved(kind, debit, between, amount, currency=source, month=month, about=about),
        *moved(kind, between, credit, amount * rate // RATE_ONE, currency=target, month=month, about=about),
    ]
