"""What is due to a partner or a link, and who holds it (reliability.md, section 4).

lease_callbacks   due jobs become ours: their due time moves to the end of the lease
take_mts          queued MT become `submitting`, held by this process
place_of_mo       where a reply to an MO goes

A lease is a due time in the future, so a crash only delays: nothing has to be given back.

Rule: taking and reading are one transaction; two processes never hold the same row.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from core.catalogue import Catalogue
from core.clock import Instant
from core.message import Callback, Mt, MtState
from store import schema
from store.database import Database
from store.schema import Mo

_MO = (
    Mo.id, Mo.link_id, Mo.source, Mo.short_code, Mo.text, Mo.parts, Mo.accepted_at, Mo.service_id, Mo.prefix_id, Mo.body_at,
    Mo.partner_id,
    Mo.operator_id, Mo.price, Mo.partner_part, Mo.currency, Mo.test,
)  # fmt: skip


def lease_callbacks(
    database: Database,
    catalogue: Catalogue,
    *,
    process_id: int,
    now: Instant,
    lease_ms: int,
    limit: int,
    crowded: Sequence[int] = (),
) -> list[Callback]:
    """Up to `limit` due jobs, leased by us; `attempt` is the number of attempts so far. Raises StoreAway."""
    due = sa.select(schema.Callback.mo_id, schema.Callback.attempt).where(schema.Callback.due_at <= now)
    if crowded:
        due = due.where(schema.Callback.partner_id.not_in(crowded))
    due = due.order_by(schema.Callback.due_at).limit(limit).with_for_update(skip_locked=True)
    with database.write() as connection:
        attempts = {mo_id: attempt for mo_id, attempt in connection.execute(due)}
        if not attempts:
            return []
        connection.execute(
            sa.update(schema.Callback)
            .where(schema.Callback.mo_id.in_(list(attempts)))
            .values(due_at=now + lease_ms, leased_by=process_id)
        )
        rows = connection.execute(sa.select(*_MO).where(Mo.id.in_(list(attempts)))).all()
    links = {link.id: link.name for link in catalogue.links.values()}
    operators = {operator.id: operator for operator in catalogue.operators.values()}
    prefixes = {prefix.id: prefix.prefix for prefix in catalogue.prefixes}
    jobs = []
    for row in rows:
        service = catalogue.services.get(row.service_id)
        operator = operators.get(row.operator_id)
        if service is None or operator is None:
            continue  # Not in this process's catalogue yet: the lease ends, and a fresher one takes it.
        prefix = prefixes.get(row.prefix_id, "")
        jobs.append(
            Callback(
                row.id, row.partner_id, service.partner, service, attempts[row.id], row.source, row.short_code,
                prefix, row.text, row.text[row.body_at :], operator.code, operator.country, row.price,
                row.partner_part, row.currency, row.accepted_at, row.parts, row.test, links.get(row.link_id, ""),
                row.link_id,
            )
        )  # fmt: skip
    return jobs


def take_mts(
    database: Database, links: dict[int, str], *, process_id: int, now: Instant, limit: int, operator_ids: Sequence[int]
) -> list[Mt]:
    """Up to `limit` queued MT of these operators, written down as `submitting` by us. Raises StoreAway."""
    queued = (
        sa.select(schema.Mt.__table__)
        .where(schema.Mt.due_at <= now, schema.Mt.state == int(MtState.QUEUED), schema.Mt.operator_id.in_(operator_ids))
        .order_by(schema.Mt.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    with database.write() as connection:
        rows = connection.execute(queued).all()
        if rows:
            connection.execute(
                sa.update(schema.Mt)
                .where(schema.Mt.id.in_([row.id for row in rows]))
                .values(state=int(MtState.SUBMITTING), process_id=process_id, due_at=None)
            )
    return [
        Mt(
            row.id, links.get(row.link_id, ""), row.link_id, row.operator_id, row.source, row.destination, row.text,
            row.parts, row.created_at, row.reply_to or 0, row.partner_id, MtState.SUBMITTING, row.valid_until,
            row.attempt, row.maybe_twice,
        )
        for row in rows
    ]  # fmt: skip


def place_of_mo(database: Database, mo_id: int, partner_id: int) -> tuple[int, int, str, str] | None:
    """(link id, operator id, short code, subscriber) of a partner's MO; None when it is not this partner's."""
    query = sa.select(Mo.link_id, Mo.operator_id, Mo.short_code, Mo.source).where(
        Mo.id == mo_id, Mo.partner_id == partner_id, Mo.reason == ""
    )
    with database.read() as connection:
        row = connection.execute(query).first()
    return None if row is None else (row.link_id, row.operator_id, row.short_code, row.source)
