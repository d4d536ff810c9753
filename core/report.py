"""Reports from daily sums: what is added up as charges are booked, and what is read from it (billing.md, section 4).

sums_of, count   charges → Sums: by all that SumKey names
told_of          what a detail says to reports: a hold that is let go, what came off a receivable; count_told adds it
Line             sums of any grouping, split by kind: what a report says of it; lines_of, totals_of
progress_of      how far a partner has come on its scale → Progress
month_by_month   what an operator owes, month by month → Owed
ageing           what is still open of it, payments matched oldest first → Debt

The day is that on which a charge was booked, in UTC: the moment that the id of its entry bears. What is not booked (it
waits, or nobody is charged for it) stands on the day of its own id. So a late fact lands on the day on which it was
booked, as it is booked into the month that is open then; the month is a column of its own.

Rule: the sums are a function of the charges as they stand, whatever the batches were. A charge that changes, from
pending to posted, is taken out as it was and counted as it is. Currencies never meet.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from core.catalogue import Tier
from core.clock import DAY_MS, Month, day_of, months_between
from core.ids import instant_of_id
from core.ledger.details import DetailKind
from core.tariff.charge import Charge, ChargeKind, ChargeState
from core.tariff.tiers import earned

FREE = 0
"""The kind of what has no charge: tests, and what costs nothing. It stands beside the numbers of ChargeKind."""
RELEASED, PAID, WRITTEN_OFF = 100, 101, 102
"""Kinds from here on are of details: a hold that is let go (from what is held to what is not); what came off an
operator's receivable without a charge, with money or without. The latter stands in `price`."""
AMOUNTS = (
    "count", "parts", "price", "vat", "operator_part", "partner_part", "referral_part", "ours", "suspense", "base"
)  # fmt: skip

# Plain names: Python 3.11 takes 50 ns to find a member on its class.
_POSTED, _VOIDED = ChargeState.POSTED, ChargeState.VOIDED
_LET_GO = DetailKind.HOLD_RELEASED.value


class Place(NamedTuple):
    """Where a message came in, and how many parts it has; 0 and "" stand for none."""

    operator_id: int
    short_code: str = ""
    service_id: int = 0
    parts: int = 1


class SumKey(NamedTuple):
    """What charges are summed by; `day` is YYYYMMDD, `referral_id` the terms by which a referrer gets its part."""

    day: int
    currency: str
    operator_id: int
    short_code: str
    service_id: int
    partner_id: int
    kind: int
    month: Month
    referral_id: int
    held: int


PlainPlace: TypeAlias = tuple[int, str, int, int]
PlainKey: TypeAlias = tuple[int, str, int, str, int, int, int, Month, int, int]
"""Place and SumKey as the hot path writes them: a named tuple costs 0.25 µs."""
Amounts: TypeAlias = list[int]
"""In the order of AMOUNTS."""
Sums: TypeAlias = dict[PlainKey, Amounts]


# --- adding up ---------------------------------------------------------------------------------------------


