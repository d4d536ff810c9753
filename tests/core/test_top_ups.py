"""What a provider tells of, held against what is expected."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.top_ups import Expected, PaymentState, Told, number_of, problem_of

RUB = 1_000_000
TOLD = Told("yoomoney", "op-1", "17", 100 * RUB, 98 * RUB, "RUB")
EXPECTED = Expected(17, 1, "yoomoney", "RUB", 100 * RUB)


def test_what_agrees_is_booked() -> None:
    assert problem_of(TOLD, EXPECTED) == ""


@pytest.mark.parametrize(
    ("told", "expected", "problem"),
    [
        (TOLD, None, "there is no top-up '17'"),
        (replace(TOLD, top_up=""), None, "it names no top-up"),
        (replace(TOLD, paid=99 * RUB), EXPECTED, "top-up 17 expects 100.00 RUB, 99.00 were paid"),
        (replace(TOLD, paid=101 * RUB), EXPECTED, "top-up 17 expects 100.00 RUB, 101.00 were paid"),
        (replace(TOLD, currency="EUR"), EXPECTED, "top-up 17 expects RUB, EUR came"),
        (TOLD, replace(EXPECTED, provider="webmoney"), "top-up 17 was to be paid by webmoney"),
        (TOLD, replace(EXPECTED, paid_by=3), "top-up 17 was paid already, by payment 3"),
        (replace(TOLD, amount=0), EXPECTED, "it says that 0.00 RUB came"),
        (replace(TOLD, amount=-RUB), EXPECTED, "it says that -1.00 RUB came"),
        (replace(TOLD, amount=101 * RUB), EXPECTED, "101.00 RUB came, and only 100.00 were paid"),
        (replace(TOLD, hitch="it is protected by a code"), EXPECTED, "it is protected by a code"),
    ],
)
def test_what_does_not_agree_says_why(told: Told, expected: Expected | None, problem: str) -> None:
    assert problem_of(told, expected) == problem


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("provider", "x"), ("reference", "x"), ("top_up", "x"), ("paid", 1), ("amount", 1), ("currency", "EUR"),
        ("hitch", "x"),
    ],
)  # fmt: skip
def test_other_content_has_another_digest(field: str, value: object) -> None:
    assert replace(TOLD, **{field: value}).digest() != TOLD.digest()  # type: ignore[arg-type]
    assert replace(TOLD).digest() == TOLD.digest()


@given(st.text(max_size=30))
def test_whatever_comes_as_a_number_is_one_or_none(text: str) -> None:
    number = number_of(text)

    assert 0 <= number < 10**18
    assert number == 0 or number == int(text)


def test_the_numbers_of_states_are_stored_and_never_change() -> None:
    assert [(state.name, int(state)) for state in PaymentState] == [
        ("TOLD", 0), ("BOOKED", 1), ("PARKED", 2), ("CLOSED", 3),
    ]  # fmt: skip
