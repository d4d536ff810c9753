"""Orders to links: written for every process that keeps links, taken once, answered; what is in force."""

from typing import Any

import pytest
import sqlalchemy as sa

from core.clock import SECOND_MS
from core.errors import UserMistake
from store import link_orders as orders
from store import schema
from store.database import Database
from store.link_orders import (
    DISABLE,
    DONE,
    DRAIN,
    ENABLE,
    FAILED,
    NOBODY,
    RECONNECT,
    RESULT_MAX,
    TRACE,
    Order,
    UnknownLink,
)
from store.pulse import ALIVE, DEAD, SILENT_MS, STOPPED
from tests.partner_api import rows
from tests.partner_api.rows import add
from tests.store.locks import Failing, conflict

NOW = rows.T + SECOND_MS
FIRST, SECOND = 2, 3
HERE, THERE = 21, 22


@pytest.fixture
def world(database: Database) -> Database:
    with database.write() as connection:
        rows.a_world(connection)
        connection.execute(sa.update(schema.Link).values(enabled=True))
        add(
            connection, schema.Link, id=SECOND, name="alpha-2", operator_id=1, protocol="smpp", enabled=True, max_tps=9,
            options={"priority": 2, "weight": 3, "sticky": True},
        )  # fmt: skip
        processes: tuple[tuple[int, str, int, int], ...] = (
            (HERE, "links,dispatch", ALIVE, NOW), (THERE, "dispatch,links", ALIVE, NOW), (23, "api", ALIVE, NOW),
            (24, "links", STOPPED, NOW), (25, "links", DEAD, NOW), (26, "links", ALIVE, NOW - SILENT_MS - 1),
        )  # fmt: skip
        for id_, roles, state, heartbeat_at in processes:
            add(connection, schema.Process, id=id_, roles=roles, state=state, heartbeat_at=heartbeat_at)
    return database


def give(database: Database, kind: str, *names: str, author: str = "olga", **options: Any) -> list[int]:
    return orders.give(database, names, kind, author=author, now=NOW, options=options)


def given(database: Database, ids: list[int]) -> list[Order]:
    with database.read() as connection:
        return orders.read_given(connection, ids)


def open_of(database: Database, process_id: int) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [(order.link, order.kind) for order in orders.read_open(connection, process_id)]


def drained(database: Database) -> frozenset[int]:
    with database.read() as connection:
        return orders.read_drained(connection)


def shown(database: Database) -> dict[str, dict[str, Any]]:
    with database.read() as connection:
        return {row.standing.name: row.value() for row in orders.read_rows(connection, NOW)}


def test_an_order_is_for_every_living_process_with_the_role_links(world: Database) -> None:
    ids = give(world, RECONNECT, "alpha-2", "alpha-1", "alpha-2")

    assert [(one.link, one.process, one.outcome) for one in given(world, ids)] == [
        ("alpha-1", HERE, ""), ("alpha-1", THERE, ""), ("alpha-2", HERE, ""), ("alpha-2", THERE, ""),
    ]  # fmt: skip
    assert open_of(world, HERE) == open_of(world, THERE) == [("alpha-1", RECONNECT), ("alpha-2", RECONNECT)]
    assert open_of(world, 23) == []


def test_it_is_taken_told_of_and_over_once(world: Database) -> None:
    here, there = give(world, TRACE, "alpha-1", seconds=5, texts=True)
    (order,) = given(world, [here])
    assert (order.options, order.sentence(), order.is_over) == (
        {"seconds": 5, "texts": True}, f"process {HERE} did not take it yet", False
    )  # fmt: skip

    orders.take(world, [here], NOW + 1)
    assert given(world, [here])[0].sentence() == "under way"
    assert orders.tell(world, here, "7 frames so far")
    assert given(world, [here])[0].sentence() == "7 frames so far"
    orders.finish(world, here, FAILED, "x" * 500, NOW + 2)

    (order,) = given(world, [here])
    assert (order.taken_at, order.done_at, order.outcome) == (NOW + 1, NOW + 2, FAILED)
    assert order.sentence() == "x" * RESULT_MAX
    assert order.is_over
    assert not orders.tell(world, here, "too late")
    assert open_of(world, HERE) == []
    assert open_of(world, THERE) == [("alpha-1", TRACE)]
    assert given(world, [there])[0].outcome == ""


