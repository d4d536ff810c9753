"""What an amount of an operator's file means: gross, net or our payout (billing.md, section 2).

Basis       which of the three a column holds
Terms       what VAT and payout an amount is converted by: those of the charge, or of the tariff at that time
in_basis    a charge's own amount, on the same footing as the file's
payout_of   an amount of the file → what the operator pays us by it
portion     the next part of a total that is taken piece by piece; all pieces together are the total, exactly

Rule: what agrees on the file's own footing agrees; only what differs is converted.
"""

from dataclasses import dataclass
from enum import Enum

from core.tariff.rate import split_price


class Basis(Enum):
    """What a column of amounts holds."""

    GROSS = "gross"
    """What the subscriber pays, VAT included."""
    NET = "net"
    PAYOUT = "payout"
    """What the operator pays us."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Fractions in millionths, the fixed payout in micros per SMS."""

    vat_rate: int
    payout: int | None
    payout_fixed: int | None


def in_basis(basis: Basis, *, price: int, vat: int, operator_part: int) -> int:
    """A charge's amount as the file would give it."""
    if basis is Basis.GROSS:
        return price
    return price - vat if basis is Basis.NET else price - vat - operator_part


def payout_of(amount: int, count: int, basis: Basis, terms: Terms | None) -> int | None:
    """What the operator pays us for `count` SMS of together `amount`. None where that needs terms and has none."""
    if basis is Basis.PAYOUT or not amount:
        return amount
    if terms is None:
        return None
    if terms.payout_fixed is not None:
        return terms.payout_fixed * count
    # A charge is rounded by itself: many of one price are that often the payout of one.
    each, rest = divmod(amount, count) if count else (amount, 0)
    if rest:
        return _payout(amount, basis, terms)
    return _payout(each, basis, terms) * max(count, 1)


def _payout(amount: int, basis: Basis, terms: Terms) -> int:
    # Without VAT a gross price is its net.
    return split_price(amount, terms.vat_rate if basis is Basis.GROSS else 0, terms.payout, None).revenue


def portion(total: int, taken: int, more: int, whole: int) -> int:
    """What `more` of `whole` pieces are of a total, after `taken` of them."""
    return total * (taken + more) // whole - total * taken // whole
