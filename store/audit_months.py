"""What the audit reads of closed months: frozen totals, statements with their lines (billing.md, sections 9 and 11).

MonthsCheck   is shown every posting, then gives the findings of L11 and of L12

Rule: it reads and never writes, on the picture that the postings were read from.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Month, month_text
from core.ledger.audit_months import (
    FrozenRow,
    LineRow,
    MonthTotals,
    Owner,
    Place,
    StatementRow,
    check_frozen,
    check_statements,
)
from core.ledger.rows import Finding
from core.statement import EARNED_LINES, due, place_of
from core.statement_terms import payout_terms
from store import schema
from store.issuing import SERIES
from store.journal.booking import MONTHS
from store.pages import pages

_EARNED = frozenset(kind.value for kind in EARNED_LINES)
"""As they are stored."""


class MonthsCheck:
    """Closed months against the postings."""

    def __init__(self, connection: Connection, catalogue: Catalogue) -> None:
        self._connection = connection
        self._catalogue = catalogue
        closed = schema.ClosedMonth
        self._last: Month = connection.execute(sa.select(sa.func.max(closed.month))).scalar() or 0
        self._totals = MonthTotals(self._last)
        self.add = self._totals.add

    def frozen(self, place: Callable[[int], Place]) -> Iterator[Finding]:
        """L11; and that who books knows of the last closed month."""
        series = schema.Series
        known = self._connection.execute(sa.select(series.last).where(series.name == MONTHS)).scalar() or 0
        if known != self._last and (known or self._last):
            sentence = (
                f"the last closed month is {month_text(self._last)}, but books are open after {month_text(known)}"
            )
            yield Finding("L11", "series", MONTHS, sentence)
        table = schema.FrozenTotal
        key = (table.month, table.account_id)
        rows = pages(self._connection, sa.select(*key, table.debits, table.credits), key)
        yield from check_frozen((FrozenRow(*row) for row in rows), self._totals, place)

    def statements(self, places: Mapping[int, Place]) -> Iterator[Finding]:
        """L12; `places` are all accounts."""
        accounts: dict[Owner, dict[str, int]] = {}
        for account_id, (address, currency) in places.items():
            if (stated := place_of(address)) is not None:
                accounts.setdefault((stated[0], currency), {})[stated[1]] = account_id
        balance, series = schema.Balance, schema.Series
        begun = self._connection.execute(sa.select(balance.account_id, balance.opening).where(balance.opening != 0))
        last = self._connection.execute(sa.select(series.name, series.last).where(series.name.like(f"{SERIES}%")))
        return check_statements(
            self._rows(),
            self._totals,
            accounts,
            begun={account_id: opening for account_id, opening in begun},
            last_numbers={name.removeprefix(SERIES): number for name, number in last},
        )

    def _rows(self) -> Iterator[StatementRow]:
        """Statements in the order of their issue, each with its lines."""
        table = schema.Statement
        logins = {partner.id: partner.login for partner in self._catalogue.partners.values()}
        lines = self._lines()
        id_, own = next(lines, (0, []))
        for row in pages(self._connection, sa.select(table.__table__), (table.id,)):
            partner = logins.get(row.partner_id, f"#{row.partner_id}")
            while id_ and id_ < row.id:
                id_, own = next(lines, (0, []))
            told = own if id_ == row.id else []
            minimum = self._minimum_of(row, partner)
            yield StatementRow(
                row.number, partner, row.currency, row.month, row.opening, row.movement, row.closing, row.due,
                due(row.closing, row.young, minimum, row.currency), told, minimum,
                self._may_have_held(row, partner, told),
            )  # fmt: skip

    def _minimum_of(self, row: Any, partner: str) -> int:
        """Below which nothing was due."""
        if row.minimum_payout is not None:
            return int(row.minimum_payout)
        # Issued before it was kept. What was due reached it; where nothing was, the versions that held then have it.
        if row.due or partner not in self._catalogue.partners:
            return 0
        return payout_terms(self._catalogue, partner, row.currency, row.month).minimum_payout

    def _may_have_held(self, row: Any, partner: str, lines: Sequence[LineRow]) -> tuple[int, ...]:
        """The minimums that may have been kept. No version begins in a month that is closed, but one from ever may be
        loaded after it, where nothing held by then: nothing was earned by it, and it was closed with no minimum.
        """
        if row.minimum_payout is None or partner not in self._catalogue.partners:
            return ()
        terms = payout_terms(self._catalogue, partner, row.currency, row.month)
        may_be_later = terms.from_ever and not any(line.kind in _EARNED for line in lines)
        return (terms.minimum_payout, 0) if may_be_later else (terms.minimum_payout,)

    def _lines(self) -> Iterator[tuple[int, list[LineRow]]]:
        table = schema.StatementLine
        query = sa.select(table.statement_id, table.id, table.account, table.kind, table.amount)
        rows = pages(self._connection, query, (table.statement_id, table.id))
        for statement_id, some in groupby(rows, key=lambda row: row.statement_id):
            yield statement_id, [LineRow(row.account, row.kind, row.amount) for row in some]
