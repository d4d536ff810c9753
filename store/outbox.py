"""What is due to a partner or a link, and who holds it (reliability.md, section 4).

Outbox         of one process: blocking, on the writer's thread
  callbacks    due jobs become ours: their due time moves to the end of the lease
  mts          queued MT become `submitting`, held by this process
place_of_mo    where a reply to an MO goes

A lease is a due time in the future, so a crash only delays: nothing has to be given back. An MT that is held has no
lease: it is given back when its process is buried; its due time is when nobody expects a receipt any more.

Rule: taking and reading are one transaction; two processes never hold the same row.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Catalogue
from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, Clock, Instant
from core.errors import StoreAway
from core.ids import first_id_at
from core.message import Callback, Mt, MtKind, MtState
from store import schema
from store.database import Database
from store.journal.rows import RECEIPT_WAIT_MS
from store.pulse import hold_life
from store.schema import Mo

_MO = (
    Mo.id, Mo.link_id, Mo.source, Mo.short_code, Mo.text, Mo.parts, Mo.accepted_at, Mo.service_id, Mo.prefix_id,
    Mo.body_at, Mo.operator_id, Mo.price, Mo.partner_part, Mo.currency, Mo.test,
)  # fmt: skip
# As store.journal.rows.given_up_at.
_GIVEN_UP_AT = sa.case((schema.Mt.valid_until > 0, schema.Mt.valid_until + RECEIPT_WAIT_MS))

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

        Of the services that are `rationed` at most so many, but for those of yesterday: they are to be given up.
        """
        now = self._clock.now()
        job = schema.Callback
        with self._database.write() as connection:
            hold_life(connection, self._process_id)
            attempts = {
                mo_id: attempt
                for due in _due_jobs(now, limit, crowded, rationed or {})
                for mo_id, attempt in connection.execute(due.with_for_update(skip_locked=True))
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
        return self._jobs_of(rows, attempts)

    def _jobs_of(self, rows: Sequence[Any], attempts: dict[int, int]) -> list[Callback]:
        catalogue = self._catalogue()
        operators = {operator.id: operator for operator in catalogue.operators.values()}
        links = {link.id: link.name for link in catalogue.links.values()}
        prefixes = {prefix.id: prefix.prefix for prefix in catalogue.prefixes}
        jobs = []
        for row in rows:
            service = catalogue.services.get(row.service_id)
            operator = operators.get(row.operator_id)
            if service is None or operator is None:
                continue  # Not in this process's catalogue yet: the lease ends, and a fresher one takes it.
            jobs.append(
                Callback(
                    row.id, row.partner_id, service.partner, service, attempts[row.id], row.source, row.short_code,
                    prefixes.get(row.prefix_id, ""), row.text, row.text[row.body_at :], operator.code,
                    operator.country, row.price, row.partner_part, row.currency, row.accepted_at, row.parts, row.test,
                    links.get(row.link_id, ""), row.link_id,
                )
            )  # fmt: skip
        return jobs

    def mts(self, limit: int, operator_ids: Sequence[int]) -> list[Mt]:
        """Up to `limit` queued MT of these operators, written down as `submitting` by us."""
        mt = schema.Mt.__table__
        queued = (
            sa.select(mt)
            .where(_is_due(mt.c.due_at, self._clock.now()), mt.c.state == int(MtState.QUEUED))
            .where(mt.c.operator_id.in_(operator_ids))
            .order_by(mt.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        ids: list[int] = []
        try:
            with self._database.write() as connection:
                hold_life(connection, self._process_id)
                found = self._ours_after_all(connection)
                rows = connection.execute(queued).all()
                ids = [row.id for row in rows]
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

    def _ours_after_all(self, connection: Connection) -> Sequence[Any]:
        """MT that an earlier commit in doubt did take."""
        if not self._doubtful:
            return ()
        mt = schema.Mt.__table__
        return connection.execute(
            sa.select(mt)
            .where(mt.c.id.in_(self._doubtful), mt.c.process_id == self._process_id)
            .where(mt.c.state == int(MtState.SUBMITTING))
        ).all()


def _due_jobs(
    now: Instant, limit: int, crowded: Sequence[int], rationed: Mapping[int, int]
) -> list[sa.Select[int, int]]:
    """What is asked: the jobs of most, then those of each service of which only a few are wanted."""
    job = schema.Callback
    due = sa.select(job.mo_id, job.attempt).where(_is_due(job.due_at, now)).order_by(job.due_at)
    if crowded:
        due = due.where(job.partner_id.not_in(crowded))
    if not rationed:
        return [due.limit(limit)]
    yesterday = job.mo_id < first_id_at(now - DAY_MS)
    most = due.where(sa.or_(job.service_id.not_in(list(rationed)), yesterday)).limit(limit)
    return [
        most,
        *(
            due.where(job.service_id == service_id, ~yesterday).limit(few)
            for service_id, few in rationed.items()
            if few
        ),
    ]


def _is_due(due_at: Any, now: Instant) -> sa.ColumnElement[bool]:
    """Its time has come; or it was set by a clock that was ahead and has been set back since."""
    return sa.or_(due_at <= now, due_at > now + LONGEST_MS)


def _mt_of(row: Any, links: dict[int, str]) -> Mt:
    return Mt(
        row.id, links.get(row.link_id, ""), row.link_id, row.operator_id, row.source, row.destination, row.text,
        row.parts, row.created_at, row.reply_to or 0, row.partner_id, MtState.SUBMITTING, row.valid_until,
        row.attempt, bool(row.maybe_twice), kind=MtKind(row.kind),
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
