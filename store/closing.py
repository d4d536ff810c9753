"""The month's end: a month is frozen for the whole system, every partner gets its statement (billing.md, section 9).

close         freezes a month in one transaction
preview       what it would freeze now, without writing
MonthClosed   what was frozen: statements, totals, what still waits

First the month's charges and details are added up beside the running service, all but the last half minute's. Then, in
one transaction that nobody can book beside (store/journal/booking.py, `hold_months`), the rest is added, the lines of
every partner are held against the postings of its accounts, and all is written. Intake waits for this transaction.

Rule: what does not add up is not frozen. A number is used by the transaction that raises its series: there is no gap.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import HOUR_MS, Instant, Month, iso_of, month_end, month_text
from core.errors import UserMistake
from core.ids import first_id_at
from core.ledger.accounts import NoSuchAccount, balance, kind_of
from core.money import format_micros
from core.statement import (
    ACCOUNTS,
    Line,
    LineKind,
    Lines,
    Owner,
    add_lines,
    due,
    in_order,
    movements,
    place_of,
    young_of,
)
from core.statement_terms import PayoutTerms, payout_terms
from store import schema
from store.bulk import bulk_insert
from store.database import Database
from store.desk import Desk
from store.folding import SETTLED_MS, Sums, last_folded, read_sums
from store.issuing import Issued, number_them, write_them
from store.journal.booking import MONTHS, hold_months
from store.month_sums import NO_END, MonthSums, first_entry, read_month
from store.pulse import BEAT_MS
from store.waiting import Waiting, read_waiting


class ClosingRefused(UserMistake):
    """The month cannot be closed; nothing was written."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What an account had at the month's start, and what was booked on it in the month."""

    account_id: int
    address: str
    currency: str
    opening: int
    debits: int
    credits: int

    @property
    def movement(self) -> int:
        """On the account's normal side."""
        return balance(kind_of(self.address), self.debits, self.credits)

    @property
    def closing(self) -> int:
        """What it has at the month's end."""
        return self.opening + self.movement


@dataclass(frozen=True, slots=True)
class MonthClosed:
    """What was frozen, or would be."""

    month: Month
    statements: list[Issued]
    accounts: list[Moved]
    waiting: list[Waiting]


@dataclass(slots=True)
class _Gathered:
    """What is read beside the service: what was booked before the entry `until`; and the months before, which stay."""

    month: Month
    cuts: tuple[Instant, ...]
    terms: dict[Owner, PayoutTerms]
    until: int
    lines: Lines = field(default_factory=dict)
    young: dict[Owner, int] = field(default_factory=dict)
    frozen: Sums = field(default_factory=dict)
    begun: dict[int, int] = field(default_factory=dict)
    """What accounts with a floor began with."""

    def add(self, sums: MonthSums) -> None:
        """Some more charges and details."""
        add_lines(sums.charges, sums.details, self.month, self.lines)
        ages = {owner: self.cuts.index(one.old_until) + 1 for owner, one in self.terms.items() if one.hold_days}
        for owner, amount in young_of(sums.charges, sums.details, ages).items():
            self.young[owner] = self.young.get(owner, 0) + amount

    def copy(self) -> "_Gathered":
        """The same, to be added to."""
        lines = {owner: {**own} for owner, own in self.lines.items()}
        return replace(self, lines=lines, young={**self.young})


