"""Numbers on the command line that are none: a sentence of ours, before anything is read."""

import pytest
from click.testing import CliRunner

from tollbridge.cli import main

BY = ("--by", "ada", "--reason", "a mistake")
TOO_LARGE = "9223372036854775808"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("act", "charge-back", "abc", *BY), "abc is not a message id: digits only"),
        (("act", "approve", "1x", "--by", "ada"), "1x is not a number of an act: digits only"),
        (("again", "abc", "--by", "ada"), "abc is not a message id: digits only"),
        (("alert", "show", "abc"), "abc is not a number of an alert: digits only"),
        (("cancel", "abc", "--by", "ada", "--because", "x"), "abc is not a message id: digits only"),
        (("cancel", TOO_LARGE, "--by", "ada", "--because", "x"), "they go from 1 to 9223372036854775807"),
        (("message", "abc"), "abc is not a message id: digits only"),
        (("payment", "show", "abc"), "abc is not a number of a payment: digits only"),
        (("payout", "approve", "1", "abc", "--by", "ada"), "abc is not a number of a payout: digits only"),
        (("payout", "show", "0"), "0 is not a number of a payout: they go from 1 to 9223372036854775807"),
        (("payout", "file", TOO_LARGE, "x.xml"), f"{TOO_LARGE} is not a number of a file: they go from 1 to "),
        (("payout", "paid", "--file", "²", "--by", "ada"), "² is not a number of a file: digits only"),
        (("replace", "abc", "--text", "x", "--by", "ada", "--because", "x"), "abc is not a message id: digits only"),
        (("settle", "show", "abc"), "abc is not a number of a run: digits only"),
    ],
)
def test_what_cannot_be_a_number_is_told_in_words_of_ours(words: tuple[str, ...], sentence: str) -> None:
    done = CliRunner().invoke(main, words, prog_name="tollbridge")

    assert done.exit_code == 2
    assert sentence in done.stderr
