"""Whether the text of a message can become another one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.replacement import text_fault, why_not
from core.sms.alphabet import Alphabet, encode, encode_gsm
from core.sms.parts import split

GSM = "Your PIN is 4711 [€]"
CYRILLIC = "Ваш код 4711"

characters = st.characters(exclude_categories=["Cs"])
texts = st.one_of(st.text(characters, max_size=200), st.text("abc €Ж😀{", max_size=200))
short_texts = st.text("abc €Ж😀{", min_size=1, max_size=70).filter(lambda text: len(split(text).chunks) == 1)


@example(old="ж", new="x" * 70)
@example(old="ж", new="x" * 71)
@example(old="x", new="x" * 160)
@given(old=short_texts, new=texts)
def test_it_can_where_the_old_alphabet_carries_it_in_one_message(old: str, new: str) -> None:
    septets = encode_gsm(new)
    if split(old).alphabet is Alphabet.GSM7:
        fits = septets is not None and len(septets) <= 160
    else:
        fits = len(encode(new, Alphabet.UCS2)) <= 140

    assert (why_not(old, new) == "") == fits


@given(old=short_texts, new=texts)
def test_a_sentence_names_one_character_of_the_text_at_most(old: str, new: str) -> None:
    said = why_not(old, new)

    assert said == "" or len(new) < 3 or new not in said


@given(text=short_texts)
def test_any_text_can_become_itself(text: str) -> None:
    assert why_not(text, text) == ""


@pytest.mark.parametrize(
    ("old", "new", "begins"),
    [
        (GSM, "x" * 160, ""),
        (GSM, "x" * 158 + "€", ""),
        (GSM, "x" * 159 + "€", "the new text has 161 septets and 160 fit into one SMS; shorten it by 1"),
        (GSM, "Prix: 5 ₽", "«₽» (U+20BD) is not in the GSM alphabet, which the old text is in"),
        (GSM, "a\u200bb", "U+200B is not in the GSM alphabet"),
        (CYRILLIC, "Your PIN", ""),
        (CYRILLIC, "x" * 70, ""),
        (CYRILLIC, "x" * 69 + "😀", "the new text has 71 units of UCS-2 and 70 fit into one SMS; shorten it by 1"),
    ],
)
def test_what_is_wrong_and_what_to_do(old: str, new: str, begins: str) -> None:
    said = why_not(old, new)

    assert said.startswith(begins)
    assert bool(said) == bool(begins)


@pytest.mark.parametrize(("text", "begins"), [("ok", ""), (" ", "it is empty"), ("\udc80x", "it has something")])
def test_what_is_wrong_with_a_text_by_itself(text: str, begins: str) -> None:
    said = text_fault(text)

    assert said.startswith(begins)
    assert bool(said) == bool(begins)
