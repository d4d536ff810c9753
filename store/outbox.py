"""What is due to a partner or a link, and who holds it (reliability.md, section 4).

Outbox         of one process: blocking, on the writer's thread
  callbacks    due jobs become ours: their due time moves to the end of the lease
  mts          queued MT become `submitting`, held by this process
place_of_mo    where a reply to an MO goes

A lease is a due time in the future, so a crash only delays: nothing has to be given back. An MT that is held has no
lease: it is given back when its process is buried; its due time is when nobody expects a receipt any more.

Rule: taking and reading are one transaction; two processes never hold the same row.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, Clock, Instant
from core.errors import StoreAway
from core.ids import first_id_at
from core.message import Callback, Mt, MtKind, MtState, TrafficClass
from store import schema
from store.database import Database
from store.journal.rows import RECEIPT_WAIT_MS
from store.pulse import hold_life
from store.schema import Mo
from store.text import places, read_text

_MO = (
    Mo.id, Mo.link_id, Mo.source, Mo.short_code, Mo.text, Mo.parts, Mo.accepted_at, Mo.service_id, Mo.prefix_id,
    Mo.body_at, Mo.operator_id, Mo.price, Mo.partner_part, Mo.currency, Mo.test,
)  # fmt: skip
# As store.journal.rows.given_up_at.
_GIVEN_UP_AT = sa.case((schema.Mt.valid_until > 0, schema.Mt.valid_until + RECEIPT_WAIT_MS))

_MT = (
    "SELECT id, link_id, operator_id, source, destination, text, parts, created_at, reply_to, partner_id, valid_until, "
    "attempt, maybe_twice, kind, traffic FROM mt"
)
_DUE = "(due_at <= ? OR due_at > ?)"
"""Its time has come; or, behind now + LONGEST_MS, it was set by a clock that was ahead and has been set back since."""
_AGAIN_SINCE = "EXISTS (SELECT 1 FROM called_again WHERE called_again.mo_id = callback.mo_id AND called_again.at > ?)"
"""A person had it called again: it is not to be given up yet, however old its message is."""
_NOT_CANCELLED = "NOT EXISTS (SELECT 1 FROM mt_order c WHERE c.mt_id = mt.id AND c.due_at >= 0 AND c.kind = 'cancel')"
"""No person wants it back: one may have said so while a process was just sending it, and gave it back afterwards."""
_SKIP_LOCKED = "FOR UPDATE SKIP LOCKED"

LONGEST_MS = HOUR_MS + MINUTE_MS
"""Nothing waits longer for its next attempt: a partner's Retry-After counts up to an hour. A lease is shorter."""


