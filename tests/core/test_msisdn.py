"""Numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.msisdn import BadNumber, mask_within, plan_of, read_number, read_prefix

NUMBER = "79001112233"


@pytest.mark.parametrize(
    "written",
    [
        NUMBER, "+7 900 111-22-33", "8 (900) 111-22-33", "9001112233", "900.111.22.33", "00 7 900 111 22 33",
        "810 7 900 1112233", "tel:+7-900-111-22-33", "\u202f+7\u00a0900\u00a01112233 ", "8\u2013900\u2013111\u20132233",
    ],
)  # fmt: skip
def test_a_russian_number_in_any_form(written: str) -> None:
    assert read_number(written.strip("\u202f"), "RU") == NUMBER


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+49 (0)151 12345678", "RU", "4915112345678"),
        ("4915112345678", "RU", "4915112345678"),
        ("0151 12345678", "DE", "4915112345678"),
        (NUMBER, "DE", NUMBER),
        (NUMBER, "", NUMBER),
        ("004915112345678", "", "4915112345678"),
        ("8 495 123-45-67", "RU", "74951234567"),
        ("(415) 555-2671", "US", "14155552671"),
        ("1 415 555 2671", "US", "14155552671"),
    ],
)
def test_numbers_of_other_countries(written: str, country: str, number: str) -> None:
    assert read_number(written, country) == number


@pytest.mark.parametrize(
    ("written", "country", "why"),
    [
        ("call me", "RU", "is no number; write it with the country's code, like +79001112233"),
        ("", "RU", "is no number"),
        ("+", "RU", "is no number"),
        ("+7 900 111", "RU", "is too short for a number"),
        ("7900111", "RU", "is too short for a number"),
        ("+7 900 111 22 33 44", "RU", "has a wrong number of digits for a number"),
        ("+7 900 111 22 33 44 55 66", "RU", "is too long for a number"),
        ("89001112233", "", "begins with no country's code"),
        ("+999 12345678", "RU", "begins with no country's code"),
        ("7900111223x", "RU", "is no number"),
        ("٧٩٠٠١١١٢٢٣٣", "RU", "is no number"),
    ],
)
def test_what_cannot_be_a_number_is_refused_with_a_sentence(written: str, country: str, why: str) -> None:
    with pytest.raises(BadNumber, match=f"^{why.replace('+', '[+]')}"):
        read_number(written, country)


@given(st.text(max_size=70) | st.text("0123456789 +-()", max_size=70), st.sampled_from(["", "RU", "US", "ZZ"]))
def test_whatever_people_write_it_is_a_number_or_refused(written: str, country: str) -> None:
    try:
        number = read_number(written, country)
    except BadNumber:
        return

    assert number.isascii()
    assert number.isdigit()
    assert 5 <= len(number) <= 17
    assert read_number("+" + number) == number


@pytest.mark.parametrize(
    ("written", "country", "prefix"),
    [
        ("7900", "RU", "7900"), ("+7 900", "RU", "7900"), ("8 (900)", "RU", "7900"), ("900", "RU", "7900"),
        ("810 7 900", "RU", "7900"), ("7", "RU", "7"), ("701", "KZ", "7701"), ("7701", "KZ", "7701"),
        ("0151", "DE", "49151"), ("49151", "DE", "49151"), ("212", "US", "1212"), ("1212", "US", "1212"),
        ("380", "RU", "380"), ("+380", "RU", "380"), ("7900", "AQ", "7900"),
    ],
)  # fmt: skip
def test_the_first_digits_of_an_operator_in_any_form(written: str, country: str, prefix: str) -> None:
    assert read_prefix(written, country) == prefix
    assert read_prefix(prefix, country) == prefix


@pytest.mark.parametrize("written", ["0900", "x", "", "+", "7" * 16])
def test_what_begins_no_number_is_refused(written: str) -> None:
    with pytest.raises(BadNumber):
        read_prefix(written, "RU")


def test_a_country_that_has_no_numbers_has_no_plan() -> None:
    assert plan_of("AQ") is None
    assert plan_of("") is None


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("no answer for 79001112233, 9001112233", "no answer for 7900***33, 9001***33"),
        ("/mo?msisdn=%2B79001112233&x=1", "/mo?msisdn=%2B7900***33&x=1"),
        ("message 913209553133244416 at 1795562924", "message 913209553133244416 at 1795***24"),
        ("port 127.0.0.1:8080, 123456789", "port 127.0.0.1:8080, 123456789"),
    ],
)
def test_what_may_be_a_number_is_masked_in_a_text_of_others(text: str, masked: str) -> None:
    assert mask_within(text) == masked
