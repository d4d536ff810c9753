"""A commit that ended in doubt and was written after all: its work is let go, but not what another has taken since."""

import pytest

from core.errors import StoreAway
from core.message import Mt, MtState
from store import schema
from store.database import Database
from store.journal import NewMtFact
from tests.makers import NOON, of_every_class
from tests.partner_api.rows import add
from tests.simulation.faults import Fault, FaultyDatabase
from tests.store.mt_desk import HandClock, MtDesk


class InDoubt:
    """A process whose commit of an MT ended in doubt, and one beside it."""

    def __init__(self, database: Database, state: MtState) -> None:
        clock = HandClock()
        self.one, self.other = MtDesk(FaultyDatabase(database.engine), clock), MtDesk(database, clock)
        assert isinstance(self.one.database, FaultyDatabase)
        self.mt = Mt(
            self.one._ids.next(NOON), "alpha-1", 1, 1, "4446", "79001112233", "hi", 1, NOON, 7, 1, state, NOON + 60_000
        )
        self.fact = NewMtFact(self.mt)
        self.one.database.next_fault = lambda: Fault.DOUBT_WRITTEN
        with pytest.raises(StoreAway) as raised:
            self.one.write(self.fact)
        assert raised.value.in_doubt
        self.one.database.next_fault = lambda: Fault.NONE

    def resolves(self) -> bool:
        """The database is back: its sender was told that it did not work."""
        return self.one.journal.resolve([self.fact], [self.fact])


def test_what_it_held_itself_is_due(database: Database) -> None:
    story = InDoubt(database, MtState.SUBMITTING)

    assert story.resolves()

    assert story.other.state(story.mt) is MtState.QUEUED
    assert [mt.id for mt in story.other.outbox.mts(10, of_every_class(1))] == [story.mt.id]


def test_what_another_process_has_taken_is_its_own(database: Database) -> None:
    """It is on its way there: to be sent once more it would be sent twice, and not be marked."""
    story = InDoubt(database, MtState.QUEUED)
    assert [mt.id for mt in story.other.outbox.mts(10, of_every_class(1))] == [story.mt.id]

    assert story.resolves()

    assert story.other.state(story.mt) is MtState.SUBMITTING
    assert story.one.outbox.mts(10, of_every_class(1)) == []


def test_a_call_that_another_process_makes_is_not_made_by_a_third(database: Database) -> None:
    story = InDoubt(database, MtState.QUEUED)
    with database.write() as connection:
        add(connection, schema.Callback, mo_id=story.mt.id, due_at=NOON + 30_000, leased_by=77)

    assert story.resolves()

    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT due_at FROM callback").scalar_one() == NOON + 30_000
