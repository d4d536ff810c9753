"""Files that only count: so many messages of a day, a short code and a price (billing.md, section 10).

Tally    our messages counted the same way, less what is written off; `settle` takes a row's from it, `left` is what no
         row took
Bucket   what was counted of one day, short code and price

A row that counts more than we have is missing_here, with what we have of it beside; what no row counts is
missing_there. Which messages those are nobody can tell, so they are never charged back.

Rule: every message is taken once, and what was taken and what is left are together what was counted, exactly.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from core.clock import Instant
from core.settlement.amounts import Terms, payout_of, portion
from core.settlement.judging import NO_TERMS, Judgement, Ours, Rules, TermsOf
from core.settlement.reading import FileRow
from core.settlement.verdicts import Verdict

Day: TypeAlias = Instant
"""A day by its midnight in the file's zone."""


@dataclass(slots=True)
class Bucket:
    """SMS of one day, short code and price; `taken` of them by rows."""

    day: Day
    short_code: str
    price: int
    terms: Terms | None
    count: int = 0
    amount: int = 0
    revenue: int = 0
    taken: int = 0

    @property
    def left(self) -> int:
        """What no row has counted."""
        return self.count - self.taken

    def take(self, count: int) -> tuple[int, int]:
        """(amount, revenue) of so many of them."""
        amount = portion(self.amount, self.taken, count, self.count)
        revenue = portion(self.revenue, self.taken, count, self.count)
        self.taken += count
        return amount, revenue


class Tally:
    """Everything of ours that one file may count. Its size is that of days × short codes × prices."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._buckets: dict[tuple[Day, str], dict[int, Bucket]] = {}

    def add(self, day: Day, ours: Ours) -> None:
        """One message; a long one counts as its SMS."""
        if not ours.owed:
            return
        price = ours.price // ours.units
        prices = self._buckets.setdefault((day, ours.short_code), {})
        bucket = prices.get(price)
        if bucket is None:
            bucket = prices[price] = Bucket(day, ours.short_code, price, ours.terms)
        bucket.count += ours.units
        bucket.amount += ours.amount
        bucket.revenue += ours.revenue

    def write_off(self, day: Day, short_code: str, price: int, *, count: int, amount: int, revenue: int) -> int:
        """These are owed no more: another file lacked them. How many of them are not here (any more)."""
        bucket = self._buckets.get((day, short_code), {}).get(price)
        if bucket is None:
            return count
        if bucket.count <= count:
            lacking, bucket.count = count - bucket.count, 0
            return lacking
        bucket.count -= count
        bucket.amount -= amount
        bucket.revenue -= revenue
        return 0

    def settle(self, row: FileRow, day: Day) -> Judgement | None:
        """By day, short code and price; None where there are none left of that price."""
        if not row.price or not row.count:
            return None
        fits = [one for one in self._left(day, row.short_code) if self._rules.same(row.price, one.price, 1)]
        if not fits:
            return None
        return self._judge(row, min(fits, key=lambda bucket: abs(bucket.price - row.price)), Verdict.MISSING_HERE)

    def settle_anyhow(self, row: FileRow, day: Day, terms_of: TermsOf) -> Judgement:
        """By day and short code, whatever the price; what is then not found is missing here."""
        if row.count:
            left = sorted(self._left(day, row.short_code), key=lambda one: (abs(one.price - row.price), one.price))
            # One that has enough before one that is nearer in price: the fewest questions are left.
            enough = [bucket for bucket in left if bucket.left >= row.count]
            if left:
                return self._judge(row, (enough or left)[0], Verdict.PRICE_DIFFERS)
        elif not row.amount:
            return Judgement(Verdict.MATCHED)
        return self._rules.judge_alone(row, terms_of(row))

    def left(self) -> Iterator[Bucket]:
        """What no row has counted, in order."""
        for prices in sorted(self._buckets):
            yield from sorted(self._left(*prices), key=lambda bucket: bucket.price)

    def _left(self, day: Day, short_code: str) -> list[Bucket]:
        return [bucket for bucket in self._buckets.get((day, short_code), {}).values() if bucket.left]

    def _judge(self, row: FileRow, bucket: Bucket, short: Verdict) -> Judgement:
        """What the row and the bucket have in common, and what differs. `short`: the verdict when it has too few."""
        count = min(row.count, bucket.left)
        ours, revenue = bucket.take(count)
        if row.refused:
            return Judgement(Verdict.REFUSED_THERE, 0, ours, -revenue)
        if count == row.count and row.amount == ours:
            return Judgement(Verdict.MATCHED, 0, ours)
        paid = payout_of(row.amount, row.count, self._rules.amounts, bucket.terms)
        found = Judgement(
            short, 0, ours, 0 if paid is None else paid - revenue, NO_TERMS if paid is None else ""
        )  # fmt: skip
        if count < row.count:
            return found
        is_rounding = self._rules.same(row.amount, ours, row.count)
        return replace(found, verdict=Verdict.MATCHED if is_rounding else Verdict.PRICE_DIFFERS)
