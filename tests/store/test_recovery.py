"""What another process left: messages that limits counted, whatever the clock did meanwhile."""

from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from core.ids import Ids
from core.message import Action
from store import schema
from store.database import Database
from store.recovery import counted_messages
from tests.makers import NOON
from tests.partner_api.rows import add


class Book:
    """Messages as one process after the other accepted them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._ids = Ids(1)

    def accepts(self, *moments: Instant, verdict: Action = Action.PASS, is_test: bool = False) -> None:
        with self.database.write() as connection:
            for at in moments:
                add(
                    connection, schema.Mo, id=self._ids.next(at), accepted_at=at, verdict=int(verdict), test=is_test,
                    source="79001112233",
                )  # fmt: skip

    def counted(self, now: Instant, *, for_ms: int = DAY_MS) -> list[Instant]:
        """The moments that limits count by."""
        return [message.accepted_at for message in counted_messages(self.database, now - for_ms, now)]


def test_messages_that_passed_are_counted_by_the_moments_of_their_acceptance(database: Database) -> None:
    book = Book(database)
    book.accepts(NOON - DAY_MS - 1, NOON - DAY_MS, NOON - 5, NOON)
    book.accepts(NOON, verdict=Action.REJECT)
    book.accepts(NOON, is_test=True)
    book.accepts(NOON, verdict=Action.HOLD)

    assert book.counted(NOON) == [NOON - DAY_MS, NOON - 5, NOON, NOON]


def test_after_the_clock_was_set_back_what_came_before_counts_no_longer_than_what_came_after(
    database: Database,
) -> None:
    """It would lie ahead until the clock is there again; a message that was refused tells the moment as well."""
    book = Book(database)
    book.accepts(NOON - 90 * MINUTE_MS, NOON - 5_000, NOON)
    book.accepts(NOON - HOUR_MS + 2_000, verdict=Action.REJECT)
    book.accepts(NOON - HOUR_MS + 9_000)

    now = NOON - HOUR_MS + MINUTE_MS

    first = NOON - HOUR_MS + 2_000
    assert book.counted(now) == [NOON - 90 * MINUTE_MS, first, first, NOON - HOUR_MS + 9_000]


def test_where_nothing_came_after_the_clock_was_set_back_nobody_knows(database: Database) -> None:
    book = Book(database)
    book.accepts(NOON - 5_000, NOON)

    assert book.counted(NOON - HOUR_MS) == [NOON - 5_000, NOON]


def test_a_clock_that_is_past_the_old_time_again_needs_no_care(database: Database) -> None:
    book = Book(database)
    book.accepts(NOON)
    book.accepts(NOON - HOUR_MS, NOON + 1)

    assert book.counted(NOON + MINUTE_MS) == [NOON, NOON - HOUR_MS, NOON + 1]


def test_ids_that_were_ahead_from_the_start_do_not_hide_when_the_clock_was_set_back(database: Database) -> None:
    """They went on from those of a process before, whose clock had been an hour ahead."""
    book = Book(database)
    book.accepts(NOON + HOUR_MS)
    book.accepts(NOON)
    book.accepts(NOON - HOUR_MS, NOON - HOUR_MS + 1_000)

    now = NOON - HOUR_MS + MINUTE_MS

    assert book.counted(now, for_ms=HOUR_MS) == [NOON - HOUR_MS] * 3 + [NOON - HOUR_MS + 1_000]
