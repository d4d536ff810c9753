"""What waited for its commit longer than its operator waits for our answer: the next delivery of it is a repeat."""

from dataclasses import dataclass

import pytest

from core.message import Mo
from store.database import Database
from store.journal.facts import MoFact
from store.journal.repeats import tell
from tests.makers import NOON, a_link, an_operator

TIMEOUT_S = 5
NOW_MS = 100_000


@dataclass
class Delivery:
    arrived_ms: int
    lost: bool = False


def an_arrival(id_: int, waited_ms: int, *, repeat: str = "doubt") -> MoFact:
    link = a_link(response_timeout_s=TIMEOUT_S, repeat=repeat)
    mo = Mo(id_, link.name, link.id, an_operator(), "79001112233", "4446", "GAME 7", 1, NOON, 12345)
    return MoFact(mo, link, Delivery(NOW_MS - waited_ms))


def told(database: Database, *batches: list[MoFact]) -> list[int]:
    """Of each arrival, which message it repeats; 0: none."""
    for batch in batches:
        with database.write() as connection:
            tell(connection, batch, NOON, NOW_MS)
    return [fact.repeat_of for batch in batches for fact in batch]


def test_a_redelivery_in_the_same_batch_as_a_first_that_waited_too_long_is_a_repeat(database: Database) -> None:
    assert told(database, [an_arrival(1, 5_001), an_arrival(2, 100)]) == [0, 1]


def test_a_redelivery_in_the_next_batch_is_too(database: Database) -> None:
    assert told(database, [an_arrival(1, 5_001)], [an_arrival(2, 100)]) == [0, 1]


@pytest.mark.parametrize("repeat", ["doubt", "never"])
def test_two_equal_messages_that_are_in_time_are_two(database: Database, repeat: str) -> None:
    assert told(database, [an_arrival(1, 4_999, repeat=repeat), an_arrival(2, 100, repeat=repeat)]) == [0, 0]


def test_a_link_that_never_repeats_is_not_doubted(database: Database) -> None:
    assert told(database, [an_arrival(1, 9_000, repeat="never"), an_arrival(2, 100, repeat="never")]) == [0, 0]
