"""What a changed plan or tariff would have paid for past traffic, beside what was paid (billing.md, sections 2, 3, 8).

Past      a posted charge of the month, with what its message was rated by
Sent      an outgoing SMS that its partner was to pay for, with what became of it
Replay    of a month: `add` the charges in the order in which they were booked, `send` what was sent in the order in
          which it was accepted; `outcomes` by partner
Outcome   was and would be: volume, the partner's part, the referrer's, ours, the operator's, what outgoing SMS cost

Rule: it rates with `rate` and `earn` themselves, from a volume of zero; nothing is written anywhere. What lies in
suspense stays there, and what was taken back is taken back again. Parts are counted when they are accepted, whatever
becomes of them (section 3): so a message costs by the parts before it and not by those that were charged before it. A
referrer's cap goes on from what it was given before the month, and what other months took of it in between is taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from core.catalogue import Catalogue, PlanVersion, Tariff, VatRate
from core.clock import Instant, Month, month_of
from core.message import MtState
from core.tariff.charge import Charge, ChargeKind
from core.tariff.outgoing import is_chargeable, price_standard
from core.tariff.rate import SHARE_OF_NET, ReferralKey, Unrated, VolumeKey, Volumes, rate, referral_key, split_by
from core.tariff.tiers import earn

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


class Sent(NamedTuple):
    """An outgoing SMS as it was accepted: `parts_before` were counted before it in the month of its plan's version.

    `paid` is its charge, booked in the month `paid_in`; None when nothing was charged for it.
    """

    partner_id: int
    partner: str
    currency: str
    source: str
    parts: int
    parts_before: int
    plan_version_id: int
    accepted_at: Instant
    state: MtState
    was_submitted: bool
    paid: int | None = None
    paid_in: Month = 0


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
        self._rules = {version.id: version.mt_on for plan in then.plans.values() for version in plan.versions}
        self._vats: dict[int, VatRate] = {v.id: v for operator in then.operators.values() for v in operator.vat}
        self._referred: dict[ReferralKey, int] = {}
        """What referrers with a cap had been given, as it was."""
        self._given: dict[int, int] = {}
        """What was given for messages in this replay: their referral, by id."""
        self._outcomes: dict[tuple[str, str], Outcome] = {}

    def add(self, past: Past) -> None:
        """The next charge that was booked in the month; outgoing SMS are told by `send`."""
        charge = past.charge
        kind = charge.kind
        if kind == ChargeKind.MT or not charge.partner or not charge.plan_version_id:
            return
        outcome = self._outcome(charge.partner, charge.currency)
        _count(outcome.was, charge, past)
        self._follow(charge)
        if kind in FORWARD:
            self._forward(outcome.would, past)
        elif kind in BACKWARD:
            self._backward(outcome.would, past)

    def send(self, sent: Sent) -> None:
        """The next outgoing SMS that was accepted, of this month or of one whose SMS were charged in it."""
        plan = self._plan(sent.partner, sent.currency, sent.source, sent.accepted_at)
        if sent.paid is not None and sent.paid_in == self._month:
            self._outcome(sent.partner, sent.currency).was.outgoing += sent.paid
        if plan is None:
            return
        price = price_standard(plan.mt_price, self._parts_before(sent, plan), sent.parts)
        if price is not None and self._is_charged(sent, plan):
            self._outcome(sent.partner, sent.currency).would.outgoing += price

    def outcomes(self) -> Iterator[Outcome]:
        """By partner and currency."""
        for _, outcome in sorted(self._outcomes.items()):
            yield outcome

    def _outcome(self, partner: str, currency: str) -> Outcome:
        return self._outcomes.setdefault((partner, currency), Outcome(partner, currency))

    def _plan(self, partner: str, currency: str, short_code: str, moment: Instant) -> PlanVersion | None:
        if partner not in self._changed.partners:
            return None
        return self._changed.plan_at(partner, currency, short_code, moment)

    def _plan_of(self, past: Past) -> PlanVersion | None:
        charge = past.charge
        return self._plan(charge.partner, charge.currency, past.short_code, past.accepted_at)

    def _follow(self, charge: Charge) -> None:
        """What was given under a cap since the month's last charge, by charges of other months, is given here too."""
        before = charge.referral_before
        if before is None:
            return
        key, referred = (charge.referral_id, charge.currency), self._volumes.referred
        referred[key] = referred.get(key, 0) + before - self._referred.get(key, 0)
        self._referred[key] = before + charge.referral_part

    def _forward(self, would: Sums, past: Past) -> None:
        charge, plan = past.charge, self._plan_of(past)
        unrated = self._unrated(past, plan)
        if unrated is None or plan is None:
            return
        self._volumes.volume.setdefault((charge.partner_id, plan.id, self._month), 0)
        capped = referral_key(unrated)
        if capped is not None:
            self._volumes.referred.setdefault(capped, 0)
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
        charge, plan = past.charge, self._plan_of(past)
        unrated = self._unrated(past, plan)
        if unrated is None or plan is None:
            return
        key = (charge.partner_id, plan.id, self._month)
        before = self._volumes.volume.get(key, 0)
        own, correction = earn(plan.tiers_mode, plan.tiers, before, -unrated.base)
        self._volumes.volume[key] = before - unrated.base
        referral = self._given.pop(charge.message_id, past.referral_given)
        capped = referral_key(unrated)
        if capped is not None:
            self._volumes.referred[capped] = self._volumes.referred.get(capped, 0) - referral
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

    def _parts_before(self, sent: Sent, plan: PlanVersion) -> int:
        """What its plan's counter says, or would have said of what was accepted."""
        key = (sent.partner_id, plan.id, month_of(sent.accepted_at, plan.time_zone))
        counted = self._parts.get(key, 0)
        self._parts[key] = counted + sent.parts
        # Processes take turns in another order than that of their messages' ids: what really was before it is known.
        return sent.parts_before if plan.id == sent.plan_version_id else counted

    def _is_charged(self, sent: Sent, plan: PlanVersion) -> bool:
        """Whether it is charged in the month: as it was, unless the plan's rule is another one."""
        if plan.mt_on == self._rules.get(sent.plan_version_id):
            return sent.paid is not None and sent.paid_in == self._month
        if not sent.state.is_final or not is_chargeable(plan.mt_on, sent.state, was_submitted=sent.was_submitted):
            return False
        return (sent.paid_in or month_of(sent.accepted_at, plan.time_zone)) == self._month


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
