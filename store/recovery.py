"""What an earlier process left behind, read once at start (reliability.md, section 7).

waiting_parts     parts of long messages whose message is not accepted yet
counted_messages  messages of the last day that the fraud rules had admitted, oldest first
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from core.clock import Instant
from core.ids import first_id_at
from core.message import Action
from store.database import Database
from store.schema import Mo, MoPart


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


def waiting_parts(database: Database, operator_ids: Sequence[int]) -> list[WaitingPart]:
    """Parts that wait, of these operators, in the order in which they came. Raises StoreAway."""
    columns = [getattr(MoPart, name) for name in WaitingPart._fields]
    query = sa.select(*columns).where(MoPart.mo_id == 0, MoPart.operator_id.in_(operator_ids)).order_by(MoPart.id)
    with database.read() as connection:
        return [WaitingPart(*row) for row in connection.execute(query)]


def counted_messages(database: Database, since: Instant) -> Iterator[CountedMessage]:
    """Messages accepted since then that were not refused, streamed. Raises StoreAway."""
    columns = [getattr(Mo, name) for name in CountedMessage._fields]
    query = (
        sa.select(*columns)
        .where(Mo.id >= first_id_at(since), Mo.verdict != int(Action.REJECT), Mo.test.is_(False))
        .order_by(Mo.id)
        .execution_options(yield_per=1000)
    )
    with database.read() as connection:
        for row in connection.execute(query):
            yield CountedMessage(*row)