class _Breath:
    """Shows that this desk lives, while it reads for long: others would take it for dead."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shown_ms = desk.clock.monotonic_ms()

    def __call__(self) -> None:
        now_ms = self._desk.clock.monotonic_ms()
        if now_ms - self._shown_ms >= BEAT_MS:
            self._shown_ms = now_ms
            self._desk.run(lambda _: None)


class _Unequal(Exception):
    """Lines that do not sum to what was posted."""


# --- closing -------------------------------------------------------------------------------------------------


def close(desk: Desk, month: Month, author: str) -> MonthClosed:
    """Freeze a month. Raises ClosingRefused, StoreAway; then nothing was written."""
    catalogue = desk.catalogue()
    _refuse_early(catalogue, month, desk.now())

    def look(since: int, late_ms: int) -> MonthClosed:
        with desk.database.read() as connection:
            _refuse_order(connection, month, _last_closed(connection))
            until = first_id_at(desk.now() - late_ms)
            gathered = _gather(connection, catalogue, month, since=since, until=until, breathe=_Breath(desk))
        return desk.run(lambda connection: _close(connection, catalogue, gathered, desk.now(), author))

    return _looked(catalogue, month, look)


def preview(database: Database, catalogue: Catalogue, month: Month, now: Instant) -> MonthClosed:
    """What `close` would freeze now. Raises ClosingRefused, StoreAway."""
    _refuse_early(catalogue, month, now)

    def look(since: int, _: int) -> MonthClosed:
        with database.read() as connection:
            _refuse_order(connection, month, _last_closed(connection))
            gathered = _gather(connection, catalogue, month, since=since, until=NO_END)
            return _judge(connection, catalogue, gathered)

    return _looked(catalogue, month, look)


def _looked(catalogue: Catalogue, month: Month, look: Callable[[int, int], MonthClosed]) -> MonthClosed:
    """Once, or twice: the second look takes everything from the beginning, and the last hour under the lock. It is for
    clocks that differ, and for what a person did that took longer than a batch may.
    """
    try:
        return look(first_entry(month, _cuts(_terms(catalogue, month))), SETTLED_MS)
    except _Unequal:
        pass
    try:
        return look(0, HOUR_MS)
    except _Unequal as error:
        raise ClosingRefused(
            f"the books of {month_text(month)} do not add up: {error}; run: tollbridge check"
        ) from error


def _close(connection: Connection, catalogue: Catalogue, gathered: _Gathered, now: Instant, author: str) -> MonthClosed:
    """All of it, while nobody books."""
    month = gathered.month
    _refuse_order(connection, month, hold_months(connection))
    # Nothing is folded meanwhile: what is read of the sums and of the postings since belongs together.
    connection.execute(sa.select(schema.Folding.posting_id).where(schema.Folding.id == 1).with_for_update())
    late = MonthSums(month, gathered.cuts)
    read_month(connection, late, catalogue, since=gathered.until, until=NO_END)
    whole = gathered.copy()
    whole.add(late)
    found = _judge(connection, catalogue, whole)
    frozen = {"month": month, "closed_at": now, "author": author}
    connection.execute(sa.insert(schema.ClosedMonth).values(**frozen))
    connection.execute(sa.update(schema.Series).where(schema.Series.name == MONTHS).values(last=month))
    moved = [(month, one.account_id, one.debits, one.credits) for one in found.accounts if one.debits or one.credits]
    bulk_insert(connection, schema.FrozenTotal, ("month", "account_id", "debits", "credits"), moved)
    numbered = number_them(connection, found.statements, month)
    write_them(connection, catalogue, numbered, month, now)
    return replace(found, statements=numbered)


# --- what is refused -----------------------------------------------------------------------------------------


def _refuse_early(catalogue: Catalogue, month: Month, now: Instant) -> None:
    """A month that is not over in every zone that a plan uses."""
    zones = {version.time_zone for plan in catalogue.plans.values() for version in plan.versions} | {"UTC"}
    last = max(zones, key=lambda zone: month_end(month, zone))
    if now < month_end(month, last):
        raise ClosingRefused(
            f"{month_text(month)} is not over in {last}; close it from {iso_of(month_end(month, last))} on"
        )


def _refuse_order(connection: Connection, month: Month, last: Month) -> None:
    """One that is closed, or that an earlier one stands before which is not."""
    if month <= last:
        table = schema.ClosedMonth
        row = connection.execute(sa.select(table.closed_at, table.author).where(table.month == month)).first()
        if row is not None:
            by = f" by {row.author}" if row.author else ""
            raise ClosingRefused(f"{month_text(month)} was closed{by} at {iso_of(row.closed_at)}; that is for ever")
        raise ClosingRefused(f"{month_text(month)} lies before {month_text(last)}, which is closed; nothing was booked")
    folded, posting = schema.FoldedSum, schema.Posting
    between = [
        connection.execute(sa.select(sa.func.min(column)).where(column > last, column < month, *more)).scalar()
        for column, more in ((folded.month, ()), (posting.month, (posting.id > last_folded(connection),)))
    ]
    open_ = [one for one in between if one is not None]
    if open_:
        raise ClosingRefused(f"{month_text(min(open_))} is still open; close it first, months close in order")


def _refuse_account(catalogue: Catalogue, address: str, currency: str) -> None:
    """One that is nobody's: no statement could be made of it."""
    try:
        kind_of(address)
    except NoSuchAccount as error:
        why = "it is not in the chart of accounts; correct its address in the table account"
        raise ClosingRefused(f"there is an account {address[:120]!r}, and {why}; see: tollbridge check") from error
    place = place_of(address)
    if place is not None and place[0] not in catalogue.partners:
        raise ClosingRefused(
            f"there is an account {address} {currency}, and no partner {place[0]!r}; load a partner of this login, "
            "move the amount where it belongs (tollbridge act adjust), and close it then"
        )


def _last_closed(connection: Connection) -> Month:
    return connection.execute(sa.select(sa.func.max(schema.ClosedMonth.month))).scalar() or 0


# --- what is read --------------------------------------------------------------------------------------------


