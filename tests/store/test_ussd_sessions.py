"""Sessions of USSD as rows, on both databases: what one step leaves, the next one sees, in any process."""

import threading
from dataclasses import replace

import pytest

from core.ussd.menu import Menu
from core.ussd.record import write_session
from core.ussd.session import Session, State
from core.ussd.steps import step
from core.ussd.turn import Turn, TurnKind
from store.database import Database
from store.schema import UssdSession
from store.ussd_sessions import Rows, UssdSessions
from tests.core.ussd.makers import MSISDN, NOW, sheet_menu
from tests.store.locks import until_somebody_waits

CODE = "*920*77#"


@pytest.fixture(scope="module")
def menu() -> Menu:
    return sheet_menu()


def a_session(menu: Menu, key: str = "1", msisdn: str = MSISDN, at: int = NOW) -> Session:
    turn = Turn(TurnKind.BEGIN, "alpha", f"{msisdn}/{key}", msisdn, at, dialled=CODE, code=CODE)
    session, _ = step(None, menu, turn, at)
    assert session is not None
    return session


def put(database: Database, *sessions: Session) -> None:
    def change(rows: Rows) -> None:
        for one in sessions:
            rows.put(one)

    UssdSessions(database).change([one.key for one in sessions], [change])


def get(database: Database, key: str) -> Session | None:
    return UssdSessions(database).change([key], [lambda rows: rows.of(key)])[0]


def test_a_session_is_read_as_it_was_written_and_written_again(database: Database, menu: Menu) -> None:
    session = replace(a_session(menu), answers={"name": "Ñandú 😀", "quote": "'\"\\"}, said="é\n*#")
    put(database, session)
    assert get(database, session.key) == session

    later = replace(session, touched_at=NOW + 5, state=State.ENDED)
    put(database, later)

    assert get(database, session.key) == later
    assert get(database, "alpha/nobody/1") is None


def test_keys_that_differ_only_in_capitals_are_two_sessions(database: Database, menu: Menu) -> None:
    small, capital = a_session(menu, "ab"), a_session(menu, "AB", at=NOW + 1)
    put(database, small, capital)

    assert (get(database, small.key), get(database, capital.key)) == (small, capital)


def test_the_latest_of_a_number_and_a_code(database: Database, menu: Menu) -> None:
    first, second = a_session(menu, "1"), a_session(menu, "2", at=NOW + 1)
    put(database, first, second, a_session(menu, "3", "237670000002", NOW + 9))
    third = a_session(menu, "4", at=NOW + 5)

    def change(rows: Rows) -> list[Session | None]:
        found = [rows.latest(MSISDN, CODE), rows.latest(MSISDN, "*1#"), rows.latest("237670000009", CODE)]
        rows.put(third)
        return [*found, rows.latest(MSISDN, CODE)]

    assert UssdSessions(database).change([], [change])[0] == [second, None, None, third]


def test_each_step_of_a_batch_sees_what_the_one_before_it_left(database: Database, menu: Menu) -> None:
    session = a_session(menu)

    def count(rows: Rows) -> int:
        known = rows.of(session.key) or session
        rows.put(replace(known, turns=known.turns + 1))
        return known.turns

    assert UssdSessions(database).change([session.key] * 3, [count] * 3) == [0, 1, 2]
    found = get(database, session.key)
    assert found is not None
    assert found.turns == 3


def test_nothing_is_left_of_a_batch_that_fails(database: Database, menu: Menu) -> None:
    session = a_session(menu)

    def fail(rows: Rows) -> None:
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError):
        UssdSessions(database).change([session.key], [lambda rows: rows.put(session), fail])

    assert get(database, session.key) is None


def test_what_another_release_wrote_is_no_session_and_is_overwritten(database: Database, menu: Menu) -> None:
    session = a_session(menu)
    put(database, session)
    body = write_session(session).replace('"visit"', '"visits"')
    with database.write() as connection:
        connection.execute(UssdSession.__table__.update().values(body=body))  # type: ignore[attr-defined]

    assert get(database, session.key) is None
    put(database, session)
    assert get(database, session.key) == session


def test_two_processes_step_one_session_one_after_the_other(database: Database, menu: Menu) -> None:
    session = a_session(menu)
    put(database, session)
    is_in, may_go = threading.Event(), threading.Event()

    def counted(rows: Rows) -> None:
        known = rows.of(session.key)
        assert known is not None
        rows.put(replace(known, turns=known.turns + 1))

    def slowly(rows: Rows) -> None:
        counted(rows)
        is_in.set()
        assert may_go.wait(20)

    first = threading.Thread(target=UssdSessions(database).change, args=([session.key], [slowly]))
    second = threading.Thread(target=UssdSessions(database).change, args=([session.key], [counted]))
    first.start()
    assert is_in.wait(20)
    second.start()
    if database.dialect == "mysql":
        until_somebody_waits(database)
    may_go.set()
    first.join(20)
    second.join(20)

    found = get(database, session.key)
    assert found is not None
    assert found.turns == 2
