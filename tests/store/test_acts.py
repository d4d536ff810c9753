"""Acts of people: with author and reason, agreed to by a second person above an amount, done once."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from core.catalogue import Catalogue, Limit
from core.clock import DAY_MS
from core.errors import UserMistake
from core.ledger import corrections
from core.ledger.corrections import Corrected
from store.acts import Act, ActRefused, Acts, ActState, Draft
from store.balances import read_balances
from store.database import Database
from store.desk import Desk
from store.floors import Overdrawn
from tests.makers import a_catalogue, a_partner, a_service
from tests.store.clerk import a_clerk, clerk_of
from tests.store.journal.desk import MoDesk

RUB = 1_000_000
LIMIT = 12 * RUB
ADJUST: dict[str, str | int] = {
    "debit": "expense:loss",
    "credit": "partner:acme:earnings",
    "amount": 5 * RUB,
    "currency": "RUB",
}


@pytest.fixture
def office(database: Database) -> MoDesk:
    return MoDesk(database, two_partners())


def two_partners() -> Catalogue:
    return a_catalogue(
        partners=(a_partner(), a_partner("bolt", id=2)), services=(a_service(), a_service("quiz", id=2, partner="bolt"))
    )


def acts_of(office: MoDesk, limit: int = LIMIT) -> Acts:
    return Acts(clerk_of(office), limit)


def accept(office: MoDesk, *texts: str) -> tuple[int, ...]:
    facts = [office.mo(text) for text in texts]
    office.take(*facts)
    return tuple(fact.id for fact in facts)


def balances(office: MoDesk) -> dict[str, int]:
    with office.database.read() as connection:
        return {line.address: line.amount for line in read_balances(connection) if line.amount}


def a_charge_back(*ids: int, reason: str = "complaint 17") -> Draft:
    return Draft("charge_back", "olga", reason, ids)


def test_below_the_limit_one_person_is_enough(office: MoDesk) -> None:
    (first,) = accept(office, "GAME 1")

    act = acts_of(office).ask(a_charge_back(first))

    assert (act.state, act.amount, act.currency, act.approver) == (ActState.DONE, 5 * RUB, "RUB", "")
    assert act.entry_id
    assert balances(office) == {}
    assert office.audit() == []


def test_above_it_nothing_moves_until_another_person_agrees(office: MoDesk) -> None:
    ids = accept(office, "GAME 1", "GAME 2", "GAME 3")
    before = balances(office)
    acts = acts_of(office)

    act = acts.ask(a_charge_back(*ids))

    assert (act.state, act.amount) == (ActState.PROPOSED, 15 * RUB)
    assert balances(office) == before
    assert office.audit() == []
    with pytest.raises(ActRefused, match="another person"):
        acts.approve(act.id, "Olga")
    done = acts.approve(act.id, "ada")

    assert (done.state, done.approver) == (ActState.DONE, "ada")
    assert balances(office) == {}
    assert office.audit() == []


def test_what_was_refused_stays_refused_with_its_reason(office: MoDesk) -> None:
    ids = accept(office, "GAME 1", "GAME 2", "GAME 3")
    acts = acts_of(office)
    act = acts.ask(a_charge_back(*ids))

    refused = acts.refuse(act.id, "ada", "asked twice")

    assert (refused.state, refused.body["refused"]) == (ActState.REFUSED, "asked twice")
    with pytest.raises(ActRefused, match="refused already, by ada"):
        acts.approve(act.id, "ada")
    assert acts.list() == []
    assert [one.id for one in acts.list(None)] == [act.id]


def test_what_happened_before_it_was_agreed_to_counts(office: MoDesk) -> None:
    ids = accept(office, "GAME 1", "GAME 2", "GAME 3")
    acts = acts_of(office)
    act = acts.ask(a_charge_back(*ids))
    acts.ask(a_charge_back(ids[0], reason="another complaint"))

    with pytest.raises(ActRefused, match=f"message {ids[0]}: it was given back"):
        acts.approve(act.id, "ada")

    assert acts.list()[0].state is ActState.PROPOSED
    assert balances(office)["operator:alpha:receivable"] == 10 * RUB
    assert office.audit() == []


def test_the_same_act_twice_is_one(office: MoDesk) -> None:
    acts = acts_of(office)
    draft = Draft("adjust", "olga", "goodwill", (), ADJUST)

    first, second = acts.ask(draft), acts.ask(draft)

    assert first.id == second.id
    assert balances(office) == {"expense:loss": 5 * RUB, "partner:acme:earnings": 5 * RUB}


def test_another_reason_or_key_is_another_act(office: MoDesk) -> None:
    acts = acts_of(office)
    acts.ask(Draft("adjust", "olga", "goodwill", (), ADJUST))
    acts.ask(Draft("adjust", "olga", "goodwill of December", (), ADJUST))
    acts.ask(Draft("adjust", "olga", "goodwill", (), ADJUST, key="2027-01"))

    assert balances(office)["partner:acme:earnings"] == 15 * RUB
    assert office.audit() == []


def test_a_credit_is_taken_away_to_its_floor_and_no_further(office: MoDesk) -> None:
    acts = acts_of(office)
    acts.ask(Draft("adjust", "olga", "credit", (), {**ADJUST, "debit": "bank:main", "credit": "partner:acme:prepaid"}))
    take = {**ADJUST, "debit": "partner:acme:prepaid", "credit": "bank:main", "amount": 5 * RUB + 1}

    with pytest.raises(Overdrawn, match=r"has 5\.00 RUB"):
        acts.ask(Draft("adjust", "olga", "taken back", (), take))
    acts.ask(Draft("adjust", "olga", "taken back", (), {**take, "amount": 5 * RUB}))

    assert balances(office) == {}
    assert office.audit() == []


def test_a_refund_that_we_pay_leaves_the_partner_its_part_and_is_paid_once(office: MoDesk) -> None:
    (first,) = accept(office, "GAME 1")
    acts = acts_of(office)
    by_us = {"paid_by": "us"}

    acts.ask(Draft("refund", "olga", "our mistake", (first,), by_us))

    assert balances(office) == {
        "partner:acme:earnings": 3 * RUB, "income:margin": 2 * RUB, "expense:loss": 5 * RUB,
    }  # fmt: skip
    with pytest.raises(ActRefused, match="refunded before"):
        acts.ask(Draft("refund", "olga", "again", (first,), by_us))
    assert office.audit() == []


def test_what_we_refunded_is_not_lost_twice_when_the_operator_takes_it_back_after_all(office: MoDesk) -> None:
    (first,) = accept(office, "GAME 1")
    acts = acts_of(office)
    acts.ask(Draft("refund", "olga", "our mistake", (first,), {"paid_by": "us"}))

    acts.ask(a_charge_back(first))

    assert balances(office) == {}
    with pytest.raises(ActRefused, match="given back to the operator already"):
        acts.ask(Draft("refund", "olga", "and again", (first,), {"paid_by": "us"}))
    assert office.audit() == []


def test_a_refund_that_the_operator_makes_takes_it_from_everybody(office: MoDesk) -> None:
    (first,) = accept(office, "GAME 1")

    acts_of(office).ask(Draft("refund", "olga", "complaint", (first,), {"paid_by": "operator"}))

    assert balances(office) == {}
    assert office.audit() == []


def test_suspense_is_assigned_or_returned(office: MoDesk) -> None:
    lost, other = accept(office, "NOTHING 1", "NOTHING 2")
    acts = acts_of(office)

    acts.ask(Draft("assign", "olga", "theirs", (lost,), {"partner": "bolt"}))
    acts.ask(Draft("return", "olga", "nobody's", (other,)))

    assert balances(office) == {
        "operator:alpha:receivable": 5 * RUB, "partner:bolt:earnings": 3 * RUB, "income:margin": 2 * RUB,
    }  # fmt: skip
    assert office.audit() == []


def held_office(database: Database) -> tuple[MoDesk, int]:
    """With a message of acme's that fraud holds."""
    limits = (Limit(1, "partner", "acme", "count", DAY_MS, 0, "hold"),)
    office = MoDesk(database, replace(two_partners(), limits=limits))
    return office, accept(office, "GAME 1")[0]


