"""Where a subscriber's text goes, and what the partner gets of it."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.message import Missing, Route, Unrouted
from router.fold import fold, word_ends
from router.match import match
from tests.router.catalogues import a_table, where

LOOK_ALIKES = {
    "A": "AaАаΑα", "B": "BbВвΒβ", "C": "CcСс", "E": "EeЕеΕεЁё", "H": "HhНнΗη", "I": "IiІіΙιİı", "K": "KkКкΚκ",
    "M": "MmМмΜμ", "N": "NnΝν", "O": "OoОоΟο", "P": "PpРрΡρ", "S": "SsЅѕ", "T": "TtТтΤτ", "X": "XxХхΧχ",
    "Y": "YyУуΥυ", "Z": "ZzΖζ", "G": "GgԌԍＧ", "7": "7７", " ": ["  ", "\t", "\n ", "\u00a0"],
}  # fmt: skip

FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("GAME 7", "7"),
        ("game", ""),
        ("  Game \t Top 3 ", "Top 3 "),
        ("GAME, 7", ", 7"),
        ("GAME-7", "-7"),
        ("GAME:7", ":7"),
        ("GAME_7", "_7"),
        ("GAME\n7", "7"),
        ("GАМЕ Ёж", "Ёж"),
        ("ＧＡＭＥ　７", "７"),
        ("GAME… 7", "… 7"),
        ("GAME\u200b 7", "7"),
        ("\ufeffGAME 7", "7"),
        ("GA\u00adME 7", "7"),
    ],
)
def test_the_body_is_the_text_behind_the_prefix_in_its_own_letters(text: str, body: str) -> None:
    assert where(a_table("GAME"), text) == ("GAME", body)


@pytest.mark.parametrize("text", ["GAMES", "GAME7", "GAMЕЁ", "GAME\u0301", "GA ME", "A GAME", "", "  ", "!GAME"])
def test_a_prefix_ends_where_a_word_ends(text: str) -> None:
    assert where(a_table("GAME"), text) is None


@pytest.mark.parametrize(
    ("text", "prefix", "body"),
    [
        ("game  top 3", "GAME TOP", "3"),
        ("game topper", "GAME", "topper"),
        ("game,top 3", "GAME", ",top 3"),
        ("game top ten 3", "GAME TOP TEN", "3"),
        ("game top te", "GAME TOP", "te"),
        ("game ", "GAME", ""),
        ("game №5", "GAME", "№5"),
        ("C++ 3", "C++", "3"),
        ("C+ 3", "C", "+ 3"),
        ("#1", "#", "1"),
        ("quiz win", "QUIZ WIN", ""),
    ],
)
def test_the_longest_prefix_wins(text: str, prefix: str, body: str) -> None:
    table = a_table("GAME", "GAME TOP", "GAME TOP TEN", "C", "C++", "#", "QUIZ WIN")

    assert where(table, text) == (prefix, body)


def test_the_beginning_of_a_longer_prefix_alone_leads_nowhere() -> None:
    assert where(a_table("QUIZ WIN"), "quiz") is None


def test_a_service_without_a_word_gets_what_matches_nothing() -> None:
    table = a_table("GAME", "")

    assert where(table, " hello 7") == ("", "hello 7")
    assert where(table, "") == ("", "")
    assert where(table, "game 7") == ("GAME", "7")


def test_a_text_that_matches_nothing_gets_the_short_codes_reply() -> None:
    table = a_table("GAME", default_reply="Write GAME")

    assert match(table, "4446", "hello") == Unrouted(Missing.NO_PREFIX, "Write GAME")


def test_a_short_code_that_nobody_knows_is_said_so() -> None:
    assert match(a_table("GAME"), "9999", "GAME 7") == Unrouted(Missing.NO_SHORT_CODE)


@given(st.data())
def test_any_casing_and_any_look_alike_of_a_prefix_still_leads_there(data: st.DataObject) -> None:
    prefix = data.draw(st.sampled_from(["GAME", "ZOE", "NEXT TIME 7", "MY BOX", "ΠΑΙΞΕ", "CHIPS"]))
    written = "".join(data.draw(st.sampled_from(list(LOOK_ALIKES.get(c, c)))) for c in prefix)
    form = data.draw(st.sampled_from(FORMS))
    body = data.draw(st.sampled_from(["", "7", "Ёж – ok", "ﬁn"]))

    route = match(a_table("GAME", "ZOE", "NEXT TIME 7", "MY BOX", "ΠΑΙΞΕ", "CHIPS", "NEXT"), "4446",
                  f"{unicodedata.normalize(form, written)} {body}")  # fmt: skip

    assert isinstance(route, Route)
    assert (route.prefix.prefix, route.body) == (prefix, body)


WORDS = st.sampled_from(
    ["a", "B", "ab", "7", "-", "+", "_", "а", "É", "ﬁ", "½", "й", "\u0301", "\u200b", "ǆ", "C", " ", "…", "⑴"]
)
TEXTS = st.lists(WORDS | st.just(" "), max_size=8).map("".join)


@given(prefixes=st.lists(TEXTS, max_size=8), text=TEXTS)
def test_the_index_agrees_with_reading_every_prefix(prefixes: list[str], text: str) -> None:
    once = {fold(prefix): prefix for prefix in prefixes}
    ends = [end for end in word_ends(text) if fold(text[:end]) in once and fold(text[:end])]

    found = where(a_table(*once.values()), text)

    if ends:
        assert found == (once[fold(text[: ends[-1]])], text[ends[-1] :].lstrip())
    elif "" in once:
        assert found == (once[""], text.lstrip())
    else:
        assert found is None
