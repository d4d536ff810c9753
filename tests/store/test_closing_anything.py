"""Months of random facts on both databases: statements add up, go on from those before, and the audit agrees."""

import random

import pytest

from core.clock import DAY_MS
from core.ledger.details import DetailKind
from core.statement import movements
from store.database import Database
from tests.makers_money import moment
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock

OCTOBER, NOVEMBER, DECEMBER = 202610, 202611, 202612
START = moment("2026-10-02T12:00:00Z")


@pytest.mark.parametrize("seed", range(4))
def test_three_months_of_anything_add_up(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    mode = chance.choice(("graduated", "volume"))
    desk = MonthDesk(database, a_world(mode=mode, hold_days=seed * 12), clock=HandClock(START))
    held: list[int] = []
    lost: list[int] = []
    earned: list[int] = []
    before: dict[tuple[str, str], int] = {}
    for until, month in (("2026-11-03", OCTOBER), ("2026-12-03", NOVEMBER), ("2027-01-03", DECEMBER)):
        for _ in range(12):
            desk.clock.advance(chance.randrange(2 * DAY_MS))
            for _ in range(chance.randrange(1, 4)):
                anything(desk, chance, earned, held, lost)
        closed = desk.at(until).close(month)
        for owner, one in closed.items():
            assert one.opening == before.get(owner, 0)
            assert movements(one.lines).get("earnings", 0) == one.movement
            before[owner] = one.closing
        assert desk.audit() == []


def anything(desk: MonthDesk, chance: random.Random, earned: list[int], held: list[int], lost: list[int]) -> None:
    """One more fact."""

    def taken(ids: list[int]) -> int:
        return ids.pop(chance.randrange(len(ids)))

    what = chance.randrange(10)
    if what < 3:
        earned += desk.earn(*("GAME 1",) * chance.randrange(1, 4), short_code=chance.choice(("4446", "7715")))
    elif what == 3:
        held += desk.earn("GAME 2", held=True)
    elif what == 4:
        lost += desk.earn("NOTHING")
        desk.earn("QUIZ 1")
        earned += desk.earn("GAME 7", euros=True)
    elif what == 5 and earned:
        desk.correct("charge_back", taken(earned))
    elif what == 6 and held:
        desk.correct(chance.choice(("release", "refuse", "charge_back")), taken(held))
    elif what == 7 and lost:
        desk.correct("assign", taken(lost), partner="acme")
    elif what == 8:
        desk.move(DetailKind.PAYMENT, f"{chance.randrange(1, 100)}.000001")
        desk.send("1.20")
    else:
        desk.move(chance.choice((DetailKind.ADJUSTED, DetailKind.PAYOUT)), f"{chance.randrange(1, 9)}.5")
