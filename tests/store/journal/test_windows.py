"""Links with a window for repeats: what they keep, for how long, and what of it is read."""

import pytest
import sqlalchemy as sa

from core.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from store.bulk import bulk_insert
from store.database import Database
from store.journal import SessionFact
from store.pruning import prune_some
from store.schema import InDoubt, InWindow, Mo
from store.standing import read_standing
from tests.makers import NOON, a_link
from tests.store.journal.desk import MoDesk

WINDOW_MS = MINUTE_MS
COLUMNS = ("mo_id", "operator_id", "fingerprint", "at", "ends_at")


@pytest.fixture
def desk(database: Database) -> MoDesk:
    return MoDesk(database, link=a_link(repeat="window:60"))


def test_a_message_is_kept_as_long_as_its_window_and_is_no_doubt(desk: MoDesk) -> None:
    desk.take(desk.mo("GAME 1"), desk.mo("GAME 2"))
    doubts = desk.rows(InDoubt)

    prune_some(desk.database, "in_window", NOON + WINDOW_MS)
    kept = len(desk.rows(InWindow))
    prune_some(desk.database, "in_window", NOON + WINDOW_MS + 1)

    assert doubts == []
    assert (kept, len(desk.rows(InWindow))) == (2, 0)


def test_what_is_in_a_window_is_not_counted_as_in_doubt(desk: MoDesk) -> None:
    first = desk.mo("GAME 1")
    desk.take(first, desk.mo("GAME 2"))
    desk.write(SessionFact(1, first.id + 1, NOON))

    with desk.database.read() as connection:
        assert read_standing(connection, NOON).queues["in_doubt"] == 1


def test_a_session_that_broke_is_a_doubt_when_the_window_is_over(desk: MoDesk) -> None:
    first, other = desk.mo(), desk.mo("GAME other")
    desk.take(first, other)
    desk.write(SessionFact(1, first.id, NOON))
    desk.clock.advance(2 * HOUR_MS)

    again, third = desk.mo(), desk.mo()
    desk.write(again)
    desk.write(third)

    assert (again.repeat_of, "the session broke" in again.why) == (first.id, True)
    assert third.repeat_of == 0, "one doubt explains one redelivery, and the window is over"


def test_a_redelivery_in_a_window_uses_its_doubt_up(desk: MoDesk) -> None:
    first = desk.mo(lost=True)
    desk.take(first)
    again, third = desk.mo(), desk.mo()
    desk.write(again)
    desk.write(third)
    desk.clock.advance(WINDOW_MS)
    vote = desk.mo()
    desk.write(vote)

    assert [again.repeat_of, third.repeat_of, vote.repeat_of] == [first.id, first.id, 0]


def test_only_the_first_of_a_window_begins_one(desk: MoDesk) -> None:
    """So the same text, sent again and again, has a row in a window, not one a message."""
    for _ in range(30):
        desk.write(desk.mo())
        desk.clock.advance(10 * SECOND_MS)

    assert len(desk.rows(Mo)) == len(desk.rows(InWindow)) == 5


def test_a_look_reads_what_is_within_the_window_and_not_what_is_past(desk: MoDesk) -> None:
    first = desk.mo()
    past = [(number, 1, first.fingerprint, NOON - HOUR_MS - number, NOON) for number in range(1, 500)]
    with desk.database.write() as connection:
        bulk_insert(connection, InWindow, COLUMNS, past)
        bulk_insert(connection, InWindow, COLUMNS, [(1000 + row[0], 1, 9, NOON, NOON) for row in past])
    asked: list[tuple[str, object]] = []

    def listen(connection: object, cursor: object, sql: str, values: object, *rest: object) -> None:
        if "FROM in_window" in sql:
            asked.append((sql, values))

    sa.event.listen(sa.Engine, "before_cursor_execute", listen)
    try:
        desk.write(first)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listen)

    (sql, values), *more = asked
    assert more == []
    with desk.database.read() as connection:
        if desk.database.dialect == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()  # type: ignore[arg-type]
            assert "in_window_by_fingerprint (fingerprint=? AND at>? AND at<?)" in plan[0][-1]
        else:
            (plan,) = connection.exec_driver_sql(f"EXPLAIN {sql}", values).all()  # type: ignore[arg-type]
            assert (plan.key, int(plan.rows)) == ("in_window_by_fingerprint", 1)
