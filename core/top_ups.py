"""Money that partners pay in: what a provider tells of it, held against what is expected (billing.md, section 6).

Told          one notification of a provider that money came in
Expected      the top-up that its number names
problem_of    why it cannot be booked by itself, in a sentence; "" where it can
PaymentState  what became of it; the numbers are stored

Rule: a notification books only what it says has arrived, to the partner whose top-up it names, when all agrees.
Anything else is parked, for a person: money that came in is never turned away, and never guessed about.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from core.money import AMOUNT_MAX, format_micros


class PaymentState(IntEnum):
    """What became of a payment. The numbers are stored."""

    TOLD = 0
    BOOKED = 1
    PARKED = 2
    CLOSED = 3
    """A person has decided that it is not ours to book."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider says. `paid` is what the payer gave, `amount` what has arrived: less the provider's fee, if it
    takes one. `top_up` is the number as it came; `hitch` says why the money is not ours yet, "" where it is.
    """

    provider: str
    reference: str
    top_up: str
    paid: int
    amount: int
    currency: str
    hitch: str = ""

    def digest(self) -> str:
        """The same told again has the same."""
        parts = (self.provider, self.reference, self.top_up, self.paid, self.amount, self.currency, self.hitch)
        return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Expected:
    """A top-up as the partner asked for it."""

    number: int
    partner_id: int
    provider: str
    currency: str
    amount: int
    paid_by: int = 0
    """The payment by which it was paid; 0: none yet."""


def number_of(text: str) -> int:
    """The number of a top-up as a provider gives it back; 0 for what can be none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def problem_of(told: Told, expected: Expected | None) -> str:
    """Why a person must look at it."""
    if told.hitch:
        return told.hitch
    if told.amount <= 0:
        return f"it says that {format_micros(told.amount)} {told.currency} came"
    if told.amount > AMOUNT_MAX:
        return f"it says that {format_micros(told.amount)} {told.currency} came, more than is ever booked at once"
    if expected is None:
        return f"there is no top-up {told.top_up[:40]!r}" if told.top_up else "it names no top-up"
    name = f"top-up {expected.number}"
    if expected.provider != told.provider:
        return f"{name} was to be paid by {expected.provider}"
    if expected.currency != told.currency:
        return f"{name} expects {expected.currency}, {told.currency} came"
    if expected.amount != told.paid:
        return f"{name} expects {format_micros(expected.amount)} {told.currency}, {format_micros(told.paid)} were paid"
    if expected.paid_by:
        return f"{name} was paid already, by payment {expected.paid_by}"
    if told.amount > told.paid:
        return f"{format_micros(told.amount)} {told.currency} came, and only {format_micros(told.paid)} were paid"
    return ""
