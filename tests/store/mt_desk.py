"""MT on a real database, moved by the journal alone: what a sender, a link and the janitor would hand it.

MtDesk   one process's journal; `queued`, `submitting`, `submitted` make an MT, `receipt` brings one, `sweep` ends some
state    what the database says of an MT

Rule: time stands still unless it is moved.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from core.catalogue import Catalogue
from core.clock import HOUR_MS, Instant
from core.ids import Ids
from core.message import Callback, Mt, MtState, Receipt, ReceiptState, TrafficClass
from store import processes
from store.database import Database
from store.journal import Fact, Journal, MoFact, MtFact, NewMtFact, OverdueFact, ReceiptFact
from store.journal.overdue import find_overdue
from store.outbox import Outbox
from store.schema import Mt as MtRow
from store.schema import MtMove
from tests.makers import NOON

SUBSCRIBER = "79001112233"
WORDS = {
    ReceiptState.DELIVERED: "DELIVRD",
    ReceiptState.FAILED: "UNDELIV",
    ReceiptState.EXPIRED: "EXPIRED",
    ReceiptState.UNKNOWN: "UNKNOWN",
    ReceiptState.ON_ITS_WAY: "ENROUTE",
}


class HandClock:
    """Time that stands still unless it is moved."""

    def __init__(self, now: Instant = NOON) -> None:
        self._now = now

    def now(self) -> Instant:
        return self._now

    def monotonic_ms(self) -> int:
        return self._now

    def advance(self, ms: int) -> None:
        self._now += ms


class Nobody:
    """Decides nothing: there is no MO here. `present` is what outgoing SMS are priced by."""

    def __init__(self) -> None:
        self.present = Catalogue()

    def decide(self, facts: Sequence[MoFact]) -> Catalogue:
        raise NotImplementedError

    def catalogue(self) -> Catalogue:
        return self.present

    def job(self, fact: MoFact) -> Callback | None:
        raise NotImplementedError

    def is_crowded(self, partner_id: int) -> bool:
        raise NotImplementedError

    def probe(self) -> None:
        """Nothing is counted."""

    def take_back(self, message_ids: Sequence[int]) -> None:
        """Nothing was counted."""

    def keep(self, message_ids: Sequence[int]) -> None:
        """Nothing was counted."""


class MtDesk:
    """One process. Several on one database share a clock."""

    def __init__(self, database: Database, clock: HandClock | None = None) -> None:
        self.database = database
        self.clock = clock or HandClock()
        me = processes.register(database, roles="test", now=self.clock.now())
        self._ids = Ids(me.slot, after=me.after)
        self.decider = Nobody()
        self.journal = Journal(
            database, self.decider, process_id=me.id, ids=self._ids, clock=self.clock, lease_ms=30_000
        )
        self.outbox = Outbox(database, Catalogue, self.clock, process_id=me.id, lease_ms=30_000)

    def write(self, *facts: Fact) -> None:
        """A batch."""
        self.journal.write(facts)

    def advance(self, ms: int) -> None:
        """Time passes."""
        self.clock.advance(ms)

    def queued(self, *, valid_ms: int = 24 * HOUR_MS, parts: int = 1, traffic: TrafficClass = TrafficClass.REPLY) -> Mt:
        """One that waits in the database."""
        return self._new(MtState.QUEUED, valid_ms, parts, traffic)

    def submitting(self, *, valid_ms: int = 24 * HOUR_MS, parts: int = 1) -> Mt:
        """One that a sender holds."""
        return self._new(MtState.SUBMITTING, valid_ms, parts)

    def submitted(self, *keys: str, valid_ms: int = 24 * HOUR_MS, link_id: int = 1) -> Mt:
        """One that an operator accepted over a link; an id for each part."""
        mt = self.submitting(valid_ms=valid_ms, parts=len(keys))
        mt.link_id = link_id
        self.accepted(mt, *keys)
        return mt

    def _new(self, state: MtState, valid_ms: int, parts: int, traffic: TrafficClass = TrafficClass.REPLY) -> Mt:
        now = self.clock.now()
        mt = Mt(
            self._ids.next(now), "alpha-1", 1, 1, "4446", SUBSCRIBER, "thank you", parts, now, 0, 1, state,
            now + valid_ms if valid_ms else 0, traffic=traffic,
        )  # fmt: skip
        self.write(NewMtFact(mt))
        return mt

    def accepted(self, mt: Mt, *keys: str) -> None:
        """The operator's answer."""
        mt.keys = list(keys)
        parts = [(place, key, MtState.SUBMITTED) for place, key in enumerate(keys, 1)] if len(keys) > 1 else []
        self.write(MtFact(mt, MtState.SUBMITTED, self.clock.now(), parts=parts))

    def a_receipt(self, key: str, state: ReceiptState = ReceiptState.DELIVERED, *, link_id: int = 1) -> ReceiptFact:
        """A receipt as it comes in now."""
        return ReceiptFact(
            Receipt(
                "alpha-1", link_id, 1, (key,), state, WORDS[state], "000", SUBSCRIBER, "4446", self.clock.now()
            )
        )  # fmt: skip

    def receipt(self, key: str, state: ReceiptState = ReceiptState.DELIVERED, *, link_id: int = 1) -> None:
        """A receipt comes in and is written."""
        self.write(self.a_receipt(key, state, link_id=link_id))

    def look(self, limit: int = 100) -> OverdueFact:
        """What a look says is overdue now."""
        now = self.clock.now()
        with self.database.read() as connection:
            return OverdueFact(find_overdue(connection, now, limit), now)

    def sweep(self, limit: int = 100) -> OverdueFact:
        """Give what is overdue its end."""
        fact = self.look(limit)
        self.write(fact)
        return fact

    # --- what the database says ------------------------------------------------------------------------

    def row(self, mt: Mt) -> Any:
        """The MT's row."""
        with self.database.read() as connection:
            return connection.execute(sa.select(MtRow.__table__).where(MtRow.id == mt.id)).one()

    def state(self, mt: Mt) -> MtState:
        """Its state."""
        return MtState(self.row(mt).state)

    def history(self, mt: Mt) -> list[tuple[MtState, MtState, str]]:
        """Its moves: (old, new, why)."""
        with self.database.read() as connection:
            query = sa.select(MtMove.old, MtMove.new, MtMove.reason).where(MtMove.mt_id == mt.id).order_by(MtMove.id)
            return [(MtState(old), MtState(new), reason) for old, new, reason in connection.execute(query)]
