"""Rating: a settlement becomes its charges (billing.md, sections 2, 3, 8 and 12).

split_price    price, VAT and payout → net, vat, revenue, operator; split_by, the same by a tariff
payout_fault   why a payout cannot be; makes_loss, the loss rule: both for provisioning
Unrated        all that can be known of a charge before the volume is; `unrated` makes it, outside the transaction, of a
               settlement, and `unrated_message` of what is known later
Volumes        what was earned and referred so far; `volume_key` and `referral_key` say which rows to lock and load
rate           an Unrated and the volumes → no charge, one, or two with a tier correction; moves the volumes on

Rule: nothing here stops a batch. What cannot be rated goes to suspense, or waits as pending, with its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from core.catalogue import Catalogue, PlanVersion, ReferralTerms, Tariff, Tier, VatRate
from core.clock import Instant, Month, month_of
from core.message import Settlement
from core.money import MILLION, round_half_even
from core.tariff.charge import Charge, ChargeKind, ChargeState
from core.tariff.tiers import earn

NO_TARIFF = "no_tariff"
NO_PLAN = "no_plan"
REFUSED = "refused"
"""By a rule of fraud."""
TEST = "test"
FREE = "free"
"""The short code's tariff charges what comes from it, not what is written to it."""
SHARE_OF_NET = "net"

VolumeKey: TypeAlias = tuple[int, int, Month]
"""(partner id, plan version id, month)."""
ReferralKey: TypeAlias = tuple[int, str]
"""(referral terms id, currency)."""

# Enum members as plain names: Python 3.11 takes 50 ns to find one on its class.
_MO = ChargeKind.MO
_TIER_CORRECTION = ChargeKind.TIER_CORRECTION
_PENDING = ChargeState.PENDING
_POSTED = ChargeState.POSTED


class Split(NamedTuple):
    """A price in its parts: price = vat + net, net = revenue + operator."""

    net: int
    vat: int
    revenue: int
    operator: int


def split_price(price: int, vat_rate: int, payout: int | None, payout_fixed: int | None) -> Split:
    """Section 2 up to the revenue. A fixed payout is that of the whole price: the caller multiplies by parts."""
    net = round_half_even(price * MILLION, MILLION + vat_rate)
    if payout_fixed is not None:
        revenue = payout_fixed
    else:
        assert payout is not None
        revenue = net * payout // MILLION
    return Split(net, price - net, revenue, net - revenue)


def split_by(tariff: Tariff, vat: VatRate, parts: int) -> tuple[int, Split]:
    """The price of a message of so many parts by its tariff, and its split."""
    times = parts if tariff.per_part else 1
    fixed = tariff.payout_fixed
    price = tariff.price * times
    return price, split_price(price, vat.rate, tariff.payout, None if fixed is None else fixed * times)


def payout_fault(price: int, vat_rate: int, payout: int | None, payout_fixed: int | None) -> str:
    """Why this payout is refused at load: payout_above_one, fixed_above_net, below_zero; "" when it is fine."""
    if (payout or 0) < 0 or (payout_fixed or 0) < 0:
        return "below_zero"
    if payout is not None and payout > MILLION:
        return "payout_above_one"
    if payout_fixed is not None and payout_fixed > split_price(price, vat_rate, None, payout_fixed).net:
        return "fixed_above_net"
    return ""


def highest_share(tiers: Sequence[Tier]) -> int:
    """The largest share of a scale."""
    return max(tier.share for tier in tiers)


def makes_loss(  # noqa: PLR0917 (the order of the words in section 2)
    price: int, vat_rate: int, payout: int | None, payout_fixed: int | None, share_of: str, tiers: Sequence[Tier]
) -> bool:
    """Whether the plan's highest share promises more than the operator pays (section 2, the loss rule)."""
    split = split_price(price, vat_rate, payout, payout_fixed)
    base = split.net if share_of == SHARE_OF_NET else split.revenue
    return base * highest_share(tiers) // MILLION > split.revenue


