"""Folded sums: what the postings moved on each account, by booked month, so that a balance reads few of them
(billing.md, section 4).

fold_some    the next postings are added to the sums: one transaction, in the background
read_sums    debits and credits of accounts: the folded sums and the postings since; read_months, by booked month
FoldedCheck  the sums held against the postings, for `tollbridge check`

Nothing of it is on the way of a message: a batch writes its postings and no sum, so batches of several processes do not
wait for each other at the account of our margin. Postings never change, so what is folded stays true.

Rule: a posting is folded once it is certain that none with a smaller number can still appear. Numbers are given before
the commit, so only those are folded that are older than SETTLED_MS, and under a lock that a row not yet committed
refuses.
"""

from collections.abc import Callable, Collection, Iterator
from itertools import takewhile
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import InstrumentedAttribute

from core.clock import SECOND_MS, Instant, Month, month_text
from core.ids import instant_of_id
from core.ledger.rows import Finding
from core.money import format_micros
from store.bulk import bulk_upsert
from store.database import Database
from store.pages import pages
from store.schema import FoldedSum, Folding, Posting

FOLD_MAX = 1_000
"""Postings in one transaction: a few milliseconds."""
SETTLED_MS = 30 * SECOND_MS

Sums: TypeAlias = dict[int, tuple[int, int]]
"""Account's id → (debits, credits)."""
Moved: TypeAlias = dict[tuple[int, Month], tuple[int, int]]
"""The same, by account and booked month."""
_COLUMNS = ("account_id", "month", "debits", "credits")


def fold_some(database: Database, now: Instant, most: int = FOLD_MAX) -> bool:
    """Fold up to `most` postings; whether there are more to fold. Raises StoreAway."""
    with database.write() as connection:
        # One that another process folds at this moment is skipped.
        place = sa.select(Folding.posting_id).where(Folding.id == 1).with_for_update(skip_locked=True)
        done = connection.execute(place).scalar()
        if done is None:
            return False
        query = sa.select(Posting.id, Posting.entry_id).where(Posting.id > done).order_by(Posting.id).limit(most)
        found = connection.execute(query).all()
        settled = list(takewhile(lambda row: instant_of_id(row.entry_id) <= now - SETTLED_MS, found))
        if not settled:
            return False
        _fold(connection, done, settled[-1].id)
        return len(settled) == most


def _fold(connection: Connection, done: int, last: int) -> None:
    """Add the postings behind `done` up to `last` to the sums."""
    moved: Moved = {}
    for side in (Posting.debit_id, Posting.credit_id):
        query = (
            sa.select(side, Posting.month, sa.func.sum(Posting.amount))
            .where(Posting.id > done, Posting.id <= last)
            .group_by(side, Posting.month)
            .with_for_update(read=True, nowait=True)
        )
        for account_id, month, amount in connection.execute(query):
            # MariaDB sums integers as decimals.
            _add(moved, (account_id, month), side, int(amount))
    accounts, months = {account_id for account_id, _ in moved}, {month for _, month in moved}
    before = sa.select(FoldedSum.account_id, FoldedSum.month, FoldedSum.debits, FoldedSum.credits).where(
        FoldedSum.account_id.in_(accounts), FoldedSum.month.in_(months)
    )
    for account_id, month, debits, credits in connection.execute(before):
        if (place := (account_id, month)) in moved:
            moved[place] = (moved[place][0] + debits, moved[place][1] + credits)
    rows = [(*place, *sums) for place, sums in sorted(moved.items())]
    bulk_upsert(connection, FoldedSum, _COLUMNS, rows, update=_COLUMNS[2:])
    connection.execute(sa.update(Folding).where(Folding.id == 1).values(posting_id=last))


def _add(sums: Moved, place: tuple[int, Month], side: InstrumentedAttribute[int], amount: int) -> None:
    debits, credits = sums.get(place, (0, 0))
    sums[place] = (debits + amount, credits) if side is Posting.debit_id else (debits, credits + amount)


