"""Outgoing SMS: what they cost their partner, the subscriber and us (billing.md, sections 3, 6 and 11).

price_standard  parts at the plan's scale, by the parts counted before
charge_standard the charge of a standard MT that is final and chargeable
charge_cost     what it costs us, by the operator's own rule; parts_sent, of how many parts
is_chargeable   whether a final state is charged, `on` submitted or delivered
premium_pending, post_premium, void     a premium MT: split at once, rated when it is posted

Rule: what a partner pays depends on the text alone: its parts are counted by core.sms.parts, whatever door it came by
and whichever link it goes over. What the operator takes depends on what was sent over the link. What is not surely
submitted costs nobody anything: what was rejected, or cancelled before it was sent. What was cancelled at the operator
is one that was not delivered.
"""

from collections.abc import Sequence
from dataclasses import replace

from core.catalogue import MtTier, OutgoingCost, PlanVersion, ReferralTerms, Tariff, VatRate
from core.clock import Month
from core.message import MtState
from core.money import MILLION, round_half_even
from core.tariff.charge import Charge, ChargeKind, ChargeState
from core.tariff.rate import SHARE_OF_NET, Unrated, Volumes, rate, split_by
from core.tariff.tiers import mt_price

ON_SUBMITTED = "submitted"
ON_DELIVERED = "delivered"

_NEVER = frozenset({MtState.REJECTED})


def price_standard(scale: Sequence[MtTier], counted_before: int, parts: int) -> int | None:
    """The price in micros; None where the plan has no price for outgoing SMS, so that they are refused."""
    return mt_price(scale, counted_before, parts) if scale else None


def is_chargeable(on: str, state: MtState, *, was_submitted: bool) -> bool:
    """Whether a final state is charged. UNKNOWN counts as submitted, and as not delivered (billing.md, section 6).

    `was_submitted`: the operator accepted it. What it refused, and what never left because no link was there, is not
    charged, whatever the state is called.
    """
    assert state.is_final, state
    if state in {MtState.DELIVERED, MtState.UNKNOWN}:
        return state is MtState.DELIVERED or on != ON_DELIVERED
    return on != ON_DELIVERED and was_submitted and state not in _NEVER


def charge_standard(
    *,
    message_id: int,
    partner_id: int,
    partner: str,
    operator: str,
    plan: PlanVersion,
    price: int,
    parts_before: int,
    month: Month,
) -> Charge:
    """Out of what was reserved: price = VAT + ours. It is no volume of the partner's.

    `volume_before` are the parts that its partner had sent in the month before it: they make its price (L7).
    """
    net = round_half_even(price * MILLION, MILLION + plan.mt_vat)
    return Charge(
        message_id, ChargeKind.MT, ChargeState.POSTED, "", plan.currency, operator, partner_id, partner, "", price,
        price - net, 0, 0, parts_before, 0, 0, net, 0, 0, 0, plan.id, 0, None, month, False,
    )  # fmt: skip


def parts_sent(pieces: int | None, parts: int) -> int:
    """How many SMS an operator got: of the pieces that a long text was sent in, those that it has, or may have. None:
    it went in a single one, and its centre is believed to cut it as we would.
    """
    return parts if pieces is None else pieces


def charge_cost(
    cost: OutgoingCost, *, message_id: int, operator: str, currency: str, parts: int, month: Month
) -> Charge | None:
    """What the operator takes from us for so many SMS; `tariff_id` names the cost's version. None when it is nothing.

    `volume_before` are the parts that were sent: they make its amount (L7).
    """
    amount = cost.cost * parts
    if not amount:
        return None
    return Charge(
        message_id, ChargeKind.MT_COST, ChargeState.POSTED, "", currency, operator, 0, "", "", 0, 0, amount, 0, parts,
        0, 0, -amount, 0, cost.id, 0, 0, 0, None, month, False,
    )  # fmt: skip


def premium_pending(  # noqa: PLR0917 (the order of section 2)
    message_id: int,
    partner_id: int,
    partner: str,
    operator: str,
    tariff: Tariff,
    vat: VatRate,
    parts: int,
    month: Month,
) -> Charge:
    """A premium MT that was submitted: its price is known, and nobody has earned by it yet."""
    price, (_, vat_part, _, operator_part) = split_by(tariff, vat, parts)
    return Charge(
        message_id, ChargeKind.PREMIUM_MT, ChargeState.PENDING, "", tariff.currency, operator, partner_id, partner, "",
        price, vat_part, operator_part, 0, 0, 0, 0, 0, 0, tariff.id, vat.id, 0, 0, None, month, False,
    )  # fmt: skip


def unrated_premium(
    pending: Charge, plan: PlanVersion | None, referral: ReferralTerms | None, *, month: Month, reason: str = ""
) -> Unrated:
    """A pending charge as `rate` wants it: by the versions of the MT's acceptance, in its month or the first open one.

    Without a plan it goes to suspense with the reason.
    """
    revenue = pending.revenue
    base = pending.price - pending.vat if plan is not None and plan.share_of == SHARE_OF_NET else revenue
    return Unrated(
        pending.message_id, pending.partner_id, pending.partner, pending.operator, pending.tariff_id, pending.vat_id,
        plan, referral if plan is not None else None, month, pending.price, pending.vat, revenue,
        pending.operator_part, base if plan is not None else 0, pending.currency, False, reason,
    )  # fmt: skip


def post_premium(unrated: Unrated, volumes: Volumes) -> list[Charge]:
    """The posted charge of a premium MT, and its tier correction."""
    own, *more = rate(unrated, volumes)
    return [replace(own, kind=ChargeKind.PREMIUM_MT), *more]


def void(pending: Charge) -> Charge:
    """It failed or expired, or nothing was heard of it in time: nobody pays."""
    assert pending.state == ChargeState.PENDING, pending
    return replace(pending, state=ChargeState.VOIDED)
