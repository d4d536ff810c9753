"""Closing beside those who book: who comes first is in the month, who comes later in the next; two who close."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from core.errors import StoreAway
from store import closing, journal, month_sums, schema
from store.closing import ClosingRefused, close
from store.database import Database, connect
from store.issuing import write_them
from store.journal import booking
from store.pulse import show_life
from store.schema import ClosedMonth, FrozenTotal, Mo, Statement, StatementLine
from tests.makers_money import micros, moment
from tests.simulation.faults import Crash, Fault, FaultyDatabase
from tests.store.locks import PATIENCE_S, until_somebody_waits
from tests.store.month_desk import MonthDesk, a_world, by_owner
from tests.store.mt_desk import HandClock

OCTOBER, NOVEMBER = 202610, 202611
LATE = moment("2026-10-31T23:59:59Z")


def an_office(database: Database) -> MonthDesk:
    """One message in October, and November has begun."""
    desk = MonthDesk(database, a_world(), clock=HandClock(moment("2026-10-05T12:00:00Z")))
    desk.earn("GAME 1")
    return desk.at("2026-11-02")


@pytest.fixture
def desk(database: Database) -> MonthDesk:
    return an_office(database)


@pytest.fixture
def shared(mariadb_url: str) -> Iterator[MonthDesk]:
    """On MariaDB, where several write at once."""
    database = connect(mariadb_url)
    yield an_office(database)
    database.close()


class Pause:
    """Somebody in the middle of a transaction: `begun`, then it waits until it is told to go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def before(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """The step, after the pause."""

        def paused(*args: Any, **more: Any) -> Any:
            self.begun.set()
            assert self.go_on.wait(PATIENCE_S), "nobody said to go on"
            return step(*args, **more)

        return paused


@contextmanager
def beside(work: Callable[[], Any]) -> Iterator[list[Any]]:
    """In another thread, to its end when the block ends; what it gave, or raised."""
    done: list[Any] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            done.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield done
    finally:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def months_of(desk: MonthDesk) -> dict[str, int]:
    return {row.text: row.month for row in desk.rows(Mo)}


def test_closing_waits_for_a_batch_that_has_asked_which_month_is_open(
    shared: MonthDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause()
    monkeypatch.setattr(journal, "show_life", pause.before(show_life))
    clerk = shared.clerk()

    with beside(lambda: shared.earn("GAME 2", at=LATE)) as batch:
        assert pause.begun.wait(PATIENCE_S)
        with beside(lambda: close(clerk, OCTOBER, "ada")) as closed:
            until_somebody_waits(shared.database)
            assert closed == []
            pause.go_on.set()

    assert len(batch[0]) == 1
    assert by_owner(closed[0])["acme", "RUB"].closing == micros("6")
    assert months_of(shared) == {"GAME 1": OCTOBER, "GAME 2": OCTOBER}
    assert shared.audit() == []


def test_without_the_lock_it_would_book_into_the_frozen_month(
    shared: MonthDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test above would see: L11 finds it."""
    pause = Pause()
    ask = booking._last_closed
    monkeypatch.setattr(journal, "show_life", pause.before(show_life))
    monkeypatch.setattr(booking, "_last_closed", lambda connection, _: ask(connection, ""))
    clerk = shared.clerk()

    with beside(lambda: shared.earn("GAME 2", at=LATE)):
        assert pause.begun.wait(PATIENCE_S)
        closed = close(clerk, OCTOBER, "ada")
        pause.go_on.set()

    assert by_owner(closed)["acme", "RUB"].closing == micros("3")
    assert months_of(shared) == {"GAME 1": OCTOBER, "GAME 2": OCTOBER}
    assert {"L11", "L12"} <= {finding.check for finding in shared.audit()}


def test_a_batch_that_comes_while_a_month_is_closed_waits_and_is_in_the_next(
    shared: MonthDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause()
    monkeypatch.setattr(closing, "write_them", pause.before(write_them))
    clerk = shared.clerk()

    with beside(lambda: close(clerk, OCTOBER, "ada")) as closed:
        assert pause.begun.wait(PATIENCE_S)
        with beside(lambda: shared.earn("GAME 2", at=LATE)) as batch:
            until_somebody_waits(shared.database)
            assert batch == []
            pause.go_on.set()

    assert by_owner(closed[0])["acme", "RUB"].closing == micros("3")
    assert len(batch[0]) == 1
    assert months_of(shared) == {"GAME 1": OCTOBER, "GAME 2": NOVEMBER}
    assert shared.audit() == []


def test_what_is_booked_between_the_first_look_and_the_lock_is_in_the_statement(
    desk: MonthDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = desk.clerk()
    run = clerk.run

    def book_before(work: Any) -> Any:
        monkeypatch.setattr(clerk, "run", run)
        desk.earn("GAME 2", "GAME 3", at=LATE)
        return run(work)

    monkeypatch.setattr(clerk, "run", book_before)
    closed = by_owner(close(clerk, OCTOBER, "ada"))

    assert closed["acme", "RUB"].closing == micros("9.30")
    assert desk.audit() == []


def test_what_took_longer_than_a_batch_may_is_found_at_the_second_look(
    shared: MonthDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry that is older than the half minute of the first look, and was not committed when that began."""
    pause = Pause()
    monkeypatch.setattr(journal, "show_life", pause.before(show_life))
    clerk = shared.clerk()
    run = clerk.run

    def let_go_before(work: Any) -> Any:
        pause.go_on.set()
        until_gone.wait(PATIENCE_S)
        return run(work)

    def act() -> None:
        shared.earn("GAME 2", at=LATE)
        until_gone.set()

    until_gone = threading.Event()
    monkeypatch.setattr(clerk, "run", let_go_before)
    with beside(act):
        assert pause.begun.wait(PATIENCE_S)
        shared.clock.advance(120_000)
        closed = by_owner(close(clerk, OCTOBER, "ada"))

    assert closed["acme", "RUB"].closing == micros("6")
    assert shared.audit() == []


def test_who_reads_for_long_shows_that_it_lives(desk: MonthDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece takes 5 s: without a sign of life for 10 s a process is buried by another."""
    monkeypatch.setattr(month_sums, "AT_ONCE", 1)
    desk.earn("GAME 2", at=LATE)
    desk.earn("GAME 3", at=LATE)
    desk.clock.advance(60_000)
    clerk = desk.clerk()
    ranges = month_sums._ranges
    beats = []

    def slowly(*asked: Any) -> Iterator[tuple[int, int]]:
        for piece in ranges(*asked):
            yield piece
            desk.clock.advance(5_000)
            beats.append(heartbeat())

    def heartbeat() -> int:
        with desk.database.read() as connection:
            query = sa.select(schema.Process.heartbeat_at).where(schema.Process.id == clerk._process_id)
            return connection.execute(query).scalar_one()

    monkeypatch.setattr(month_sums, "_ranges", slowly)
    close(clerk, OCTOBER, "ada")

    assert len(set(beats)) >= 3
    assert desk.audit() == []


def test_of_two_who_close_at_once_one_does(desk: MonthDesk) -> None:
    start = threading.Barrier(2)
    clerks = [desk.clerk(), desk.clerk()]

    def attempt(number: int) -> Any:
        start.wait(PATIENCE_S)
        return close(clerks[number], OCTOBER, f"person {number}")

    with beside(lambda: attempt(0)) as one, beside(lambda: attempt(1)) as other:
        pass

    failed = [error for error in (one[0], other[0]) if isinstance(error, BaseException)]
    assert [type(error) for error in failed] == [ClosingRefused]
    assert "was closed by person" in str(failed[0])
    assert [row.number for row in desk.rows(Statement)] == ["2026-000001", "2026-000002"]
    assert desk.audit() == []


def test_intake_goes_on_while_a_month_is_closed(shared: MonthDesk) -> None:
    closes = threading.Event()

    def flood(desk: MonthDesk) -> None:
        for number in range(40):
            desk.earn(f"GAME {number}", f"GAME {number}", at=LATE)
            if number == 10:
                closes.set()

    others = [MonthDesk(shared.database, shared.catalogue, clock=shared.clock) for _ in range(3)]
    with (
        beside(lambda: flood(others[0])) as a,
        beside(lambda: flood(others[1])) as b,
        beside(lambda: flood(others[2])) as c,
    ):
        assert closes.wait(PATIENCE_S)
        closed = by_owner(close(shared.clerk(), OCTOBER, "ada"))

    assert [*a, *b, *c] == [None, None, None]
    months = [row.month for row in shared.rows(Mo)]
    assert len(months) == 1 + 3 * 80
    counted = sum(line.count for line in closed["acme", "RUB"].lines)
    assert counted == months.count(OCTOBER)
    assert shared.audit() == []


@pytest.mark.parametrize("fault", [Fault.DOUBT_LOST, Fault.DOUBT_WRITTEN, Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_an_end_in_the_commit_leaves_all_or_nothing(desk: MonthDesk, fault: Fault) -> None:
    faulty = FaultyDatabase(desk.database.engine)
    faulty.next_fault = lambda: fault
    clerk = desk.clerk()
    clerk.database = faulty

    with pytest.raises((StoreAway, Crash)):
        close(clerk, OCTOBER, "ada")

    there = [len(desk.rows(table)) > 0 for table in (ClosedMonth, FrozenTotal, Statement, StatementLine)]
    assert set(there) == {fault in {Fault.DOUBT_WRITTEN, Fault.CRASH_AFTER}}
    assert desk.audit() == []


def test_a_person_who_corrects_while_a_month_is_closed_waits_too(
    shared: MonthDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause()
    monkeypatch.setattr(closing, "write_them", pause.before(write_them))
    clerk = shared.clerk()
    (first,) = [row.id for row in shared.rows(Mo)]

    with beside(lambda: close(clerk, OCTOBER, "ada")):
        assert pause.begun.wait(PATIENCE_S)
        with beside(lambda: shared.correct("charge_back", first)):
            until_somebody_waits(shared.database)
            pause.go_on.set()

    assert [row.month for row in shared.rows(schema.Charge)] == [NOVEMBER]
    assert shared.audit() == []


def test_the_last_closed_month_is_known_wherever_it_was_closed(desk: MonthDesk) -> None:
    close(desk.clerk(), OCTOBER, "ada")
    with desk.database.write() as connection:
        connection.execute(sa.delete(schema.Series).where(schema.Series.name == booking.MONTHS))

    with desk.database.write() as connection:
        assert booking.first_open_month(connection) == NOVEMBER
    with desk.database.write() as connection:
        assert booking.hold_months(connection) == OCTOBER


def test_a_crash_in_the_middle_leaves_nothing(desk: MonthDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*written: Any) -> None:
        write_them(*written)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(closing, "write_them", crash)
        with pytest.raises(KeyboardInterrupt):
            desk.close(OCTOBER)

    assert [desk.rows(table) for table in (ClosedMonth, FrozenTotal, Statement, StatementLine)] == [[], [], [], []]
    desk.earn("GAME 8", at=moment("2026-10-30T12:00:00Z"))
    assert sorted(one.number for one in desk.close(OCTOBER).values())[0] == "2026-000001"
    assert desk.audit() == []
