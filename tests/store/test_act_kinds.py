"""What acts there are: each is told in its own words, and what its sentence leaves out is told beside it."""

from typing import Any

import pytest

from core.errors import UserMistake
from store.act_kinds import KINDS, checked_draft
from store.acts import Act, ActState, Draft, sentence_of, unsaid

RUB = 1_000_000
CONVERTED = {"partner": "acme", "amount": 5 * RUB, "currency": "RUB", "key": "c1"}
PAID = {"operator": "alpha", "amount": 5 * RUB, "bank": "main", "reference": "PO 17"}
TOLD: list[tuple[str, dict[str, Any], str]] = [
    ("charge_back", {}, "charge back: 2 messages of acme, 5.00 RUB"),
    ("refund", {"paid_by": "operator"}, "refund: 2 messages of acme, 5.00 RUB"),
    ("refund", {"paid_by": "us"}, "refund: 2 messages of acme, 5.00 RUB, paid by us"),
    ("return", {}, "return: 2 messages of acme, 5.00 RUB"),
    ("release", {}, "release: 2 messages of acme, 5.00 RUB"),
    ("refuse_hold", {}, "refuse hold: 2 messages of acme, 5.00 RUB"),
    ("assign", {"partner": "bolt"}, "assign: 2 messages to bolt, 5.00 RUB"),
    (
        "adjust",
        {"debit": "expense:loss", "credit": "partner:acme:held", "amount": 5 * RUB, "currency": "RUB"},
        "adjust: 5.00 RUB from expense:loss to partner:acme:held",
    ),
    ("pay_operator", PAID, "pay operator: 5.00 RUB to alpha from bank:main, PO 17"),
    ("operator_paid", PAID, "operator paid: 5.00 RUB from alpha to bank:main, PO 17"),
    ("assign_payment", {"payment": 3, "partner": "acme"}, "assign payment: 5.00 RUB of payment 3 to acme"),
    (
        "convert",
        {**CONVERTED, "account": "prepaid", "into": "EUR"},
        "convert: 5.00 RUB of acme's prepaid money into EUR",
    ),
    (
        "use_earnings",
        {**CONVERTED, "account": "earnings", "into": ""},
        "use earnings: 5.00 RUB of acme's earnings for outgoing SMS",
    ),
    ("payout_failed", {"payout": 7}, "payout failed: 5.00 RUB of payout 7"),
    ("payout_returned", {"payout": 7}, "payout returned: 5.00 RUB of payout 7"),
]


def an_act(kind: str, *partners: str, **values: Any) -> Act:
    """Of 5.00 RUB; where its kind is about messages, of two."""
    messages = [1, 2] if KINDS[kind].needs_messages else []
    body = {"messages": messages, "values": values, "partners": partners}
    return Act(1, kind, ActState.PROPOSED, 5 * RUB, "RUB", "olga", "why", 0, "", 0, 0, body)


@pytest.mark.parametrize(("kind", "values", "sentence"), TOLD)
def test_an_act_is_told_in_one_sentence(kind: str, values: dict[str, Any], sentence: str) -> None:
    assert sentence_of(an_act(kind, "acme", **values)) == sentence


def test_every_kind_of_act_is_told() -> None:
    assert {kind for kind, _, _ in TOLD} == set(KINDS)
    assert all(name == kind.name for name, kind in KINDS.items())


@pytest.mark.parametrize(("kind", "values", "sentence"), TOLD)
def test_what_the_sentence_says_is_not_told_again(kind: str, values: dict[str, Any], sentence: str) -> None:
    beside = {"paid_by": "operator"} if values.get("paid_by") == "operator" else {}

    assert unsaid(an_act(kind, "acme", **values)) == beside
    assert unsaid(an_act(kind, "acme", **values, day="2026-11-01", note="")) == {**beside, "day": "2026-11-01"}


def test_of_many_partners_three_are_named() -> None:
    assert sentence_of(an_act("release", "a", "b", "c")) == "release: 2 messages of a, b, c, 5.00 RUB"
    assert sentence_of(an_act("release", "a", "b", "c", "d")) == "release: 2 messages of a, b, c and others, 5.00 RUB"
    assert sentence_of(an_act("release")) == "release: 2 messages, 5.00 RUB"


def test_what_people_wrote_is_no_template() -> None:
    act = an_act("pay_operator", **{**PAID, "reference": "{operator} {0} {amount.real}"})

    assert sentence_of(act).endswith("from bank:main, {operator} {0} {amount.real}")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_about_messages_names_some(kind: str) -> None:
    draft = Draft(kind, "olga", "why")

    if KINDS[kind].needs_messages:
        with pytest.raises(UserMistake, match=r"^name at least one message$"):
            checked_draft(draft)
    else:
        assert checked_draft(draft).messages == ()
    assert checked_draft(Draft(kind, "olga", "why", (1,))).messages == (1,)


def test_an_act_that_there_is_not_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UserMistake, match=r"^there is no act 'charge-back'; there are charge_back, refund, return, "):
        checked_draft(Draft("charge-back", "olga", "why"))
