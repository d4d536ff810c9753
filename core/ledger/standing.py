"""Where the money of one message is, and what may still be done with it (billing.md, sections 3, 4 and 6).

Place        waiting, in suspense, earned, held, given back
standing_of  the charges of one message, in the order in which they were booked, and what was released → a Standing

Rule: it is read off the charges and details, never stored beside them: they cannot be at odds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from core.ledger.details import DetailKind
from core.tariff.charge import Charge, ChargeKind, ChargeState

Settled: TypeAlias = Mapping[DetailKind, int]
SETTLING = frozenset({DetailKind.WRITTEN_OFF, DetailKind.FOUND, DetailKind.REFUNDED})
"""What moves the operator's receivable for a message beside its charges."""


class Place(Enum):
    """Where the revenue of a message lies."""

    NOWHERE = "nowhere"
    """It waits for a tariff or a receipt, or was voided."""
    SUSPENSE = "suspense"
    EARNED = "earned"
    HELD = "held"
    GIVEN_BACK = "given_back"
    """The operator has it again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A message's money.

    `origin` is what the operator took for it; `earning` the charge by which a partner has its part, None in suspense;
    `holds` what lies on the partner's held account for it, tier correction included (micros). `settled` is what else
    was booked between us and the operator for it, by kind: what the operator owes more by it, below zero less (micros).
    """

    place: Place
    origin: Charge
    earning: Charge | None = None
    holds: int = 0
    settled: Settled = field(default_factory=dict)


def standing_of(charges: Iterable[Charge], released: bool = False) -> Standing | None:
    """None without a charge. `released`: a person let go what was held."""
    found: Standing | None = None
    for charge in charges:
        if found is None:
            found = _begun(charge)
        elif charge.state == ChargeState.POSTED:
            found = _moved(found, charge)
    if found is not None and released and found.place is Place.HELD:
        return Standing(Place.EARNED, found.origin, found.earning)
    return found


def _begun(charge: Charge) -> Standing:
    assert charge.kind in {ChargeKind.MO, ChargeKind.PREMIUM_MT}, charge
    if charge.state != ChargeState.POSTED:
        return Standing(Place.NOWHERE, charge)
    if not charge.plan_version_id:
        return Standing(Place.SUSPENSE, charge)
    if charge.held:
        return Standing(Place.HELD, charge, charge, charge.partner_part)
    return Standing(Place.EARNED, charge, charge)


def _moved(now: Standing, charge: Charge) -> Standing:
    kind, origin = charge.kind, now.origin
    if kind == ChargeKind.TIER_CORRECTION:
        if now.place is Place.HELD:
            return Standing(Place.HELD, origin, now.earning, now.holds + charge.partner_part)
        return now
    if kind == ChargeKind.HOLD_REFUSED:
        return Standing(Place.SUSPENSE, origin)
    if kind == ChargeKind.ASSIGNED:
        if charge.held:
            return Standing(Place.HELD, origin, charge, charge.partner_part)
        return Standing(Place.EARNED, origin, charge)
    if kind == ChargeKind.CHARGE_BACK:
        return Standing(Place.GIVEN_BACK, origin)
    if kind == ChargeKind.PREMIUM_MT and now.place is Place.NOWHERE:
        # Its receipt came after it was voided: charged anew (section 6).
        return _begun(charge)
    return now
