"""What an act amounts to is what it moves, all of it: no kind takes more past the second person than it says."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from core.ledger.details import About, DetailKind, moved
from core.second_person import Limits
from store.acts import Act, ActRefused, Acts, ActState, Draft, sentence_of
from store.balances import read_balances
from store.books import Act as BookedAct
from store.books import open_month
from store.database import Database
from tests.makers_money import micros
from tests.store.month_desk import MonthDesk, a_world

RUB = 1_000_000
OLGA = ("olga", "complaint 17")
ADJUST: dict[str, str | int] = {
    "debit": "expense:loss", "credit": "partner:friend:earnings", "amount": 20 * RUB, "currency": "RUB",
}  # fmt: skip


@pytest.fixture
def desk(database: Database) -> MonthDesk:
    """acme has a volume plan: 90 % from 100.00 on, 10 % below."""
    return MonthDesk(database, a_world(mode="volume", tiers=(("0", "0.10"), ("100", "0.90"))))


def reach_the_tier(desk: MonthDesk) -> int:
    """A held message that came to the tier, and holds the correction of all before it; more came behind it."""
    desk.earn(*(f"GAME {number}" for number in range(19)))
    (last,) = desk.earn("GAME last", held=True)
    desk.earn(*(f"GAME b{number}" for number in range(5)))
    return last


def find(desk: MonthDesk, message_id: int, amount: int) -> None:
    """A settlement found that the operator owes so much more for a message."""
    clerk = desk.clerk()
    about = About(message_id=message_id)
    places = ("operator:alpha:receivable", "suspense:alpha")

    def work(connection: Connection) -> None:
        month = open_month(connection, clerk.now())
        details = moved(DetailKind.FOUND, *places, amount, currency="RUB", month=month, about=about)
        act = BookedAct(f"found:{message_id}", "settlement", "found", clerk.now())
        clerk.books.book(connection, act, details=details)

    clerk.run(work)


def acts(desk: MonthDesk, limit: int | Limits = 40 * RUB) -> Acts:
    return Acts(desk.clerk(), limit)


def balances(desk: MonthDesk) -> dict[tuple[str, str], int]:
    with desk.database.read() as connection:
        return {(one.address, one.currency): one.amount for one in read_balances(connection)}


def ask(desk: MonthDesk, draft: Draft) -> Act:
    """Done by two; it moved no account by more than it says it does, and some by as much as that or half of it."""
    before, above_all = balances(desk), acts(desk, 0)
    asked = above_all.ask(draft)
    shown = above_all.show(asked.id)
    done = above_all.approve(asked.id, "ada")

    after = balances(desk)
    moves = {place: abs(after.get(place, 0) - before.get(place, 0)) for place in after.keys() | before.keys()}
    assert max(moves.values()) <= done.amount <= 2 * max(moves.values())
    assert (asked.amount, asked.currency) == (done.amount, done.currency) == (shown.act.amount, shown.act.currency)
    assert desk.audit() == []
    return done


def test_a_hold_is_not_refused_by_one_person_where_what_it_holds_is_more(desk: MonthDesk) -> None:
    held = reach_the_tier(desk)
    release = acts(desk).ask(Draft("release", *OLGA, (held,)))
    assert (release.state, release.amount) == (ActState.PROPOSED, micros("80.50"))
    before = balances(desk)

    refuse = acts(desk).ask(Draft("refuse_hold", *OLGA, (held,)))

    assert (refuse.state, balances(desk)) == (ActState.PROPOSED, before)
    assert refuse.amount >= micros("80.00")
    assert acts(desk).approve(refuse.id, "ada").state is ActState.DONE
    assert desk.audit() == []


def test_a_charge_back_amounts_to_what_it_undoes_of_a_settlement_too(desk: MonthDesk) -> None:
    (message,) = desk.earn("GAME 1")
    find(desk, message, 995 * RUB)

    act = acts(desk).ask(Draft("charge_back", *OLGA, (message,)))

    assert (act.state, act.amount) == (ActState.PROPOSED, 1000 * RUB)
    assert "charge back: 1 message of acme, 1000.00 RUB" in sentence_of(act)


@pytest.mark.parametrize("kind", ["charge_back", "refund", "refuse_hold", "release"])
def test_no_kind_moves_more_of_a_held_message_than_it_says(desk: MonthDesk, kind: str) -> None:
    held = reach_the_tier(desk)
    find(desk, held, 7 * RUB)

    ask(desk, Draft(kind, *OLGA, (held,)))


@pytest.mark.parametrize("kind", ["charge_back", "refund", "refunded by us"])
def test_no_kind_moves_more_of_an_earned_message_than_it_says(desk: MonthDesk, kind: str) -> None:
    *_, last = desk.earn(*(f"GAME {number}" for number in range(20)))
    find(desk, last, 7 * RUB)
    by_us = kind == "refunded by us"

    ask(desk, Draft("refund" if by_us else kind, *OLGA, (last,), {"paid_by": "us"} if by_us else {}))


def test_no_kind_moves_more_of_what_lies_in_suspense_than_it_says(desk: MonthDesk) -> None:
    first, second = desk.earn("NOBODY 1", "NOBODY 2")
    find(desk, first, 7 * RUB)
    desk.earn(*(f"GAME {number}" for number in range(19)))

    assert ask(desk, Draft("return", *OLGA, (first,))).amount == 12 * RUB
    # It comes to the tier, and the correction of all before it comes to acme.
    assert ask(desk, Draft("assign", *OLGA, (second,), {"partner": "acme"})).amount > 70 * RUB


def test_an_adjustment_amounts_to_what_it_moves(desk: MonthDesk) -> None:
    assert ask(desk, Draft("adjust", *OLGA, (), ADJUST)).amount == 20 * RUB


def test_what_a_partner_and_its_referrer_give_back_counts_together(database: Database) -> None:
    """The referrer got all of our 4.50; it was earned at 10 % and is taken back at 90 %."""
    world = a_world(mode="volume", tiers=(("0", "0.10"), ("100", "0.90")))
    acme = world.partners["acme"]
    (terms,) = acme.referral
    acme = replace(acme, referral=(replace(terms, rate=1_000_000),))
    desk = MonthDesk(database, replace(world, partners={**world.partners, "acme": acme}))
    first, *_ = desk.earn(*(f"GAME {number}" for number in range(40)))

    act = ask(desk, Draft("charge_back", *OLGA, (first,)))

    assert act.amount == 9 * RUB


def test_an_act_in_two_currencies_says_both(desk: MonthDesk) -> None:
    (roubles,), (euros,) = desk.earn("GAME 1"), desk.earn("GAME 2", euros=True)
    limits = Limits(40 * RUB, {"EUR": 0})

    asked = acts(desk, limits).ask(Draft("charge_back", *OLGA, (roubles, euros)))

    assert asked.state is ActState.PROPOSED
    assert sentence_of(asked).startswith("charge back: 2 messages of acme, 5.00 RUB and 0.82")
    assert sentence_of(asked).endswith(" EUR")
    done = acts(desk, limits).approve(asked.id, "ada")
    assert sentence_of(done) == sentence_of(asked)


def test_who_is_to_agree_is_shown_the_amount_that_it_has_by_now(desk: MonthDesk) -> None:
    """By the time at which he looks, acme has come to the tier: what is taken back would take the jump back with it."""
    *_, last = desk.earn(*(f"GAME {number}" for number in range(19)))
    waits = acts(desk, 0).ask(Draft("charge_back", *OLGA, (last,)))
    assert waits.amount == 5 * RUB
    desk.earn("GAME last")

    shown = acts(desk, 0).show(waits.id).act
    done = acts(desk, 0).approve(waits.id, "ada")

    assert shown.amount == done.amount > 70 * RUB
    with pytest.raises(ActRefused, match="done already"):
        acts(desk, 0).approve(waits.id, "ben")
