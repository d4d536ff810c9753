"""A partner's month: what its accounts began with, what moved them, what they ended with, what is due
(billing.md, section 9).

LineKind               what a line is; the words are stored
ChargeSum, DetailSum   charges, or details, that are alike, added up by the store
Line, lines_of         a line; the lines of all partners, merged and in order (add_lines, in_order: in two steps)
tier_share             the tier in which charges fall; cut_at_tiers, one charge that crosses a tier
young_of, due          what is too young to be paid; what is to be paid
earned_in, vat_in      what a partner's work came to; the VAT in it, of a partner that pays VAT

Charges are told by short code, operator and tier. A message that crosses a tier of a graduated plan earns in both: its
base and its part are cut there, F(V + base) − F(tier) and F(tier) − F(V), so nothing is rounded twice; it is counted
where it ends. In a volume plan it earns whole at the tier that it reaches, and the rest is a tier correction's line.

Rule: a line's amount is what it moves on its account; the lines of an account sum to its movement, exactly.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

from core.catalogue import PlanVersion
from core.clock import Month
from core.ledger.details import DetailKind
from core.money import MILLION, floor_to_minor, round_half_even
from core.tariff.charge import ChargeKind
from core.tariff.tiers import VOLUME, earned

ACCOUNTS = ("earnings", "held", "prepaid", "reserved", "payout")
"""A partner's accounts, in the order of a statement."""

Owner: TypeAlias = tuple[str, str]
"""(partner's login, currency): who gets a statement."""


Lines: TypeAlias = "dict[Owner, dict[tuple[object, ...], Line]]"
"""By what makes lines alike."""


class LineKind(Enum):
    """What a line tells, in the order of a statement. The words are stored, and never used for anything else."""

    OPENING = "opening"
    MO = "mo"
    PREMIUM_MT = "premium_mt"
    ASSIGNED = "assigned"
    TIER_CORRECTION = "tier_correction"
    CHARGE_BACK = "charge_back"
    HOLD_REFUSED = "hold_refused"
    HOLD_RELEASED = "hold_released"
    REFERRAL = "referral"
    RESERVED = "reserved"
    RELEASED = "released"
    OUTGOING = "outgoing"
    EARNINGS_USED = "earnings_used"
    CONVERTED = "converted"
    ADJUSTED = "adjusted"
    REFUNDED = "refunded"
    WRITTEN_OFF = "written_off"
    FOUND = "found"
    OPERATOR_PAID = "operator_paid"
    COST_PAID = "cost_paid"
    PAYMENT = "payment"
    PAYOUT = "payout"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    PAYOUT_CANCELLED = "payout_cancelled"
    PAYOUT_RETURNED = "payout_returned"
    CLOSING = "closing"


_NOT_PAID = {"failed": LineKind.PAYOUT_FAILED, "cancelled": LineKind.PAYOUT_CANCELLED}
"""By the step of a payout: it is the partner's again and did not come back, since it never was paid."""
_IS_AGAIN = frozenset({*_NOT_PAID.values(), LineKind.PAYOUT_RETURNED})

BALANCES = frozenset({LineKind.OPENING, LineKind.CLOSING})
"""Lines that tell what stands on an account; all others move it."""

_ORDER = {kind: place for place, kind in enumerate(LineKind)}
_BY_TIER = {
    ChargeKind.MO: LineKind.MO,
    ChargeKind.PREMIUM_MT: LineKind.PREMIUM_MT,
    ChargeKind.ASSIGNED: LineKind.ASSIGNED,
}
_CORRECTED = {
    ChargeKind.TIER_CORRECTION: LineKind.TIER_CORRECTION,
    ChargeKind.CHARGE_BACK: LineKind.CHARGE_BACK,
    ChargeKind.HOLD_REFUSED: LineKind.HOLD_REFUSED,
}
_OF_MESSAGES = frozenset({*_BY_TIER.values(), *_CORRECTED.values(), LineKind.REFERRAL, LineKind.HOLD_RELEASED})
EARNED_BY_TIER = frozenset(_BY_TIER)
"""Charges that a partner earns by at a share; the others take back, correct, or are outgoing."""
EARNED_LINES = frozenset(_BY_TIER.values())
"""Their lines: a partner on a plan has them alone."""


class ChargeSum(NamedTuple):
    """Posted charges that are alike in all but their amounts, added up. `plan` "" is none: nobody earns by them.

    `share` is that of their tier. `reason` is why they were taken back, with a person's words. `age` is how many of the
    moments `PayoutTerms.old_until` (core/statement_terms.py) lie before the message, `number` how many they are.
    """

    month: Month
    kind: ChargeKind
    partner: str
    currency: str
    short_code: str = ""
    operator: str = ""
    plan: str = ""
    share: int = 0
    held: bool = False
    reason: str = ""
    referrer: str = ""
    age: int = 0
    number: int = 1
    parts: int = 1
    price: int = 0
    vat: int = 0
    base: int = 0
    partner_part: int = 0
    referral_part: int = 0

    @property
    def likeness(self) -> "Likeness":
        """All that must be the same in charges that are added up."""
        return self[:_LIKENESS]


