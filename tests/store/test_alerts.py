"""Alerts are listed, and resolved once, with a name and a note; what arises again is open again."""

from typing import Any

import pytest

from core.clock import HOUR_MS
from core.errors import UserMistake
from store.alerts import KINDS, NOTE_MAX, Resolved, checked, list_alerts, read_alert, resolve_alerts
from store.asking import raise_alert
from store.database import Database
from store.journal import AlertFact
from store.journal.charging import BOOKS
from store.schema import Alert
from tests.house.tree import ROOT
from tests.makers import NOON, a_catalogue
from tests.partner_api.rows import add
from tests.store.journal.desk import MoDesk
from tests.store.journal.paid import PRICE, Office, the_catalogue
from tests.store.journal.test_alerts import a_limit
from tests.store.journal.test_missing_reserve import take_away


def resolve(database: Database, *ids: int, author: str = "olga", note: str = "seen", now: int = NOON) -> dict[int, Any]:
    with database.write() as connection:
        return resolve_alerts(connection, ids, author=author, note=note, now=now)


def open_ones(database: Database, kind: str = "") -> list[tuple[str, str]]:
    """Newest first."""
    with database.read() as connection:
        return [(row.kind, row.subject) for row in list_alerts(connection, kind=kind)[0]]


@pytest.fixture
def three(database: Database) -> Database:
    with database.write() as connection:
        for number, kind in ((1, "host"), (2, "dead_letter"), (3, "dead_letter")):
            add(connection, Alert, id=number, at=NOON + number, kind=kind, subject=f"of {number}", message_id=number)
    return database


def test_open_ones_are_listed_the_newest_first(three: Database) -> None:
    resolve(three, 2)

    with three.read() as connection:
        rows, count = list_alerts(connection)
        last, of_all = list_alerts(connection, resolved_too=True, limit=1)
        letters, of_kind = list_alerts(connection, kind="dead_letter", resolved_too=True)

    assert ([row.id for row in rows], count) == ([3, 1], 2)
    assert ([row.id for row in last], of_all) == ([3], 3)
    assert ([row.id for row in letters], of_kind) == ([3, 2], 2)


def test_who_resolved_it_when_and_why_stays(three: Database) -> None:
    done = resolve(three, 3, 1, now=NOON + HOUR_MS)

    with three.read() as connection:
        row = read_alert(connection, 3)
    assert row is not None
    assert (row.resolved_at, row.resolved_by, row.note) == (NOON + HOUR_MS, "olga", "seen")
    assert done[3] == Resolved(row, was_before=False)
    assert open_ones(three) == [("dead_letter", "of 2")]


def test_resolving_again_changes_nothing_and_is_told(three: Database) -> None:
    first = resolve(three, 3)

    again = resolve(three, 3, 1, author="ada", note="seen too", now=NOON + HOUR_MS)

    assert again[3] == Resolved(first[3].row, was_before=True)
    assert (again[1].was_before, again[1].row.resolved_by) == (False, "ada")
    with three.read() as connection:
        assert read_alert(connection, 3) == first[3].row


def test_one_that_is_not_there_is_nobodys(three: Database) -> None:
    assert resolve(three, 4, 3).keys() == {3}
    with three.read() as connection:
        assert read_alert(connection, 4) is None


@pytest.mark.parametrize(("author", "note"), [("", "seen"), (" ", "seen"), ("olga", " \n"), ("olga", "x" * 301)])
def test_a_name_and_a_note_are_wanted(author: str, note: str) -> None:
    assert NOTE_MAX == 300
    with pytest.raises(UserMistake):
        checked(author, note)


def test_a_note_is_one_line_and_may_be_left_out_where_the_deed_says_enough() -> None:
    assert checked(" olga  p.", "seen\nby me ") == ("olga p.", "seen by me")
    assert checked("olga", "", needs_note=False) == ("olga", "")


# --- what arises again -------------------------------------------------------------------------------------


def test_what_people_are_asked_about_is_asked_again_when_it_arises_after_it_was_resolved(database: Database) -> None:
    def arises() -> None:
        with database.write() as connection:
            raise_alert(connection, "payment", "payment 7", "it is parked", NOON)

    arises()
    arises()
    with database.read() as connection:
        (first,), _ = list_alerts(connection)
    resolve(database, first.id)
    assert open_ones(database) == []

    arises()
    arises()

    with database.read() as connection:
        (second,), _ = list_alerts(connection)
        known = read_alert(connection, first.id)
    assert second.id != first.id
    assert known is not None
    assert known.resolved_by == "olga", "the first keeps its word"


def test_money_that_is_missing_again_is_told_again(database: Database) -> None:
    office = Office(database, the_catalogue())
    office.pay_in(100 * PRICE)
    first, second = office.sent(), office.sent()
    take_away(office, 2 * PRICE)
    office.ends(first)
    with database.read() as connection:
        (row,), _ = list_alerts(connection, kind=BOOKS)
    resolve(database, row.id)

    office.ends(second)

    assert [kind for kind, _ in open_ones(database)] == [BOOKS]


@pytest.mark.parametrize("kind", ["dead_letter", "breaker", "outage", "host", "store"])
def test_what_the_service_tells_each_time_is_open_each_time(database: Database, kind: str) -> None:
    desk = MoDesk(database)
    desk.write(AlertFact(kind, "acme", "it failed", NOON))
    (row,) = desk.rows(Alert)
    resolve(database, row.id)

    desk.write(AlertFact(kind, "acme", "it failed", NOON))

    assert open_ones(database) == [(kind, "acme")]


def test_a_limit_that_is_passed_again_is_open_again_in_its_next_window_and_not_before(database: Database) -> None:
    desk = MoDesk(database, a_catalogue(limits=[a_limit("alert")]))
    desk.take(desk.mo("GAME 1"), desk.mo("GAME 2"))
    (row,) = desk.rows(Alert)
    resolve(database, row.id)

    desk.take(desk.mo("GAME 3"))
    another = MoDesk(database, desk.catalogue)  # which has not heard of the first
    another.take(another.mo("GAME 4"), another.mo("GAME 5"))
    assert open_ones(database) == [], "it was about this window, and somebody has looked at it"

    desk.clock.advance(HOUR_MS)
    desk.take(desk.mo("GAME 6"), desk.mo("GAME 7"), desk.mo("GAME 8"))

    assert open_ones(database) == [("fraud", row.subject)]


def test_the_kinds_are_those_that_the_page_for_administrators_explains() -> None:
    page = (ROOT / "docs/operators.md").read_text("utf-8").partition("## 7. Alerts")[2].partition("\n## ")[0]
    explained = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}

    assert set(KINDS) == explained
