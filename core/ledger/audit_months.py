"""The audit of closed months: L11 and L12 of billing.md, section 11, after all postings have passed.

MonthTotals       what the postings moved, by account and closed month, added up as they pass
check_frozen      L11  a frozen month's totals equal those frozen
check_statements  L12  statement lines sum to the account's movement; balances go on from month to month; numbers have
                  no gap; whoever's accounts moved has a statement; below its plan's minimum nothing was due
FrozenRow, StatementRow, LineRow   rows as the store reads them

Rule: it streams. Frozen totals pass once, statements too, in the order in which they were issued; what is kept is a sum
for each account and closed month.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from core.clock import Month, month_text
from core.ledger.rows import Finding
from core.money import format_micros

Sums: TypeAlias = dict[int, tuple[int, int]]
"""Account's id → (debits, credits)."""
Place: TypeAlias = tuple[str, str]
"""(address, currency)."""
Owner: TypeAlias = tuple[str, str]
"""(partner's login, currency)."""
OPENING, CLOSING = "opening", "closing"
"""Kinds of lines that tell what stands on an account; all others move it."""
_NEVER: Month = 999_999


class FrozenRow(NamedTuple):
    """What was frozen of an account."""

    month: Month
    account_id: int
    debits: int
    credits: int


class LineRow(NamedTuple):
    """A line of a statement: of which account, of what kind."""

    account: str
    kind: str
    amount: int


class StatementRow(NamedTuple):
    """A statement with its lines. `should_be_due` is what its closing balance makes, less what is young; or nothing.

    `minimums` are those that may have held for it; none where it is not known.
    """

    number: str
    partner: str
    currency: str
    month: Month
    opening: int
    movement: int
    closing: int
    due: int
    should_be_due: int
    lines: Sequence[LineRow]
    minimum: int = 0
    minimums: Collection[int] = ()


class MonthTotals:
    """Debits and credits of every account in every month up to the last closed one."""

    def __init__(self, last_closed: Month) -> None:
        self._last = last_closed
        self.months: dict[Month, Sums] = {}

    def add(self, debit_id: int, credit_id: int, month: Month, amount: int) -> None:
        """One more posting; every one is to be added."""
        if month > self._last:
            return
        sums = self.months.setdefault(month, {})
        debits, credits = sums.get(debit_id, (0, 0))
        sums[debit_id] = (debits + amount, credits)
        debits, credits = sums.get(credit_id, (0, 0))
        sums[credit_id] = (debits, credits + amount)


def check_frozen(frozen: Iterable[FrozenRow], totals: MonthTotals, place: Callable[[int], Place]) -> Iterator[Finding]:
    """L11, after all postings have passed."""
    passed: set[tuple[Month, int]] = set()
    for month, account_id, *sums in frozen:
        passed.add((month, account_id))
        posted = totals.months.get(month, {}).get(account_id, (0, 0))
        if posted != tuple(sums):
            yield _thawed(month, account_id, place, (sums[0], sums[1]), posted)
    for month, moved in sorted(totals.months.items()):
        for account_id, posted in sorted(moved.items()):
            if (month, account_id) not in passed:
                yield _thawed(month, account_id, place, (0, 0), posted)


def _thawed(
    month: Month, account_id: int, place: Callable[[int], Place], frozen: tuple[int, int], posted: tuple[int, int]
) -> Finding:
    address, currency = place(account_id)
    words = [
        f"{side} frozen {format_micros(then)}, posted {format_micros(now)} {currency}"
        for side, then, now in zip(("debits", "credits"), frozen, posted, strict=True)
        if then != now
    ]
    sentence = f"{address} in {month_text(month)}: {'; '.join(words)}"
    return Finding("L11", "frozen_total", f"{month}/{account_id}", sentence)


def check_statements(
    statements: Iterable[StatementRow],
    totals: MonthTotals,
    accounts: Mapping[Owner, Mapping[str, int]],
    *,
    begun: Mapping[int, int],
    last_numbers: Mapping[str, int],
) -> Iterator[Finding]:
    """L12, after all postings have passed. `accounts` are partners' accounts by name, with their ids; `begun` is what
    accounts with a floor began with, `last_numbers` the last number of each year's series.
    """
    books = _Books(totals, accounts, begun)
    numbers: dict[str, int] = {}
    for row in statements:
        yield from books.turn_to(row.month)
        yield from _check_number(row.number, numbers)
        yield from books.check(row)
    yield from books.end()
    for year in sorted(numbers.keys() | last_numbers.keys()):
        last, used = last_numbers.get(year, 0), numbers.get(year, 0)
        if last != used:
            yield Finding(
                "L12", "series", year, f"it stands at {last}, the last statement of {year} has the number {used}"
            )


