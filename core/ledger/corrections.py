"""What becomes of a message's money later: taken back, refused, assigned, let go (billing.md, sections 3 and 6).

charge_back   the operator takes it back; or, as a return, what lies in suspense alone
refuse_hold   what fraud held goes to suspense
release_hold  what fraud held is the partner's
refund        we alone pay it back; its partner keeps its part
settle        what else an operator owes more or less
assign        what lies in suspense is rated for a partner, at the message's own time
counters_of   the volume and the referral's count that these move: to be locked and loaded before

Each gives the charges and details of one message and moves the volumes on, as `rate` does.

Rule: a base leaves the month in which this is booked, under the plan version that rated the message; a closed month
never changes. What cannot be done is a Refused, which says why: never a guess.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.catalogue import PlanVersion, ReferralTerms
from core.clock import Month
from core.ledger.accounts import EXPENSE_LOSS, earnings, held, receivable, suspense
from core.ledger.details import About, Detail, DetailKind, moved
from core.ledger.standing import SETTLING, Place, Settled, Standing
from core.tariff.charge import Charge, ChargeKind, ChargeState
from core.tariff.rate import SHARE_OF_NET, ReferralKey, Unrated, VolumeKey, Volumes, rate, tier_correction
from core.tariff.tiers import earn

CHARGED_BACK = "charged_back"
REFUNDED = "refunded"
RETURNED = "returned"
HOLD_REFUSED = "hold_refused"
ASSIGNED = "assigned"
TAKEN_BACK = frozenset({CHARGED_BACK, REFUNDED, RETURNED, HOLD_REFUSED})
"""Reasons of charges, and of their tier corrections, that mirror what was earned."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why it cannot be done; `code` for programs."""

    code: str
    sentence: str


@dataclass(slots=True)
class Corrected:
    """What is to be booked for one message."""

    charges: list[Charge]
    details: list[Detail]


_SAID = {
    Place.NOWHERE: "nothing was posted for it yet, or it was voided",
    Place.SUSPENSE: "its revenue lies in suspense",
    Place.EARNED: "its partner has earned its part",
    Place.HELD: "its partner's part is held",
    Place.GIVEN_BACK: "it was given back to the operator already",
}
_TAKEN_FROM = {
    Place.EARNED: "; only a charge-back takes it from there",
    Place.HELD: "; only a charge-back takes it from there, or a refused hold",
}
"""What to ask for in place of a return."""


def charge_back(
    standing: Standing, plan: PlanVersion | None, volumes: Volumes, *, month: Month, reason: str = CHARGED_BACK
) -> Corrected | Refused:
    """All of it goes back; of a held message what was held, of one in suspense what lies there.

    What was written off, found or refunded for it is undone: the operator takes back what it paid, not the price.
    `plan` is the version by which a partner has earned it, `month` the open one in which this is booked. With the
    reason `returned` it is what lies in suspense alone: no partner's money moves by it.
    """
    if reason == RETURNED and standing.place is not Place.SUSPENSE:
        return Refused("not_in_suspense", _SAID[standing.place] + _TAKEN_FROM.get(standing.place, ""))
    if standing.place is Place.SUSPENSE:
        origin = standing.origin
        charge = _turned(origin, ChargeKind.CHARGE_BACK, month, reason, suspense=-origin.revenue)
        return Corrected([charge], _undone(standing, month, reason))
    if standing.place in {Place.EARNED, Place.HELD}:
        done = _take_back(standing, plan, volumes, ChargeKind.CHARGE_BACK, month, reason)
        done.details += _undone(standing, month, reason)
        return done
    return Refused("nothing_to_take", _SAID[standing.place])


def refuse_hold(standing: Standing, plan: PlanVersion | None, volumes: Volumes, *, month: Month) -> Corrected | Refused:
    """As a charge-back, but the revenue goes to suspense."""
    if standing.place is not Place.HELD:
        return Refused("not_held", _SAID[standing.place])
    return _take_back(standing, plan, volumes, ChargeKind.HOLD_REFUSED, month, HOLD_REFUSED)


def release_hold(standing: Standing, *, month: Month, author: str, reason: str) -> Corrected | Refused:
    """What the message holds moves to earnings as it is; its base counted from the start."""
    if standing.place is not Place.HELD or standing.earning is None:
        return Refused("not_held", _SAID[standing.place])
    return Corrected([], _let_go(standing.earning, standing.holds, month, author, reason))


def refund(standing: Standing, *, month: Month, author: str, reason: str) -> Corrected | Refused:
    """We alone pay it back, once: the operator owes it no longer, its partner keeps its part."""
    if standing.place in {Place.NOWHERE, Place.GIVEN_BACK}:
        return Refused("nothing_to_take", _SAID[standing.place])
    if standing.settled.get(DetailKind.REFUNDED):
        return Refused("refunded", "it was refunded before")
    origin = standing.origin
    about = About(origin.message_id, origin.partner_id, author=author, reason=reason)
    refunded = settle(
        DetailKind.REFUNDED, origin.operator, -origin.revenue, currency=origin.currency, month=month, about=about
    )
    return Corrected([], refunded)


def settle(kind: DetailKind, operator: str, amount: int, *, currency: str, month: Month, about: About) -> list[Detail]:
    """An operator owes so many micros more, below zero less: the other side is suspense when found, or a loss."""
    other = suspense(operator) if kind is DetailKind.FOUND else EXPENSE_LOSS
    return moved(kind, receivable(operator), other, amount, currency=currency, month=month, about=about)


