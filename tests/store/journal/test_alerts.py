"""A person is asked to look once for a window of a limit, and never for what was simply refused."""

import threading
from typing import Any

import pytest

from core.catalogue import Banned, Limit
from core.clock import HOUR_MS
from core.errors import StoreAway
from core.message import Action
from core.message import Alert as Spoken
from store.database import Database, connect
from store.journal import AlertFact
from store.journal.alerts import LimitAlerts, alert_id
from store.schema import Alert, Mo
from tests.makers import NOON, a_catalogue, an_mo
from tests.simulation.faults import Fault
from tests.store.journal.desk import MoDesk

OTHER = "79005556677"


def a_limit(action: str, *, scope: str = "subscriber", metric: str = "count", threshold: int = 1) -> Limit:
    return Limit(1, scope, "*", metric, HOUR_MS, threshold, action)


def a_desk(database: Database, *limits: Limit) -> MoDesk:
    return MoDesk(database, a_catalogue(limits=limits or [a_limit("alert")]))


def said(desk: MoDesk) -> list[tuple[str, int]]:
    """What is there, in order: about what, and by which message."""
    rows = sorted(desk.rows(Alert), key=lambda row: (row.at, row.message_id))
    assert {row.kind for row in rows} <= {"fraud"}
    return [(row.subject, row.message_id) for row in rows]


def test_a_message_that_a_limit_refuses_is_no_alert(database: Database) -> None:
    desk = a_desk(database, a_limit("reject"))

    desk.take(desk.mo("GAME 1"), desk.mo("GAME 2"), desk.mo("GAME 3"))

    assert said(desk) == []
    assert [row.verdict for row in desk.rows(Mo)] == [Action.PASS, Action.REJECT, Action.REJECT]


def test_a_message_of_one_who_is_on_the_blacklist_is_no_alert(database: Database) -> None:
    desk = MoDesk(database, a_catalogue(blacklist=[Banned(1, "79001112233", "global", "he asked for it")]))

    desk.take(desk.mo())

    assert said(desk) == []
    assert [row.verdict_reason for row in desk.rows(Mo)] == ["on the blacklist: he asked for it"]


def test_a_limit_asks_once_for_a_subscriber_and_a_window(database: Database) -> None:
    desk = a_desk(database)
    facts = [desk.mo(f"GAME {number}") for number in range(9)]

    desk.take(*facts[:4])
    desk.take(*facts[4:])

    assert said(desk) == [("limit 1, subscriber 7900***33", facts[1].id)]
    assert [row.verdict for row in desk.rows(Mo)] == [Action.PASS, *[Action.ALERT] * 8]


def test_another_subscriber_is_another_alert(database: Database) -> None:
    desk = a_desk(database)
    first = [desk.mo("GAME 1"), desk.mo("GAME 2")]
    second = [desk.mo("GAME 3", source=OTHER), desk.mo("GAME 4", source=OTHER)]

    desk.take(first[0], second[0], first[1], second[1])

    assert sorted(said(desk)) == [
        ("limit 1, subscriber 7900***33", first[1].id),
        ("limit 1, subscriber 7900***77", second[1].id),
    ]


def test_a_limit_that_is_passed_all_the_time_asks_once_in_each_window(database: Database) -> None:
    desk = a_desk(database)

    for number in range(12):
        desk.take(desk.mo(f"GAME {number}"))
        desk.clock.advance(HOUR_MS // 4)

    assert [row.at for row in sorted(desk.rows(Alert), key=lambda row: row.at)] == [
        NOON + HOUR_MS // 4, NOON + HOUR_MS, NOON + 2 * HOUR_MS
    ]  # fmt: skip


def test_two_limits_about_one_message_are_two_alerts(database: Database) -> None:
    by_partner = Limit(2, "partner", "*", "sum", HOUR_MS, 1, "hold")
    desk = a_desk(database, a_limit("alert", threshold=0), by_partner)

    desk.take(desk.mo())

    assert sorted((row.subject, row.sentence) for row in desk.rows(Alert)) == [
        ("limit 1, subscriber 7900***33", "more than 0 messages in 1 h for one subscriber"),
        ("limit 2, partner acme:RUB", "more than 0.000001 in 1 h for one partner; the partner's part is withheld"),
    ]


def test_a_batch_that_was_rolled_back_has_asked_nobody(database: Database) -> None:
    desk = a_desk(database)
    facts = [desk.mo("GAME 1"), desk.mo("GAME 2")]

    desk.fails = [Fault.DOUBT_LOST]
    with pytest.raises(StoreAway):
        desk.take(*facts)
    assert not desk.journal.resolve(facts, ())
    desk.take(*facts)

    assert said(desk) == [("limit 1, subscriber 7900***33", facts[1].id)]


def test_a_process_that_begins_anew_or_beside_it_does_not_ask_again(database: Database) -> None:
    desk = a_desk(database)
    desk.take(desk.mo("GAME 1"), desk.mo("GAME 2"))
    before = said(desk)

    another = a_desk(database)
    another.take(another.mo("GAME 3"), another.mo("GAME 4"), another.mo("GAME 5"))

    assert said(another) == before
    assert [row.verdict for row in another.rows(Mo)][-2:] == [Action.ALERT] * 2


def test_two_processes_that_ask_at_the_same_moment_ask_once(mariadb_url: str) -> None:
    first, second = connect(mariadb_url), connect(mariadb_url)
    spoken = [
        (Spoken("limit", Action.ALERT, "many", 1, "subscriber", f"1:{number}", HOUR_MS), an_mo(id=number + 1))
        for number in range(50)
    ]

    def ask(order: list[tuple[Spoken, Any]], database: Database) -> None:
        with database.write() as connection:
            LimitAlerts().write(connection, order, NOON)

    with first.write() as connection:
        LimitAlerts().write(connection, spoken, NOON)
        waiting = threading.Thread(target=ask, args=(spoken[::-1], second))
        waiting.start()
    waiting.join()

    desk = MoDesk(first)
    assert sorted(row.message_id for row in desk.rows(Alert)) == list(range(1, 51))
    first.close()
    second.close()


def test_what_is_known_to_be_there_costs_no_statement() -> None:
    alerts, nothing_may_be_asked = LimitAlerts(), Any
    spoken = [(Spoken("limit", Action.REJECT, "many", 1, "subscriber", "1:7", HOUR_MS), an_mo())]
    known = Spoken("limit", Action.ALERT, "many", 2, "subscriber", "2:7", HOUR_MS)
    alerts._young.add(alert_id(known, an_mo()))

    alerts.write(nothing_may_be_asked, [*spoken, (known, an_mo())], NOON)  # type: ignore[arg-type]


def test_an_alert_of_another_kind_finds_a_number_beside_those_of_limits(database: Database) -> None:
    desk = a_desk(database)

    desk.write(AlertFact("breaker", "acme/game", "it failed", NOON))
    desk.take(desk.mo("GAME 1"), desk.mo("GAME 2"))
    desk.write(AlertFact("breaker", "acme/game", "it failed again", NOON))
    desk.take(desk.mo("GAME 3", source=OTHER), desk.mo("GAME 4", source=OTHER))
    desk.write(AlertFact("dead_letter", "acme", "not reached", NOON))

    rows = desk.rows(Alert)
    assert sorted(row.kind for row in rows) == ["breaker", "breaker", "dead_letter", "fraud", "fraud"]
    assert max(row.id for row in rows) < 2**62 + 10
