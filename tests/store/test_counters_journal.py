"""The journal with counts in Redis: what a batch that came to nothing has counted is taken back there, too."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from core.catalogue import Limit
from core.clock import HOUR_MS
from core.errors import StoreAway
from core.message import Action
from store.counters import KNOWN_MS, RedisCounts
from store.database import Database
from store.journal import MoFact
from store.schema import Mo
from tests import services
from tests.makers import a_catalogue
from tests.simulation.faults import Crash, Fault
from tests.store.journal.desk import MoDesk
from traffic.settle import Settler

MOST = 3


@pytest.fixture
def desk(database: Database, redis_url: str) -> Iterator[MoDesk]:
    """A limit of three messages an hour for each subscriber."""
    counts = RedisCounts(redis_url)
    limit = Limit(1, "subscriber", "*", "count", HOUR_MS, MOST, "reject")
    yield MoDesk(database, a_catalogue(limits=[limit]), counts=counts)
    counts.close()


def verdicts(desk: MoDesk) -> list[int]:
    return [row.verdict for row in desk.rows(Mo)]


def wrong(desk: MoDesk) -> MoFact:
    """What no database takes, though it passes all the rules."""
    fact = desk.mo("GAME wrong")
    fact.mo.data_coding = None  # type: ignore[assignment]
    return fact


def three(desk: MoDesk, word: str) -> list[MoFact]:
    return [desk.mo(f"GAME {word}{number}") for number in range(MOST)]


def test_the_window_is_full_after_as_many_as_it_allows(desk: MoDesk) -> None:
    desk.take(*three(desk, "a"), desk.mo("GAME b"))

    assert verdicts(desk) == [Action.PASS] * MOST + [Action.REJECT]


def test_a_batch_that_the_database_refuses_has_counted_nothing(desk: MoDesk) -> None:
    desk.take(desk.mo("GAME first"))

    with pytest.raises(sa.exc.DBAPIError):
        desk.write(desk.mo("GAME x"), wrong(desk))
    counted_after_it = services.redis().ask("DBSIZE")
    desk.take(*three(desk, "a"))

    assert counted_after_it == b":2", "the window, and the message that is there"
    assert verdicts(desk) == [Action.PASS] * MOST + [Action.REJECT]


def test_a_batch_that_the_database_could_not_take_has_counted_nothing(desk: MoDesk) -> None:
    desk.fails = [Fault.NONE, Fault.AWAY, Fault.CRASH_BEFORE]
    desk.take(desk.mo("GAME first"))
    with pytest.raises(StoreAway):
        desk.write(*three(desk, "x"))
    with pytest.raises(Crash):
        desk.write(*three(desk, "y"))

    desk.take(*three(desk, "a"))

    assert verdicts(desk) == [Action.PASS] * MOST + [Action.REJECT]


@pytest.mark.parametrize(("fault", "written"), [(Fault.DOUBT_LOST, False), (Fault.DOUBT_WRITTEN, True)])
def test_a_batch_in_doubt_counts_until_it_is_known_and_afterwards_only_if_it_is_there(
    desk: MoDesk, fault: Fault, written: bool
) -> None:
    doubtful = three(desk, "x")
    desk.fails = [fault]
    with pytest.raises(StoreAway):
        desk.write(*doubtful)
    keys = services.redis().ask("DBSIZE")

    assert desk.journal.resolve(doubtful, doubtful) is written
    desk.take(*three(desk, "a"))

    assert keys == b":%d" % (1 + MOST), "its messages must not pass a second time before that"
    assert verdicts(desk) == ([Action.PASS] * MOST + [Action.REJECT] * MOST if written else [Action.PASS] * MOST)


def test_a_batch_that_is_tried_again_is_not_counted_twice(desk: MoDesk) -> None:
    facts = three(desk, "x")
    desk.fails = [Fault.AWAY]
    with pytest.raises(StoreAway):
        desk.write(*facts)

    desk.take(*facts)

    assert verdicts(desk) == [Action.PASS] * MOST


def test_what_could_not_be_taken_back_is_taken_back_when_redis_is_there_again(
    desk: MoDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis decides, the database fails, and then Redis is away, too."""
    desk.take(desk.mo("GAME first"))
    with monkeypatch.context() as patch:
        patch.setattr(desk.counts, "take_back", _is_away)
        with pytest.raises(sa.exc.DBAPIError):
            desk.write(desk.mo("GAME x"), wrong(desk))

    Settler.probe(desk.decider)  # the desk's own asks nobody
    desk.take(*three(desk, "a"))

    assert verdicts(desk) == [Action.PASS] * MOST + [Action.REJECT]


def test_only_what_may_still_be_taken_back_is_remembered_for_long(desk: MoDesk) -> None:
    """The one before the last is known to be durable; of the last nobody has told Redis yet."""
    first, lost, last = desk.mo("GAME 1"), desk.mo("GAME 2"), desk.mo("GAME 3")
    desk.write(first)
    desk.fails = [Fault.DOUBT_LOST, Fault.NONE, Fault.DOUBT_WRITTEN]
    with pytest.raises(StoreAway):
        desk.write(lost)
    in_doubt = left_ms(lost)
    assert desk.journal.resolve([lost], [lost]) is False
    with pytest.raises(StoreAway):
        desk.write(last)
    assert desk.journal.resolve([last], [last]) is True

    desk.write(desk.mo("GAME 4"))

    assert in_doubt > HOUR_MS, "as long as it counts in the window of an hour"
    assert left_ms(lost) < 0, "it was taken back"
    assert 0 < left_ms(first) <= KNOWN_MS
    assert 0 < left_ms(last) <= KNOWN_MS


def left_ms(fact: MoFact) -> int:
    """How long Redis remembers that a message was counted; less than 0: not any more."""
    return int(services.redis().ask(f"PTTL tollbridge:m:{fact.id}")[1:])


def _is_away(ids: object) -> None:
    raise StoreAway("Redis gives no counts", what="Redis")
