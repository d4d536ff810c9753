"""After a crash, or a commit of which nobody knows, the world sends its events again: from the last that it heard of,
or from the first. The ledger is the same as if nothing had happened, on both databases.

Events that were refused are none: what could not be done is not asked for again later, when it could.
TOLLBRIDGE_EVENTS says how many stories are told on MariaDB; on SQLite they are five times as many.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import StoreAway
from store.database import connect
from tests import services
from tests.simulation.faults import Crash, Fault, FaultyDatabase, faulty_copy, template_of
from tests.store.ledger_story import KINDS, Event, Firm, picture

STORIES = int(os.environ.get("TOLLBRIDGE_EVENTS", "5"))
FAULTS = st.sampled_from([fault for fault in Fault if fault is not Fault.NONE])
PAYOUT = ("ask", "approve", "export", "paid", "returned")
SMS = ("send", "submit", "receipt")
PREMIUM = ("premium", "submit", "receipt")
FILE = ("file", "settle")


ABOUT_A_MESSAGE = (("hold", "release"), ("hold", "refuse"), ("mo", "refund"))


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """Events by number, each about an earlier one; those of payouts and of SMS often in their order."""
    kinds = draw(
        st.lists(
            st.one_of(
                st.sampled_from([*KINDS]).map(lambda kind: (kind,)),
                st.sampled_from([("mo",), ("pay in",), SMS, PREMIUM, PAYOUT, PAYOUT[:4], *ABOUT_A_MESSAGE, FILE]),
            ),
            min_size=3, max_size=9,
        )
    )  # fmt: skip
    events: list[Event] = [("mo", 1, 2), ("pay in", 2, 0)]
    for some in kinds:
        first = len(events) + 1
        for place, kind in enumerate(some):
            n = len(events) + 1
            is_about = first if place else draw(st.integers(1, n))
            events.append((kind, n, is_about))
    return events


@contextmanager
def a_database(kind: str) -> Iterator[FaultyDatabase]:
    """One that fails as told."""
    if kind == "sqlite":
        yield faulty_copy(template_of(str(services._sqlite_template())))
        return
    url = services.fresh_mariadb()
    database = FaultyDatabase(connect(url).engine)
    try:
        yield database
    finally:
        database.close()
        services.mariadb().drop(url)


def tell(kind: str, events: list[Event]) -> tuple[list[Event], dict[str, object]]:
    """Those that could be done, and what the ledger says then, when nothing goes wrong."""
    with a_database(kind) as database:
        firm = Firm(database)
        done = [event for event in events if firm.does(event)]
        assert firm.findings() == []
        return done, picture(database)


def check(kind: str, events: list[Event], *, crash: int, fault: Fault, since: int) -> None:
    """The same, with a fault at one of them; then from an earlier one, or that one, again."""
    done, expected = tell(kind, events)
    at = crash % len(done)
    with a_database(kind) as database:
        firm = Firm(database)
        for event in done[:at]:
            assert firm.does(event), event
        firm.fault = fault
        with suppress(StoreAway, Crash):
            firm.does(done[at])
        # What writes nothing meets no fault: it must not wait for the next one.
        firm.fault = Fault.NONE
        firm.restarts()
        for event in done[since % (at + 1) :]:
            firm.does(event)

        assert picture(database) == expected
        assert firm.findings() == []


@settings(max_examples=5 * STORIES, deadline=None)
@given(events=stories(), crash=st.integers(0, 40), fault=FAULTS, since=st.integers(0, 40))
def test_any_events_again_after_any_fault_give_the_same_ledger(
    events: list[Event], crash: int, fault: Fault, since: int
) -> None:
    check("sqlite", events, crash=crash, fault=fault, since=since)


@settings(max_examples=STORIES, deadline=None)
@given(events=stories(), crash=st.integers(0, 40), fault=FAULTS, since=st.integers(0, 40))
def test_any_events_again_after_any_fault_give_the_same_ledger_on_mariadb(
    events: list[Event], crash: int, fault: Fault, since: int
) -> None:
    check("mariadb", events, crash=crash, fault=fault, since=since)


EVERYTHING: list[Event] = [
    ("mo", 1, 2), ("mo", 2, 2), ("pay in", 30, 0), ("charge back", 4, 1), ("assign", 5, 1), ("adjust", 6, 3),
    ("send", 7, 2), ("submit", 8, 7), ("receipt", 9, 7), ("send", 10, 1), ("submit", 11, 10), ("receipt", 12, 10),
    ("ask", 13, 13), ("approve", 14, 13), ("export", 15, 0), ("paid", 16, 13), ("returned", 17, 13),
    ("convert", 18, 4), ("use", 19, 2), ("operator pays", 20, 30),
    ("premium", 21, 1), ("submit", 22, 21), ("receipt", 23, 21), ("hold", 24, 0), ("release", 26, 24),
    ("hold", 27, 0), ("refuse", 28, 27), ("mo", 29, 1), ("refund", 31, 29), ("refund", 32, 2), ("file", 33, 29),
    ("settle", 34, 33), ("mo", 35, 0), ("close", 36, 0), ("mo", 37, 0),
]  # fmt: skip
"""One of each, each of which can be done."""


def test_the_story_with_one_of_each_can_be_told() -> None:
    done, _ = tell("sqlite", EVERYTHING)

    assert done == EVERYTHING
    assert {kind for kind, _, _ in EVERYTHING} == KINDS.keys()


def test_an_sms_that_is_refused_as_its_months_first_changes_nothing() -> None:
    """The file is staged in December; the second SMS is refused, for the first took what acme had."""
    events = [("mo", 1, 2), ("pay in", 2, 0), ("send", 3, 1), ("file", 4, 1), ("send", 5, 1)]

    done, _ = tell("sqlite", events)

    assert done == events[:-1]
    check("sqlite", events, crash=0, fault=Fault.AWAY, since=0)


@pytest.mark.parametrize("fault", [Fault.DOUBT_WRITTEN, Fault.DOUBT_LOST, Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_every_kind_of_event_whose_commit_is_in_doubt_is_booked_once(kind: str, fault: Fault) -> None:
    """Each event in turn, on one database: it fails, and is asked for again."""
    _, expected = tell(kind, EVERYTHING)
    with a_database(kind) as database:
        firm = Firm(database)
        for event in EVERYTHING:
            firm.fault = fault
            with pytest.raises((StoreAway, Crash)):
                firm.does(event)
            firm.restarts()
            assert firm.does(event), event

        assert picture(database) == expected
        assert firm.findings() == []