@dataclass(slots=True)
class Unrated:
    """A charge before the volume is known. `reason` "" is rated by `plan`; everything else says why it is not."""

    message_id: int
    partner_id: int
    partner: str
    operator: str
    tariff_id: int
    vat_id: int
    plan: PlanVersion | None
    referral: ReferralTerms | None
    month: Month
    price: int
    vat: int
    revenue: int
    operator_part: int
    base: int
    currency: str
    held: bool
    reason: str


def unrated(settlement: Settlement, catalogue: Catalogue, first_open_month: Month = 0) -> Unrated:
    """All of a message's charge that does not depend on the volume, by the versions of its moment of acceptance.

    A message that reaches no partner has none here either. The month is that of the plan's zone (UTC without a
    plan), or the first open one when that is closed.
    """
    mo = settlement.mo
    partner = ""
    partner_id = 0
    if not settlement.reason:
        assert settlement.route is not None, settlement
        partner = settlement.route.service.partner
        if partner in catalogue.partners:
            partner_id = catalogue.partners[partner].id
    held = bool(partner) and settlement.verdict.holds
    if mo.test:
        month = max(month_of(mo.accepted_at), first_open_month)
        return _unpriced(mo.id, partner_id, partner, mo.operator.code, month, mo.operator.currency, held, TEST)
    return unrated_message(
        catalogue, mo.id, mo.operator.code, mo.operator.currency, mo.short_code, mo.accepted_at, mo.parts,
        partner_id, partner, held, settlement.reason, first_open_month,
    )  # fmt: skip


def unrated_message(  # noqa: PLR0917 (the hot path passes them by place)
    catalogue: Catalogue,
    message_id: int,
    operator: str,
    currency: str,
    short_code: str,
    moment: Instant,
    parts: int,
    partner_id: int,
    partner: str,
    held: bool,
    reason: str,
    first_open_month: Month,
) -> Unrated:
    """The same of one that is not a test; `reason`: why it reaches no partner, "" when it does.

    `currency` is its operator's, for as long as there is no tariff.
    """
    tariff = catalogue.tariff_at(short_code, operator, moment)
    vat = catalogue.vat_at(operator, moment) if operator in catalogue.operators else None
    is_free = tariff is not None and tariff.charges != "mo"
    if is_free or tariff is None or vat is None:
        month = max(month_of(moment), first_open_month)
        why = FREE if is_free else NO_TARIFF
        return _unpriced(message_id, partner_id, partner, operator, month, currency, held, why)

    price, (net, vat_part, revenue, operator_part) = split_by(tariff, vat, parts)
    plan = catalogue.plan_at(partner, tariff.currency, short_code, moment) if partner_id else None
    if plan is None:
        why = reason or NO_PLAN
        return Unrated(
            message_id, partner_id, partner, operator, tariff.id, vat.id, None, None,
            max(month_of(moment), first_open_month), price, vat_part, revenue, operator_part, 0, tariff.currency,
            held, why,
        )  # fmt: skip
    return Unrated(
        message_id, partner_id, partner, operator, tariff.id, vat.id, plan, catalogue.referral_at(partner, moment),
        max(month_of(moment, plan.time_zone), first_open_month), price, vat_part, revenue, operator_part,
        net if plan.share_of == SHARE_OF_NET else revenue, tariff.currency, held, "",
    )  # fmt: skip


def _unpriced(  # noqa: PLR0917
    message_id: int, partner_id: int, partner: str, operator: str, month: Month, currency: str, held: bool, why: str
) -> Unrated:
    return Unrated(
        message_id, partner_id, partner, operator, 0, 0, None, None, month, 0, 0, 0, 0, 0, currency, held, why
    )


