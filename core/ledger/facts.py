"""The facts of business and their postings (billing.md, section 6).

postings_of_charge  one charge → its (debit, credit, amount) triples
sum_postings        the charges and details of a batch → the postings of its entry

What is taken back is the mirror of what a charge of the turned amounts would move.

Rule: an amount of zero is no posting; opposite postings are not netted; what is not posted has none.
"""

from collections.abc import Iterable
from typing import TypeAlias

from core.clock import Month
from core.ledger.accounts import EXPENSE_LOSS, INCOME_MARGIN, INCOME_OUTGOING, TAX_VAT, outgoing_cost, payable, reserved
from core.ledger.details import Detail
from core.ledger.entry import Charge, ChargeKind, ChargeState, Posting

Triple: TypeAlias = tuple[str, str, int]
"""(debit, credit, amount)."""
PostingKey: TypeAlias = tuple[str, str, str, Month]
"""(debit, credit, currency, booked month): what postings of one entry are summed by."""

# Plain names: Python 3.11 takes 50 ns to find a member on its class.
_TIER_CORRECTION = ChargeKind.TIER_CORRECTION
_POSTED = ChargeState.POSTED
_ACCEPTED = frozenset({ChargeKind.MO, ChargeKind.PREMIUM_MT})
_TAKEN_BACK = frozenset({ChargeKind.CHARGE_BACK, ChargeKind.HOLD_REFUSED})


def postings_of_charge(charge: Charge) -> list[Triple]:
    """What a charge moves between accounts: each fact of section 6 that is rated.

    Below zero, `ours` is a loss: the operator's money covers the partner's part as far as it goes, the rest comes
    from expense:loss. What fraud holds goes to the partner's held account, its tier correction too.
    """
    if charge.state != _POSTED:
        return []
    partner = f"partner:{charge.partner}:held" if charge.held else f"partner:{charge.partner}:earnings"
    if charge.kind == _TIER_CORRECTION:
        amount = charge.partner_part
        return [(INCOME_MARGIN, partner, amount)] if amount > 0 else [(partner, INCOME_MARGIN, -amount)]

    kind = charge.kind
    receivable = f"operator:{charge.operator}:receivable"
    if kind in _ACCEPTED:
        triples = _shared(charge, receivable, partner, charge.partner_part, charge.referral_part, charge.ours)
        if charge.suspense:
            triples.append((receivable, f"suspense:{charge.operator}", charge.suspense))
        return triples
    suspense = f"suspense:{charge.operator}"
    if kind == ChargeKind.ASSIGNED:
        return _shared(charge, suspense, partner, charge.partner_part, charge.referral_part, charge.ours)
    if kind in _TAKEN_BACK:
        source = receivable if kind == ChargeKind.CHARGE_BACK else suspense
        triples = _shared(charge, source, partner, -charge.partner_part, -charge.referral_part, -charge.ours)
        if kind == ChargeKind.CHARGE_BACK and charge.suspense:
            triples.append((receivable, suspense, -charge.suspense))
        return [(credit, debit, amount) for debit, credit, amount in triples]
    return _outgoing(charge)


def _shared(  # noqa: PLR0917
    charge: Charge, source: str, partner: str, partner_part: int, referral_part: int, ours: int
) -> list[Triple]:
    """Revenue that lies on `source`, shared out. Below zero, `ours` is a loss that fills the partner's part."""
    triples: list[Triple] = []
    from_source = partner_part
    if ours > 0:
        triples.append((source, INCOME_MARGIN, ours))
    elif ours < 0:
        triples.append((EXPENSE_LOSS, partner, -ours))
        from_source += ours
    if from_source:
        triples.append((source, partner, from_source))
    if referral_part:
        triples.append((source, f"partner:{charge.referrer}:earnings", referral_part))
    return triples


def _outgoing(charge: Charge) -> list[Triple]:
    """An outgoing SMS: what its partner pays out of what was reserved, or what it costs us."""
    if charge.kind == ChargeKind.MT_COST:
        cost = charge.operator_part
        return [(outgoing_cost(charge.operator), payable(charge.operator), cost)] if cost else []
    assert charge.kind == ChargeKind.MT, charge
    set_aside = reserved(charge.partner)
    triples = [(set_aside, INCOME_OUTGOING, charge.ours), (set_aside, TAX_VAT, charge.vat)]
    return [triple for triple in triples if triple[2]]


def sum_postings(charges: Iterable[Charge], details: Iterable[Detail] = ()) -> list[Posting]:
    """The postings of a batch: summed by debit, credit, currency and booked month, in that order."""
    sums: dict[PostingKey, int] = {}
    for detail in details:
        p = detail.posting
        place = (p.debit, p.credit, p.currency, p.month)
        sums[place] = sums.get(place, 0) + p.amount
    for charge in charges:
        currency = charge.currency
        month = charge.month
        for debit, credit, amount in postings_of_charge(charge):
            key = (debit, credit, currency, month)
            sums[key] = sums.get(key, 0) + amount
    return [
        Posting(debit, credit, currency, amount, month)
        for (debit, credit, currency, month), amount in sorted(sums.items())
        if amount
    ]
