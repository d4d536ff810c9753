"""MT that wait in the outbox of a service that does not run yet, as one that sent them and stopped would leave them.

queue_mts   so many, of the first link and its operator, each to another subscriber

Rule: written by the journal, as all MT are.
"""

import sqlalchemy as sa

from core.clock import DAY_MS
from core.ids import Ids
from core.message import Mt, MtState
from plumbing.clock import SystemClock
from store import processes, schema
from store.database import Database
from store.journal import Journal, NewMtFact
from tests.store.mt_desk import Nobody

BATCH = 500
FIRST_NUMBER = 79005000000
TEXT = "queued {}"


def queue_mts(database: Database, count: int) -> None:
    """Write them; blocks. Their texts are «queued N», from 1."""
    clock = SystemClock()
    me = processes.register(database, roles="test", now=clock.now())
    ids = Ids(me.slot, after=me.after)
    journal = Journal(database, Nobody(), process_id=me.id, ids=ids, clock=clock, lease_ms=30_000)
    with database.read() as connection:
        place = connection.execute(
            sa.select(schema.Link.id, schema.Link.name, schema.Link.operator_id).order_by(schema.Link.id).limit(1)
        ).one()
        partner_id = connection.execute(sa.select(sa.func.min(schema.Partner.id))).scalar_one()
    for start in range(1, count + 1, BATCH):
        now = clock.now()
        journal.write(
            [
                NewMtFact(
                    Mt(
                        ids.next(now), place.name, place.id, place.operator_id, "4446", str(FIRST_NUMBER + number),
                        TEXT.format(number), 1, now, 0, partner_id, MtState.QUEUED, now + DAY_MS,
                    )
                )
                for number in range(start, min(start + BATCH, count + 1))
            ]
        )  # fmt: skip
    processes.retire(database, me.id, clock.now())
