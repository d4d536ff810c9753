"""Reports: what was booked, by whom it concerns; what partners have reached; what operators owe (billing.md, 4).

Period            days, or one booked month
read_lines        revenue and earnings, grouped as is asked: from the daily sums alone
read_progress     partners' volumes of a month on their scales
read_receivables  what operators owe, month by month; read_debts, what is open of it by age
find_partner, find_operator    a name → its id

What a report reads depends on days, places and accounts, never on how many messages there were.

Rule: reads only, inside Database.read(). Ids are told as names; what has none is "", an id of nothing is `#7`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import InstrumentedAttribute

from core.catalogue import Tier
from core.clock import Instant, Month, day_of, months_back
from core.errors import UserMistake
from core.ledger.accounts import receivable
from core.report import AMOUNTS, Debt, Line, Owed, Progress, ageing, lines_of, month_by_month, progress_of
from core.tariff.charge import ChargeKind
from store.folding import read_months
from store.pages import Query
from store.schema import (
    Account,
    ClosedMonth,
    DailySum,
    Operator,
    Partner,
    PlanVersion,
    Service,
    TariffPlan,
    Volume,
)

GROUPS: dict[str, InstrumentedAttribute[Any]] = {
    "day": DailySum.day,
    "month": DailySum.month,
    "operator": DailySum.operator_id,
    "short_code": DailySum.short_code,
    "service": DailySum.service_id,
    "partner": DailySum.partner_id,
    "kind": DailySum.kind,
}
_AT_ONCE = 500
_DAY_BEFORE = 28
"""A month of the easternmost time zone begins on the day before it does in UTC, which is never before the 28th."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days of booking in UTC, from one to another, both included (YYYYMMDD); or, with `month`, one booked month."""

    first: int = 0
    last: int = 99_99_12_31
    month: Month = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is about; ids of 0 are all of them. `by` names some of GROUPS."""

    period: Period
    by: Sequence[str] = ()
    partner_id: int = 0
    operator_id: int = 0
    kinds: Collection[int] = ()


def read_lines(connection: Connection, wanted: Wanted) -> list[Line]:
    """Sums by what is asked for, each line with what there is of every kind."""
    width = len(wanted.by)
    # What has no charge has no currency: it stands with those of its operator.
    currency = sa.case((DailySum.currency == "", sa.func.coalesce(Operator.currency, "")), else_=DailySum.currency)
    groups = (*(GROUPS[name] for name in wanted.by), currency, DailySum.kind)
    sums = (sa.func.sum(getattr(DailySum, name)) for name in AMOUNTS)
    query = sa.select(*groups, *sums).outerjoin(Operator, Operator.id == DailySum.operator_id)
    # By position: an expression would be sent twice, and be two to the database.
    positions: list[sa.ColumnElement[Any]] = [sa.literal_column(str(place + 1)) for place in range(len(groups))]
    rows = connection.execute(query.where(*_conditions(connection, wanted)).group_by(*positions)).all()
    names = [_names(connection, name, {row[place] for row in rows}) for place, name in enumerate(wanted.by)]
    # MariaDB sums integers as decimals.
    return lines_of(
        (
            tuple(name(value) for name, value in zip(names, row[:width], strict=True)),
            row[width],
            row[width + 1],
            [int(amount) for amount in row[width + 2 :]],
        )
        for row in rows
    )


def _conditions(connection: Connection, wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    period = wanted.period
    first, last = period.first, period.last
    if period.month:
        yield DailySum.month == period.month
        # The key begins with the day: these are bounds of what can have been booked into the month.
        first = months_back(period.month, 1) * 100 + _DAY_BEFORE
        closed_at = connection.execute(
            sa.select(ClosedMonth.closed_at).where(ClosedMonth.month == period.month)
        ).scalar()
        if closed_at is not None:
            last = day_of(closed_at + _A_DAY)
    yield DailySum.day.between(first, last)
    if wanted.partner_id:
        yield DailySum.partner_id == wanted.partner_id
    if wanted.operator_id:
        yield DailySum.operator_id == wanted.operator_id
    if wanted.kinds:
        yield DailySum.kind.in_(wanted.kinds)


_A_DAY: Instant = 86_400_000
"""Ids of a process may be a little ahead of the clock that closed a month."""


# --- names -------------------------------------------------------------------------------------------------


def _names(connection: Connection, group: str, ids: Collection[Any]) -> Callable[[Any], Any]:
    """What tells the name of an id; of what is no id, itself."""
    service = Partner.login + "/" + Service.name
    queries: dict[str, tuple[Query, InstrumentedAttribute[int]]] = {
        "operator": (sa.select(Operator.id, Operator.code), Operator.id),
        "partner": (sa.select(Partner.id, Partner.login), Partner.id),
        "service": (sa.select(Service.id, service).join(Partner, Partner.id == Service.partner_id), Service.id),
    }
    if group not in queries:
        return lambda value: value
    query, column = queries[group]
    wanted = sorted(ids)
    found = {0: ""}
    for start in range(0, len(wanted), _AT_ONCE):
        some = query.where(column.in_(wanted[start : start + _AT_ONCE]))
        found.update({row[0]: row[1] for row in connection.execute(some)})
    return lambda id_: found.get(id_, f"#{id_}")


def find_partner(connection: Connection, login: str) -> int:
    """Raises UserMistake when there is none."""
    found = connection.execute(sa.select(Partner.id).where(Partner.login == login)).scalar()
    if found is None:
        raise UserMistake(f"there is no partner {login}; see its login in: tollbridge dump")
    return found


def find_operator(connection: Connection, code: str) -> int:
    """Raises UserMistake when there is none."""
    found = connection.execute(sa.select(Operator.id).where(Operator.code == code)).scalar()
    if found is None:
        raise UserMistake(f"there is no operator {code}; see its code in: tollbridge dump")
    return found


# --- tiers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PartnerProgress:
    """A partner on a version of a plan: two versions in one month are two volumes."""

    partner: str
    plan: str
    currency: str
    valid_from: Instant
    mode: str
    progress: Progress


def read_progress(connection: Connection, month: Month, partner_id: int = 0) -> list[PartnerProgress]:
    """By partner and plan, for all that have a volume in the month."""
    query = (
        sa.select(
            Partner.login, TariffPlan.name, TariffPlan.currency, PlanVersion.valid_from, PlanVersion.tiers_mode,
            PlanVersion.tiers, Volume.volume,
        )
        .join_from(Volume, PlanVersion, PlanVersion.id == Volume.plan_version_id)
        .join(TariffPlan, TariffPlan.id == PlanVersion.plan_id)
        .join(Partner, Partner.id == Volume.partner_id)
        .where(Volume.month == month)
        .order_by(Partner.login, TariffPlan.name, PlanVersion.valid_from)
    )  # fmt: skip
    if partner_id:
        query = query.where(Volume.partner_id == partner_id)
    return [
        PartnerProgress(
            login, plan, currency, valid_from, mode, progress_of(mode, [Tier(*tier) for tier in tiers], volume)
        )
        for login, plan, currency, valid_from, mode, tiers, volume in connection.execute(query)
    ]


# --- what operators owe ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receivable:
    """An operator's receivable in one currency."""

    operator: str
    currency: str
    months: list[Owed]


