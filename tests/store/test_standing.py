"""How things stand is read from the database, by its indexes."""

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS, SECOND_MS
from core.message import MtState
from store import schema
from store.database import Database
from store.pulse import ALIVE, DEAD, SILENT_MS, STOPPED
from store.standing import PartnerStanding, read_standing
from tests.partner_api import rows
from tests.partner_api.rows import add

NOW = rows.T + SECOND_MS


@pytest.fixture
def world(database: Database) -> Database:
    with database.write() as connection:
        rows.a_world(connection)
    return database


def test_a_link_stands_as_its_living_process_says(world: Database) -> None:
    places = ((3, "alpha-2", True), (4, "alpha-3", False), (5, "alpha-4", True))
    with world.write() as connection:
        for id_, name, enabled in places:
            add(connection, schema.Link, id=id_, name=name, operator_id=1, protocol="smpp", enabled=enabled)
        connection.execute(sa.update(schema.Link).where(schema.Link.id == 2).values(enabled=True))
        add(connection, schema.Process, id=1, state=ALIVE, heartbeat_at=NOW, roles="links")
        add(connection, schema.Process, id=2, state=ALIVE, heartbeat_at=NOW - SILENT_MS - 1, roles="links")
        for link_id, process_id in ((2, 1), (4, 1), (5, 2)):
            add(
                connection, schema.LinkState,
                link_id=link_id, process_id=process_id, state="bound", since=rows.T, error="it was refused",
                error_at=7, reconnects=40,
            )  # fmt: skip

    with world.read() as connection:
        links = read_standing(connection, NOW).links

    assert [(link.name, link.state, link.since, link.process) for link in links] == [
        ("alpha-1", "bound", rows.T, 1),
        ("alpha-2", "no process", None, None),
        ("alpha-3", "disabled", rows.T, 1),
        ("alpha-4", "no process", None, None),
    ]
    assert [(link.error, link.error_at, link.reconnects) for link in links] == [
        ("it was refused", 7, 40),
        ("", None, None),
        ("it was refused", 7, 40),
        ("it was refused", 7, None),
    ], "the error of a link that is bound again stays; its reconnects end with its process"


def test_a_partner_has_callbacks_that_wait_are_due_failed_or_are_given_up(world: Database) -> None:
    with world.write() as connection:
        for number, (due_at, attempt) in enumerate(((NOW, 0), (NOW + 1, 3), (None, 9))):
            add(
                connection, schema.Callback,
                mo_id=number + 1, partner_id=rows.ACME, due_at=due_at, attempt=attempt,
            )  # fmt: skip
        add(connection, schema.Alert, kind="dead_letter", subject="acme", message_id=3)

    with world.read() as connection:
        partners = read_standing(connection, NOW).partners

    assert partners == (
        PartnerStanding("acme", waiting=2, due=1, failing=1, dead=1),
        PartnerStanding("cy", waiting=1, due=1),
    )


def test_queues_count_what_waits_and_nothing_else(world: Database) -> None:
    """A message that is on its way has a due time too: that of its end."""
    with world.write() as connection:
        for number, state in enumerate((MtState.QUEUED, MtState.QUEUED, MtState.SUBMITTED, MtState.EXPIRED)):
            add(connection, schema.Mt, id=number + 1, reply_to=None, state=int(state), due_at=NOW + number)

    with world.read() as connection:
        queues = read_standing(connection, NOW).queues

    assert queues == {
        "callbacks_waiting": 1,
        "mt_queued": 2,
        "mt_submitting": 1,
        "parts_waiting": 1,
        "receipts_waiting": 2,
        "in_doubt": 0,
    }


def test_alerts_that_nobody_resolved_are_told_by_kind_the_gravest_first(world: Database) -> None:
    with world.write() as connection:
        for at, kind, resolved_at in (
            (5, "store", None),
            (7, "store", 8),
            (9, "dead_letter", None),
            (4, "dead_letter", None),
            (3, "breaker", None),
            (2, "something", None),
        ):
            add(connection, schema.Alert, at=at, kind=kind, subject=f"of {at}", resolved_at=resolved_at)

    with world.read() as connection:
        found = read_standing(connection, NOW).alerts

    assert [(one.kind, one.count, one.at, one.subject) for one in found] == [
        ("store", 1, 5, "of 5"),
        ("dead_letter", 2, 9, "of 9"),
        ("breaker", 1, 3, "of 3"),
        ("something", 1, 2, "of 2"),
        ("fraud", 1, rows.T, "limit"),
    ]
    assert (found[-1].sentence, found[-1].message_id) == ("many messages", rows.MO)


def test_processes_are_those_that_live_and_the_last_ones_that_do_not(database: Database) -> None:
    beats = ((ALIVE, NOW - 1), (ALIVE, NOW - SILENT_MS - 1), (STOPPED, NOW), (DEAD, NOW), (DEAD, NOW - 2 * DAY_MS))
    with database.write() as connection:
        for number, (state, heartbeat_at) in enumerate(beats, 1):
            add(
                connection, schema.Process,
                id=number, state=state, heartbeat_at=heartbeat_at, roles="links,api", host="here",
            )  # fmt: skip

    with database.read() as connection:
        processes = read_standing(connection, NOW).processes

    assert [(process.id, process.state) for process in processes] == [
        (2, "silent"), (1, "alive"), (4, "dead"), (3, "stopped")
    ]  # fmt: skip
    assert (processes[0].roles, processes[0].heartbeat_age_ms) == (("links", "api"), SILENT_MS + 1)


def test_a_command_that_has_ended_is_no_process_and_one_that_works_or_died_is(database: Database) -> None:
    ended = ((STOPPED, "desk"),) * 20
    with database.write() as connection:
        for number, (state, roles) in enumerate(((STOPPED, "api"), (ALIVE, "desk"), (DEAD, "desk"), *ended), 1):
            add(connection, schema.Process, id=number, state=state, heartbeat_at=NOW, roles=roles, host="here")

    with database.read() as connection:
        processes = read_standing(connection, NOW).processes

    assert [(process.id, process.roles, process.state) for process in processes] == [
        (2, ("desk",), "alive"), (3, ("desk",), "dead"), (1, ("api",), "stopped")
    ]  # fmt: skip


def test_messages_with_an_end_are_not_counted_one_by_one(database: Database) -> None:
    with database.write() as connection:
        for number in range(80):
            add(connection, schema.Mt, id=number + 1, reply_to=None, state=int(MtState.DELIVERED), due_at=None)

    with database.read() as connection:
        sql = "SELECT count(*) FROM mt WHERE state = 0"
        if database.dialect == "sqlite":
            (plan,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all()
            assert plan[-1] == "SEARCH mt USING COVERING INDEX mt_due (state=?)"
        else:
            (plan,) = connection.exec_driver_sql(f"EXPLAIN {sql}").all()
            assert (plan.key, int(plan.rows)) == ("mt_due", 1)
