"""A row of an operator's file and the message that it is about → its verdict, and what accepting it would move.

Ours        a message of ours, on the file's footing; `slices` are its SMS, where the operator lists each of them
Rules       how amounts are compared: their bases, what is rounding
Judgement   a verdict, with the message, our amount for it, and `due`

`due` is what accepting the row does to what the operator owes us: below zero it is charged back or written off, above
zero it is found.

Rule: what agrees on the file's own footing moves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from core.clock import MINUTE_MS, Instant
from core.settlement.amounts import Basis, Terms, payout_of, portion
from core.settlement.columns import ColumnMap
from core.settlement.reading import FileRow
from core.settlement.verdicts import Verdict

WINDOW_MS = 5 * MINUTE_MS
NO_TERMS = "no tariff of this operator and short code at that time says what it pays for this; load one, match again"
WAITING = "our message waits for a tariff: load the tariff, so that it is charged, then match again"
NO_RECEIPT = "our message waits for its receipt, and is charged when that says it was delivered; then match again"

TermsOf: TypeAlias = Callable[[FileRow], Terms | None]
"""The operator's terms at the time of a row that has no message of ours."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A message of ours. `units`: the SMS that the operator may list it by. Nothing `owed`: its amounts are 0."""

    id: int
    keys: tuple[str, ...]
    """The operator's ids of it: one, or one for each SMS."""
    number: str
    short_code: str
    at: Instant
    units: int
    price: int
    amount: int
    revenue: int
    terms: Terms | None = None
    owed: bool = True
    problem: str = ""
    """Why a row about it cannot be accepted."""
    is_slice: bool = False

    def slices(self) -> list["Ours"]:
        """Each of its SMS as one of its own; together they are the whole, to the last micro."""
        n = self.units
        return [
            replace(
                self, units=1, is_slice=True, price=portion(self.price, i, 1, n),
                amount=portion(self.amount, i, 1, n), revenue=portion(self.revenue, i, 1, n),
            )
            for i in range(n)
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found of a row. `ours` is our amount on the file's footing; `mo_id` 0: no message."""

    verdict: Verdict
    mo_id: int = 0
    ours: int = 0
    due: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """How rows of one file are compared with ours."""

    amounts: Basis
    prices: Basis
    tolerance: int = 0
    window_ms: int = WINDOW_MS

    @classmethod
    def of(cls, columns: ColumnMap) -> "Rules":
        """Those of a map."""
        return cls(columns.amount_basis, columns.price_basis, columns.tolerance)

    def same(self, theirs: int, ours: int, count: int) -> bool:
        """Equal, but for what the operator rounds."""
        return abs(theirs - ours) <= self.tolerance * max(count, 1)

    def judge(self, row: FileRow, ours: Ours) -> Judgement:
        """A row that is about this message, or this slice of one."""
        if row.refused:
            return Judgement(Verdict.REFUSED_THERE, ours.id, ours.amount, -ours.revenue, ours.problem)
        if not ours.owed:
            return replace(self.judge_alone(row, ours.terms), mo_id=ours.id, problem=ours.problem)
        if row.amount == ours.amount:
            return Judgement(Verdict.MATCHED, ours.id, ours.amount)
        paid = payout_of(row.amount, row.count, self.amounts, ours.terms)
        due = 0 if paid is None else paid - ours.revenue
        verdict = Verdict.MATCHED if self.same(row.amount, ours.amount, row.count) else Verdict.PRICE_DIFFERS
        return Judgement(verdict, ours.id, ours.amount, due, NO_TERMS if paid is None else ours.problem)

    def judge_alone(self, row: FileRow, terms: Terms | None) -> Judgement:
        """A row that is about no message of ours."""
        if row.refused:
            return Judgement(Verdict.REFUSED_THERE)
        paid = payout_of(row.amount, row.count, self.amounts, terms)
        return Judgement(Verdict.MISSING_HERE, due=paid or 0, problem=NO_TERMS if paid is None else "")


def asked(row: FileRow) -> int:
    """The whole price that a row names, to be found by."""
    return row.price * row.count if row.price else row.amount