def test_only_what_lies_in_suspense_is_returned_and_a_partner_keeps_what_it_has(database: Database) -> None:
    office, held = held_office(database)
    office.use(two_partners())
    earned, lost = accept(office, "GAME 2", "NOTHING 1")
    acts = acts_of(office)
    acts.ask(Draft("assign", "olga", "theirs", (lost,), {"partner": "bolt"}))
    before = balances(office)

    for id_, why in ((earned, "has earned its part"), (lost, "has earned its part"), (held, "is held")):
        with pytest.raises(ActRefused, match=f"message {id_}: .*{why}; only a charge-back takes it from there"):
            acts.ask(Draft("return", "olga", "x", (id_,)))

    assert before["partner:acme:held"] == before["partner:bolt:earnings"] == 3 * RUB
    assert balances(office) == before
    assert office.audit() == []


def test_a_hold_that_is_refused_may_be_returned_then_and_once(database: Database) -> None:
    office, held = held_office(database)
    acts = acts_of(office)
    acts.ask(Draft("refuse_hold", "olga", "fraud", (held,)))

    first, again = (acts.ask(Draft("return", "olga", "nobody's", (held,))) for _ in range(2))

    assert (first.state, again.was_before, again.entry_id) == (ActState.DONE, True, first.entry_id)
    with pytest.raises(ActRefused, match="given back to the operator already"):
        acts.ask(Draft("return", "olga", "once more", (held,)))
    assert balances(office) == {}
    assert office.audit() == []


