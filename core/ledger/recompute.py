"""L7: every charge, made again from the versions that it names, has the same amounts (billing.md, sections 7 and 11).

check_versions  the charges of messages → findings
make_again      one charge → as it should be, or what hinders

Rule: it rates with `rate` itself, on the volume and the referral that the charge says were before it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from core.catalogue import OutgoingCost, PlanVersion, ReferralTerms, Tariff, VatRate
from core.clock import month_of, month_text
from core.ledger.corrections import TAKEN_BACK
from core.ledger.entry import Charge, ChargeKind, ChargeState
from core.ledger.rows import ChargeRow, Finding, Versions
from core.money import MILLION, format_micros, round_half_even
from core.tariff.rate import NO_PLAN, NO_TARIFF, SHARE_OF_NET, Unrated, Volumes, rate, split_by
from core.tariff.tiers import earn, mt_price

RATED = frozenset(ChargeKind)
"""The kinds that follow from a message and its versions: a number that is none of them is L5's and L4's to find."""

AMOUNTS = ("price", "vat", "operator_part", "base", "partner_part", "referral_part", "ours", "suspense")

_MIRRORED = frozenset({ChargeKind.CHARGE_BACK, ChargeKind.HOLD_REFUSED})


def check_versions(charges: Iterable[ChargeRow], versions: Versions) -> Iterator[Finding]:
    """L7, row by row: may be fed in pieces."""
    for row in charges:
        if row.charge.kind not in RATED or row.charge.state == ChargeState.VOIDED:
            continue
        for sentence in _faults(row, versions):
            yield Finding("L7", row.table, row.row, sentence)


def make_again(row: ChargeRow, versions: Versions) -> Charge | str:
    """The charge as its versions make it, or a sentence that names what is missing."""
    charge = row.charge
    kind = charge.kind
    if kind == ChargeKind.MO and charge.state == ChargeState.PENDING:
        return _blank(charge)
    if kind == ChargeKind.MT:
        return _outgoing(row, versions)
    if kind == ChargeKind.MT_COST:
        return _cost(row, versions)
    split = _split(row, versions)
    if isinstance(split, str):
        return split
    if kind == ChargeKind.PREMIUM_MT and charge.state == ChargeState.PENDING:
        return _with(charge, price=split.price, vat=split.vat, operator_part=split.operator_part)
    if kind in _MIRRORED or charge.reason in TAKEN_BACK:
        return _mirrored(row, split)
    made = rate(_unrated(charge, split), _volumes_before(charge, split.plan, split.terms, split.currency))
    if kind == ChargeKind.TIER_CORRECTION:
        return next((one for one in made if one.kind == kind), _blank(charge))
    if kind == ChargeKind.ASSIGNED:
        return _with_all(made[0], price=0, vat=0, operator_part=0, suspense=-split.revenue)
    return made[0]


class _Split(NamedTuple):
    """The price of the message by the charge's versions, and who it may be shared by."""

    price: int
    net: int
    vat: int
    revenue: int
    operator_part: int
    currency: str
    plan: PlanVersion | None
    terms: ReferralTerms | None

    @property
    def base(self) -> int:
        """What counts for the volume."""
        return self.net if self.plan is not None and self.plan.share_of == SHARE_OF_NET else self.revenue


def _split(row: ChargeRow, versions: Versions) -> _Split | str:
    charge = row.charge
    tariff = versions.tariff(charge.tariff_id)
    vat = versions.vat(charge.vat_id)
    plan = versions.plan(charge.plan_version_id) if charge.plan_version_id else None
    terms = versions.referral(charge.referral_id) if charge.referral_id else None
    if tariff is None:
        return f"it names the tariff {charge.tariff_id}, which is not there"
    if vat is None:
        return f"it names the VAT rate {charge.vat_id}, which is not there"
    if charge.plan_version_id and plan is None:
        return f"it names the plan version {charge.plan_version_id}, which is not there"
    if charge.referral_id and terms is None:
        return f"it names the referral terms {charge.referral_id}, which are not there"
    price, (net, vat_part, revenue, operator_part) = split_by(tariff, vat, row.parts)
    return _Split(price, net, vat_part, revenue, operator_part, tariff.currency, plan, terms)


def _unrated(charge: Charge, split: _Split) -> Unrated:
    plan = split.plan
    return Unrated(
        message_id=charge.message_id, partner_id=charge.partner_id, partner=charge.partner, operator=charge.operator,
        tariff_id=charge.tariff_id, vat_id=charge.vat_id, plan=plan, referral=split.terms if plan is not None else None,
        month=charge.month, price=split.price, vat=split.vat, revenue=split.revenue,
        operator_part=split.operator_part, base=split.base, currency=split.currency, held=charge.held,
        reason="" if plan is not None else NO_PLAN,
    )  # fmt: skip


