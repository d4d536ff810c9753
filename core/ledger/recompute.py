"""L7: every charge, made again from the versions that it names, has the same amounts (billing.md, sections 7 and 11).

check_versions  the charges of messages → findings
make_again      one charge → as it should be, or what hinders

Rule: it rates with `rate` itself, on the volume and the referral that the charge says were before it.
"""

from collections.abc import Iterable, Iterator

from core.catalogue import PlanVersion, ReferralTerms, Tariff, VatRate
from core.clock import month_of, month_text
from core.ledger.entry import Charge, ChargeKind, ChargeState
from core.ledger.rows import ChargeRow, Finding, Versions
from core.money import format_micros
from core.tariff.rate import NO_PLAN, NO_TARIFF, SHARE_OF_NET, Unrated, Volumes, rate, split_by

RATED = frozenset({ChargeKind.MO, ChargeKind.TIER_CORRECTION})
"""The kinds that follow from a message and its versions."""

AMOUNTS = ("price", "vat", "operator_part", "base", "partner_part", "referral_part", "ours", "suspense")


def check_versions(charges: Iterable[ChargeRow], versions: Versions) -> Iterator[Finding]:
    """L7, row by row: may be fed in pieces."""
    for row in charges:
        charge = row.charge
        if charge.kind not in RATED or charge.state == ChargeState.VOIDED:
            continue
        for sentence in _faults(row, versions):
            yield Finding("L7", row.table, row.row, sentence)


def make_again(charge: Charge, parts: int, versions: Versions) -> Charge | str:
    """The charge as its versions make it, or a sentence that names what is missing."""
    if charge.state == ChargeState.PENDING:
        return _blank(charge)
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

    price, (net, vat_part, revenue, operator_part) = split_by(tariff, vat, parts)
    base = net if plan is not None and plan.share_of == SHARE_OF_NET else revenue
    unrated = Unrated(
        message_id=charge.message_id, partner_id=charge.partner_id, partner=charge.partner, operator=charge.operator,
        tariff_id=tariff.id, vat_id=vat.id, plan=plan, referral=terms if plan is not None else None,
        month=charge.month, price=price, vat=vat_part, revenue=revenue, operator_part=operator_part,
        base=base, currency=tariff.currency, held=charge.held, reason="" if plan is not None else NO_PLAN,
    )  # fmt: skip
    made = rate(unrated, _volumes_before(charge, plan, terms, tariff.currency))
    return next((one for one in made if one.kind == charge.kind), _blank(charge))


def _faults(row: ChargeRow, versions: Versions) -> Iterator[str]:
    """What is wrong with one charge: an amount, a version that did not hold, a month that is too early."""
    charge = row.charge
    again = make_again(charge, row.parts, versions)
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
    tariff = versions.tariff(charge.tariff_id) if charge.tariff_id else None
    vat = versions.vat(charge.vat_id) if charge.vat_id else None
    named: tuple[tuple[str, Tariff | VatRate | PlanVersion | ReferralTerms | None], ...] = (
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