class Outbox:
    """Due work of this process's partners and operators. All methods raise StoreAway, or Buried (store/pulse.py)."""

    def __init__(
        self, database: Database, catalogue: Callable[[], Catalogue], clock: Clock, *, process_id: int, lease_ms: int
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._process_id = process_id
        self._lease_ms = lease_ms
        self._doubtful: list[int] = []
        """MT that may be ours: the commit that took them ended in doubt."""

    def callbacks(
        self, limit: int, crowded: Sequence[int], rationed: Mapping[int, int] | None = None
    ) -> list[Callback]:
        """Up to `limit` due jobs, leased by us, of partners that are not crowded; `attempt` counts those so far.

        Of the services that are `rationed` at most so many, but for those whose day is over: they are to be given up.
        """
        now = self._clock.now()
        job = schema.Callback
        with self._database.write() as connection:
            hold_life(connection, self._process_id)
            attempts = {
                mo_id: attempt
                for due in _due_jobs(now, limit, crowded, rationed or {})
                for mo_id, attempt in read_text(connection, *due, lock=_SKIP_LOCKED)
            }
            if not attempts:
                return []
            connection.execute(
                sa.update(job)
                .where(job.mo_id.in_(list(attempts)))
                .values(due_at=now + self._lease_ms, leased_by=self._process_id)
            )
            # The job's partner, not the charge's: a charge that waits for a tariff or a plan has none.
            mine = sa.select(*_MO, job.partner_id).join(job, job.mo_id == Mo.id).where(Mo.id.in_(list(attempts)))
            rows = connection.execute(mine).all()
            again = _called_again(connection, attempts)
        return self._jobs_of(rows, attempts, again)

    def _jobs_of(
        self, rows: Sequence[Any], attempts: Mapping[int, int], again: Mapping[int, tuple[Instant, int]]
    ) -> list[Callback]:
        catalogue = self._catalogue()
        operators = {operator.id: operator for operator in catalogue.operators.values()}
        links = {link.id: link.name for link in catalogue.links.values()}
        jobs = []
        for row in rows:
            service = catalogue.services.get(row.service_id)
            operator = operators.get(row.operator_id)
            prefix = catalogue.prefixes.get(row.prefix_id)
            if service is None or operator is None:
                continue  # Not in this process's catalogue yet: the lease ends, and a fresher one takes it.
            jobs.append(
                Callback(
                    row.id, row.partner_id, service.partner, service, attempts[row.id], row.source, row.short_code,
                    prefix.prefix if prefix else "", row.text, row.text[row.body_at :], operator.code,
                    operator.country, row.price, row.partner_part, row.currency, row.accepted_at, row.parts, row.test,
                    links.get(row.link_id, ""), row.link_id, *again.get(row.id, (0, 0)),
                )
            )  # fmt: skip
        return jobs

    def mts(self, limit: int, wanted: Mapping[TrafficClass, Sequence[int]]) -> list[Mt]:
        """Up to `limit` queued MT of each class, of those operators, written down as `submitting` by us."""
        ids: list[int] = []
        try:
            with self._database.write() as connection:
                hold_life(connection, self._process_id)
                found = self._ours_after_all(connection)
                rows = [row for traffic in wanted for row in self._queued(connection, limit, traffic, wanted[traffic])]
                ids = [row[0] for row in rows]
                if ids:
                    taken = {"state": int(MtState.SUBMITTING), "process_id": self._process_id, "due_at": _GIVEN_UP_AT}
                    connection.execute(sa.update(schema.Mt).where(schema.Mt.id.in_(ids)).values(**taken))
        except StoreAway as error:
            if error.in_doubt:
                # What was found stays doubtful too: nobody was told of it.
                self._doubtful += ids
            raise
        self._doubtful = []
        links = {link.id: link.name for link in self._catalogue().links.values()}
        return [_mt_of(row, links) for row in (*found, *rows)]

    def _queued(
        self, connection: Connection, limit: int, traffic: TrafficClass, operator_ids: Sequence[int]
    ) -> Sequence[Any]:
        if not operator_ids:
            return ()
        its = f"state = ? AND traffic = ? AND operator_id IN ({places(operator_ids)})"
        now = self._clock.now()
        values = (now, now + LONGEST_MS, int(MtState.QUEUED), int(traffic), *operator_ids, limit)
        query = f"{_MT} WHERE {_DUE} AND {its} AND {_NOT_CANCELLED} ORDER BY due_at LIMIT ?"
        return read_text(connection, query, values, lock=_SKIP_LOCKED)

    def _ours_after_all(self, connection: Connection) -> Sequence[Any]:
        """MT that an earlier commit in doubt did take."""
        if not self._doubtful:
            return ()
        mine = f"{_MT} WHERE id IN ({places(self._doubtful)}) AND process_id = ? AND state = ?"
        return read_text(connection, mine, (*self._doubtful, self._process_id, int(MtState.SUBMITTING)))


def _due_jobs(
    now: Instant, limit: int, crowded: Sequence[int], rationed: Mapping[int, int]
) -> list[tuple[str, tuple[int, ...]]]:
    """What is asked: the jobs of most, then those of each service of which only a few are wanted."""
    due = f"SELECT mo_id, attempt FROM callback WHERE {_DUE}"
    values: tuple[int, ...] = (now, now + LONGEST_MS)
    end = "ORDER BY due_at LIMIT ?"
    if crowded:
        due += f" AND partner_id NOT IN ({places(crowded)})"
        values = (*values, *crowded)
    if not rationed:
        return [(f"{due} {end}", (*values, limit))]
    day_ago = now - DAY_MS
    yesterday = first_id_at(day_ago)
    most = f"{due} AND (service_id NOT IN ({places(rationed)}) OR (mo_id < ? AND NOT {_AGAIN_SINCE})) {end}"
    # A probe rather with one that was never tried: what failed before may be what the end point cannot answer.
    few = f"{due} AND service_id = ? AND (mo_id >= ? OR {_AGAIN_SINCE}) ORDER BY attempt, due_at LIMIT ?"
    return [
        (most, (*values, *rationed, yesterday, day_ago, limit)),
        *((few, (*values, service_id, yesterday, day_ago, count)) for service_id, count in rationed.items() if count),
    ]


def _called_again(connection: Connection, mo_ids: Collection[int]) -> dict[int, tuple[Instant, int]]:
    """Those that a person had called again: when, the last time, and after how many attempts."""
    last = f"SELECT mo_id, at, attempts FROM called_again WHERE mo_id IN ({places(mo_ids)}) ORDER BY id"
    return {mo_id: (at, attempts) for mo_id, at, attempts in read_text(connection, last, tuple(mo_ids))}


def _mt_of(row: Any, links: dict[int, str]) -> Mt:
    (
        id_, link_id, operator_id, source, destination, text, parts, created_at, reply_to, partner_id, valid_until,
        attempt, maybe_twice, kind, traffic,
    ) = row  # fmt: skip
    return Mt(
        id_, links.get(link_id, ""), link_id, operator_id, source, destination, text, parts, created_at, reply_to or 0,
        partner_id, MtState.SUBMITTING, valid_until, attempt, bool(maybe_twice), kind=MtKind(kind),
        traffic=TrafficClass(traffic),
    )  # fmt: skip


def place_of_mo(database: Database, mo_id: int, partner_id: int) -> tuple[int, int, str, str] | None:
    """(link id, operator id, short code, subscriber) of a partner's MO; None when it is not this partner's."""
    job = schema.Callback
    # Whom we call may answer, though the charge may still wait for a tariff or a plan and have no partner yet.
    query = (
        sa.select(Mo.link_id, Mo.operator_id, Mo.short_code, Mo.source)
        .join(job, job.mo_id == Mo.id)
        .where(Mo.id == mo_id, job.partner_id == partner_id)
    )
    with database.read() as connection:
        row = connection.execute(query).first()
    return None if row is None else (row.link_id, row.operator_id, row.short_code, row.source)
