"""The facts of business and their postings (billing.md, section 6).

postings_of_charge  one charge → its (debit, credit, amount) triples
sum_postings        the charges of a batch → the postings of its entry

Rule: an amount of zero is no posting; opposite postings are not netted; what is not posted has none.
"""

from collections.abc import Iterable
from typing import TypeAlias

from core.clock import Month
from core.ledger.accounts import EXPENSE_LOSS, INCOME_MARGIN
from core.ledger.entry import Charge, ChargeKind, ChargeState, Posting

Triple: TypeAlias = tuple[str, str, int]
"""(debit, credit, amount)."""
PostingKey: TypeAlias = tuple[str, str, str, Month]
"""(debit, credit, currency, booked month): what postings of one entry are summed by."""

# Plain names: Python 3.11 takes 50 ns to find a member on its class.
_TIER_CORRECTION = ChargeKind.TIER_CORRECTION
_POSTED = ChargeState.POSTED


def postings_of_charge(charge: Charge) -> list[Triple]:
    """What a charge moves between accounts: «MO accepted», «tier correction», «MO unrouted or refused».

    Below zero, `ours` is a loss: the operator's money covers the partner's part as far as it goes, the rest comes
    from expense:loss. What fraud holds goes to the partner's held account, its tier correction too.
    """
    if charge.state != _POSTED:
        return []
    partner = f"partner:{charge.partner}:held" if charge.held else f"partner:{charge.partner}:earnings"
    if charge.kind == _TIER_CORRECTION:
        amount = charge.partner_part
        return [(INCOME_MARGIN, partner, amount)] if amount > 0 else [(partner, INCOME_MARGIN, -amount)]

    receivable = f"operator:{charge.operator}:receivable"
    ours = charge.ours
    from_operator = charge.partner_part
    triples: list[Triple] = []
    if ours > 0:
        triples.append((receivable, INCOME_MARGIN, ours))
    elif ours < 0:
        triples.append((EXPENSE_LOSS, partner, -ours))
        from_operator += ours
    if from_operator:
        triples.append((receivable, partner, from_operator))
    if charge.referral_part:
        triples.append((receivable, f"partner:{charge.referrer}:earnings", charge.referral_part))
    if charge.suspense:
        triples.append((receivable, f"suspense:{charge.operator}", charge.suspense))
    return triples


def sum_postings(charges: Iterable[Charge]) -> list[Posting]:
    """The postings of a batch: summed by debit, credit, currency and booked month, in that order."""
    sums: dict[PostingKey, int] = {}
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
