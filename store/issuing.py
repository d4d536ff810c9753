"""Statements written down, with numbers that have no gap (billing.md, section 9).

Issued        a partner's statement as it is made
number_them   each gets the next number of its year
write_them    with their lines

Rule: in the transaction that closes the month: a number whose transaction is rolled back was never used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import Instant, Month
from core.statement import Line
from store import schema
from store.bulk import bulk_insert, insert_ignore
from store.month_sums import NOTE_MAX

SERIES = "statement:"
"""Before the year, in the name of a series of statements' numbers."""
_STATEMENT = (
    "number", "partner_id", "currency", "month", "opening", "movement", "closing", "young", "due", "issued_at",
    "minimum_payout", "legal_name", "tax_id", "address", "vat",
)  # fmt: skip
_LINE = (
    "statement_id", "position", "account", "kind", "short_code", "operator_id", "share", "count", "parts", "gross",
    "base", "amount", "note",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Issued:
    """A partner's statement. `number` is "" while it is only looked at."""

    partner: str
    currency: str
    opening: int
    movement: int
    closing: int
    young: int
    due: int
    minimum_payout: int
    lines: tuple[Line, ...]
    number: str = ""


def number_them(connection: Connection, statements: Sequence[Issued], month: Month) -> list[Issued]:
    """Each with the next number of its year: 2026-000017."""
    name = f"{SERIES}{month // 100}"
    insert_ignore(connection, schema.Series, ("name", "last"), [(name, 0)])
    series = schema.Series
    last = connection.execute(sa.select(series.last).where(series.name == name).with_for_update()).scalar_one()
    connection.execute(sa.update(series).where(series.name == name).values(last=last + len(statements)))
    return [replace(one, number=f"{month // 100}-{number:06d}") for number, one in enumerate(statements, last + 1)]


def write_them(
    connection: Connection, catalogue: Catalogue, statements: Sequence[Issued], month: Month, now: Instant
) -> None:
    """Each with its lines, and who its partner is at this moment; their partners are in the catalogue."""
    partner = schema.Partner
    named = {
        login: (legal_name, tax_id, address, vat)
        for login, legal_name, tax_id, address, vat in connection.execute(
            sa.select(partner.login, partner.legal_name, partner.tax_id, partner.address, partner.vat)
        )
    }
    rows = [
        (
            one.number, catalogue.partners[one.partner].id, one.currency, month, one.opening, one.movement,
            one.closing, one.young, one.due, now, one.minimum_payout, *named.get(one.partner, ("", "", "", 0)),
        )
        for one in statements
    ]  # fmt: skip
    bulk_insert(connection, schema.Statement, _STATEMENT, rows)
    table = schema.Statement
    ids = {
        number: id_ for id_, number in connection.execute(sa.select(table.id, table.number).where(table.month == month))
    }
    operators = {code: operator.id for code, operator in catalogue.operators.items()}
    bulk_insert(
        connection,
        schema.StatementLine,
        _LINE,
        [
            (
                ids[one.number], position, line.account, line.kind.value, line.short_code,
                operators.get(line.operator, 0), line.share, line.count, line.parts, line.gross, line.base, line.amount,
                line.note[:NOTE_MAX],
            )
            for one in statements
            for position, line in enumerate(one.lines, 1)
        ],
    )  # fmt: skip
