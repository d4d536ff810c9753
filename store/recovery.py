"""What another process left behind, read at start, or when it is buried (reliability.md, section 7).

take_parts        parts of long messages whose message is not accepted yet
counted_messages  messages that the fraud rules had admitted, oldest first
"""

from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from core.clock import MINUTE_MS, Instant
from core.ids import first_id_at
from core.message import Action
from store.database import Database
from store.pages import pages, sifted
from store.pulse import ALIVE
from store.schema import Mo, MoPart, Process


class WaitingPart(NamedTuple):
    """A part of a long MO, durable and acknowledged."""

    id: int
    link_id: int
    operator_id: int
    source: str
    destination: str
    reference: int
    bits: int
    total: int
    sequence: int
    data_coding: int
    payload: bytes
    fingerprint: int
    arrived_at: Instant


class CountedMessage(NamedTuple):
    """What the fraud rules need to know of a message that they let pass."""

    id: int
    link_id: int
    operator_id: int
    source: str
    short_code: str
    service_id: int
    prefix_id: int
    price: int
    currency: str
    accepted_at: Instant


def take_parts(database: Database, process_id: int, *, ours_too: bool = False) -> list[WaitingPart]:
    """Parts whose process lives no more wait with this one from now on; they, in the order in which they came.

    `ours_too`: those that are ours already as well, for who does not know what an earlier call has taken. Raises
    StoreAway.
    """
    columns = [getattr(MoPart, name) for name in WaitingPart._fields]
    with database.write() as connection:
        # In this order: a process that has stored a part was there before.
        owners = set(connection.execute(sa.select(MoPart.process_id).distinct().where(MoPart.mo_id == 0)).scalars())
        alive = set(connection.execute(sa.select(Process.id).where(Process.state == ALIVE)).scalars())
        gone = owners - alive | (owners & {process_id} if ours_too else set())
        if not gone:
            return []
        theirs = (MoPart.mo_id == 0, MoPart.process_id.in_(gone))
        waiting = sa.select(*columns).where(*theirs).order_by(MoPart.id)
        parts = [WaitingPart(*row) for row in connection.execute(waiting)]
        connection.execute(sa.update(MoPart).where(*theirs).values(process_id=process_id))
    return parts


def counted_messages(database: Database, since: Instant, now: Instant) -> Iterator[CountedMessage]:
    """Messages accepted since then that were not refused, oldest first, streamed. Raises StoreAway.

    The clock may have been set back: then the moments of what came before lie ahead of us. Such a message is said to be
    of the moment of the first one that came after it.
    """
    columns = [getattr(Mo, name) for name in CountedMessage._fields]
    query = sa.select(*columns).where(Mo.id >= first_id_at(since), Mo.verdict != int(Action.REJECT), Mo.test.is_(False))
    with database.read() as connection:
        first_id, moment = _set_back(connection, now)
        for row in pages(connection, query, (Mo.id,)):
            message = CountedMessage(*row)
            if message.id < first_id and message.accepted_at > moment:
                message = message._replace(accepted_at=moment)
            yield message


def _set_back(connection: sa.Connection, now: Instant) -> tuple[int, Instant]:
    """The first message, and its moment, after the clock was set back to a time that is still behind; or (0, 0).

    Ids rise whatever the clock does, so from then on they are ahead of us, and the moments of their messages are not.
    """
    ahead = first_id_at(now + MINUTE_MS)
    later = sa.select(Mo.id, Mo.accepted_at).where(Mo.id >= ahead)
    if connection.execute(later.limit(1)).first() is None:
        return 0, 0
    found = next(sifted(connection, later.where(Mo.accepted_at <= now), (Mo.id,), since=ahead), None)
    return (0, 0) if found is None else (found.id, found.accepted_at)