@dataclass(slots=True)
class Volumes:
    """What was given before: read and moved on by `rate`. A row that was not loaded is a KeyError, never a zero."""

    volume: dict[VolumeKey, int] = field(default_factory=dict)
    referred: dict[ReferralKey, int] = field(default_factory=dict)


def volume_key(unrated: Unrated) -> VolumeKey | None:
    """The volume that rating needs, or None where nobody earns."""
    plan = unrated.plan
    return None if plan is None else (unrated.partner_id, plan.id, unrated.month)


def referral_key(unrated: Unrated) -> ReferralKey | None:
    """The counter of the referral's cap that rating needs, or None without a cap."""
    terms = unrated.referral
    return None if terms is None or terms.cap is None else (terms.id, unrated.currency)


def referral_of(terms: ReferralTerms, margin: int, before: int | None) -> int:
    """The referrer's part of revenue − partner's part: never of a loss, never above what is left of the cap."""
    if margin <= 0:
        return 0
    referral = margin * terms.rate // MILLION
    if terms.cap is None:
        return referral
    assert before is not None, terms
    return max(0, min(referral, terms.cap - before))


def rate(unrated: Unrated, volumes: Volumes) -> list[Charge]:
    """The charges of one message, the volumes moved on by them.

    None (a test, or free), one, or two with a tier correction.
    """
    plan = unrated.plan
    if plan is None:
        return _unearned(unrated)
    revenue = unrated.revenue
    key = (unrated.partner_id, plan.id, unrated.month)
    before = volumes.volume[key]
    partner_part, correction = earn(plan.tiers_mode, plan.tiers, before, unrated.base)
    volumes.volume[key] = before + unrated.base

    terms = unrated.referral
    referral_part = referral_id = 0
    referral_before: int | None = None
    referrer = ""
    if terms is not None:
        referral_id, referrer = terms.id, terms.referrer
        if terms.cap is not None:
            referral_before = volumes.referred[terms.id, unrated.currency]
        referral_part = referral_of(terms, revenue - partner_part, referral_before)
        if referral_before is not None:
            volumes.referred[terms.id, unrated.currency] = referral_before + referral_part

    charge = Charge(
        unrated.message_id, _MO, _POSTED, "", unrated.currency, unrated.operator, unrated.partner_id,
        unrated.partner, referrer, unrated.price, unrated.vat, unrated.operator_part, unrated.base, before,
        partner_part, referral_part, revenue - partner_part - referral_part, 0, unrated.tariff_id, unrated.vat_id,
        plan.id, referral_id, referral_before, unrated.month, unrated.held,
    )  # fmt: skip
    return [charge, tier_correction(charge, correction)] if correction else [charge]


def tier_correction(charge: Charge, amount: int) -> Charge:
    """The rest of the jump that a message makes in a volume plan: a row of its own that points to it.

    Its reason is that of the charge: what was taken back is told from what was earned by it.
    """
    return Charge(
        charge.message_id, _TIER_CORRECTION, _POSTED, charge.reason, charge.currency, charge.operator,
        charge.partner_id, charge.partner, "", 0, 0, 0, 0, charge.volume_before, amount, 0, -amount, 0,
        charge.tariff_id, charge.vat_id,
        charge.plan_version_id, 0, None, charge.month, charge.held,
    )  # fmt: skip


def _unearned(unrated: Unrated) -> list[Charge]:
    """The charge of a message that nobody earns by: in suspense, or pending while there is no amount."""
    if unrated.reason in {TEST, FREE}:
        return []
    state = _PENDING if unrated.reason == NO_TARIFF else _POSTED
    return [
        Charge(
            unrated.message_id, _MO, state, unrated.reason, unrated.currency, unrated.operator, unrated.partner_id,
            unrated.partner, "", unrated.price, unrated.vat, unrated.operator_part, 0, 0, 0, 0, 0, unrated.revenue,
            unrated.tariff_id, unrated.vat_id, 0, 0, None, unrated.month, unrated.held,
        )
    ]  # fmt: skip
