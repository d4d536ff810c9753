"""Who asks and who agrees, the keys of acts, and what an act amounts to; on both databases."""

from collections.abc import Callable
from typing import Any

import pytest

from core.errors import StoreConflict, UserMistake
from core.money import AMOUNT_MAX
from core.second_person import Limits
from store.acts import ActRefused, Acts, ActState, Draft
from store.database import Database
from tests.store.clerk import clerk_of
from tests.store.journal.desk import MoDesk
from tests.store.month_desk import MonthDesk, a_world
from tests.store.test_acts import ADJUST, RUB, a_charge_back, accept, acts_of, balances, two_partners


@pytest.fixture
def office(database: Database) -> MoDesk:
    return MoDesk(database, two_partners())


def an_adjustment(**values: Any) -> Draft:
    """Of 5.00 RUB, or with other values."""
    own = {name: values.pop(name) for name in ("author", "reason", "key") if name in values}
    return Draft("adjust", **{"author": "olga", "reason": "goodwill", **own}, values={**ADJUST, **values})


# --- who -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("approver", ["olga p", " olga p", "olga  p", "OLGA P", "olga p\t"])
def test_nobody_agrees_to_his_own_however_he_writes_his_name(office: MoDesk, approver: str) -> None:
    acts = acts_of(office, limit=0)
    act = acts.ask(an_adjustment(author="  Olga  p "))

    assert act.author == "Olga p"
    with pytest.raises(ActRefused, match="another person has to agree"):
        acts.approve(act.id, approver)
    assert balances(office) == {}


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "ol\u200bga"])
def test_what_is_no_name_neither_asks_nor_agrees_nor_refuses(office: MoDesk, name: str) -> None:
    acts = acts_of(office, limit=0)
    act = acts.ask(an_adjustment())

    tries: list[Callable[[], object]] = [
        lambda: acts.ask(an_adjustment(author=name)),
        lambda: acts.approve(act.id, name),
        lambda: acts.refuse(act.id, name, "why"),
    ]
    for one in tries:
        with pytest.raises(UserMistake, match=r"^--by: who (asks for it|agrees|refuses it) "):
            one()
    assert [one.state for one in acts.list(None)] == [ActState.PROPOSED]


def test_a_limit_holds_in_its_own_currency(office: MoDesk) -> None:
    acts = Acts(clerk_of(office), Limits(0, {"RUB": 10 * RUB}))

    assert acts.ask(an_adjustment()).state is ActState.DONE
    assert acts.ask(an_adjustment(amount=11 * RUB)).state is ActState.PROPOSED


def test_a_currency_without_a_limit_always_asks_for_two(database: Database) -> None:
    desk = MonthDesk(database, a_world())
    acts = Acts(desk.clerk(), Limits(0, {"RUB": 10 * RUB}))

    assert acts.ask(an_adjustment(currency="EUR", amount=1)).state is ActState.PROPOSED


# --- once ----------------------------------------------------------------------------------------------------


def test_the_same_again_says_that_it_was_done_before(office: MoDesk) -> None:
    acts = acts_of(office)

    first, again = acts.ask(an_adjustment(key="k1")), acts.ask(an_adjustment(key="k1", author=" Olga"))

    assert (first.was_before, again.was_before) == (False, True)
    assert again.entry_id == first.entry_id
    assert balances(office)["expense:loss"] == 5 * RUB


@pytest.mark.parametrize("other", [{"amount": 6 * RUB}, {"credit": "partner:bolt:earnings"}, {"reason": "for May"}])
def test_the_same_key_with_other_content_is_an_error(office: MoDesk, other: dict[str, Any]) -> None:
    acts = acts_of(office)
    acts.ask(an_adjustment(key="k1"))

    with pytest.raises(StoreConflict, match="the key 'k1' stands for act 1 already"):
        acts.ask(an_adjustment(key="k1", **other))
    assert balances(office) == {"expense:loss": 5 * RUB, "partner:acme:earnings": 5 * RUB}


def test_long_keys_are_kept_whole_and_longer_ones_refused(office: MoDesk) -> None:
    acts = acts_of(office)
    acts.ask(an_adjustment(key="k" * 79 + "1"))
    acts.ask(an_adjustment(key="k" * 79 + "2", reason="another"))

    with pytest.raises(ActRefused, match="longer than 80 letters"):
        acts.ask(an_adjustment(key="k" * 81))
    assert balances(office)["expense:loss"] == 10 * RUB


