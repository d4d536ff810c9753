"""What fraud holds and nobody decided is listed, whatever became of the rest, and comes to what stands on the accounts.

On both databases.
"""

import random
from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.clock import DAY_MS
from core.ledger.accounts import held
from store.backlog import rate_backlog
from store.balances import read_balances
from store.database import Database
from store.holds import Holds, read_holds, with_held
from store.messages import messages_of
from tests.makers_money import micros, moment
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock
from tests.store.test_closing_anything import anything

START = moment("2026-10-02T12:00:00Z")


@pytest.fixture
def desk(database: Database) -> MonthDesk:
    return MonthDesk(database, a_world(), clock=HandClock(START))


def holds_of(desk: MonthDesk, limit: int = 50) -> Holds:
    with desk.database.read() as connection:
        return read_holds(connection, limit)


def stand(desk: MonthDesk) -> dict[str, int]:
    """What stands on acme's held accounts, by currency."""
    with desk.database.read() as connection:
        return {
            line.currency: line.amount
            for line in read_balances(connection)
            if line.address == held("acme") and line.amount
        }


def test_what_is_held_is_told_with_its_amount_and_the_sentence_of_its_rule(desk: MonthDesk) -> None:
    desk.earn("GAME 1")
    (first,) = desk.earn("GAME 2", held=True)
    (second,) = desk.at("2026-10-04").earn("GAME 3", held=True)

    holds = holds_of(desk)

    assert [(line.id, line.held, line.why) for line in holds.lines] == [
        (second, micros("3.30"), "too many"), (first, micros("3.00"), "too many")
    ]  # fmt: skip
    assert (holds.count, holds.amounts) == (2, {"RUB": micros("6.30")})
    assert holds.amounts == stand(desk)


@pytest.mark.parametrize("what", ["release", "refuse", "charge_back"])
def test_what_somebody_decided_is_not_listed(desk: MonthDesk, what: str) -> None:
    first, second, third = desk.earn("GAME 1", "GAME 2", "GAME 3", held=True)
    desk.at("2026-10-09").correct(what, second)

    holds = holds_of(desk)

    assert [line.id for line in holds.lines] == [third, first]
    assert holds.amounts == stand(desk)
    desk.correct(what, first, third)
    assert holds_of(desk) == Holds()


def test_lines_of_any_messages_tell_what_each_holds(desk: MonthDesk) -> None:
    (earned,) = desk.earn("GAME 0")
    released, held_still = desk.earn("GAME 1", "GAME 2", held=True)
    desk.correct("release", released)

    with desk.database.read() as connection:
        lines = with_held(connection, messages_of(connection, "79001112233"))

    assert {line.id: line.held for line in lines} == {earned: 0, released: 0, held_still: micros("3.30")}


def test_of_many_the_last_are_listed_and_all_are_counted(desk: MonthDesk) -> None:
    ids = [id_ for _ in range(3) for id_ in desk.earn("GAME 1", "GAME 2", held=True)]

    holds = holds_of(desk, limit=2)

    assert [line.id for line in holds.lines] == [ids[5], ids[4]]
    assert (holds.count, holds.amounts) == (6, stand(desk))


def test_what_waited_for_a_plan_while_it_was_held_is_listed_once_it_is_the_partners(desk: MonthDesk) -> None:
    """It lay in suspense, and was assigned by the load that brought the plan."""
    world = desk.catalogue
    desk.use(replace(world, partners={**world.partners, "acme": replace(world.partners["acme"], plans=())}))
    (id_,) = desk.earn("GAME 1", held=True)
    assert holds_of(desk) == Holds()
    desk.use(world)

    rate_backlog(desk.clerk())

    assert [(line.id, line.held) for line in holds_of(desk).lines] == [(id_, micros("3.00"))]
    assert holds_of(desk).amounts == stand(desk)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_list_comes_to_what_stands_there(desk: MonthDesk, seed: int) -> None:
    chance = random.Random(seed)
    earned: list[int] = []
    held_ids: list[int] = []
    lost: list[int] = []
    for _ in range(40):
        desk.clock.advance(chance.randrange(DAY_MS))
        anything(desk, chance, earned, held_ids, lost)

        holds = holds_of(desk)
        assert [line.id for line in holds.lines] == sorted(held_ids, reverse=True)
        assert holds.amounts == stand(desk)


def test_days_on_which_nothing_was_held_are_not_looked_at(desk: MonthDesk) -> None:
    desk.earn("GAME 1", held=True)
    for day in ("2026-10-03", "2026-10-04", "2026-10-05"):
        desk.at(day).earn("GAME 2")
    looked: list[str] = []

    with desk.database.read() as connection:

        @sa.event.listens_for(connection, "before_cursor_execute")
        def look(_: object, __: object, statement: str, *___: object) -> None:
            looked.append(statement)

        read_holds(connection)

    sieves = [statement for statement in looked if "mo.entry_id >=" in statement and "LIMIT" in statement]
    assert len(sieves) == 1
