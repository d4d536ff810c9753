"""Reports: what was booked, by whom it concerns, and what partners have reached (billing.md, section 4). What operators
owe: store/reports_owed.py.

Period            days, or one booked month; first_day, from which day on a month can have been booked
read_lines        revenue, grouped as is asked: from the daily sums alone
read_earnings     the same of partners, with what is held of it and what they get for those they referred
read_progress     partners' volumes of a month on their scales
find_partner, find_operator, find_service    a name → its id

What a report reads depends on days, places and accounts, never on how many messages there were. A month's reads the
days from its beginning on: where a wall clock was ahead, days follow ids, so no moment tells which was its last.

Rule: reads only, inside Database.read(). Ids are told as names; what has none is "", an id of nothing is `#7`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import InstrumentedAttribute

from core.catalogue import Tier
from core.clock import Instant, Month, months_back
from core.errors import UserMistake
from core.report import AMOUNTS, RELEASED, Line, Progress, lines_of, progress_of
from store.pages import Query
from store.provisioning.sentences import there_is_no
from store.schema import DailySum, Operator, Partner, PlanVersion, ReferralTerms, Service, TariffPlan, Volume

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


def first_day(month: Month) -> int:
    """The first day (UTC, YYYYMMDD) on which something can have been booked into a month."""
    return months_back(month, 1) * 100 + _DAY_BEFORE


@dataclass(frozen=True, slots=True)
class Period:
    """Days of booking in UTC, from one to another, both included (YYYYMMDD); or, with `month`, one booked month."""

    first: int = 0
    last: int = 99_99_12_31
    month: Month = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is about; ids of 0 are all of them. `by` names some of GROUPS; without `kinds`, all charges."""

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
    kinds = DailySum.kind.in_(wanted.kinds) if wanted.kinds else DailySum.kind < RELEASED
    rows = connection.execute(query.where(*_conditions(wanted), kinds).group_by(*positions)).all()
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


@dataclass(frozen=True, slots=True)
class Earnings:
    """A partner's line. What its earnings got by messages is line's partner_part − held + referral_income."""

    line: Line
    held: int = 0
    """What came to its held account, less what was let go or taken back from there."""
    referral_income: int = 0


def read_earnings(connection: Connection, wanted: Wanted) -> list[Earnings]:
    """By partner, and by what else is asked for: of those whom it referred, where their messages came in."""
    owner = wanted.by.index("partner")
    found = {(line.currency, line.key): Earnings(line) for line in read_lines(connection, wanted) if line.key[owner]}
    held = _summed(connection, wanted, DailySum.partner_part, DailySum.partner_id, DailySum.held == 1)
    income = _summed(
        connection, wanted, DailySum.referral_part, ReferralTerms.referrer_id, ReferralTerms.id == DailySum.referral_id
    )
    for place, amount in held.items():
        found[place] = replace(found.get(place) or _nothing(place), held=amount)
    for place, amount in income.items():
        found[place] = replace(found.get(place) or _nothing(place), referral_income=amount)
    return [found[place] for place in sorted(found)]


_Place: TypeAlias = tuple[str, tuple[int | str, ...]]
"""(currency, key) of a line."""
_Condition: TypeAlias = sa.ColumnElement[bool]


def _nothing(place: _Place) -> Earnings:
    currency, key = place
    return Earnings(Line(key, currency, {}))


def _summed(
    connection: Connection,
    wanted: Wanted,
    column: InstrumentedAttribute[int],
    partner: InstrumentedAttribute[int],
    where: _Condition,
) -> dict[_Place, int]:
    """A column by what is asked for, of details too; `partner` is whose it is. What is nothing is left out."""
    groups = [partner if name == "partner" else GROUPS[name] for name in wanted.by]
    query = sa.select(DailySum.currency, *groups, sa.func.sum(column)).where(column != 0, where)
    query = query.where(*_conditions(wanted, partner)).group_by(DailySum.currency, *groups)
    rows = connection.execute(query).all()
    names = [_names(connection, name, {row[place] for row in rows}) for place, name in enumerate(wanted.by, 1)]
    found = {}
    for currency, *key, amount in rows:
        if amount:
            found[currency, tuple(name(value) for name, value in zip(names, key, strict=True))] = int(amount)
    return found


def _conditions(wanted: Wanted, partner: InstrumentedAttribute[int] = DailySum.partner_id) -> Iterator[_Condition]:
    period = wanted.period
    if period.month:
        yield DailySum.month == period.month
        # The key begins with the day.
        yield DailySum.day >= first_day(period.month)
    else:
        yield DailySum.day.between(period.first, period.last)
    if wanted.partner_id:
        yield partner == wanted.partner_id
    if wanted.operator_id:
        yield DailySum.operator_id == wanted.operator_id


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
    return _find(connection, "partner", Partner.id, Partner.login, login)


def find_operator(connection: Connection, code: str) -> int:
    """Raises UserMistake when there is none."""
    return _find(connection, "operator", Operator.id, Operator.code, code)


def find_service(connection: Connection, login: str, name: str) -> int:
    """Of the partner with this login. Raises UserMistake when there is no such partner, or it has none."""
    owner = Service.partner_id == find_partner(connection, login)
    return _find(connection, f"service of {login}", Service.id, Service.name, name, owner)


def _find(
    connection: Connection, what: str, id_: InstrumentedAttribute[int], column: InstrumentedAttribute[str], name: str,
    *among: sa.ColumnElement[bool],
) -> int:  # fmt: skip
    found = connection.execute(sa.select(id_).where(column == name, *among)).scalar()
    if found is None:
        raise UserMistake(there_is_no(what, name, connection.execute(sa.select(column).where(*among)).scalars()))
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