def test_what_was_refused_is_not_asked_for_again_without_a_word(office: MoDesk) -> None:
    acts = acts_of(office, limit=0)
    acts.refuse(acts.ask(an_adjustment()).id, "ada", "asked twice")

    with pytest.raises(ActRefused, match=r"act 1 was refused before, by ada: asked twice; .*--key or --reason$"):
        acts.ask(an_adjustment())
    assert acts.ask(an_adjustment(reason="another")).state is ActState.PROPOSED


def test_what_was_refused_under_a_key_is_asked_for_again_by_another_key_alone(office: MoDesk) -> None:
    """With another reason the key would stand for something else."""
    acts = acts_of(office, limit=0)
    acts.refuse(acts.ask(an_adjustment(key="k1")).id, "ada", "asked twice")

    with pytest.raises(ActRefused, match=r"to ask for it again, give another --key$"):
        acts.ask(an_adjustment(key="k1"))
    with pytest.raises(StoreConflict, match="take another key"):
        acts.ask(an_adjustment(key="k1", reason="another"))
    assert acts.ask(an_adjustment(key="k2")).state is ActState.PROPOSED


def test_a_message_is_named_once(office: MoDesk) -> None:
    (first,) = accept(office, "GAME 1")

    with pytest.raises(ActRefused, match=f"message {first} is named twice; name it once"):
        acts_of(office).ask(a_charge_back(first, first))
    assert acts_of(office).list(None) == []


# --- how much ------------------------------------------------------------------------------------------------


def test_an_act_amounts_to_what_it_takes_from_a_partner_its_tier_correction_too(database: Database) -> None:
    """The one message that reached the tier takes the jump of all before it along."""
    desk = MonthDesk(database, a_world(mode="volume", tiers=(("0", "0.10"), ("20", "0.90"))))
    *_, last = desk.earn("GAME 1", "GAME 2", "GAME 3", "GAME 4")

    act = Acts(desk.clerk(), 12 * RUB).ask(Draft("charge_back", "olga", "complaint", (last,)))

    assert act.state is ActState.PROPOSED
    assert act.amount > 12 * RUB


def test_an_amount_that_no_sum_could_hold_is_refused(office: MoDesk) -> None:
    acts = acts_of(office, limit=AMOUNT_MAX)

    assert acts.ask(an_adjustment(amount=AMOUNT_MAX)).state is ActState.DONE
    with pytest.raises(ActRefused, match=r"is more than 1000000000\.00, the most at once"):
        acts.ask(an_adjustment(amount=AMOUNT_MAX + 1))
    assert office.audit() == []


# --- looking -------------------------------------------------------------------------------------------------


def test_who_is_to_agree_sees_what_would_move_and_nothing_moves(office: MoDesk) -> None:
    ids = accept(office, "GAME 1", "GAME 2", "GAME 3")
    acts, before = acts_of(office), balances(office)
    act = acts.ask(a_charge_back(*ids))

    shown = acts.show(act.id)

    assert shown.act.partners == ("acme",)
    moved = {(p.debit, p.credit): p.amount for p in shown.postings}
    assert moved["partner:acme:earnings", "operator:alpha:receivable"] == 9 * RUB
    assert (shown.fault, balances(office)) == ("", before)
    assert acts.approve(act.id, "ada").state is ActState.DONE
    assert {(p.debit, p.credit): p.amount for p in acts.show(act.id).postings} == moved
    assert office.audit() == []


def test_what_cannot_be_booked_any_more_says_so(office: MoDesk) -> None:
    ids = accept(office, "GAME 1", "GAME 2", "GAME 3")
    acts = acts_of(office)
    act = acts.ask(a_charge_back(*ids))
    acts.ask(a_charge_back(ids[0], reason="another complaint"))

    shown = acts.show(act.id)

    assert f"message {ids[0]}: it was given back" in shown.fault
    assert shown.postings == ()


def test_an_act_that_is_not_there_cannot_be_shown(office: MoDesk) -> None:
    with pytest.raises(ActRefused, match="there is no act 9"):
        acts_of(office).show(9)
