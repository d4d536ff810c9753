"""Reports: what was booked, by whom it concerns; what partners have reached; what operators owe (billing.md, 4).

Period            days, or one booked month
read_lines        revenue, grouped as is asked: from the daily sums alone
read_earnings     the same of partners, with what is held of it and what they get for those they referred
read_progress     partners' volumes of a month on their scales
read_receivables  what operators owe, month by month; read_debts, what is open of it by age; read_payables, what we owe
find_partner, find_operator, find_service    a name → its id

What a report reads depends on days, places and accounts, never on how many messages there were.

Rule: reads only, inside Database.read(). Ids are told as names; what has none is "", an id of nothing is `#7`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import InstrumentedAttribute

from core.catalogue import Tier
from core.clock import Instant, Month, day_of, months_back
from core.errors import UserMistake
from core.ledger.accounts import payable, receivable
from core.report import (
    AMOUNTS,
    PAID,
    RELEASED,
    WRITTEN_OFF,
    Debt,
    Line,
    Off,
    Owed,
    Progress,
    ageing,
    lines_of,
    month_by_month,
    progress_of,
)
from core.tariff.charge import ChargeKind
from store.folding import read_months
from store.pages import Query
from store.provisioning.sentences import there_is_no
from store.schema import (
    Account,
    ClosedMonth,
    DailySum,
    Detail,
    Operator,
    Partner,
    PlanVersion,
    ReferralTerms,
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
    rows = connection.execute(query.where(*_conditions(connection, wanted), kinds).group_by(*positions)).all()
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


def _nothing(place: _Place) -> Earnings:
    currency, key = place
    return Earnings(Line(key, currency, {}))


def _summed(
    connection: Connection,
    wanted: Wanted,
    column: InstrumentedAttribute[int],
    partner: InstrumentedAttribute[int],
    where: sa.ColumnElement[bool],
) -> dict[_Place, int]:
    """A column by what is asked for, of details too; `partner` is whose it is. What is nothing is left out."""
    groups = [partner if name == "partner" else GROUPS[name] for name in wanted.by]
    query = sa.select(DailySum.currency, *groups, sa.func.sum(column)).where(column != 0, where)
    query = query.where(*_conditions(connection, wanted, partner)).group_by(DailySum.currency, *groups)
    rows = connection.execute(query).all()
    names = [_names(connection, name, {row[place] for row in rows}) for place, name in enumerate(wanted.by, 1)]
    found = {}
    for currency, *key, amount in rows:
        if amount:
            found[currency, tuple(name(value) for name, value in zip(names, key, strict=True))] = int(amount)
    return found


def _conditions(
    connection: Connection, wanted: Wanted, partner: InstrumentedAttribute[int] = DailySum.partner_id
) -> Iterator[sa.ColumnElement[bool]]:
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
        yield partner == wanted.partner_id
    if wanted.operator_id:
        yield DailySum.operator_id == wanted.operator_id


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
    came_off = _came_off(connection, since)
    for code, currency, moved in _moved(connection, operator):
        own = {month: off for (who, of, month), off in came_off.items() if (who, of) == (code, currency)}
        found.append(Receivable(code, currency, month_by_month(moved, own, since=since, until=until)))
    return [one for one in found if one.months]


def read_debts(connection: Connection, now: Month, operator: str = "") -> list[Debts]:
    """Those that owe something, or have paid in advance."""
    found = [Debts(code, currency, ageing(moved, now)) for code, currency, moved in _moved(connection, operator)]
    return [one for one in found if one.debts]


def read_payables(connection: Connection, since: Month, until: Month, operator: str = "") -> list[Receivable]:
    """What we owe operators for outgoing SMS, as what they owe us is told: what came on it, and what we paid."""
    accounts = _accounts(connection, payable, operator)
    paid = _paid(connection, [account.id for account in accounts], since, until)
    moved = read_months(connection, [account.id for account in accounts])
    found = []
    for id_, address, currency in accounts:
        own = {month: (credits, debits) for (owner, month), (debits, credits) in moved.items() if owner == id_}
        off = {month: one for (owner, month), one in paid.items() if owner == id_}
        months = month_by_month(own, off, since=since, until=until)
        found.append(Receivable(address.split(":")[1], currency, months))
    return [one for one in found if one.months]


def _paid(connection: Connection, ids: Sequence[int], since: Month, until: Month) -> dict[tuple[int, Month], Off]:
    """What persons took off payables, with money or without, by account and month: their details are of no partner."""
    found: dict[tuple[int, Month], Off] = {}
    for side, other, sign in ((Detail.debit_id, Detail.credit_id, 1), (Detail.credit_id, Detail.debit_id, -1)):
        query = (
            sa.select(side, Detail.month, Account.address, sa.func.sum(Detail.amount))
            .join(Account, Account.id == other)
            .where(Detail.partner_id == 0, Detail.month.between(since, until), side.in_(ids))
            .group_by(side, Detail.month, Account.address)
        )
        for id_, month, address, amount in connection.execute(query):
            off, moved = found.get((id_, month), Off()), sign * int(amount)
            is_money = address.startswith(("bank:", "provider:"))
            found[id_, month] = (
                off._replace(paid=off.paid + moved) if is_money else off._replace(written_off=off.written_off + moved)
            )
    return found


def _accounts(connection: Connection, of: Callable[[str], str], operator: str) -> Sequence[Any]:
    """(id, address, currency) of one operator's, or of all."""
    where = Account.address == of(operator) if operator else Account.address.like(of("%"))
    query = sa.select(Account.id, Account.address, Account.currency).where(where)
    return connection.execute(query.order_by(Account.address, Account.currency)).all()


def _moved(connection: Connection, operator: str) -> Iterator[tuple[str, str, dict[Month, tuple[int, int]]]]:
    """(operator, currency, debits and credits by booked month) of every receivable."""
    accounts = _accounts(connection, receivable, operator)
    moved = read_months(connection, [account.id for account in accounts])
    for id_, address, currency in accounts:
        own = {month: sums for (account_id, month), sums in moved.items() if account_id == id_}
        yield address.split(":")[1], currency, own


def _came_off(connection: Connection, since: Month) -> dict[tuple[str, str, Month], Off]:
    """What came off receivables, by operator, currency and booked month."""
    charge_back = int(ChargeKind.CHARGE_BACK)
    period = Period(months_back(since, 1) * 100 + _DAY_BEFORE)
    wanted = Wanted(period, ("operator", "month"), kinds=(charge_back, PAID, WRITTEN_OFF))
    found = {}
    for line in read_lines(connection, wanted):
        back, off, paid = (line.only(kind) for kind in (charge_back, WRITTEN_OFF, PAID))
        place = (str(line.key[0]), line.currency, int(line.key[1]))
        found[place] = Off(-back.revenue, off.total("price"), paid.total("price"))
    return found
