"""What a session that broke may not have heard, from the clock of the link to the rows that are in doubt."""

from dataclasses import dataclass, replace
from typing import cast

import pytest

from core.clock import SECOND_MS
from store.database import Database
from store.journal import Fact, MoFact
from store.schema import InDoubt
from tests.store.journal.desk import MoDesk
from traffic.commit import Batcher
from traffic.doubts import Doubts
from traffic.ports import Delivery


class AtOnce:
    """A batcher that keeps what it is given."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def put(self, fact: Fact, settled: object) -> None:
        self.facts.append(fact)


@dataclass(slots=True)
class Arrived:
    """What Doubts asks of a delivery for its id."""

    arrived_at: int


def new_id(desk: MoDesk, doubts: Doubts) -> int:
    """Of what arrives now."""
    return doubts.new_id(cast(Delivery, Arrived(desk.clock.now())))


def takes(desk: MoDesk, doubts: Doubts) -> MoFact:
    """A message comes in now and is acknowledged."""
    fact = desk.mo()
    fact.mo.id = new_id(desk, doubts)
    desk.take(fact)
    return fact


@pytest.mark.parametrize(("ago_s", "is_in_doubt"), [(1, True), (60, True), (68, True), (75, False)])
def test_what_was_answered_in_the_minute_before_a_session_broke_is_in_doubt(
    database: Database, ago_s: int, *, is_in_doubt: bool
) -> None:
    """An answer leaves up to the link's response time-out (10 s) after its message came."""
    desk, kept = MoDesk(database), AtOnce()
    doubts = Doubts(cast(Batcher, kept), desk.ids, desk.clock)
    fact = takes(desk, doubts)
    for _ in range(ago_s):
        desk.clock.advance(SECOND_MS)
        new_id(desk, doubts)

    doubts.ended(desk.link, clean=False, at=desk.clock.now())
    desk.write(*kept.facts)

    assert [row.mo_id for row in desk.rows(InDoubt)] == ([fact.id] if is_in_doubt else [])


@pytest.mark.parametrize("repeat", ["never", "window:30"])
def test_a_link_that_knows_better_doubts_nothing_when_a_session_breaks(database: Database, repeat: str) -> None:
    desk, kept = MoDesk(database), AtOnce()
    desk.link = replace(desk.link, repeat=repeat)
    doubts = Doubts(cast(Batcher, kept), desk.ids, desk.clock)

    doubts.ended(desk.link, clean=False, at=desk.clock.now())

    assert kept.facts == []


def test_a_session_that_ended_in_good_order_leaves_nothing_in_doubt(database: Database) -> None:
    desk, kept = MoDesk(database), AtOnce()
    doubts = Doubts(cast(Batcher, kept), desk.ids, desk.clock)
    takes(desk, doubts)

    doubts.ended(desk.link, clean=True, at=desk.clock.now())

    assert kept.facts == []