def read_sums(
    connection: Connection, accounts: Collection[int] | None = None, month: Month = 0, *, until: Month = 0
) -> Sums:
    """Debits and credits of some accounts, or of all that moved; with `month`, of what was booked in that one, with
    `until` of what was booked in that one and all before.

    Two looks of one picture: inside Database.read().
    """
    if accounts is not None and not accounts:
        return {}
    done = last_folded(connection)
    folded = sa.select(FoldedSum.account_id, sa.func.sum(FoldedSum.debits), sa.func.sum(FoldedSum.credits))
    if accounts is not None:
        folded = folded.where(FoldedSum.account_id.in_(accounts))
    folded = folded.where(*_booked(FoldedSum.month, month, until))
    rows = connection.execute(folded.group_by(FoldedSum.account_id))
    sums = {account_id: (int(debits), int(credits)) for account_id, debits, credits in rows}
    for account_id, amount in _since(connection, done, Posting.debit_id, accounts, month, until):
        debits, credits = sums.get(account_id, (0, 0))
        sums[account_id] = debits + amount, credits
    for account_id, amount in _since(connection, done, Posting.credit_id, accounts, month, until):
        debits, credits = sums.get(account_id, (0, 0))
        sums[account_id] = debits, credits + amount
    return sums


def read_months(connection: Connection, accounts: Collection[int]) -> Moved:
    """Debits and credits of some accounts by booked month. Two looks of one picture: inside Database.read()."""
    if not accounts:
        return {}
    done = last_folded(connection)
    key = (FoldedSum.account_id, FoldedSum.month)
    folded = sa.select(*key, FoldedSum.debits, FoldedSum.credits).where(FoldedSum.account_id.in_(accounts))
    moved = {(row.account_id, row.month): (row.debits, row.credits) for row in connection.execute(folded)}
    for side in (Posting.debit_id, Posting.credit_id):
        since = sa.select(side, Posting.month, sa.func.sum(Posting.amount)).where(Posting.id > done, side.in_(accounts))
        for account_id, month, amount in connection.execute(since.group_by(side, Posting.month)):
            _add(moved, (account_id, month), side, int(amount))
    return moved


def last_folded(connection: Connection) -> int:
    """The last posting that the sums hold."""
    return connection.execute(sa.select(Folding.posting_id).where(Folding.id == 1)).scalar_one()


def _booked(column: InstrumentedAttribute[Month], month: Month, until: Month) -> Iterator[sa.ColumnElement[bool]]:
    if month:
        yield column == month
    if until:
        yield column <= until


def _since(  # noqa: PLR0917
    connection: Connection, done: int, side: InstrumentedAttribute[int], accounts: Collection[int] | None, month: Month,
    until: Month,
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """The postings behind the last folded one, summed by the account on one side."""
    query = sa.select(side, sa.func.sum(Posting.amount)).where(Posting.id > done).group_by(side)
    if accounts is not None:
        query = query.where(side.in_(accounts))
    for account_id, amount in connection.execute(query.where(*_booked(Posting.month, month, until))):
        yield account_id, int(amount)


class FoldedCheck:
    """The folded sums made again from the postings, one by one."""

    def __init__(self, connection: Connection) -> None:
        self._last = last_folded(connection)
        self._sums: Moved = {}

    def add(self, posting_id: int, debit_id: int, credit_id: int, month: Month, amount: int) -> None:
        """One more posting; every one is to be added."""
        if posting_id <= self._last:
            _add(self._sums, (debit_id, month), Posting.debit_id, amount)
            _add(self._sums, (credit_id, month), Posting.credit_id, amount)

    def findings(self, connection: Connection, addresses: Callable[[int], str]) -> Iterator[Finding]:
        """Sums that differ, on one side only or on both. On the picture that the postings were read from."""
        key = (FoldedSum.account_id, FoldedSum.month)
        for account_id, month, debits, credits in pages(
            connection, sa.select(*key, FoldedSum.debits, FoldedSum.credits), key
        ):
            should = self._sums.pop((account_id, month), (0, 0))
            if should != (debits, credits):
                yield _differs(addresses(account_id), account_id, month, (debits, credits), should)
        for (account_id, month), should in sorted(self._sums.items()):
            yield _differs(addresses(account_id), account_id, month, (0, 0), should)


def _differs(address: str, account_id: int, month: Month, folded: tuple[int, int], should: tuple[int, int]) -> Finding:
    words = [
        f"{side} {format_micros(is_now)}, its postings sum to {format_micros(sum_)}"
        for side, is_now, sum_ in zip(("debits", "credits"), folded, should)
        if is_now != sum_
    ]
    sentence = f"{address} in {month_text(month)}: {'; '.join(words)}"
    return Finding("folded", "folded_sum", f"{account_id}/{month}", sentence)
