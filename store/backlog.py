"""What waited for a tariff or a plan is rated once that is there (billing.md, section 7).

rate_backlog      MO that are pending with no_tariff; MO and premium MT in suspense with no_plan → Rated
find_stragglers   those of late that a new catalogue can rate;  rate_stragglers, some of them

A first tariff, VAT rate or plan may begin in the past. What came since then is rated by it at its own moment, in the
order in which it came, and booked into its month, or into the first open one. `tollbridge load` does it; a service does
it for what it took in by its old catalogue until it had the new one, and `tollbridge close` for what is left of that.

Rule: in pieces, each a transaction of its own, beside the running service: what was rated is not found again.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import aliased

from core.catalogue import Catalogue
from core.clock import Month
from core.ledger.corrections import Corrected
from core.message import Action, Missing
from core.msisdn import is_number
from core.report import PlainPlace, Sums, count, count_free, sums_of
from core.tariff.charge import Charge, ChargeKind, ChargeState
from core.tariff.rate import FREE, NO_PLAN, NO_TARIFF, REFUSED, Unrated, rate, unrated_message
from store import schema
from store.books import Act
from store.bulk import bulk_insert, bulk_update
from store.charges import CHARGE_COLUMNS, ChargeReader
from store.corrections import Messages
from store.daily import ACTS, write_sums
from store.desk import Desk
from store.journal.booking import first_open_month, lock_counters, open_month_now, write_counters, write_entry
from store.journal.rows import CHARGE_COLUMNS as WRITTEN
from store.journal.rows import CORRECTION_COLUMNS, FREE_ROW, charge_row
from store.pages import in_pieces, sifted

_AT_ONCE = 500
"""Messages in one transaction."""
_LATER = ("short_code", "accepted_at", "parts", "service_id", "source", "verdict")
"""What rating asks of a message beside its charge."""
_IN_PASSING = 100
"""Messages in one transaction beside which intake waits."""
_KEPT = 50_000
"""Ids that are in memory at once."""
_TAKEN = (int(ChargeKind.ASSIGNED), int(ChargeKind.CHARGE_BACK))

Progress = Callable[[int], None]
"""Is told how many were rated so far."""


@dataclass(slots=True)
class Rated:
    """What was rated: how many messages, and by currency what their operators owe for them (micros)."""

    messages: int = 0
    revenue: Counter[str] = field(default_factory=Counter)

    def add(self, charges: Sequence[Charge]) -> None:
        """Some more."""
        own = [charge for charge in charges if charge.kind != ChargeKind.TIER_CORRECTION]
        self.messages += len(own)
        for charge in own:
            self.revenue[charge.currency] += charge.revenue or -charge.suspense


def rate_backlog(desk: Desk, *, plans: bool = True, since: int = 0, progress: Progress = lambda count: None) -> Rated:
    """All that can be rated by now. `plans`: also what waits for a plan, which looks through the messages with ids
    from `since` on. Raises StoreAway; what was rated by then stays.
    """
    rated = Rated()

    def done(charges: Sequence[Charge]) -> None:
        rated.add(charges)
        progress(rated.messages)

    _rate_pending(desk, done)
    if plans:
        for table in (schema.Mo, schema.Charge):
            _rate_suspended(desk, table, since, done)
    return rated


@dataclass(slots=True)
class _Found:
    """A message that can be rated: its row, its charge as it stands, what is known of the new one."""

    row: Any
    before: Charge
    unrated: Unrated


# --- without a tariff ----------------------------------------------------------------------------------------


def _rate_pending(desk: Desk, done: Callable[[Sequence[Charge]], None]) -> None:
    behind: int | None = 0
    while behind is not None:
        behind, charges = desk.run(partial(_pending_piece, desk=desk, behind=behind))
        if charges:
            done(charges)


def _pending_piece(connection: Connection, *, desk: Desk, behind: int) -> tuple[int | None, list[Charge]]:
    """The next messages behind an id; where it ended, None at the end."""
    query = _pending().where(schema.Mo.id > behind).limit(_AT_ONCE).with_for_update()
    rows = connection.execute(query).all()
    if not rows:
        return None, []
    found = _that_can_be_rated(rows, desk.catalogue(), first_open_month(connection))
    return rows[-1].id, _book(connection, desk, found) if found else []


def _pending() -> sa.Select[*tuple[Any, ...]]:
    mo = schema.Mo
    columns = (getattr(mo, name) for name in (*CHARGE_COLUMNS, *_LATER))
    # What is not posted names no entry, and that has an index.
    waiting = (mo.entry_id.is_(None), mo.charge_state == int(ChargeState.PENDING))
    return sa.select(*columns).where(*waiting).order_by(mo.id)


def _that_can_be_rated(rows: Sequence[Any], catalogue: Catalogue, first_open: Month) -> list[_Found]:
    reader = ChargeReader(catalogue)
    found: list[_Found] = []
    for row in rows:
        before = reader.charge(row, message_id=row.id, kind=ChargeKind.MO)
        again = _unrated_again(row, before, catalogue, first_open)
        if again.reason != NO_TARIFF:
            found.append(_Found(row, before, again))
    return found


def _unrated_again(row: Any, before: Charge, catalogue: Catalogue, first_open: Month) -> Unrated:
    return unrated_message(
        catalogue, row.id, before.operator, before.currency, row.short_code, row.accepted_at, row.parts,
        before.partner_id, before.partner, before.held, _reason(row), first_open,
    )  # fmt: skip


def _reason(row: Any) -> str:
    """Why it reached no partner; "" when it did. The column told why there was no amount."""
    if row.partner_id:
        return ""
    if row.verdict == int(Action.REJECT):
        return REFUSED
    if row.service_id:
        return ""
    missing = Missing.NO_PREFIX if is_number(row.source) else Missing.NO_NUMBER
    return str(missing.value)


def _book(connection: Connection, desk: Desk, found: Sequence[_Found]) -> list[Charge]:
    """Rated under the locks of their counters, written where they stand, with one entry."""
    accounts = desk.books.accounts
    volumes = lock_counters(connection, accounts, [one.unrated for one in found])
    given = dict(volumes.referred)
    entry_id, now = desk.next_id(), desk.now()
    sums: Sums = {}
    charges: list[Charge] = []
    own_rows, more_rows = [], []
    for one in found:
        row = one.row
        place: PlainPlace = (row.operator_id, row.short_code, row.service_id, row.parts)
        count(sums, place, one.before, own_id=row.id, times=-1)
        if one.unrated.reason == FREE:
            # The short code charges what it sends: what was written to it costs nothing.
            count_free(sums, place, row.id)
            own_rows.append((row.id, *FREE_ROW))
            continue
        own, *more = rate(one.unrated, volumes)
        sums_of([(place, own, row.id)], entry_id, sums)
        own_rows.append((row.id, *charge_row(own, entry_id)))
        for charge in more:
            id_ = desk.next_id()
            sums_of([(place, charge, id_)], entry_id, sums)
            rest = charge_row(charge, entry_id)
            more_rows.append((id_, row.id, int(charge.kind), row.operator_id, row.accepted_at, *rest))
        charges += [own, *more]
    write_counters(connection, volumes, given)
    if charges:
        write_entry(connection, accounts, charges, entry_id=entry_id, at=now)
    bulk_update(connection, schema.Mo, ("id", *WRITTEN), own_rows)
    bulk_insert(connection, schema.Charge, CORRECTION_COLUMNS, more_rows)
    write_sums(connection, sums, ACTS)
    return charges


# --- without a plan ------------------------------------------------------------------------------------------


def _rate_suspended(
    desk: Desk, table: type[schema.Mo] | type[schema.Charge], since: int, done: Callable[[Sequence[Charge]], None]
) -> None:
    query = _suspended(table)
    logins = ChargeReader(desk.catalogue())
    behind: int | None = since
    while behind is not None:
        with desk.database.read() as connection:
            found = list(islice(sifted(connection, query, (table.id,), since=behind), _KEPT))
        behind = found[-1].id + 1 if len(found) == _KEPT else None
        for some in in_pieces([(row.message_id, logins.login(row.partner_id)) for row in found], _AT_ONCE):
            charges = desk.run(partial(_assign, desk=desk, some=some))
            if charges:
                done(charges)


def _suspended(table: type[schema.Mo] | type[schema.Charge]) -> sa.Select[*tuple[Any, ...]]:
    """MO by their own rows; premium MT by the rows of their charges."""
    message_id = schema.Mo.id if table is schema.Mo else schema.Charge.message_id
    later = aliased(schema.Charge)
    taken = sa.exists().where(later.message_id == message_id, later.kind.in_(_TAKEN))
    return sa.select(table.id, message_id.label("message_id"), table.partner_id, table.currency).where(
        table.reason == NO_PLAN, table.charge_state == int(ChargeState.POSTED), sa.not_(taken)
    )


def _assign(connection: Connection, *, desk: Desk, some: Sequence[tuple[int, str]]) -> list[Charge]:
    """What a plan holds for by now, given to its own partner."""
    messages = Messages(connection, desk.books.accounts, desk.catalogue(), at=desk.now())
    messages.load(id_ for id_, _ in some)
    known = {id_: login for id_, login in some if login in desk.catalogue().partners}
    messages.lock(known, known)
    charges: list[Charge] = []
    for id_, login in known.items():
        done = messages.assign(id_, login, keeps_hold=True)
        # Still without a plan, or somebody was quicker.
        if isinstance(done, Corrected):
            charges += done.charges
    if charges:
        ids = sorted({charge.message_id for charge in charges})
        act = Act(f"backlog:{desk.next_id()}", "assign", f"{ids}", desk.now())
        desk.books.book(connection, act, charges=charges)
    messages.close()
    return charges


# --- what a service took in while its catalogue was the old one --------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stragglers:
    """Ids of MO that wait for a tariff; ids with their partner's login of what waits for a plan."""

    pending: Sequence[int] = ()
    suspended: Sequence[tuple[int, str]] = ()

    def pieces(self) -> Iterator["Stragglers"]:
        """As many as are rated in passing."""
        for ids in in_pieces(list(self.pending), _IN_PASSING):
            yield Stragglers(pending=ids)
        for some in in_pieces(list(self.suspended), _IN_PASSING):
            yield Stragglers(suspended=some)


