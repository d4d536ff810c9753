"""Numbers of subscribers: any way to write one becomes the same digits, and goes out so that it is read back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.msisdn import plan_of
from core.numbering import (
    DESTINATION_FORMS,
    NUMBER_FORMS,
    BadRules,
    NumberPlan,
    international,
    numbers_of,
    read_rules,
)

COUNTRIES = ("RU", "KZ", "BY", "UA", "DE", "AT", "IT", "US", "GB", "FR", "UZ", "FI", "BR", "IN", "CN", "NO", "SG")
RU = plan_of("RU")


def a_plan(country: str) -> NumberPlan:
    plan = plan_of(country)
    assert plan is not None
    return plan


@st.composite
def subscribers(draw: st.DrawFn) -> tuple[NumberPlan, str]:
    """A country's plan, and a mobile number of it without the country's code."""
    plan = a_plan(draw(st.sampled_from(COUNTRIES)))
    national = draw(st.from_regex(re.compile(plan.pattern, re.ASCII), fullmatch=True))
    return plan, national


texts = st.text(max_size=40) | st.text("0123456789+", max_size=24)
rules = st.lists(
    st.from_regex(re.compile(r"[0-9]{0,3}(\+[0-9]{1,2})?>\+?[0-9]{0,4}", re.ASCII), fullmatch=True), max_size=4
).map(",".join)


@given(subscribers())
def test_every_way_to_write_a_subscriber_is_the_same_subscriber(subscriber: tuple[NumberPlan, str]) -> None:
    plan, national = subscriber
    number = plan.calling_code + national
    numbers = numbers_of(plan, number_form="national")

    ways = ["+" + number, number, national, *(one + number for one in plan.exits), *(t + national for t in plan.trunks)]

    assert {numbers.inbound(way) for way in ways} == {number}, ways


@given(subscribers(), st.sampled_from(DESTINATION_FORMS))
def test_what_goes_out_is_read_back_as_the_same_number(subscriber: tuple[NumberPlan, str], form: str) -> None:
    plan, national = subscriber
    number = plan.calling_code + national
    numbers = numbers_of(plan, number_form="national", destination_form=form)

    assert numbers.inbound(numbers.outbound(number)) == number


@given(st.from_regex(re.compile("[1-9][0-9]{7,14}", re.ASCII), fullmatch=True), st.sampled_from(("national", "trunk")))
def test_a_foreign_number_never_goes_out_as_somebody_of_the_country(number: str, form: str) -> None:
    numbers = numbers_of(RU, number_form="national", destination_form=form)

    assert numbers.inbound(numbers.outbound(number)) in {number, numbers.inbound(number)}
    if not (number.startswith("7") and len(number) == 11):
        assert numbers.outbound(number) in {number, "810" + number}


@given(texts, st.sampled_from(NUMBER_FORMS), st.sampled_from(DESTINATION_FORMS), rules, rules)
def test_whatever_a_peer_writes_and_a_link_says_nothing_breaks(
    text: str, number_form: str, destination_form: str, inbound: str, outbound: str
) -> None:
    try:
        numbers = numbers_of(
            RU, number_form=number_form, number_rules=inbound, destination_form=destination_form,
            destination_rules=outbound,
        )  # fmt: skip
    except BadRules:
        return

    came, goes = numbers.inbound(text), numbers.outbound(text)

    assert len(came) <= max(20, len(text))
    assert len(goes) <= max(20, len(text))
    if text.isascii() and text.isdigit():
        assert came.isdigit()
        assert goes.removeprefix("+").isdigit()


@given(texts)
def test_without_options_a_number_comes_without_its_plus_and_goes_as_it_is(text: str) -> None:
    numbers = numbers_of(None)

    assert numbers.inbound(text) == text.removeprefix("+")
    assert numbers.outbound(text) == text


def test_what_is_no_subscriber_stays_as_it_is() -> None:
    numbers = numbers_of(RU, number_form="national", destination_form="trunk", number_rules="8>7")

    for text in ("", "4446", "123456", "89", "Tele2", "79001112233@x", "1" * 20):
        assert numbers.inbound(text) == text
        assert numbers.outbound(text) == text


def test_the_forms_of_a_russian_number() -> None:
    written = {form: numbers_of(RU, destination_form=form).outbound("79001112233") for form in DESTINATION_FORMS}

    assert written == {
        "international": "79001112233", "plus": "+79001112233", "exit": "81079001112233", "national": "9001112233",
        "trunk": "89001112233",
    }  # fmt: skip


def test_as_is_touches_nothing() -> None:
    numbers = numbers_of(None, number_form="as_is")

    assert numbers.inbound("+79001112233") == "+79001112233"
    assert numbers.inbound("00998877665544332211") == "00998877665544332211"


def test_where_lengths_leave_a_doubt_the_country_s_pattern_decides() -> None:
    austria = a_plan("AT")
    assert {len("43664123456"), len("664123456")} <= austria.lengths

    assert international(austria, "43664123456") == "43664123456"
    assert international(austria, "664123456") == "43664123456"
    assert international(austria, "0664123456") == "43664123456"


@pytest.mark.parametrize(
    ("came", "read"),
    [
        ("89001112233", "79001112233"),
        ("0079001112233", "79001112233"),
        ("9001112233", "79001112233"),
        ("79001112233", "79001112233"),
        ("+89001112233", "89001112233"),
        ("8464", "8464"),
        ("900111223", "900111223"),
    ],
)
def test_the_rules_of_a_link_rewrite_what_comes(came: str, read: str) -> None:
    assert numbers_of(None, number_rules="8>7, 00>, 9+10>79").inbound(came) == read


def test_the_first_rule_that_fits_decides_alone_and_before_the_form() -> None:
    numbers = numbers_of(RU, number_form="national", number_rules="89+11>389, 8+11>8")

    assert numbers.inbound("89001112233") == "389001112233"
    assert numbers.inbound("84951112233") == "84951112233"
    assert numbers.inbound("9001112233") == "79001112233"


def test_rules_of_destinations_may_write_a_plus() -> None:
    numbers = numbers_of(None, destination_rules="79+11>+79 7>8")

    assert numbers.outbound("79001112233") == "+79001112233"
    assert numbers.outbound("77011112233") == "87011112233"
    assert numbers.outbound("4446") == "4446"


def test_a_rule_that_would_make_a_number_too_long_leaves_it() -> None:
    assert numbers_of(None, number_rules="7>777").inbound("7" * 19) == "7" * 19


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ("8-7", '"8-7" is no rule; write FROM>TO like 8>7'),
        ("8>7>6", "is no rule"),
        ("8>x", "is no rule"),
        (">", "changes nothing"),
        ("8>7, 8>6", "has two rules for 8; keep one"),
        ("1234+3>9", "fits no number: 3 digits in all"),
        ("8+0>7", "fits no number: 0 digits in all"),
        ("8>+7", "writes a +"),
        ("8+8>1234567890123456", "is no rule"),
        ("88888+20>123456", "leaves no number, or one of more than 20 digits"),
        ("123+3>", "leaves no number"),
        (" ".join(f"{number}>7" for number in range(30)), "has more than 20 rules"),
    ],
)
def test_wrong_rules_are_named(rules: str, why: str) -> None:
    with pytest.raises(BadRules, match=re.escape(why)):
        read_rules(rules)


def test_a_form_of_a_country_needs_one() -> None:
    with pytest.raises(BadRules, match="the form national needs a country whose numbers are known"):
        numbers_of(None, number_form="national")