def _terms(catalogue: Catalogue, month: Month) -> dict[Owner, PayoutTerms]:
    """Of all partners, in the currencies of their plans."""
    return {
        (login, assigned.currency): payout_terms(catalogue, login, assigned.currency, month)
        for login, partner in catalogue.partners.items()
        for assigned in partner.plans
    }


def _cuts(terms: Mapping[Owner, PayoutTerms]) -> tuple[Instant, ...]:
    """The moments from which on messages are too young to be paid; rising."""
    return tuple(sorted({one.old_until for one in terms.values() if one.hold_days}))


def _gather(
    connection: Connection,
    catalogue: Catalogue,
    month: Month,
    *,
    since: int,
    until: int,
    breathe: Callable[[], None] = lambda: None,
) -> _Gathered:
    terms = _terms(catalogue, month)
    found = _Gathered(month, _cuts(terms), terms, until)
    sums = MonthSums(month, found.cuts)
    read_month(connection, sums, catalogue, since=since, until=until, breathe=breathe)
    found.add(sums)
    frozen = schema.FrozenTotal
    query = sa.select(frozen.account_id, sa.func.sum(frozen.debits), sa.func.sum(frozen.credits))
    rows = connection.execute(query.group_by(frozen.account_id))
    found.frozen = {account_id: (int(debits), int(credits)) for account_id, debits, credits in rows}
    begun = sa.select(schema.Balance.account_id, schema.Balance.opening).where(schema.Balance.opening != 0)
    found.begun = {account_id: opening for account_id, opening in connection.execute(begun)}
    return found


def _judge(connection: Connection, catalogue: Catalogue, gathered: _Gathered) -> MonthClosed:
    """Statements and totals, on a picture that holds still. Raises ClosingRefused, _Unequal."""
    month = gathered.month
    moved = read_sums(connection, month=month)
    accounts = []
    for account_id, address, currency in connection.execute(
        sa.select(schema.Account.id, schema.Account.address, schema.Account.currency).order_by(
            schema.Account.address, schema.Account.currency
        )
    ):
        _refuse_account(catalogue, address, currency)
        opening = balance(kind_of(address), *gathered.frozen.get(account_id, (0, 0)))
        opening += gathered.begun.get(account_id, 0)
        accounts.append(Moved(account_id, address, currency, opening, *moved.get(account_id, (0, 0))))
    statements = _statements(gathered, accounts)
    return MonthClosed(month, statements, accounts, read_waiting(connection, accounts, month))


def _statements(gathered: _Gathered, accounts: Sequence[Moved]) -> list[Issued]:
    """Of every partner and currency that something was booked for, or is due to. Raises _Unequal."""
    lines = in_order(gathered.lines)
    own: dict[Owner, dict[str, Moved]] = {}
    for account in accounts:
        place = place_of(account.address)
        if place is not None:
            own.setdefault((place[0], account.currency), {})[place[1]] = account
    issued = []
    for owner in sorted(own.keys() | lines.keys()):
        told, moved = lines.get(owner, []), own.get(owner, {})
        _compare(owner, told, moved)
        minimum = gathered.terms.get(owner, PayoutTerms()).minimum_payout
        one = _issue(owner, told, moved, gathered.young.get(owner, 0), minimum)
        if one.due or any(account.debits or account.credits for account in moved.values()):
            issued.append(one)
    return issued


def _compare(owner: Owner, lines: Sequence[Line], moved: Mapping[str, Moved]) -> None:
    """Lines against postings, account by account."""
    told = movements(lines)
    for account in ACCOUNTS:
        posted = moved[account].movement if account in moved else 0
        if told.get(account, 0) != posted:
            raise _Unequal(
                f"partner:{owner[0]}:{account} moved {format_micros(posted)} {owner[1]} by its postings, "
                f"{format_micros(told.get(account, 0))} by charges and details"
            )


def _issue(owner: Owner, lines: Sequence[Line], moved: Mapping[str, Moved], young: int, minimum_payout: int) -> Issued:
    """The lines of each account between what it began and what it ended with."""
    partner, currency = owner
    told = []
    for account, one in sorted(moved.items(), key=lambda pair: ACCOUNTS.index(pair[0])):
        own = [line for line in lines if line.account == account]
        if own or one.opening:
            told.append(Line(account, LineKind.OPENING, amount=one.opening))
            told += own
            told.append(Line(account, LineKind.CLOSING, amount=one.closing))
    earnings = moved.get("earnings")
    opening, movement = (earnings.opening, earnings.movement) if earnings else (0, 0)
    closing = opening + movement
    payable = due(closing, young, minimum_payout, currency)
    return Issued(partner, currency, opening, movement, closing, max(young, 0), payable, minimum_payout, tuple(told))
