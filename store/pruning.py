"""What has an age limit goes (reliability.md, sections 3 to 5): a few rows in a transaction, so that nobody waits.

AGES         the tables, how long their rows are kept, by which column that is told
prune_some   the oldest rows of one of them that are past their age

Everything else stays: messages, callbacks with their last attempt, MT with their history, repeats with their reasons,
charges and entries. Volumes stay too: the audit holds the charges of every month against them (L6).

Rule: each age has an index that finds the oldest rows; what is not past its age is not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from core.clock import DAY_MS, Instant
from core.ids import first_id_at
from store.database import Database
from store.link_orders import DISABLE, ENABLE
from store.pages import Query
from store.schema import (
    Base,
    CallbackAttempt,
    Idempotency,
    Identity,
    InDoubt,
    InWindow,
    LinkOrder,
    MoPart,
    Question,
    Receipt,
    UssdSession,
)

PRUNE_MAX = 500
"""Rows in one transaction: a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Age:
    """Rows of a table older than `kept_ms` by a column. `is_id`: it is one of our ids, which tell their time."""

    table: type[Base]
    column: InstrumentedAttribute[int]
    kept_ms: int
    is_id: bool = False
    only: Sequence[sa.ColumnElement[bool]] = ()

    def query(self, now: Instant, most: int) -> Query:
        """The keys of the oldest rows that are past it."""
        limit = now - self.kept_ms
        past = self.column < (first_id_at(limit) if self.is_id else limit)
        key = sa.inspect(self.table).primary_key
        return sa.select(*key).where(past, *self.only).order_by(self.column).limit(most)


AGES: dict[str, Age] = {
    "identity": Age(Identity, Identity.at, DAY_MS),
    "in_doubt": Age(InDoubt, InDoubt.at, DAY_MS),
    # As long as the option of its link said when it came.
    "in_window": Age(InWindow, InWindow.ends_at, 0),
    "idempotency": Age(Idempotency, Idempotency.at, DAY_MS),
    "ussd_session": Age(UssdSession, UssdSession.touched_at, DAY_MS),
    # Who enabled or disabled a link is shown with it.
    "link_order": Age(LinkOrder, LinkOrder.at, 90 * DAY_MS, only=(LinkOrder.kind.not_in((ENABLE, DISABLE)),)),
    "receipt": Age(Receipt, Receipt.arrived_at, 7 * DAY_MS),
    "question": Age(Question, Question.asked_at, 90 * DAY_MS),
    "callback_attempt": Age(CallbackAttempt, CallbackAttempt.tried_at, 30 * DAY_MS),
    # Joined ones: their text is the message's. A day would do for telling repeats; people look back longer.
    "mo_part": Age(MoPart, MoPart.id, 30 * DAY_MS, is_id=True, only=(MoPart.mo_id != 0,)),
}


def prune_some(database: Database, table: str, now: Instant, most: int = PRUNE_MAX) -> bool:
    """Remove up to `most` rows of a table that are past their age; whether there may be more. Raises StoreAway."""
    age = AGES[table]
    with database.write() as connection:
        keys = connection.execute(age.query(now, most)).all()
        if keys:
            key = sa.inspect(age.table).primary_key
            if len(key) == 1:
                these = key[0].in_([row[0] for row in keys])
            else:
                these = sa.tuple_(*key).in_([tuple(row) for row in keys])
            connection.execute(sa.delete(age.table).where(these))
    return len(keys) == most