def settled_by(details: Iterable[Detail]) -> Settled:
    """What details move on an operator's receivable, by their kind: what it owes more."""
    found: dict[DetailKind, int] = {}
    for detail in details:
        if detail.kind in SETTLING:
            p = detail.posting
            owed = p.amount if p.debit.startswith("operator:") else -p.amount
            found[detail.kind] = found.get(detail.kind, 0) + owed
    return found


def assign(
    standing: Standing,
    volumes: Volumes,
    *,
    partner_id: int,
    partner: str,
    plan: PlanVersion,
    referral: ReferralTerms | None,
    month: Month,
    held: bool = False,
) -> Corrected | Refused:
    """Rated by the partner's plan and referral at the message's time; `month` is the message's, or the first open.

    `held`: what the partner gets by it is withheld.
    """
    if standing.place is not Place.SUSPENSE:
        return Refused("not_in_suspense", _SAID[standing.place])
    origin = standing.origin
    if plan.currency != origin.currency:
        return Refused("other_currency", f"it is in {origin.currency}, the plan {plan.plan} in {plan.currency}")
    revenue = origin.revenue
    base = origin.price - origin.vat if plan.share_of == SHARE_OF_NET else revenue
    unrated = Unrated(
        origin.message_id, partner_id, partner, origin.operator, origin.tariff_id, origin.vat_id, plan, referral,
        month, 0, 0, revenue, 0, base, origin.currency, held, "",
    )  # fmt: skip
    own, *more = rate(unrated, volumes)
    charge = replace(own, kind=ChargeKind.ASSIGNED, suspense=-revenue, reason=ASSIGNED)
    return Corrected([charge, *(replace(one, reason=ASSIGNED) for one in more)], [])


def counters_of(standing: Standing, month: Month) -> tuple[VolumeKey | None, ReferralKey | None]:
    """What taking the message back moves."""
    earning = standing.earning
    if earning is None or standing.place not in {Place.EARNED, Place.HELD}:
        return None, None
    volume = (earning.partner_id, earning.plan_version_id, month)
    capped = earning.referral_before is not None and earning.referral_part
    return volume, ((earning.referral_id, earning.currency) if capped else None)


def _take_back(  # noqa: PLR0917
    standing: Standing, plan: PlanVersion | None, volumes: Volumes, kind: ChargeKind, month: Month, reason: str
) -> Corrected:
    """The mirror of the message that would lead to the present volume, under the plan that rated it (section 3)."""
    origin, earning = standing.origin, standing.earning
    assert earning is not None, standing
    assert plan is not None, standing
    assert plan.id == earning.plan_version_id, (plan, earning)
    volume, referral = counters_of(standing, month)
    assert volume is not None, standing
    before = volumes.volume[volume]
    own, correction = earn(plan.tiers_mode, plan.tiers, before, -earning.base)
    volumes.volume[volume] = before - earning.base
    referral_before: int | None = None
    if referral is not None:
        referral_before = volumes.referred[referral]
        volumes.referred[referral] = referral_before - earning.referral_part
    is_held = standing.place is Place.HELD
    is_refused = kind == ChargeKind.HOLD_REFUSED
    turned = _turned(origin, kind, month, reason, suspense=origin.revenue if is_refused else 0)
    charge = replace(
        turned,
        partner_id=earning.partner_id, partner=earning.partner, referrer=earning.referrer, base=-earning.base,
        volume_before=before, partner_part=own, referral_part=-earning.referral_part,
        ours=earning.referral_part - own - origin.revenue, plan_version_id=plan.id, referral_id=earning.referral_id,
        referral_before=referral_before, held=is_held,
    )  # fmt: skip
    charges = [charge]
    if correction:
        charges.append(tier_correction(charge, correction))
    details = []
    if is_held:
        # What it held more than is taken from there is the partner's; what it held less, its earnings fill up.
        details = _let_go(earning, standing.holds + own + correction, month, "", reason)
    return Corrected(charges, details)


def _turned(origin: Charge, kind: ChargeKind, month: Month, reason: str, *, suspense: int) -> Charge:
    """A charge of the message with all signs turned; one that goes to suspense leaves the operator's part alone."""
    is_back = kind == ChargeKind.CHARGE_BACK
    return Charge(
        origin.message_id, kind, ChargeState.POSTED, reason, origin.currency, origin.operator, origin.partner_id,
        "", "", -origin.price if is_back else 0, -origin.vat if is_back else 0,
        -origin.operator_part if is_back else 0, 0, 0, 0, 0, 0, suspense, origin.tariff_id, origin.vat_id, 0, 0, None,
        month, False,
    )  # fmt: skip


def _undone(standing: Standing, month: Month, reason: str) -> list[Detail]:
    origin = standing.origin
    about = About(origin.message_id, origin.partner_id, reason=reason)
    return [
        detail
        for kind, amount in standing.settled.items()
        for detail in settle(kind, origin.operator, -amount, currency=origin.currency, month=month, about=about)
    ]


def _let_go(earning: Charge, amount: int, month: Month, author: str, reason: str) -> list[Detail]:
    about = About(earning.message_id, earning.partner_id, author=author, reason=reason)
    partner = earning.partner
    return moved(
        DetailKind.HOLD_RELEASED,
        held(partner),
        earnings(partner),
        amount,
        currency=earning.currency,
        month=month,
        about=about,
    )
