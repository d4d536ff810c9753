"""A charge: one rated fact, with every part of its price and the versions that made it (billing.md, section 4).

ChargeKind   what was rated; the numbers are stored
ChargeState  pending, posted, voided; the numbers are stored
Charge       the row

It lies here and not in `ledger`, because `rate` makes it and imports run from ledger to tariff; `core.ledger.entry`
names it too.

Rule: price = vat + operator + partner + referral + ours + suspense, always, exactly (L5).
"""

from dataclasses import dataclass
from enum import IntEnum

from core.clock import Month


class ChargeKind(IntEnum):
    """What a charge is for. Stored as its number; a number is never used again."""

    MO = 1
    TIER_CORRECTION = 2
    PREMIUM_MT = 3
    MT = 4
    """An outgoing SMS that its partner pays."""
    MT_COST = 5
    """What an outgoing SMS costs us."""
    CHARGE_BACK = 6
    """A message that the operator takes back, or that is returned to it from suspense: all signs are turned."""
    HOLD_REFUSED = 7
    """A held message whose revenue goes to suspense."""
    ASSIGNED = 8
    """A message in suspense that a person gives to a partner."""


class ChargeState(IntEnum):
    """Where a charge stands. Stored as its number; NONE is for a message without a charge, whose reason says why."""

    NONE = 0
    PENDING = 1
    POSTED = 2
    VOIDED = 3


@dataclass(slots=True)
class Charge:
    """One rated fact. Amounts are micros of `currency`; 0 and "" stand for none. Once posted it never changes.

    Slots and not frozen: the hot path makes one for each message (style.md, Types).
    """

    message_id: int
    kind: ChargeKind
    state: ChargeState
    reason: str
    """Why it waits, or lies in suspense: no_tariff, no_plan, refused, one of core.message.Missing; "" otherwise."""
    currency: str
    operator: str
    partner_id: int
    partner: str
    referrer: str
    price: int
    vat: int
    operator_part: int
    base: int
    volume_before: int
    """The partner's volume before the message; a tier correction has that of its message. Of outgoing SMS these are
    parts: MT those that were counted before it, MT_COST those that were sent.
    """
    partner_part: int
    referral_part: int
    ours: int
    suspense: int
    tariff_id: int
    vat_id: int
    plan_version_id: int
    referral_id: int
    referral_before: int | None
    """What the referrer had of its cap before; None where no cap was asked."""
    month: Month
    held: bool

    @property
    def revenue(self) -> int:
        """What the operator pays us for it."""
        return self.price - self.vat - self.operator_part
