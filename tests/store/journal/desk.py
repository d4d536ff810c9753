"""One process's journal on a real database: messages come in, batches are written, rows are read.

MoDesk   `mo`, `part` make facts as they arrive; `write` a batch; `rows` what is there

Rule: time stands still unless it is moved; what is decided is decided by the real router and the real counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from core.catalogue import Catalogue, Link
from core.ids import Ids
from core.ledger.audit import Finding
from core.message import Callback, Mt, MtState
from core.sms.parts import Piece
from fraud.counters import Counts, MemoryCounts
from store import processes
from store.audit import audit
from store.database import Database
from store.journal import Fact, Journal, MoFact, PartFact
from store.outbox import Outbox
from store.schema import Base
from tests.makers import a_catalogue, a_link, an_mo
from tests.simulation.faults import Fault, FaultyDatabase
from tests.store.mt_desk import HandClock
from traffic.settle import Book, Settler

SUBSCRIBER = "79001112233"


@dataclass(slots=True)
class Delivered:
    """What brought a fact, by the monotonic clock; `lost`: its session is over."""

    arrived_ms: int
    lost: bool = False


class Decider(Settler):
    """The real one; it remembers what it was told to take back."""

    taken_back: list[list[int]]
    is_full = False
    outage: Exception | None = None

    def take_back(self, message_ids: Sequence[int]) -> None:
        self.taken_back.append(list(message_ids))
        super().take_back(message_ids)

    def is_crowded(self, partner_id: int) -> bool:
        return self.is_full

    def probe(self) -> None:
        if self.outage is not None:
            raise self.outage


@dataclass
class MoDesk:
    """One process."""

    database: Database
    catalogue: Catalogue = field(default_factory=a_catalogue)
    link: Link = field(default_factory=a_link)
    clock: HandClock = field(default_factory=HandClock)
    fails: list[Fault] = field(default_factory=list)
    """What happens at the next commits."""
    counts: Counts = field(default_factory=MemoryCounts)

    def __post_init__(self) -> None:
        self.me = processes.register(self.database, roles="links", now=self.clock.now())
        self.ids = Ids(self.me.slot, after=self.me.after)
        faulty = FaultyDatabase(self.database.engine)
        faulty.next_fault = lambda: self.fails.pop(0) if self.fails else Fault.NONE
        self.decider = Decider(
            Book.of(self.catalogue), self.counts, self.ids, self.clock,
            holds=lambda _: True, is_crowded=lambda _: False, probe=lambda: None,
        )  # fmt: skip
        self.decider.taken_back = []
        self.journal = Journal(
            faulty, self.decider, process_id=self.me.id, ids=self.ids, clock=self.clock, lease_ms=30_000
        )
        self.outbox = Outbox(
            faulty, lambda: self.decider.book.catalogue, self.clock, process_id=self.me.id, lease_ms=30_000
        )

    def use(self, catalogue: Catalogue) -> None:
        """Decide by another catalogue from now on."""
        self.catalogue = catalogue
        self.decider.book = Book.of(catalogue)

    def mo(self, text: str = "GAME 7", *, joined: tuple[int, ...] = (), lost: bool = False, **values: Any) -> MoFact:
        """An MO as it arrives now; the same text has the same fingerprint."""
        mo = an_mo(text, id=self.ids.next(self.clock.now()), at=values.pop("at", self.clock.now()), **values)
        mo.fingerprint = 1 + sum(map(ord, text))
        return MoFact(mo, self.link, Delivered(self.clock.monotonic_ms(), lost), joined)

    def part(self, sequence: int = 1, *, key: str = "", lost: bool = False) -> PartFact:
        """A part of three."""
        piece = Piece(reference=9, total=3, sequence=sequence, bits=8)
        delivered = Delivered(self.clock.monotonic_ms(), lost)
        return PartFact(
            self.ids.next(self.clock.now()), self.link, 1, SUBSCRIBER, "4446", piece, b"x" * 140, 0, 900 + sequence,
            self.clock.now(), key, delivered,
        )  # fmt: skip

    def reply_to(self, mo_id: int, text: str = "thank you", state: MtState = MtState.SUBMITTING) -> Mt:
        """A reply that this process would send."""
        now = self.clock.now()
        return Mt(self.ids.next(now), "alpha-1", 1, 1, "4446", SUBSCRIBER, text, 1, now, mo_id, 1, state, now + 60_000)

    def job_of(self, fact: MoFact) -> Callback:
        """The call that the journal handed out."""
        assert fact.job is not None
        return fact.job

    def write(self, *facts: Fact) -> None:
        """A batch."""
        self.journal.write(facts)

    def take(self, *facts: MoFact | PartFact) -> None:
        """A batch, in which nothing is a repeat."""
        self.write(*facts)
        assert [fact.why for fact in facts if fact.repeat_of] == []

    # --- what is there ---------------------------------------------------------------------------------

    def rows(self, table: type[Base], *where: Any) -> list[Any]:
        """Rows by their keys."""
        key = sa.inspect(table).primary_key
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table.__table__).where(*where).order_by(*key)))

    def values(self, *columns: Any) -> list[Any]:
        """Some columns of all rows, by the first."""
        with self.database.read() as connection:
            return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(columns[0]))]

    def audit(self) -> list[Finding]:
        """What `tollbridge check` finds."""
        with self.database.read() as connection:
            return [finding for _, findings in audit(connection, self.catalogue) for finding in findings]