@dataclass(frozen=True, slots=True)
class Debts:
    """What is open of it."""

    operator: str
    currency: str
    debts: list[Debt]


def read_receivables(connection: Connection, since: Month, until: Month, operator: str = "") -> list[Receivable]:
    """Those that moved in these months or owe something; what came before is in the first month's opening."""
    found = []
    taken_back = _taken_back(connection, since, until)
    for code, currency, moved in _moved(connection, operator):
        backs = {month: amount for (who, of, month), amount in taken_back.items() if (who, of) == (code, currency)}
        found.append(Receivable(code, currency, month_by_month(moved, backs, since=since, until=until)))
    return [one for one in found if one.months]


def read_debts(connection: Connection, now: Month, operator: str = "") -> list[Debts]:
    """Those that owe something, or have paid in advance."""
    found = [Debts(code, currency, ageing(moved, now)) for code, currency, moved in _moved(connection, operator)]
    return [one for one in found if one.debts]


def _moved(connection: Connection, operator: str) -> Iterator[tuple[str, str, dict[Month, tuple[int, int]]]]:
    """(operator, currency, debits and credits by booked month) of every receivable."""
    where = Account.address == receivable(operator) if operator else Account.address.like(receivable("%"))
    query = sa.select(Account.id, Account.address, Account.currency).where(where)
    accounts = connection.execute(query.order_by(Account.address, Account.currency)).all()
    moved = read_months(connection, [account.id for account in accounts])
    for id_, address, currency in accounts:
        own = {month: sums for (account_id, month), sums in moved.items() if account_id == id_}
        yield address.split(":")[1], currency, own


def _taken_back(connection: Connection, since: Month, until: Month) -> dict[tuple[str, str, Month], int]:
    """What charge-backs took off receivables, by operator, currency and booked month."""
    period = Period(months_back(since, 1) * 100 + _DAY_BEFORE)
    wanted = Wanted(period, ("operator", "month"), kinds=(int(ChargeKind.CHARGE_BACK),))
    return {
        (str(line.key[0]), line.currency, int(line.key[1])): -line.revenue
        for line in read_lines(connection, wanted)
        if since <= int(line.key[1]) <= until
    }
