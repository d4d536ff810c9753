"""What was probably meant: named where something is like it, never guessed."""

import pytest

from store.provisioning.fields import meant_zone
from store.provisioning.names import meant_country, meant_currency
from store.provisioning.sentences import did_you_mean, meant_or_known

LINKS = ("alpha-1", "beta-1")


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("alpa-1", "; did you mean alpha-1?"),
        ("BETA-1", "; did you mean beta-1?"),
        ("nope", "; there are alpha-1 and beta-1"),
        ("", "; there are alpha-1 and beta-1"),
    ],
)
def test_a_word_that_is_like_none_is_told_what_there_is(word: str, sentence: str) -> None:
    assert meant_or_known(word, LINKS) == sentence


def test_what_there_is_is_told_as_long_as_it_can_be_read() -> None:
    many = [f"link-{number}" for number in range(13)]

    assert meant_or_known("nope", LINKS[:1]) == "; there is alpha-1"
    assert meant_or_known("nope", many[:12]).count(",") == 10
    assert meant_or_known("nope", many, many="ask for the list") == "; ask for the list"
    assert meant_or_known("nope", (), many="there is none") == "; there is none"


@pytest.mark.parametrize("word", ["nope", "x", "", "7"])
def test_nothing_is_guessed(word: str) -> None:
    assert did_you_mean(word, LINKS) == ""


def test_neither_is_a_country_a_currency_or_a_zone() -> None:
    for word in ("XX", "QQ", "9", "Qwghlm", "Атлантида"):
        assert meant_country(word) == "", word
    assert (meant_currency("QQQ"), meant_zone("Nowhere at all")) == ("", "")
    assert (meant_currency("RUX"), meant_currency("UZX"), meant_currency("RBU")) == ("RUB", "UZS", "RUB")
    assert (meant_country("RUS"), meant_country("Khazakstan"), meant_currency("EURO")) == ("RU", "KZ", "EUR")
    assert meant_zone("Europe/Moskow") == "Europe/Moscow"
