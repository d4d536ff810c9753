"""Who is the same person, and from which amount on a second one is needed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserMistake
from core.second_person import (
    NAME_MAX,
    REASON_MAX,
    Limits,
    checked_name,
    checked_reason,
    is_nobody,
    is_same_person,
    may_be_same,
    name_fault,
    reason_fault,
    tidy_name,
)

UNSEEN = ["\u200b", "\u00ad", "\u034f", "\u2800", "\u3164", "\u115f", "\ufe0f", "\U000e0101", "\u2060", "\x00"]


@pytest.mark.parametrize("other", ["olga p.", " olga p.", "olga  p.\n", "OLGA\u00a0P.", "ｏｌｇａ p.", "ol\u200bga p."])
def test_a_name_that_is_written_in_another_way_is_the_same_person(other: str) -> None:
    assert is_same_person("olga p.", other)
    assert is_same_person(other, "olga p.")


@given(st.text(max_size=40), st.sampled_from(UNSEEN), st.integers(0, 40))
def test_what_cannot_be_seen_never_makes_two_people_of_one(text: str, unseen: str, place: int) -> None:
    assert is_same_person(text, text[:place] + unseen + text[place:])
    assert is_same_person(f"{text} olga", f"{text} {unseen} olga")


@pytest.mark.parametrize("other", ["ada", "olgap.", "olga q.", ""])
def test_another_name_is_another_person(other: str) -> None:
    assert not is_same_person("olga p.", other)


@given(st.text(max_size=100))
def test_a_tidied_name_stays_as_it_is_and_is_the_same_person(text: str) -> None:
    assert tidy_name(tidy_name(text)) == tidy_name(text)
    assert is_same_person(text, tidy_name(text))


@given(st.text(max_size=100), st.sampled_from([" ", "\t", "  ", "\u2003"]))
def test_blanks_and_capitals_never_make_two_people_of_one(text: str, blank: str) -> None:
    assert is_same_person(text, f"{blank}{text}{blank}")
    assert is_same_person(text, text.replace(" ", blank))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "is empty"),
        (" \t ", "is empty"),
        ("x" * (NAME_MAX + 1), "longer than 80 letters"),
        ("ol\u200bga", "cannot be seen"),
        ("ol\x00ga", "cannot be seen"),
        ("\u2800", "cannot be seen"),
        ("olga\ufe0f", "cannot be seen"),
        ("...", "holds no letter"),
    ],
)
def test_what_is_no_name_says_why(text: str, fault: str) -> None:
    assert fault in name_fault(text)


@pytest.mark.parametrize("text", ["olga", "  " + "x" * NAME_MAX, "Ольга Петровна"])
def test_a_name_is_one(text: str) -> None:
    assert name_fault(text) == ""


def test_a_name_is_kept_tidy_and_what_is_none_says_of_what() -> None:
    assert checked_name(" olga  p. ") == "olga p."
    with pytest.raises(UserMistake, match="--by: who does it is empty; say who it is"):
        checked_name("\t")


@pytest.mark.parametrize("reason", ["", " \n", *UNSEEN, "x" * (REASON_MAX + 1)])
def test_what_is_no_reason_says_why(reason: str) -> None:
    assert reason_fault(reason)
    with pytest.raises(UserMistake, match=r"--reason: it is (empty; say why|longer than 200 letters; shorten it)"):
        checked_reason(reason)


def test_a_reason_is_kept_without_blanks_around_it() -> None:
    assert reason_fault("?") == ""
    assert checked_reason("  письмо 12,\nс альфой ") == "письмо 12,\nс альфой"


@pytest.mark.parametrize("name", ["", "  ", *UNSEEN])
def test_of_nobody_nothing_can_be_seen(name: str) -> None:
    assert is_nobody(name)
    assert not is_nobody(f"{name}o")


@pytest.mark.parametrize("unseen", ["", "  ", *UNSEEN])
def test_nobody_may_have_been_anybody_and_a_name_was_itself_alone(unseen: str) -> None:
    assert may_be_same("olga", unseen)
    assert may_be_same("OLGA", f"{unseen}olga")
    assert not may_be_same("ada", "olga")
    assert not may_be_same(unseen, "olga")


def test_a_currency_that_is_not_named_has_the_limit_of_the_others() -> None:
    limits = Limits(5, {"RUB": 7})

    assert (limits.of("RUB"), limits.of("EUR"), Limits().of("EUR")) == (7, 5, 0)
