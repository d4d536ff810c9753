"""Statements as they were issued (billing.md, section 9).

Statement         one, without its lines;  Stated, with them
list_statements   those of a partner, of a month, or all; the newest first
read_statement    one by its number
read_month        all of a month, one by one

Rule: reads only. What was issued never changes, so what is shown of it is the same every time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.clock import Instant, Month
from core.statement import Line, LineKind
from store import schema
from store.pages import Query


@dataclass(frozen=True, slots=True)
class Statement:
    """A partner's month in one currency; amounts in micros."""

    number: str
    partner: str
    currency: str
    month: Month
    opening: int
    movement: int
    closing: int
    young: int
    due: int
    issued_at: Instant
    legal_name: str = ""
    """Who the partner was when it was issued; "" where that was not said."""
    tax_id: str = ""
    address: str = ""
    vat: int = 0
    """The partner's own rate, in millionths; 0: it pays no VAT, or nobody said that it does."""

    @property
    def title(self) -> str:
        """The partner's name on papers."""
        return self.legal_name or self.partner


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement with its lines, and what the operators in them are called."""

    statement: Statement
    lines: tuple[Line, ...]
    operators: dict[str, str]


def list_statements(
    connection: Connection, *, partner: str = "", month: Month = 0, limit: int = 1000
) -> list[Statement]:
    """The newest first."""
    query = _query().order_by(schema.Statement.id.desc()).limit(limit)
    if partner:
        query = query.where(schema.Partner.login == partner)
    if month:
        query = query.where(schema.Statement.month == month)
    return [_statement(row) for row in connection.execute(query)]


def read_statement(connection: Connection, number: str) -> Stated | None:
    """One of them, or None."""
    row = connection.execute(_query().where(schema.Statement.number == number)).first()
    return None if row is None else _stated(connection, row, _operators(connection))


def read_month(connection: Connection, month: Month) -> Iterator[Stated]:
    """All of a month, in the order of their numbers; their lines are read one by one."""
    operators = _operators(connection)
    query = _query().where(schema.Statement.month == month).order_by(schema.Statement.id)
    for row in connection.execute(query).all():
        yield _stated(connection, row, operators)


def _query() -> Query:
    table, partner = schema.Statement, schema.Partner
    named = {"partner": sa.func.coalesce(partner.login, "")}
    columns = [named.get(one.name, getattr(table, one.name, None)) for one in fields(Statement)]
    return sa.select(table.id, *columns).outerjoin(partner, partner.id == table.partner_id)


def _statement(row: Any) -> Statement:
    return Statement(*row[1:])


def _operators(connection: Connection) -> dict[int, tuple[str, str]]:
    """Codes and names by id."""
    table = schema.Operator
    return {id_: (code, name) for id_, code, name in connection.execute(sa.select(table.id, table.code, table.name))}


def _stated(connection: Connection, row: Any, operators: dict[int, tuple[str, str]]) -> Stated:
    table = schema.StatementLine
    query = sa.select(
        table.account, table.kind, table.short_code, table.operator_id, table.share, table.count, table.parts,
        table.gross, table.base, table.amount, table.note,
    )  # fmt: skip
    query = query.where(table.statement_id == row[0]).order_by(table.position)
    lines = tuple(
        Line(account, LineKind(kind), short_code, operators.get(operator_id, ("", ""))[0], *rest)
        for account, kind, short_code, operator_id, *rest in connection.execute(query)
    )
    codes = {line.operator for line in lines}
    return Stated(_statement(row), lines, {code: name for code, name in operators.values() if code in codes})