def test_a_trace_that_nobody_wants_any_more_is_told_so(world: Database) -> None:
    here, _ = give(world, TRACE, "alpha-1")

    orders.end_early(world, [here], NOW)

    assert not orders.tell(world, here, "7 frames so far")
    assert not given(world, [here])[0].is_over
    orders.finish(world, here, DONE, "7 frames: /tmp/x", NOW)
    orders.end_early(world, [here], NOW + 9)
    assert (given(world, [here])[0].outcome, given(world, [here])[0].done_at) == (DONE, NOW)


def test_what_another_transaction_stands_in_the_way_of_is_done_again(world: Database) -> None:
    here, _ = give(world, TRACE, "alpha-1")
    (other, _) = give(world, TRACE, "alpha-2")

    def contested() -> Database:
        return Failing(world, [conflict(world.dialect)] * 2)

    orders.take(contested(), [here], NOW + 1)
    assert orders.tell(contested(), here, "7 frames so far")
    orders.finish(contested(), here, DONE, "7 frames", NOW + 2, path="/tmp/x")
    orders.end_early(contested(), [other], NOW + 3)

    (order,), (ended,) = given(world, [here]), given(world, [other])
    assert (order.taken_at, order.done_at, ended.done_at) == (NOW + 1, NOW + 2, NOW + 3)
    assert order.sentence() == "7 frames: /tmp/x"


def test_where_a_trace_is_stands_beside_its_sentence_and_what_was_asked_for_stays(world: Database) -> None:
    here, _ = give(world, TRACE, "alpha-1", seconds=9, texts=True)
    path = "/traces: all/" + "x" * RESULT_MAX

    orders.finish(world, here, DONE, "7 frames", NOW, path=path)

    (order,) = given(world, [here])
    assert (order.path, order.result, order.sentence()) == (path, "7 frames", f"7 frames: {path}")
    assert order.options == {"seconds": 9, "texts": True, "path": path}


def test_who_ended_before_it_was_done_is_named(world: Database) -> None:
    here, _ = give(world, RECONNECT, "alpha-1")
    with world.write() as connection:
        connection.execute(sa.update(schema.Process).where(schema.Process.id == HERE).values(state=DEAD))

    (order,) = given(world, [here])

    assert order.is_over
    assert order.sentence() == f"process {HERE} ended before it was done"


def test_without_a_process_it_says_so_and_what_lasts_holds_from_the_next_start_on(world: Database) -> None:
    with world.write() as connection:
        connection.execute(sa.update(schema.Process).values(state=STOPPED))

    (drain,) = given(world, give(world, DRAIN, "alpha-1"))
    (reconnect,) = given(world, give(world, RECONNECT, "alpha-1"))

    assert (drain.outcome, reconnect.outcome) == (NOBODY, NOBODY)
    assert drain.is_over
    assert drain.sentence() == "no process with the role links runs; it is drained from the next start on"
    assert reconnect.sentence() == "no process with the role links runs: nobody took the order"
    assert drained(world) == {FIRST}


def test_a_process_that_is_silent_may_take_what_lasts_before_the_next_start(world: Database) -> None:
    with world.write() as connection:
        connection.execute(sa.update(schema.Process).values(heartbeat_at=NOW - SILENT_MS - 4_999))

    (drain,) = given(world, give(world, DRAIN, "alpha-1"))
    (reconnect,) = given(world, give(world, RECONNECT, "alpha-1"))

    why = "no process with the role links gives a sign of life (last one 14 s ago)"
    assert drain.sentence() == f"{why}; it is drained at the latest from the next start on"
    assert reconnect.sentence() == f"{why}: nobody took the order"
    assert (drain.outcome, reconnect.outcome) == (NOBODY, NOBODY)


