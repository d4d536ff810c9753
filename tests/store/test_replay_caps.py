"""A past month over again where referrers have a cap: the same catalogue pays the same, whatever was taken back, and
whatever else came off the cap meanwhile."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalogue import Catalogue, ReferralTerms
from core.clock import DAY_MS, SECOND_MS, Month
from core.replay import Outcome
from store.database import Database, connect
from store.replay import replay
from tests.makers_money import micros, moment
from tests.services import fresh_sqlite
from tests.store.month_desk import MonthDesk, a_world
from tests.store.mt_desk import HandClock
from tests.store.test_closing_anything import anything

OCTOBER, NOVEMBER, DECEMBER = 202610, 202611, 202612
START = moment("2026-10-02T12:00:00Z")


def a_capped_world(cap: str, *, mode: str = "graduated", share: str = "0.60") -> Catalogue:
    """friend gets a tenth of what acme leaves us, up to a cap."""
    world = a_world(mode=mode, tiers=(("0", share), ("12", "0.70")))
    acme = replace(world.partners["acme"], referral=(ReferralTerms(5, "friend", 100_000, 0, 0, micros(cap)),))
    return replace(world, partners={**world.partners, "acme": acme})


def outcomes(desk: MonthDesk, month: Month, changed: Catalogue | None = None) -> dict[tuple[str, str], Outcome]:
    with desk.database.read() as connection:
        found = replay(connection, desk.catalogue, changed or desk.catalogue, month)
    return {(one.partner, one.currency): one for one in found}


def unequal(desk: MonthDesk, month: Month) -> list[Outcome]:
    """What the same catalogue would pay otherwise; outgoing SMS are not by a plan here."""
    found = outcomes(desk, month).values()
    return [one for one in found if replace(one.was, outgoing=0) != replace(one.would, outgoing=0)]


def test_a_message_that_is_taken_back_gives_back_what_it_took_of_the_cap(database: Database) -> None:
    desk = MonthDesk(database, a_capped_world("0.20"), clock=HandClock(START))
    (first,) = desk.earn("GAME 1")
    desk.earn("GAME 2")
    desk.at("2026-10-03").correct("charge_back", first)
    desk.at("2026-10-04").earn("GAME 3")

    acme = outcomes(desk, OCTOBER)["acme", "RUB"]

    assert acme.was == acme.would
    assert acme.was.referral == micros("0.20")


def test_by_another_plan_the_cap_is_reached_later_and_what_is_given_back_is_that_plans(database: Database) -> None:
    """A share of 0.80 leaves 1.00 of a message: a tenth is 0.10, and three have reached 0.25; one of 0.10 goes."""
    desk = MonthDesk(database, a_capped_world("0.25"), clock=HandClock(START))
    (first, *_) = desk.earn("GAME 1", "GAME 2", "GAME 3")
    desk.at("2026-10-03").correct("charge_back", first)
    desk.at("2026-10-04").earn("GAME 4")
    changed = a_capped_world("0.25", share="0.80")
    tiered = changed.plans["tiered"]
    version = replace(tiered.versions[0], id=-1, tiers=tiered.versions[0].tiers[:1])
    changed = replace(changed, plans={**changed.plans, "tiered": replace(tiered, versions=(version,))})

    acme = outcomes(desk, OCTOBER, changed)["acme", "RUB"]

    # As it was: 0.20, 0.05 and nothing; 0.20 back, and 0.17 of the message that ends in the second tier.
    assert (acme.was.referral, acme.would.referral) == (micros("0.22"), micros("0.25"))


def test_what_another_month_takes_of_the_cap_meanwhile_is_taken_in_the_replay_too(database: Database) -> None:
    """November's first message is booked before October's last ones: it leaves them less, until it is taken back."""
    desk = MonthDesk(database, a_capped_world("0.45"), clock=HandClock(START))
    desk.earn("GAME 1")
    (gone,) = desk.at("2026-11-01T00:30:00Z").earn("GAME 2")
    desk.earn("GAME 3", at=moment("2026-10-31T23:59:00Z"))
    desk.at("2026-11-01T00:31:00Z").correct("charge_back", gone)
    desk.at("2026-11-01T00:32:00Z").earn("GAME 4", at=moment("2026-10-31T23:59:30Z"))

    # 0.20, 0.05 beside November's 0.20, and 0.17 of the message that ends in the second tier.
    assert outcomes(desk, OCTOBER)["acme", "RUB"].was.referral == micros("0.42")
    assert unequal(desk, OCTOBER) == unequal(desk, NOVEMBER) == []


@pytest.mark.parametrize("seed", range(4))
def test_three_months_of_anything_pay_the_same_again(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    world = a_capped_world(chance.choice(("0.90", "2.50")), mode=chance.choice(("graduated", "volume")))
    desk = MonthDesk(database, world, clock=HandClock(START))
    earned: list[int] = []
    held: list[int] = []
    lost: list[int] = []
    for until, month in (("2026-11-03", OCTOBER), ("2026-12-03", NOVEMBER), ("2027-01-03", DECEMBER)):
        for _ in range(40):
            desk.clock.advance(chance.randrange(DAY_MS // 2))
            anything(desk, chance, earned, held, lost)
        desk.at(until).close(month)

    assert outcomes(desk, OCTOBER)["acme", "RUB"].was.referral
    assert [unequal(desk, month) for month in (OCTOBER, NOVEMBER, DECEMBER)] == [[], [], []]


# --- on many small months ----------------------------------------------------------------------------------


@contextmanager
def a_desk(world: Catalogue) -> Iterator[MonthDesk]:
    with TemporaryDirectory() as folder, closing(connect(fresh_sqlite(Path(folder)))) as database:
        yield MonthDesk(database, world, clock=HandClock(START))


STEPS = st.one_of(
    st.tuples(st.just("earn"), st.integers(1, 3)),
    st.tuples(st.just("hold"), st.just(1)),
    st.tuples(st.sampled_from(["charge_back", "refuse"]), st.integers(0, 9)),
    st.tuples(st.just("later"), st.integers(1, 12)),
)


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(STEPS, min_size=2, max_size=14),
    cap=st.sampled_from(["0.000001", "0.20", "0.35", "0.90", "100"]),
    mode=st.sampled_from(["graduated", "volume"]),
)
def test_the_same_catalogue_pays_the_same_with_a_cap(steps: Sequence[tuple[str, int]], cap: str, mode: str) -> None:
    with a_desk(a_capped_world(cap, mode=mode)) as desk:
        open_: list[int] = []
        held: list[int] = []
        for what, number in steps:
            # A person's acts are of another process: within a millisecond ids would not tell what came first.
            desk.clock.advance(SECOND_MS)
            if what == "earn":
                open_ += desk.earn(*("GAME 1",) * number)
            elif what == "hold":
                held += desk.earn("GAME 1", held=True)
            elif what == "later":
                desk.clock.advance(number * DAY_MS)
            elif among := held if what == "refuse" else open_:
                desk.correct(what, among.pop(number % len(among)))

        assert [unequal(desk, month) for month in (OCTOBER, NOVEMBER, DECEMBER)] == [[], [], []]