Likeness: TypeAlias = tuple[object, ...]
_LIKENESS = ChargeSum._fields.index("number")


def added_up(sums: Iterable[ChargeSum], found: dict[Likeness, ChargeSum]) -> None:
    """Add each to that of its likeness."""
    for one in sums:
        likeness = one.likeness
        before = found.get(likeness)
        if before is not None:
            totals: Any = (before[_LIKENESS:], one[_LIKENESS:])
            one = ChargeSum(*likeness, *map(sum, zip(*totals, strict=True)))  # type: ignore[arg-type]
        found[likeness] = one


@dataclass(frozen=True, slots=True)
class DetailSum:
    """Details between the same two accounts that are alike, added up; `note` tells which they are.

    `step` is to what a payout came by them: the last word of its entry's key.
    """

    month: Month
    kind: DetailKind
    debit: str
    credit: str
    currency: str
    amount: int
    count: int = 1
    note: str = ""
    age: int = 0
    step: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a statement; amounts in micros. `amount` is what it moves (of a balance: what stands there).

    `gross` is what subscribers, or the partner, paid with VAT; `base` what the share is of, or the net of outgoing SMS.
    """

    account: str
    kind: LineKind
    short_code: str = ""
    operator: str = ""
    share: int = 0
    count: int = 0
    parts: int = 0
    gross: int = 0
    base: int = 0
    amount: int = 0
    note: str = ""


def lines_of(charges: Iterable[ChargeSum], details: Iterable[DetailSum], month: Month) -> dict[Owner, list[Line]]:
    """What moved each partner's accounts in a month; those that are alike are one line."""
    found: Lines = {}
    add_lines(charges, details, month, found)
    return in_order(found)


def add_lines(charges: Iterable[ChargeSum], details: Iterable[DetailSum], month: Month, found: Lines) -> None:
    """The same, added to what was found before."""
    told = [(one.currency, pair) for one in charges if one.month == month for pair in lines_of_charges(one)]
    told += [(one.currency, pair) for one in details if one.month == month for pair in lines_of_detail(one)]
    for currency, (partner, line) in told:
        lines = found.setdefault((partner, currency), {})
        key = (line.account, line.kind, line.short_code, line.operator, line.share, line.note)
        lines[key] = _added(lines[key], line) if key in lines else line


def in_order(found: Lines) -> dict[Owner, list[Line]]:
    """Each partner's lines as they follow each other."""
    return {owner: sorted(lines.values(), key=_place) for owner, lines in found.items()}


def lines_of_charges(one: ChargeSum) -> Iterator[tuple[str, Line]]:
    """(partner, line) for each account of a partner's that these charges move."""
    if one.kind == ChargeKind.MT:
        net = one.price - one.vat
        yield one.partner, _line(one, "reserved", LineKind.OUTGOING, net, -one.price, one.reason)
        return
    kind = _BY_TIER.get(one.kind) or _CORRECTED.get(one.kind)
    if kind is None or not one.plan:
        return
    account = "held" if one.held else "earnings"
    yield one.partner, _line(one, account, kind, one.base, one.partner_part, one.reason or one.plan)
    if one.referral_part:
        # Whose message it was, and the reason's word alone: what a person wrote is about another partner.
        why = f"{one.partner}: {one.reason.partition(': ')[0]}" if kind in _CORRECTED.values() else one.partner
        yield one.referrer, Line("earnings", LineKind.REFERRAL, count=one.number, amount=one.referral_part, note=why)


def lines_of_detail(one: DetailSum) -> Iterator[tuple[str, Line]]:
    """(partner, line) for each side that is a partner's account: all of them are liabilities, credits raise them."""
    for address, amount in ((one.debit, -one.amount), (one.credit, one.amount)):
        place = place_of(address)
        if place is not None:
            partner, account = place
            yield partner, Line(account, _kind_of_detail(one), count=one.count, amount=amount, note=one.note)


def _kind_of_detail(one: DetailSum) -> LineKind:
    kind = LineKind(one.kind.value)
    return _NOT_PAID.get(one.step, kind) if kind is LineKind.PAYOUT_RETURNED else kind


def place_of(address: str) -> tuple[str, str] | None:
    """`partner:acme:held` → (acme, held); None for what is on no statement."""
    words = address.split(":")
    return (words[1], words[2]) if len(words) == 3 and words[0] == "partner" and words[2] in ACCOUNTS else None


def movements(lines: Iterable[Line]) -> dict[str, int]:
    """What lines sum to, by account."""
    sums: dict[str, int] = {}
    for line in lines:
        if line.kind not in BALANCES:
            sums[line.account] = sums.get(line.account, 0) + line.amount
    return sums


