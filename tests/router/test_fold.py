"""What two prefixes may not meet in."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.fold import SIMPLE, TOKEN, fold, look, word_ends

ANY_TEXT = st.text(
    st.sampled_from(
        "aAbB7 \t-_,аАёЁеЕéЙйïїіІİıßſﬁ½⑴⑷ⒶǅΣςάΏ\u0301\u0308\u0307\u200b\u00ad\ufeff\u1100\u1161\u11a8가≠=\u0338´ｶﾞगे"
    )
    | st.characters(exclude_categories=["Cs"]),
    max_size=12,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GAME", "game"),
        ("  game \t top ", "GAME TOP"),
        ("СОМ", "COM"),
        ("сом", "com"),
        ("вно", "BHO"),
        ("ΧΟ", "XO"),
        ("Ёлка", "елка"),
        ("Ёлка", "Ëлкa"),
        ("ΠΑΙΞΕ", "παίξε"),
        ("ГОЛ", "ΓОЛ"),
        ("ＧＡＭＥ", "game"),
        ("STRASSE", "straße"),
        ("BİLGİ", "bilgi"),
        ("BILGI", "bılgı"),
        ("ga\u00adme\u200b", "GAME"),
        ("\ufeffgame", "GAME"),
    ],
)
def test_what_a_subscriber_cannot_tell_apart_is_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("3", "З"), ("G0", "GO"), ("1", "I"), ("мой", "мои"), ("SCHÖN", "SCHON"), ("г", "r"), ("GAME TOP", "GAME-TOP")],
)
def test_what_a_subscriber_means_to_be_different_stays_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(("one", "other"), [("3", "З"), ("G0", "GO"), ("1", "I"), ("G0", "gо")])
def test_a_digit_that_looks_like_a_letter_is_seen_by_look(one: str, other: str) -> None:
    assert look(one) == look(other)


@given(text=ANY_TEXT)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(text=ANY_TEXT)
def test_casing_and_composition_do_not_matter(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)
    assert fold(text.swapcase().casefold()) == fold(text.casefold())


@given(text=ANY_TEXT)
def test_a_text_cut_where_a_word_ends_folds_to_the_beginning_of_the_whole(text: str) -> None:
    whole = fold(text)
    for end in word_ends(text):
        assert whole.startswith(fold(text[:end]))


@given(text=st.text(st.sampled_from([*map(chr, SIMPLE), " ", "-", "_", ",", "é", "\u0301"]), max_size=12))
def test_the_fast_path_ends_words_where_the_slow_one_does(text: str) -> None:
    ends = list(word_ends(text))
    token = TOKEN.match(text)
    while token:
        assert token.end() == ends.pop(0)
        assert "".join(SIMPLE.get(ord(c), c) for c in token[1]) == fold(token[1])
        token = TOKEN.match(text, token.end())
