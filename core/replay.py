"""What a changed plan or tariff would have paid for past traffic, beside what was paid (billing.md, sections 2, 3, 8).

Past      a posted charge of the month, with what its message was rated by
Replay    of a month: `add` the charges in the order in which they were booked; `outcomes` by partner
Outcome   was and would be: volume, the partner's part, the referrer's, ours, the operator's

Rule: it rates with `rate` and `earn` themselves, from a volume of zero; nothing is written anywhere. What lies in
suspense stays there, and what was taken back is taken back again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from core.catalogue import Catalogue, PlanVersion, Tariff, VatRate
from core.clock import Instant, Month
from core.tariff.charge import Charge, ChargeKind
from core.tariff.rate import SHARE_OF_NET, Unrated, VolumeKey, Volumes, rate, referral_key, split_by
from core.tariff.tiers import earn, mt_price

FORWARD = frozenset({ChargeKind.MO, ChargeKind.PREMIUM_MT, ChargeKind.ASSIGNED})
BACKWARD = frozenset({ChargeKind.CHARGE_BACK, ChargeKind.HOLD_REFUSED})
_BY_SUSPENSE = frozenset({ChargeKind.ASSIGNED, ChargeKind.HOLD_REFUSED})


class Past(NamedTuple):
    """A posted charge; `referral_given` is that of what a correction takes back."""

    charge: Charge
    short_code: str
    parts: int
    accepted_at: Instant
    referral_given: int = 0


@dataclass(slots=True)
class Sums:
    """Micros of one currency."""

    messages: int = 0
    price: int = 0
    operator: int = 0
    revenue: int = 0
    volume: int = 0
    partner: int = 0
    referral: int = 0
    ours: int = 0
    outgoing: int = 0


@dataclass(slots=True)
class Outcome:
    """Of one partner in one currency: as it was, and as it would be."""

    partner: str
    currency: str
    was: Sums = field(default_factory=Sums)
    would: Sums = field(default_factory=Sums)

    @property
    def difference(self) -> int:
        """What the partner would have more."""
        return self.would.partner - self.was.partner


class Replay:
    """A month over again, by another catalogue."""

    def __init__(self, then: Catalogue, changed: Catalogue, month: Month) -> None:
        self._changed = changed
        self._month = month
        self._volumes = Volumes()
        self._parts: dict[VolumeKey, int] = {}
        self._vats: dict[int, VatRate] = {v.id: v for operator in then.operators.values() for v in operator.vat}
        self._given: dict[int, int] = {}
        """What was given for messages in this replay: their referral, by id."""
        self._outcomes: dict[tuple[str, str], Outcome] = {}

    def add(self, past: Past) -> None:
        """The next charge that was booked in the month."""
        charge = past.charge
        kind = charge.kind
        if not charge.partner or (kind != ChargeKind.MT and not charge.plan_version_id):
            return
        outcome = self._outcomes.setdefault((charge.partner, charge.currency), Outcome(charge.partner, charge.currency))
        _count(outcome.was, charge, past)
        if kind == ChargeKind.MT:
            self._outgoing(outcome.would, past)
        elif kind in FORWARD:
            self._forward(outcome.would, past)
        elif kind in BACKWARD:
            self._backward(outcome.would, past)

    def outcomes(self) -> Iterator[Outcome]:
        """By partner and currency."""
        for _, outcome in sorted(self._outcomes.items()):
            yield outcome

    def _plan(self, past: Past) -> PlanVersion | None:
        partner = past.charge.partner
        if partner not in self._changed.partners:
            return None
        return self._changed.plan_at(partner, past.charge.currency, past.short_code, past.accepted_at)

    def _forward(self, would: Sums, past: Past) -> None:
        charge, plan = past.charge, self._plan(past)
        unrated = self._unrated(past, plan)
        if unrated is None or plan is None:
            return
        self._volumes.volume.setdefault((charge.partner_id, plan.id, self._month), 0)
        capped = referral_key(unrated)
        if capped is not None:
            self._volumes.referred.setdefault(capped, charge.referral_before or 0)
        made = rate(unrated, self._volumes)
        self._given[charge.message_id] = made[0].referral_part
        would.messages += 1
        if charge.kind not in _BY_SUSPENSE:
            would.price += unrated.price
            would.operator += unrated.operator_part
        would.revenue += unrated.revenue
        would.volume += unrated.base
        for one in made:
            would.partner += one.partner_part
            would.referral += one.referral_part
            would.ours += one.ours

    def _backward(self, would: Sums, past: Past) -> None:
        charge, plan = past.charge, self._plan(past)
        unrated = self._unrated(past, plan)
        if unrated is None or plan is None:
            return
        key = (charge.partner_id, plan.id, self._month)
        before = self._volumes.volume.get(key, 0)
        own, correction = earn(plan.tiers_mode, plan.tiers, before, -unrated.base)
        self._volumes.volume[key] = before - unrated.base
        referral = self._given.pop(charge.message_id, past.referral_given)
        would.messages -= 1
        would.price -= unrated.price if charge.kind == ChargeKind.CHARGE_BACK else 0
        would.operator -= unrated.operator_part if charge.kind == ChargeKind.CHARGE_BACK else 0
        would.revenue -= unrated.revenue
        would.volume -= unrated.base
        would.partner += own + correction
        would.referral -= referral
        would.ours += referral - own - unrated.revenue - correction

    def _unrated(self, past: Past, plan: PlanVersion | None) -> Unrated | None:
        """The message as the changed catalogue rates it; None where it has no tariff."""
        charge = past.charge
        tariff = self._changed.tariff_at(past.short_code, charge.operator, past.accepted_at)
        vat = self._vats.get(charge.vat_id)
        if tariff is None or vat is None or plan is None:
            return None
        return _unrated_by(past, tariff, vat, plan, self._changed, self._month)

    def _outgoing(self, would: Sums, past: Past) -> None:
        charge, plan = past.charge, self._plan(past)
        if plan is None or not plan.mt_price:
            return
        key = (charge.partner_id, plan.id, self._month)
        counted = self._parts.get(key, 0)
        self._parts[key] = counted + past.parts
        would.outgoing += mt_price(plan.mt_price, counted, past.parts)


def _unrated_by(  # noqa: PLR0917
    past: Past, tariff: Tariff, vat: VatRate, plan: PlanVersion, catalogue: Catalogue, month: Month
) -> Unrated:
    charge = past.charge
    price, (net, vat_part, revenue, operator_part) = split_by(tariff, vat, past.parts)
    terms = catalogue.referral_at(charge.partner, past.accepted_at)
    return Unrated(
        charge.message_id, charge.partner_id, charge.partner, charge.operator, tariff.id, vat.id, plan, terms, month,
        price, vat_part, revenue, operator_part, net if plan.share_of == SHARE_OF_NET else revenue, charge.currency,
        False, "",
    )  # fmt: skip


def _count(was: Sums, charge: Charge, past: Past) -> None:
    """What was paid by a charge."""
    kind = charge.kind
    if kind == ChargeKind.MT:
        was.outgoing += charge.price
        return
    sign = 1 if kind in FORWARD else -1 if kind in BACKWARD else 0
    was.messages += sign
    if sign:
        # An assignment's price stands with the message in suspense; a refused hold's stays with the operator.
        was.price += charge.price
        was.operator += charge.operator_part
        was.revenue += -charge.suspense if kind in _BY_SUSPENSE else charge.revenue
    was.volume += charge.base
    was.partner += charge.partner_part
    was.referral += charge.referral_part
    was.ours += charge.ours