def _check_number(number: str, numbers: dict[str, int]) -> Iterator[Finding]:
    """`2026-000017` follows `2026-000016`."""
    year, _, place = number.partition("-")
    if not (place.isascii() and place.isdigit()):
        yield Finding("L12", "statement", number, "its number is of no series")
        return
    if int(place) != numbers.get(year, 0) + 1:
        yield Finding("L12", "statement", number, f"the number before it is {year}-{numbers.get(year, 0):06d}")
    numbers[year] = int(place)


class _Books:
    """Partners' accounts, month by month."""

    def __init__(
        self, totals: MonthTotals, accounts: Mapping[Owner, Mapping[str, int]], begun: Mapping[int, int]
    ) -> None:
        self._totals = totals
        self._accounts = accounts
        self._owners = {id_: owner for owner, own in accounts.items() for id_ in own.values()}
        self._standing = dict(begun)
        self._left = sorted(totals.months)
        self._month: Month = 0
        self._told: set[Owner] = set()

    def turn_to(self, month: Month) -> Iterator[Finding]:
        """The next statement is of this month: those before it are over."""
        if month < self._month:
            sentence = f"a statement of it was issued after those of {month_text(self._month)}"
            yield Finding("L12", "statement", month_text(month), sentence)
        if month > self._month:
            yield from self._pass_until(month)
            self._month = month
            self._told = set()

    def end(self) -> Iterator[Finding]:
        """There are no more statements."""
        yield from self._pass_until(_NEVER)

    def check(self, row: StatementRow) -> Iterator[Finding]:
        """One statement: its lines against the postings, account by account, then its own figures."""
        owner = (row.partner, row.currency)
        self._told.add(owner)
        ids = self._accounts.get(owner, {})
        for name in sorted(ids.keys() | {line.account for line in row.lines}):
            lines = [line for line in row.lines if line.account == name]
            yield from self._check_account(row, name, ids.get(name, 0), lines)
        opening, movement = self._of_account(ids.get("earnings", 0), row.month)
        should = (opening, movement, opening + movement, row.should_be_due)
        names = ("opening", "movement", "closing", "due")
        for word, told, real in zip(names, (row.opening, row.movement, row.closing, row.due), should, strict=True):
            if told != real:
                yield _untrue(row, f"{word} of earnings", told, real)
        if row.minimums and row.minimum not in row.minimums:
            held = " or ".join(format_micros(one) for one in row.minimums)
            sentence = f"{row.partner} in {month_text(row.month)}: minimum payout {format_micros(row.minimum)}"
            yield Finding("L12", "statement", row.number, f"{sentence} {row.currency}, its plan had {held}")

    def _check_account(
        self, row: StatementRow, name: str, account_id: int, lines: Sequence[LineRow]
    ) -> Iterator[Finding]:
        opening, movement = self._of_account(account_id, row.month)
        told = {OPENING: 0, CLOSING: 0, "": 0}
        for line in lines:
            told[line.kind if line.kind in told else ""] += line.amount
        for kind, word, real in (
            (OPENING, "opening", opening), ("", "lines", movement), (CLOSING, "closing", opening + movement)
        ):  # fmt: skip
            if told[kind] != real:
                yield _untrue(row, f"{word} of {name}", told[kind], real)

    def _of_account(self, account_id: int, month: Month) -> tuple[int, int]:
        """What it had when the month began, and what was posted in it: partners' accounts are liabilities."""
        debits, credits = self._totals.months.get(month, {}).get(account_id, (0, 0))
        return self._standing.get(account_id, 0), credits - debits

    def _pass_until(self, month: Month) -> Iterator[Finding]:
        """Months are over: whoever's accounts moved has had a statement; what moved is part of what stands there."""
        while self._left and self._left[0] < month:
            passed = self._left.pop(0)
            told = self._told if passed == self._month else set()
            missing: set[Owner] = set()
            for account_id, (debits, credits) in self._totals.months[passed].items():
                owner = self._owners.get(account_id)
                if owner is not None:
                    self._standing[account_id] = self._standing.get(account_id, 0) + credits - debits
                    missing |= {owner} - told
            for partner, currency in sorted(missing):
                sentence = f"{partner} has none in {currency}, and its accounts moved"
                yield Finding("L12", "statement", month_text(passed), sentence)


def _untrue(row: StatementRow, what: str, told: int, real: int) -> Finding:
    sentence = (
        f"{row.partner} in {month_text(row.month)}: {what} {format_micros(told)} {row.currency}, "
        f"the ledger has {format_micros(real)}"
    )
    return Finding("L12", "statement", row.number, sentence)