def _line(  # noqa: PLR0917 (as they follow each other in a line)
    one: ChargeSum, account: str, kind: LineKind, base: int, amount: int, note: str
) -> Line:
    return Line(
        account, kind, one.short_code, one.operator, one.share, one.number, one.parts, one.price, base, amount, note
    )


def _added(one: Line, other: Line) -> Line:
    return replace(
        one,
        count=one.count + other.count,
        parts=one.parts + other.parts,
        gross=one.gross + other.gross,
        base=one.base + other.base,
        amount=one.amount + other.amount,
    )


def _place(line: Line) -> tuple[object, ...]:
    return ACCOUNTS.index(line.account), _ORDER[line.kind], line.short_code, line.operator, line.note, line.share


# --- tiers ---------------------------------------------------------------------------------------------------


def tier_share(plan: PlanVersion, low: int, high: int) -> int | None:
    """The share of the tier in which all charges lie that lead from volumes of `low` to such of `high` at most.

    None when they may lie in several: then each is asked for its slices.
    """
    tiers = plan.tiers
    first = last = 0
    for number, tier in enumerate(tiers):
        if low >= tier.start:
            first = number
        # A volume that ends where a tier begins has reached it, in a volume plan alone.
        if high > tier.start or (high == tier.start and plan.tiers_mode == VOLUME):
            last = number
    return tiers[first].share if first >= last else None


def slices(plan: PlanVersion, before: int, base: int, part: int) -> Iterator[tuple[int, int, int]]:
    """(share, base, part) of one message in each tier that it earns in; they sum to its own, the last is where it ends.

    `before` is the volume before it, `part` what it earned.
    """
    after = before + base
    tiers = plan.tiers
    if plan.tiers_mode == VOLUME:
        reached = [tier.share for tier in tiers if after >= tier.start]
        yield (reached[-1] if reached else tiers[0].share), base, part
        return
    low, left, share = before, part, tiers[0].share
    for tier in tiers:
        if low >= tier.start:
            share = tier.share
        elif after > tier.start:
            done = earned(plan.tiers_mode, tiers, tier.start) - earned(plan.tiers_mode, tiers, low)
            yield share, tier.start - low, done
            low, left, share = tier.start, left - done, tier.share
    yield share, after - low, left


def cut_at_tiers(one: ChargeSum, plan: PlanVersion, before: int) -> list[ChargeSum]:
    """A single charge in each tier that it earns in; counted, with its price and referral, where it ends."""
    pieces = [
        one._replace(share=share, base=base, partner_part=part)
        for share, base, part in slices(plan, before, one.base, one.partner_part)
    ]
    *crossed, last = pieces
    return [*(piece._replace(number=0, parts=0, price=0, vat=0, referral_part=0) for piece in crossed), last]


# --- what is due ---------------------------------------------------------------------------------------------


def young_of(charges: Iterable[ChargeSum], details: Iterable[DetailSum], ages: Mapping[Owner, int]) -> dict[Owner, int]:
    """What stands on partners' earnings and is too young to be paid: what is of an age of at least `ages`.

    By the message and not by the posting: what was taken back of a young message is not young any more, and what a
    person let go is as old as its message. What has no message is young by itself when it came in; but a payout that is
    the partner's again was old before.
    """
    young: dict[Owner, int] = {}
    told = [(one.currency, one.age, pair) for one in charges if one.age for pair in lines_of_charges(one)]
    told += [(one.currency, one.age, pair) for one in details if one.age for pair in lines_of_detail(one)]
    for currency, age, (partner, line) in told:
        owner = (partner, currency)
        if line.account != "earnings" or owner not in ages or age < ages[owner]:
            continue
        if line.kind in _OF_MESSAGES or (line.amount > 0 and line.kind not in _IS_AGAIN):
            young[owner] = young.get(owner, 0) + line.amount
    return young


def due(closing: int, young: int, minimum_payout: int, currency: str) -> int:
    """What is to be paid, in whole minor units; nothing below the minimum or below zero. The rest is carried on."""
    payable = floor_to_minor(closing - max(young, 0), currency)
    return payable if payable > 0 and payable >= minimum_payout else 0


WORK = frozenset({
    LineKind.MO, LineKind.PREMIUM_MT, LineKind.ASSIGNED, LineKind.TIER_CORRECTION, LineKind.CHARGE_BACK,
    LineKind.HOLD_REFUSED, LineKind.HOLD_RELEASED, LineKind.REFERRAL,
})  # fmt: skip
"""What a partner is paid for; its other lines move what it has."""


def earned_in(lines: Iterable[Line]) -> int:
    """What a partner's work came to, corrections and referrals included."""
    return sum(line.amount for line in lines if line.account == "earnings" and line.kind in WORK)


def vat_in(amount: int, rate: int, currency: str) -> int:
    """The VAT that an amount includes: its net is rounded as that of a price, the VAT down to whole minor units."""
    net = round_half_even(amount * MILLION, MILLION + rate)
    return floor_to_minor(amount - net, currency)