def find_stragglers(connection: Connection, catalogue: Catalogue, since: int) -> Stragglers:
    """Of the messages with ids from `since` on those that this catalogue can rate. Reads only."""
    mo, mt, charge = schema.Mo, schema.Mt, schema.Charge
    rows = connection.execute(_pending().where(mo.id >= since)).all()
    pending = [one.row.id for one in _that_can_be_rated(rows, catalogue, open_month_now(connection))]
    sent = _suspended(charge).join(mt, mt.id == charge.message_id)
    queries = (
        (mo, _suspended(mo).add_columns(mo.short_code.label("code"), mo.accepted_at.label("at"))),
        (charge, sent.add_columns(mt.source.label("code"), mt.created_at.label("at"))),
    )
    reader = ChargeReader(catalogue)
    suspended = [
        (row.message_id, login)
        for table, query in queries
        for row in sifted(connection, query, (table.id,), since=since)
        if (login := reader.login(row.partner_id)) in catalogue.partners
        and catalogue.plan_at(login, row.currency, row.code, row.at) is not None
    ]
    return Stragglers(pending, suspended)


def rate_stragglers(desk: Desk, some: Stragglers) -> Rated:
    """One of their pieces. What somebody has rated meanwhile is left alone. Raises StoreAway."""
    rated = Rated()
    if some.pending:
        rated.add(desk.run(partial(_pending_named, desk=desk, ids=some.pending)))
    if some.suspended:
        rated.add(desk.run(partial(_assign, desk=desk, some=some.suspended)))
    return rated


def _pending_named(connection: Connection, *, desk: Desk, ids: Sequence[int]) -> list[Charge]:
    rows = connection.execute(_pending().where(schema.Mo.id.in_(ids)).with_for_update()).all()
    found = _that_can_be_rated(rows, desk.catalogue(), first_open_month(connection))
    return _book(connection, desk, found) if found else []
