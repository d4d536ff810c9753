"""The audit of the journal: what names a message names one that is there, and no part waits for ever.

check_names     calls, replies, repeats and joined parts, each with its message
check_waiting   parts of long messages that nobody joined in all that time
check_seconds   rows of `charge`: each with its message, none a second one of the message itself (L10)

Rule: it reads in pieces and keeps nothing (store/pages.py); «now» is the last heartbeat of any process, so that what
stands still while the service does is not late.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.catalogue import Link
from core.clock import DAY_MS, HOUR_MS, SECOND_MS, Instant
from core.ids import first_id_at
from core.ledger.audit import Finding, check_single
from core.ledger.entry import ChargeKind
from store.pages import Key, Query, sifted
from store.pruning import AGES
from store.schema import Callback, Charge, Mo, MoPart, MoRepeat, Mt, Process

WEEK_MS = 7 * DAY_MS
"""The longest `links.reassembly_timeout_s`: what it is here, only the service knows."""
GRACE_MS = DAY_MS
"""Beyond its time a part may wait for a service that is down, or busy with what waited."""
SETTLED_MS = HOUR_MS
"""A process that joins parts has joined by then what it found at its start."""


def check_names(connection: Connection) -> Iterator[Finding]:
    """Rows that name a message which is not there."""
    call = sa.select(Callback.mo_id, Callback.mo_id.label("names")).where(_no_mo(Callback.mo_id))
    yield from _lost(connection, "callback", call, (Callback.mo_id,), "it calls for the message")
    reply = sa.select(Mt.id, Mt.reply_to).where(Mt.reply_to.is_not(None), _no_mo(Mt.reply_to))
    yield from _lost(connection, "mt", reply, (Mt.id,), "it replies to the message")
    joined = sa.select(MoPart.id, MoPart.mo_id).where(MoPart.mo_id != 0, _no_mo(MoPart.mo_id))
    yield from _lost(connection, "mo_part", joined, (MoPart.id,), "it was joined into the message")
    # Repeats are kept for good, parts are not: what they repeat may have gone by its age.
    kept = first_id_at(max(0, _now(connection) - AGES["mo_part"].kept_ms + DAY_MS))
    no_part = ~sa.exists().where(MoPart.id == MoRepeat.mo_id)
    repeat = sa.select(MoRepeat.id, MoRepeat.mo_id).where(MoRepeat.mo_id >= kept, _no_mo(MoRepeat.mo_id), no_part)
    yield from _lost(connection, "mo_repeat", repeat, (MoRepeat.id,), "it repeats the message")


def check_waiting(connection: Connection, links: Iterable[Link]) -> Iterator[Finding]:
    """Parts that wait a day longer than their link lets them, though a process was there to join them."""
    joins = (Process.roles.contains("links"), Process.heartbeat_at - Process.started_at >= SETTLED_MS)
    now = connection.execute(sa.select(sa.func.max(Process.heartbeat_at)).where(*joins)).scalar()
    if now is None:
        return
    patience = {link.id: _patience_ms(link) for link in links}
    columns = (MoPart.id, MoPart.link_id, MoPart.arrived_at, MoPart.sequence, MoPart.total)
    waiting = sa.select(*columns).where(MoPart.mo_id == 0, MoPart.arrived_at < now - GRACE_MS)
    for id_, link_id, arrived_at, sequence, total in sifted(connection, waiting, (MoPart.id,)):
        late_ms = now - arrived_at - patience.get(link_id, WEEK_MS)
        if late_ms > GRACE_MS:
            sentence = f"part {sequence} of {total} still waits, {late_ms // HOUR_MS} h after its time was over"
            yield Finding("parts", "mo_part", str(id_), sentence)


def _patience_ms(link: Link) -> int:
    timeout_s = link.options.get("parts_timeout_s")
    return int(timeout_s * SECOND_MS) if isinstance(timeout_s, int | float) and timeout_s else WEEK_MS


def check_seconds(connection: Connection) -> Iterator[Finding]:
    """L10 over table `charge`."""
    own = sa.select(Charge.id, Charge.message_id, Charge.kind, Mo.charge_state)
    is_lost = sa.and_(Mo.id.is_(None), ~sa.exists().where(Mt.id == Charge.message_id))
    wrong = own.outerjoin(Mo, Mo.id == Charge.message_id).where(sa.or_(is_lost, Charge.kind == int(ChargeKind.MO)))
    yield from check_single((*row,) for row in sifted(connection, wrong, (Charge.id,)))


def _no_mo(named: Any) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(Mo.id == named)


def _lost(connection: Connection, table: str, query: Query, key: Key, what: str) -> Iterator[Finding]:
    for row, named in sifted(connection, query, key):
        yield Finding("journal", table, str(row), f"{what} {named}, which is not there")


def _now(connection: Connection) -> Instant:
    return connection.execute(sa.select(sa.func.max(Process.heartbeat_at))).scalar() or 0
