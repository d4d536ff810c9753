"""What people decide about messages moves what its name says, for all of them or for none; on both databases."""

import pytest

from store.acts import Act, ActRefused, Acts, ActState, Draft
from store.balances import read_balances
from store.database import Database
from tests.makers_money import moment
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock

RUB = 1_000_000
HELD, EARNED, SUSPENSE = "partner:acme:held", "partner:acme:earnings", "suspense:alpha"


@pytest.fixture
def desk(database: Database) -> MonthDesk:
    return MonthDesk(database, a_world(), clock=HandClock(moment("2026-10-05T12:00:00Z")))


def ask(desk: MonthDesk, kind: str, *ids: int, **values: str | int) -> Act:
    return Acts(desk.clerk(), 1000 * RUB).ask(Draft(kind, "olga", "complaint 17", ids, values))


def balances(desk: MonthDesk) -> dict[str, int]:
    """Of acme, and what lies in suspense."""
    with desk.database.read() as connection:
        found = {one.address: one.amount for one in read_balances(connection) if one.amount}
    return {address: amount for address, amount in found.items() if address in {HELD, EARNED, SUSPENSE}}


def test_what_was_held_and_is_released_is_the_partners(desk: MonthDesk) -> None:
    ids = desk.earn("GAME 1", "GAME 2", held=True)
    assert balances(desk) == {HELD: 6 * RUB}

    done = ask(desk, "release", *ids)

    assert (done.state, done.amount, done.partners) == (ActState.DONE, 6 * RUB, ("acme",))
    assert balances(desk) == {EARNED: 6 * RUB}
    assert desk.audit() == []


def test_what_was_held_and_is_refused_is_nobodys(desk: MonthDesk) -> None:
    ids = desk.earn("GAME 1", held=True)

    done = ask(desk, "refuse_hold", *ids)

    assert done.state is ActState.DONE
    assert balances(desk) == {SUSPENSE: 5 * RUB}
    assert desk.audit() == []


def test_what_a_refund_takes_depends_on_who_pays_it(desk: MonthDesk) -> None:
    first, second = desk.earn("GAME 1", "GAME 2")

    ask(desk, "refund", first, paid_by="us")
    assert balances(desk) == {EARNED: 6 * RUB}
    ask(desk, "refund", second, paid_by="operator")

    assert balances(desk) == {EARNED: 3 * RUB}
    assert desk.audit() == []


@pytest.mark.parametrize("kind", ["release", "refuse_hold", "return"])
def test_one_message_that_cannot_be_moved_stops_them_all(desk: MonthDesk, kind: str) -> None:
    lost = desk.earn("NOTHING") if kind == "return" else desk.earn("GAME 1", held=True)
    (earned,) = desk.earn("GAME 2")
    before = balances(desk)

    with pytest.raises(ActRefused, match=f"^message {earned}: "):
        ask(desk, kind, *lost, earned)

    assert balances(desk) == before
    assert ask(desk, kind, *lost).state is ActState.DONE
