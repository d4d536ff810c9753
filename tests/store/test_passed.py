"""What passed of late, and the month's money, are read with an end to the cost."""

import pytest

from core.clock import MINUTE_MS, SECOND_MS
from core.ids import first_id_at
from core.message import MtState
from store import passed, schema
from store.database import Database
from store.folding import SETTLED_MS, fold_some
from store.passed import LATELY_MS, read_lately, read_month
from tests.makers import NOON
from tests.partner_api.rows import add
from tests.store.journal.desk import MoDesk


def test_what_passed_in_the_last_minutes_is_counted_and_what_was_before_is_not(database: Database) -> None:
    with database.write() as connection:
        first, last_minute = first_id_at(NOON - LATELY_MS), first_id_at(NOON - MINUTE_MS)
        for id_, reason in ((first - 1, ""), (first, ""), (last_minute, ""), (last_minute + 1, "no_prefix")):
            add(connection, schema.Mo, id=id_, reason=reason)
        add(connection, schema.Callback, mo_id=first, state=1, due_at=None)
        add(connection, schema.Callback, mo_id=last_minute, state=0, due_at=1)
        for id_, state in ((first - 1, MtState.FAILED), (first, MtState.UNKNOWN)):
            add(connection, schema.Mt, id=id_, reply_to=None, state=int(state))

    with database.read() as connection:
        lately = read_lately(connection, NOON)

    assert (lately.reasons, lately.answered) == ({"": 2, "no_prefix": 1}, 1)
    assert (lately.mo.count, lately.mo.span_ms, lately.mo.per_second) == (3, LATELY_MS, 2 / 60)
    assert (lately.states, lately.mt.count, lately.mt.per_second) == ({MtState.UNKNOWN: 1}, 1, 0)


def test_of_too_many_only_the_last_are_read_and_the_span_is_theirs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passed, "LATELY_MAX", 4)
    with database.write() as connection:
        for number in range(10):
            add(connection, schema.Mo, id=first_id_at(NOON - number * 2 * SECOND_MS))

    with database.read() as connection:
        lately = read_lately(connection, NOON)

    assert (lately.mo.count, lately.mo.span_ms) == (4, 6 * SECOND_MS)
    assert lately.mo.per_second == 4 / 6


def test_when_nothing_ever_passed_all_is_nothing(database: Database) -> None:
    with database.read() as connection:
        lately, booked = read_lately(connection, NOON), read_month(connection, 202611)

    assert (lately.mo.count, lately.answered, lately.mt.per_second) == (0, 0, 0)
    assert (booked.revenue, booked.margin, booked.suspense) == ({}, {}, {})


def test_the_money_of_a_month_is_that_of_its_charges_folded_or_not(database: Database) -> None:
    desk = MoDesk(database)
    desk.take(desk.mo("GAME 1"), desk.mo("GAME 2"))
    desk.take(desk.mo("NOTHING"))
    month = desk.rows(schema.Posting)[0].month

    def money() -> list[dict[str, int]]:
        with database.read() as connection:
            booked, before = read_month(connection, month), read_month(connection, month - 1)
        assert (before.revenue, before.margin, before.suspense) == ({}, {}, {})
        return [booked.revenue, booked.margin, booked.suspense]

    charges = desk.rows(schema.Mo)
    expected = [
        {"RUB": sum(mo.operator_part for mo in charges)},
        {"RUB": sum(mo.ours for mo in charges)},
        {"RUB": sum(mo.suspense for mo in charges)},
    ]
    assert money() == expected
    assert 0 not in [amount for one in expected for amount in one.values()]

    fold_some(database, desk.clock.now() + SETTLED_MS)

    assert money() == expected