def test_a_drain_is_in_force_until_the_link_is_enabled(world: Database) -> None:
    give(world, DRAIN, "alpha-1", "alpha-2")
    give(world, DRAIN, "alpha-1", author="ada")
    assert drained(world) == {FIRST, SECOND}
    give(world, DISABLE, "alpha-1")
    assert drained(world) == {FIRST, SECOND}

    give(world, ENABLE, "alpha-1")

    assert drained(world) == {SECOND}


def versions(database: Database) -> tuple[int, dict[str, bool], list[Any]]:
    with database.read() as connection:
        version = connection.execute(sa.select(schema.CatalogueVersion.version)).scalar() or 0
        rows_of = connection.execute(sa.select(schema.Link.name, schema.Link.enabled))
        enabled = {name: is_enabled for name, is_enabled in rows_of}
        log = connection.execute(
            sa.select(schema.AuditLog.who, schema.AuditLog.key, schema.AuditLog.before, schema.AuditLog.after)
        ).all()
    return version, enabled, [tuple(row) for row in log]


def test_enabled_is_the_catalogues_with_its_version_and_its_audit_log(world: Database) -> None:
    before, _, _ = versions(world)

    give(world, DISABLE, "alpha-1")
    version, enabled, log = versions(world)
    assert (version, enabled) == (before + 1, {"alpha-1": False, "alpha-2": True})
    assert log == [("olga, link disable", "alpha-1", {"enabled": True}, {"enabled": False})]

    give(world, DISABLE, "alpha-1")
    assert versions(world)[0] == before + 1, "what is as wanted makes no new version"
    give(world, ENABLE, "alpha-1", "alpha-2", author="ada")
    version, enabled, log = versions(world)
    assert (version, enabled) == (before + 2, {"alpha-1": True, "alpha-2": True})
    assert log[1:] == [("ada, link enable", "alpha-1", {"enabled": False}, {"enabled": True})]


def test_a_name_that_is_no_links_stops_all_of_it_and_the_nearest_is_named(world: Database) -> None:
    before = versions(world)

    with pytest.raises(UnknownLink, match=r"there is no link 'alpa-2'; did you mean alpha-2\?"):
        give(world, DISABLE, "alpha-1", "alpa-2")
    with pytest.raises(UnknownLink, match=r"there is no link 'nope'; there are alpha-1 and alpha-2$"):
        give(world, DISABLE, "nope")
    with pytest.raises(UserMistake, match="--by: the name is empty"):
        give(world, DISABLE, "alpha-1", author=" ")

    assert versions(world) == before
    assert open_of(world, HERE) == []


def test_without_links_it_says_that_there_are_none(database: Database) -> None:
    with pytest.raises(UnknownLink, match="there is no link 'x'; none is provisioned"):
        give(database, DRAIN, "x")


def test_links_are_shown_with_their_terms_and_what_is_in_force(world: Database) -> None:
    give(world, DRAIN, "alpha-2")
    for order in given(world, give(world, DISABLE, "alpha-1", author="ada")):
        orders.finish(world, order.id, DONE, "unbound", NOW)

    found = shown(world)

    assert found["alpha-1"]["orders"] == ["disabled by ada"]
    assert found["alpha-2"]["orders"] == ["drain by olga", "drain by olga, under way", "drain by olga, under way"]
    assert [found["alpha-2"][key] for key in ("priority", "weight", "sticky", "max_tps")] == [2, 3, True, 9]
    assert [found["alpha-1"][key] for key in ("priority", "weight", "sticky", "max_tps")] == [1, 1, False, 0]
    assert [found[name]["state"] for name in ("alpha-1", "alpha-2")] == ["disabled", "no process"]


def test_who_disabled_by_a_file_is_not_guessed(world: Database) -> None:
    give(world, DISABLE, "alpha-1")
    give(world, ENABLE, "alpha-1")
    with world.write() as connection:
        connection.execute(sa.update(schema.Link).where(schema.Link.id == FIRST).values(enabled=False))

    assert shown(world)["alpha-1"]["orders"][0] == "disabled"