def test_a_return_that_waited_since_the_money_was_taken_from_anybody_is_refused_now(office: MoDesk) -> None:
    ids = accept(office, "NOTHING 1", "NOTHING 2", "NOTHING 3")
    acts = acts_of(office)
    waits = acts.ask(Draft("return", "olga", "nobody's", ids))
    acts.ask(Draft("assign", "olga", "theirs", ids[:1], {"partner": "bolt"}))

    with pytest.raises(ActRefused, match=f"message {ids[0]}: its partner has earned its part"):
        acts.approve(waits.id, "ada")

    assert balances(office)["partner:bolt:earnings"] == 3 * RUB


def test_a_return_of_earned_money_that_was_booked_when_it_could_be_stays_what_it_is(
    office: MoDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (earned,) = accept(office, "GAME 1")
    acts, draft = acts_of(office), Draft("return", "olga", "x", (earned,))
    take_back = corrections.charge_back

    def as_it_was(*what: Any, reason: str, **more: Any) -> Corrected:
        done = take_back(*what, **more)
        assert isinstance(done, Corrected)
        return Corrected([replace(charge, reason=reason) for charge in done.charges], done.details)

    with monkeypatch.context() as before:
        before.setattr(corrections, "charge_back", as_it_was)
        done = acts.ask(draft)

    again = acts.ask(draft)

    assert (again.id, again.was_before, again.entry_id) == (done.id, True, done.entry_id)
    assert acts.show(done.id).postings
    assert office.audit() == []


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (Draft("sing", "olga", "why"), "there is no act 'sing'"),
        (Draft("charge_back", "olga", "why"), "at least one message"),
        (Draft("charge_back", "olga", "why", (17,)), "message 17: there is no such MO"),
        (Draft("charge_back", "olga", "why", tuple(range(1, 1002))), "at most 1000"),
        (Draft("assign", "olga", "why", (1,), {"partner": "nobody"}), "there is no partner 'nobody'"),
        (Draft("release", "olga", "why", (17,)), "message 17"),
        (
            Draft("adjust", "olga", "why", (), {**ADJUST, "debit": "purse:acme"}),
            "there is no account 'purse:acme'; write ",
        ),
        (Draft("adjust", "olga", "why", (), {**ADJUST, "debit": "partner:acme:earnings"}), "are the same"),
        (Draft("adjust", "olga", "why", (), {**ADJUST, "amount": 0}), "above zero"),
    ],
)
def test_what_cannot_be_done_says_why_and_leaves_nothing(office: MoDesk, draft: Draft, sentence: str) -> None:
    acts = acts_of(office)

    with pytest.raises(ActRefused, match=sentence):
        acts.ask(draft)
    assert acts.list(None) == []


@pytest.mark.parametrize(
    ("author", "reason", "sentence"), [(" ", "why", "--by: who asks for it is empty"), ("olga", " ", "--reason: it is")]
)
def test_who_asks_says_his_name_and_why(office: MoDesk, author: str, reason: str, sentence: str) -> None:
    acts = acts_of(office)

    with pytest.raises(UserMistake, match=f"^{sentence}"):
        acts.ask(Draft("charge_back", author, reason, (1,)))
    assert acts.list(None) == []


def test_an_act_that_is_not_there(office: MoDesk) -> None:
    with pytest.raises(ActRefused, match="there is no act 99"):
        acts_of(office).approve(99, "ada")


def test_eight_people_agree_at_once_and_it_is_done_once(office: MoDesk) -> None:
    ids = accept(office, "GAME 1", "GAME 2", "GAME 3")
    act = acts_of(office).ask(a_charge_back(*ids))
    start = threading.Barrier(8)
    done: list[Act] = []
    refused: list[ActRefused] = []
    failed: list[BaseException] = []

    def run(desk: Desk, name: str) -> None:
        start.wait()
        try:
            done.append(Acts(desk, LIMIT).approve(act.id, name))
        except ActRefused as error:
            refused.append(error)
        except BaseException as error:
            failed.append(error)

    desks = [a_clerk(office.database, office.catalogue, office.clock) for _ in range(8)]
    threads = [threading.Thread(target=run, args=(desk, f"p{n}")) for n, desk in enumerate(desks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert (len(done), len(refused)) == (1, 7)
    assert balances(office) == {}
    assert office.audit() == []