def day_of_id(id_: int) -> int:
    """The day (UTC, YYYYMMDD) on which an id was made."""
    return _day_of_number(instant_of_id(id_) // DAY_MS)


@lru_cache(maxsize=64)
def _day_of_number(number: int) -> int:
    return day_of(number * DAY_MS)


def sums_of(charges: Iterable[tuple[PlainPlace, Charge | None, int]], entry_id: int, sums: Sums | None = None) -> Sums:
    """The sums of a batch, added to `sums`: (place, charge or none, the row's own id) each; what is posted names one
    entry. Hot: all that is usual happens here, 0.4 µs a message.
    """
    sums = {} if sums is None else sums
    today = day_of_id(entry_id)
    for place, charge, own_id in charges:
        if charge is None:
            count_free(sums, place, own_id)
            continue
        if charge.state != _POSTED:
            count(sums, place, charge, own_id=own_id)
            continue
        operator_id, short_code, service_id, parts = place
        # An IntEnum hashes by its name: int() makes it the number that is stored.
        kind = int(charge.kind)
        key = (
            today, charge.currency, operator_id, short_code, service_id, charge.partner_id, kind, charge.month,
            charge.referral_id, 1 if charge.held else 0,
        )  # fmt: skip
        row = sums.get(key)
        if row is None:
            sums[key] = [1, parts, *_amounts(charge)]
            continue
        row[0] += 1
        row[1] += parts
        row[2] += charge.price
        row[3] += charge.vat
        row[4] += charge.operator_part
        row[5] += charge.partner_part
        row[6] += charge.referral_part
        row[7] += charge.ours
        row[8] += charge.suspense
        row[9] += charge.base
    return sums


def count(sums: Sums, place: PlainPlace, charge: Charge, *, own_id: int, entry_id: int = 0, times: int = 1) -> None:
    """Add a charge; `times` −1 takes it out again. `own_id` is its row's, `entry_id` that of the entry that posted it.

    What is voided counts for nothing, what is pending counts without its amounts.
    """
    state = charge.state
    if state == _VOIDED:
        return
    is_posted = state == _POSTED
    amounts = _amounts(charge) if is_posted else (0,) * 8
    day = day_of_id(entry_id or own_id) if is_posted else day_of_id(own_id)
    kind = int(charge.kind)
    held = 1 if charge.held else 0
    key = (day, charge.currency, *place[:3], charge.partner_id, kind, charge.month, charge.referral_id, held)
    _add(sums, key, [times * amount for amount in (1, place[3], *amounts)])


def count_free(sums: Sums, place: PlainPlace, own_id: int) -> None:
    """Add a message without a charge: it has no currency, no partner and no amounts, and the month of its day."""
    day = day_of_id(own_id)
    _add(sums, (day, "", *place[:3], 0, FREE, day // 100, 0, 0), [1, place[3], *(0,) * 8])


class Told(NamedTuple):
    """What a detail says to reports: RELEASED, so much more to earnings; or PAID or WRITTEN_OFF, off a receivable."""

    kind: int
    amount: int
    operator: str = ""


def told_of(kind: str, debit: str, credit: str, amount: int) -> Iterator[Told]:
    """What reports tell of a movement, by its stored kind; most say nothing. What comes from a bank or a provider is
    paid, all else is not.
    """
    if kind == _LET_GO:
        yield Told(RELEASED, amount if debit.endswith(":held") else -amount)
        return
    for side, other, off in ((credit, debit, amount), (debit, credit, -amount)):
        if side.startswith("operator:") and side.endswith(":receivable"):
            is_money = other.startswith(("bank:", "provider:"))
            yield Told(PAID if is_money else WRITTEN_OFF, off, side.split(":")[1])


def count_told(  # noqa: PLR0917
    sums: Sums, told: Told, place: PlainPlace, currency: str, month: Month, partner_id: int, entry_id: int
) -> None:
    """Add it: what is let go where its message came in, what came off a receivable with the operator alone."""
    day = day_of_id(entry_id)
    if told.kind == RELEASED:
        for held, count_, amount in ((1, 0, -told.amount), (0, 1, told.amount)):
            key = (day, currency, *place[:3], partner_id, RELEASED, month, 0, held)
            _add(sums, key, [count_, count_ * place[3], 0, 0, 0, amount, 0, 0, 0, 0])
        return
    _add(sums, (day, currency, place[0], "", 0, 0, told.kind, month, 0, 0), [1, 0, told.amount, *(0,) * 7])


def _amounts(charge: Charge) -> tuple[int, ...]:
    return (
        charge.price, charge.vat, charge.operator_part, charge.partner_part, charge.referral_part, charge.ours,
        charge.suspense, charge.base,
    )  # fmt: skip


def _add(sums: Sums, key: PlainKey, more: Amounts) -> None:
    row = sums.get(key)
    if row is None:
        sums[key] = more
        return
    for position, amount in enumerate(more):
        row[position] += amount


# --- reading -----------------------------------------------------------------------------------------------

COUNTED = frozenset({int(ChargeKind.MO), int(ChargeKind.PREMIUM_MT), int(ChargeKind.MT)})
"""Kinds of which each charge is a message; the others say more of one, or that nobody was charged."""
TAKEN_BACK = frozenset({int(ChargeKind.CHARGE_BACK), int(ChargeKind.HOLD_REFUSED)})


@dataclass(frozen=True, slots=True)
class Line:
    """Sums of one grouping, in one currency; `by_kind` holds what there is of each kind."""

    key: tuple[int | str, ...]
    currency: str
    by_kind: Mapping[int, Sequence[int]]

    def total(self, column: str, kinds: frozenset[int] | None = None) -> int:
        """A column of AMOUNTS over all kinds, or some."""
        place = AMOUNTS.index(column)
        return sum(row[place] for kind, row in self.by_kind.items() if kinds is None or kind in kinds)

    def only(self, kind: int) -> "Line":
        """What there is of one kind."""
        return Line(self.key, self.currency, {kind: self.by_kind[kind]} if kind in self.by_kind else {})

    @property
    def messages(self) -> int:
        """Those that somebody is charged for, or will be."""
        return self.total("count", COUNTED)

    @property
    def parts(self) -> int:
        """Of these messages."""
        return self.total("parts", COUNTED)

    @property
    def free(self) -> int:
        """Tests, and messages that cost nothing."""
        return self.total("count", frozenset({FREE}))

    @property
    def taken_back(self) -> int:
        """Charge-backs and refused holds."""
        return self.total("count", TAKEN_BACK)

    @property
    def revenue(self) -> int:
        """What is left of the price for us to share out: partner + referral + ours + suspense, always."""
        return self.total("price") - self.total("vat") - self.total("operator_part")


def lines_of(rows: Iterable[tuple[tuple[int | str, ...], str, int, Sequence[int]]]) -> list[Line]:
    """(key, currency, kind, amounts) each, of which several may be of one line → the lines, by currency and key."""
    found: dict[tuple[str, tuple[int | str, ...]], dict[int, Amounts]] = {}
    for key, currency, kind, amounts in rows:
        by_kind = found.setdefault((currency, key), {})
        old = by_kind.get(kind)
        by_kind[kind] = list(amounts) if old is None else [a + b for a, b in zip(old, amounts, strict=True)]
    return [Line(key, currency, found[currency, key]) for currency, key in sorted(found)]


def totals_of(lines: Iterable[Line]) -> list[Line]:
    """One line a currency."""
    return lines_of(((), line.currency, kind, row) for line in lines for kind, row in line.by_kind.items())


@dataclass(frozen=True, slots=True)
class Progress:
    """A partner's month on its scale. `share` is that of the tier that is reached; None stands for no next tier."""

    volume: int
    earned: int
    tier: int
    tiers: int
    share: int
    next_from: int | None
    next_share: int | None

    @property
    def left(self) -> int | None:
        """The volume that is left to the next tier."""
        return None if self.next_from is None else self.next_from - self.volume


def progress_of(mode: str, tiers: Sequence[Tier], volume: int) -> Progress:
    """A tier is reached at V ≥ from (billing.md, section 3); below zero the first one holds. `tier` counts from 1."""
    reached = max([place for place, tier in enumerate(tiers) if volume >= tier.start], default=0)
    ahead = tiers[reached + 1] if reached + 1 < len(tiers) else None
    return Progress(
        volume, earned(mode, tiers, volume), reached + 1, len(tiers), tiers[reached].share,
        None if ahead is None else ahead.start, None if ahead is None else ahead.share,
    )  # fmt: skip


# --- what operators owe ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owed:
    """A booked month of a receivable: opening + accrued − taken_back − written_off − paid = open.

    `written_off` is what persons took off it without money, settlements and refunds of ours too; below zero, what was
    found to be owed more.
    """

    month: Month
    opening: int
    accrued: int = 0
    taken_back: int = 0
    written_off: int = 0
    paid: int = 0

    @property
    def open(self) -> int:
        """What is owed at the month's end."""
        return self.opening + self.accrued - self.taken_back - self.written_off - self.paid


class Off(NamedTuple):
    """What came off a receivable in a month, by charge-backs, by persons, with money; below zero it came on it."""

    taken_back: int = 0
    written_off: int = 0
    paid: int = 0


def month_by_month(
    moved: Mapping[Month, tuple[int, int]], came_off: Mapping[Month, Off], *, since: Month, until: Month
) -> list[Owed]:
    """The months that moved something, of (debits, credits) by booked month; one that says what is owed where none did.

    What is not told by `came_off` was accrued.
    """
    found: list[Owed] = []
    standing = 0
    for month, (debits, credits) in sorted(moved.items()):
        if since <= month <= until:
            off = came_off.get(month, Off())
            found.append(Owed(month, standing, debits - credits + sum(off), *off))
        if month <= until:
            standing += debits - credits
    return found or ([Owed(until, standing)] if standing else [])


@dataclass(frozen=True, slots=True)
class Debt:
    """What is open of a booked month, so many months after it; of month 0: paid in advance, below zero."""

    month: Month
    accrued: int
    open: int
    age: int


def ageing(moved: Mapping[Month, tuple[int, int]], now: Month) -> list[Debt]:
    """What came off the account settles the oldest months first; those that are settled are left out."""
    paid = sum(credits for _, credits in moved.values())
    found: list[Debt] = []
    for month, (debits, _) in sorted(moved.items()):
        settled = min(debits, paid)
        paid -= settled
        if debits > settled:
            found.append(Debt(month, debits, debits - settled, max(0, months_between(month, now))))
    return [*found, Debt(0, 0, -paid, 0)] if paid else found