def _mirrored(row: ChargeRow, split: _Split) -> Charge | str:
    """What was taken back: the mirror of what it corrects, at the volume that it says was before it."""
    charge, plan = row.charge, split.plan
    is_back = charge.kind == ChargeKind.CHARGE_BACK
    if plan is None:
        if not is_back:
            return "it names no plan version"
        whole = _with(charge, price=-split.price, vat=-split.vat, operator_part=-split.operator_part)
        return _with_all(whole, suspense=-split.revenue)
    own, correction = earn(plan.tiers_mode, plan.tiers, charge.volume_before, -split.base)
    if charge.kind == ChargeKind.TIER_CORRECTION:
        return _with(charge, partner_part=correction, ours=-correction)
    referral = row.referral_given
    if referral is None:
        return "what it takes back is not there"
    turned = _with(charge, base=-split.base, partner_part=own, referral_part=-referral)
    turned = _with_all(turned, ours=referral - own - split.revenue)
    if is_back:
        return _with_all(turned, price=-split.price, vat=-split.vat, operator_part=-split.operator_part)
    return _with_all(turned, suspense=split.revenue)


def _outgoing(row: ChargeRow, versions: Versions) -> Charge | str:
    """An outgoing SMS that its partner pays; `volume_before` are the parts that were counted before it."""
    charge = row.charge
    plan = versions.plan(charge.plan_version_id)
    if plan is None or not plan.mt_price:
        return f"it names the plan version {charge.plan_version_id}, which has no price for outgoing SMS"
    price = mt_price(plan.mt_price, charge.volume_before, row.parts)
    net = round_half_even(price * MILLION, MILLION + plan.mt_vat)
    return _with(replace(charge, currency=plan.currency), price=price, vat=price - net, ours=net)


def _cost(row: ChargeRow, versions: Versions) -> Charge | str:
    cost = versions.cost(row.charge.tariff_id)
    if cost is None:
        return f"it names the cost {row.charge.tariff_id} of outgoing SMS, which is not there"
    # Charges from before it was kept say 0: they cost by the parts of their text.
    amount = cost.cost * (row.charge.volume_before or row.parts)
    return _with(row.charge, operator_part=amount, ours=-amount)


def _with(charge: Charge, **amounts: int) -> Charge:
    """The charge with these amounts, and none else."""
    return replace(charge, **{**dict.fromkeys(AMOUNTS, 0), **amounts})  # type: ignore[arg-type]


def _with_all(charge: Charge, **amounts: int) -> Charge:
    """The charge with its amounts, and these."""
    return replace(charge, **amounts)  # type: ignore[arg-type]


def _faults(row: ChargeRow, versions: Versions) -> Iterator[str]:
    """What is wrong with one charge: an amount, a version that did not hold, a month that is too early."""
    charge = row.charge
    again = make_again(row, versions)
    if isinstance(again, str):
        yield again
        return
    if again.currency != charge.currency:
        yield f"it is in {charge.currency}, but its tariff is in {again.currency}"
    for name in AMOUNTS:
        is_now, should = getattr(charge, name), getattr(again, name)
        if is_now != should:
            yield (
                f"{name} is {format_micros(is_now)} {charge.currency}, "
                f"but its versions make it {format_micros(should)} {again.currency}"
            )
    yield from _dates(row, versions)


def _dates(row: ChargeRow, versions: Versions) -> Iterator[str]:
    """Versions that did not hold when the message was accepted; a month before that of the acceptance."""
    charge, moment = row.charge, row.accepted_at
    plan = versions.plan(charge.plan_version_id) if charge.plan_version_id else None
    terms = versions.referral(charge.referral_id) if charge.referral_id else None
    by_id = versions.cost if charge.kind == ChargeKind.MT_COST else versions.tariff
    tariff = by_id(charge.tariff_id) if charge.tariff_id else None
    vat = versions.vat(charge.vat_id) if charge.vat_id else None
    named: tuple[tuple[str, Tariff | OutgoingCost | VatRate | PlanVersion | ReferralTerms | None], ...] = (
        ("tariff", tariff), ("VAT rate", vat), ("plan version", plan), ("referral terms", terms),
    )  # fmt: skip
    for word, version in named:
        if version is not None and version.valid_from > moment:
            yield f"its {word} {version.id} did not hold yet when the message was accepted"
    if terms is not None and terms.until and moment >= terms.until:
        yield f"its referral terms {terms.id} had ended when the message was accepted"
    accepted = month_of(moment, plan.time_zone if plan is not None else "UTC")
    if charge.month < accepted:
        yield f"it is booked in {month_text(charge.month)}, but the message was accepted in {month_text(accepted)}"


def _volumes_before(charge: Charge, plan: PlanVersion | None, terms: ReferralTerms | None, currency: str) -> Volumes:
    """What was given before the message, as the charge says; a cap without its count counts from 0."""
    volumes = Volumes()
    if plan is not None:
        volumes.volume[charge.partner_id, plan.id, charge.month] = charge.volume_before
    if terms is not None:
        volumes.referred[terms.id, currency] = charge.referral_before or 0
    return volumes


def _blank(charge: Charge) -> Charge:
    """A charge of nothing: what a pending one is while there is no tariff, and a correction that is none."""
    return Charge(
        charge.message_id, charge.kind, charge.state, NO_TARIFF, charge.currency, charge.operator, charge.partner_id,
        charge.partner, "", 0, 0, 0, 0, charge.volume_before, 0, 0, 0, 0, 0, 0, 0, 0, None, charge.month, charge.held,
    )  # fmt: skip
