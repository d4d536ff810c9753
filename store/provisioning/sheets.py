"""The catalogue's rows in memory: as they are in the database, then as they shall be, then written.

Sheet     the rows of one table by natural key, and what was added, changed and dropped
Stored    all sheets, as far as a document may touch or name them; `read_stored` reads them, `write_stored` writes them

A new row has a negative id until it is written; rows that refer to it hold that number too and are translated then.
So ids are given by the database only, and one that a message once named never comes again.

Prefixes may be a million, and each process that knows the catalogue reads only what changed: so their rows bear the
version that wrote them, and those that go are listed (store/snapshot.py).

Rule: a few statements per table, however many elements; nobody else writes these tables.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sqlalchemy as sa

from router.fold import look
from store.bulk import bulk_insert, bulk_update
from store.provisioning.elements import Document
from store.schema import (
    Base,
    Blacklist,
    Limit,
    Link,
    Operator,
    OutgoingCost,
    Partner,
    PartnerPlan,
    PayoutTarget,
    PlanVersion,
    Prefix,
    PrefixGone,
    ReferralTerms,
    Service,
    ShortCode,
    Tariff,
    TariffPlan,
    UssdMenu,
    VatRate,
)

Key: TypeAlias = tuple[Any, ...]
Row: TypeAlias = dict[str, Any]

_CHUNK = 500
_GONE = ("prefix_id", "version")


@dataclass
class Sheet:
    """One table. `key` names the columns of the natural key."""

    table: type[Base]
    key: tuple[str, ...]
    rows: dict[Key, Row] = field(default_factory=dict)
    added: list[Row] = field(default_factory=list)
    changed: dict[int, Row] = field(default_factory=dict)
    dropped: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.columns = tuple(column.name for column in self.table.__table__.columns)
        assert self.columns[0] == "id", self.table
        self._has_versions = self.key[-1] == "valid_from"
        self._versions: dict[Key, dict[int, Row]] = {}
        self._numbers = itertools.count(-1, -1)

    def add(self, values: Row) -> Row:
        """A new row; its id is negative until it is written."""
        row = {"id": next(self._numbers), **values}
        self.added.append(row)
        self._keep(tuple(row[name] for name in self.key), row)
        return row

    def versions(self, *parent: int) -> dict[int, Row]:
        """The versions of one thing by their beginning."""
        assert self._has_versions, self.table
        return dict(self._versions.get(parent, {}))

    def number(self, name: str) -> int:
        """The id of what has this natural key of one word."""
        number: int = self.rows[(name,)]["id"]
        return number

    def _keep(self, key: Key, row: Row) -> None:
        self.rows[key] = row
        if self._has_versions:
            self._versions.setdefault(key[:-1], {})[key[-1]] = row

    def change(self, row: Row, values: Row) -> None:
        """New values for a row, none of them of its key."""
        row.update(values)
        if row["id"] > 0:
            self.changed[row["id"]] = row

    def drop(self, key: Key) -> None:
        """Take a row away."""
        row = self.rows.pop(key)
        if self._has_versions:
            del self._versions[key[:-1]][key[-1]]
        if row["id"] > 0:
            self.changed.pop(row["id"], None)
            self.dropped.append(row["id"])
        else:
            self.added.remove(row)

    def read(self, connection: sa.Connection, where: sa.ColumnElement[bool] | None = None) -> None:
        """Rows of the database into the sheet."""
        statement = sa.select(*self.table.__table__.columns)
        if where is not None:
            statement = statement.where(where)
        names = self.columns
        places = [names.index(name) for name in self.key]
        for values in connection.execute(statement):
            self._keep(tuple(values[place] for place in places), dict(zip(names, values)))

    def read_where_in(
        self, connection: sa.Connection, column: str, values: Iterable[Any], *also: sa.ColumnElement[bool]
    ) -> None:
        """The rows with one of these values, in a few statements."""
        listed = sorted(set(values))
        for start in range(0, len(listed), _CHUNK):
            these = self.table.__table__.c[column].in_(listed[start : start + _CHUNK])
            self.read(connection, sa.and_(these, *also))


class Stored:
    """The sheets, in the order in which they are written."""

    def __init__(self) -> None:
        self.operator = Sheet(Operator, ("code",))
        self.vat = Sheet(VatRate, ("operator_id", "valid_from"))
        self.cost = Sheet(OutgoingCost, ("operator_id", "valid_from"))
        self.link = Sheet(Link, ("name",))
        self.short_code = Sheet(ShortCode, ("number",))
        self.tariff = Sheet(Tariff, ("short_code_id", "operator_id", "valid_from"))
        self.plan = Sheet(TariffPlan, ("name",))
        self.version = Sheet(PlanVersion, ("plan_id", "valid_from"))
        self.partner = Sheet(Partner, ("login",))
        self.on_plan = Sheet(PartnerPlan, ("partner_id", "plan_id", "valid_from"))
        self.referral = Sheet(ReferralTerms, ("partner_id", "valid_from"))
        self.payout = Sheet(PayoutTarget, ("partner_id", "currency"))
        self.service = Sheet(Service, ("partner_id", "name"))
        self.prefix = Sheet(Prefix, ("short_code_id", "folded"))
        self.ussd = Sheet(UssdMenu, ("name",))
        self.limit = Sheet(Limit, ("scope", "key", "metric", "window_ms", "action"))
        self.blacklist = Sheet(Blacklist, ("msisdn", "scope"))

    def sheets(self) -> Mapping[str, Sheet]:
        """All of them by name, what is referred to first."""
        return vars(self)


# Which sheet a column's number is of.
REFERENCES = {
    "operator_id": "operator",
    "short_code_id": "short_code",
    "plan_id": "plan",
    "partner_id": "partner",
    "referrer_id": "partner",
    "service_id": "service",
}


def read_stored(connection: sa.Connection, document: Document) -> Stored:
    """The rows that the document may touch, name, or be checked against.

    Services, prefixes and lists may be many, so only those are read that stand near an element of the document.
    """
    stored = Stored()
    priced = bool(document.operator or document.short_code or document.tariff_plan or document.partner)
    always = (stored.operator, stored.short_code, stored.plan, stored.partner)
    for sheet in (*always, *((stored.vat, stored.cost, stored.tariff, stored.version) if priced else ())):
        sheet.read(connection)
    if document.link or any(limit.scope == "link" for limit in document.limit):
        stored.link.read(connection)
    if document.limit:
        stored.limit.read(connection)
    if document.ussd:
        stored.ussd.read(connection)
    stored.blacklist.read_where_in(connection, "msisdn", (banned.msisdn for banned in document.blacklist))

    known = {login: row["id"] for (login,), row in stored.partner.rows.items()}
    partners = [known[partner.login] for partner in document.partner if partner.login in known]
    stored.on_plan.read_where_in(connection, "partner_id", partners)
    stored.referral.read_where_in(connection, "partner_id", partners)
    stored.payout.read_where_in(connection, "partner_id", partners)

    owners = {service.partner for service in document.service} | set(_owners_named(document))
    owners |= {menu.partner for menu in document.ussd}
    stored.service.read_where_in(connection, "partner_id", [known[login] for login in owners if login in known])
    # A menu may go from one partner to another: the audit log names both.
    stored.service.read_where_in(connection, "id", [row["service_id"] for row in stored.ussd.rows.values()])
    wanted = [prefix for service in document.service for prefix in service.prefixes]
    numbers = {prefix.short_code for prefix in wanted}
    codes = [row["id"] for (number,), row in stored.short_code.rows.items() if number in numbers]
    alike = (look(prefix.prefix) for prefix in wanted)
    stored.prefix.read_where_in(connection, "looks", alike, Prefix.short_code_id.in_(codes))
    touched = {(service.partner, service.name) for service in document.service if service.has("prefixes")}
    ids = [
        row["id"] for login, name in touched if (row := stored.service.rows.get((known.get(login), name))) is not None
    ]
    stored.prefix.read_where_in(connection, "service_id", ids)
    return stored


def _owners_named(document: Document) -> Iterable[str]:
    """The logins in LOGIN/NAME of limits and of the blacklist."""
    for limit in document.limit:
        if limit.scope == "service":
            yield limit.key.partition("/")[0]
    for banned in document.blacklist:
        if banned.scope.startswith("service:"):
            yield banned.scope.removeprefix("service:").partition("/")[0]


def write_stored(connection: sa.Connection, stored: Stored, version: int) -> None:
    """Everything that was added, changed and dropped, as this version of the catalogue."""
    real: dict[str, dict[int, int]] = {}
    _mark(connection, stored.prefix, version)
    for name, sheet in stored.sheets().items():
        _delete(connection, sheet)
        references = {column: real.get(REFERENCES[column], {}) for column in sheet.columns if column in REFERENCES}
        for row in (*sheet.added, *sheet.changed.values()):
            for column, numbers in references.items():
                if row[column] < 0:
                    row[column] = numbers[row[column]]
        columns = sheet.columns
        changed = [tuple(row[column] for column in columns) for row in sheet.changed.values()]
        bulk_update(connection, sheet.table, columns, changed)
        if sheet.added:
            real[name] = _insert(connection, sheet, needed=name in REFERENCES.values())


def _mark(connection: sa.Connection, prefixes: Sheet, version: int) -> None:
    for row in (*prefixes.added, *prefixes.changed.values()):
        row["version"] = version
    bulk_insert(connection, PrefixGone, _GONE, [(number, version) for number in prefixes.dropped])


def _delete(connection: sa.Connection, sheet: Sheet) -> None:
    number = sheet.table.__table__.c.id
    for start in range(0, len(sheet.dropped), _CHUNK):
        chunk = sheet.dropped[start : start + _CHUNK]
        connection.execute(sa.delete(sheet.table).where(number.in_(chunk)))


def _insert(connection: sa.Connection, sheet: Sheet, *, needed: bool) -> dict[int, int]:
    """Insert the new rows; → their numbers in memory and in the database, where anybody needs them."""
    number = sheet.table.__table__.c.id
    highest = connection.execute(sa.select(sa.func.max(number))).scalar() or 0 if needed else 0
    columns = sheet.columns[1:]
    bulk_insert(connection, sheet.table, columns, [tuple(row[column] for column in columns) for row in sheet.added])
    if not needed:
        return {}
    key = [sheet.table.__table__.c[name] for name in sheet.key]
    found = {tuple(row[1:]): row[0] for row in connection.execute(sa.select(number, *key).where(number > highest))}
    return {row["id"]: found[tuple(row[name] for name in sheet.key)] for row in sheet.added}
