"""Dialled strings: the code, and the answers behind it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ussd.dial import Codes, Dialled, code_of, looks_dialled, normal


@pytest.mark.parametrize("text", ["*920*77#", "920*77", "*920*77", "920*77#", " *920*77# "])
def test_all_forms_of_a_code_are_one(text: str) -> None:
    assert normal(text) == "*920*77"
    assert code_of(text) == "*920*77#"
    assert Codes(["*920*77#"]).find(text) == Dialled("*920*77#", ())


def test_what_stands_behind_the_code_are_answers() -> None:
    codes = Codes(["*920*77#"])

    assert codes.find("*920*77*04040404040*500#") == Dialled("*920*77#", ("04040404040", "500"))
    assert codes.find("*920*77**500#") == Dialled("*920*77#", ("", "500"))


def test_the_longest_code_wins_and_a_longer_number_is_another_code() -> None:
    codes = Codes(["*920#", "*920*77#"])

    assert codes.find("*920*77*5#") == Dialled("*920*77#", ("5",))
    assert codes.find("*920*7#") == Dialled("*920#", ("7",))
    assert codes.find("*9207#") is None
    assert Codes(["*920*77#"]).find("*920*770#") is None


@pytest.mark.parametrize(
    ("text", "is_one"), [("*920*77#", True), ("#100#", True), ("1", False), ("*", False), ("", False)]
)
def test_a_text_looks_dialled_by_its_star_or_hash(text: str, is_one: bool) -> None:
    assert looks_dialled(text) is is_one


@given(text=st.text())
def test_any_text_may_be_dialled(text: str) -> None:
    found = Codes(["*1#", "*920*77#"]).find(text)

    assert found is None or len(found.prefilled) <= 16
    assert code_of(text) == code_of(code_of(text))


@given(
    code=st.from_regex(r"\*[0-9]{1,4}(\*[0-9]{1,4}){0,2}", fullmatch=True),
    answers=st.lists(st.from_regex(r"[0-9]{1,9}", fullmatch=True), max_size=5),
)
def test_a_code_and_its_answers_are_found_again(code: str, answers: list[str]) -> None:
    dialled = "*".join([code, *answers]) + "#"

    assert Codes([code]).find(dialled) == Dialled(f"{code}#", tuple(answers))
