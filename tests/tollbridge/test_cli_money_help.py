"""The commands that move money say in their lists what each does, whole; how a month, a day and an amount are
written; and that a name and a reason are none.
"""

from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from tests.tollbridge.shell import cleared
from tollbridge.cli import main

GROUPS = ("settle", "payout", "payment", "convert", "rates", "statement", "act", "link", "alert")
SHORT = 55


def run(*words: str) -> str:
    return CliRunner().invoke(main, words, env=cleared()).output


@pytest.mark.parametrize("name", GROUPS)
def test_what_each_subcommand_does_is_said_whole_in_the_list(name: str) -> None:
    group = getattr(import_module(f"tollbridge.commands.{name}"), name)
    assert isinstance(group, click.Group)
    listed = run(name, "--help").partition("Commands:")[2]

    for command in group.commands.values():
        assert command.short_help, command.name
        assert len(command.short_help) <= SHORT, command.name
        assert command.short_help in " ".join(listed.split()), command.name
    assert "..." not in listed


@pytest.mark.parametrize(
    "words",
    [
        ("settle", "stage", "alpha", "x.csv", "--by", "o", "--month"), ("close", "--by", "o", "--month"),
        ("statement", "list", "--month"), ("report", "revenue", "--month"), ("replay", "--plan", "x.toml", "--month"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("month", ["2026-13", "10.2026", "0001-01", "\x1b[2J"])
def test_a_month_that_is_none_says_how_one_is_written(words: tuple[str, ...], month: str) -> None:
    said = run(*words, month)

    assert "is no month; write a month like 2026-10" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    "words",
    [("payout", "export", "RUB", "x.xml", "--by", "o", "--day"), ("report", "revenue", "--from"),
     ("report", "revenue", "--to")],
)  # fmt: skip
@pytest.mark.parametrize("day", ["2026-13-01", "2026-02-30", "1.2.2026", "0001-01-01", "\x1b[2J"])
def test_a_day_that_is_none_says_how_one_is_written(words: tuple[str, ...], day: str) -> None:
    said = run(*words, day)

    assert "is no day; write a day like 2026-10-01" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    "words",
    [("settle", "paid", "alpha", "-5", "--bank", "main", "--reference", "1"),
     ("act", "pay-operator", "alpha", "-5", "--reference", "1", "--by", "o", "--reason", "x"),
     ("payout", "request", "acme", "RUB", "-5", "--by", "o")],
)  # fmt: skip
def test_an_amount_below_zero_is_no_option(words: tuple[str, ...]) -> None:
    assert "AMOUNT: -5 is below zero; write an amount above zero, like 12.50" in run(*words)
    assert "No such option '-5'" not in run(*words)


def test_an_option_that_is_none_is_told_beside_an_amount_below_zero() -> None:
    assert "No such option '--refernce'" in run("settle", "paid", "alpha", "--refernce", "1", "-5")


_REASONED = (
    ("payout", "failed", "3"), ("payout", "returned", "3"), ("payout", "cancel", "3"), ("payment", "assign", "6", "a"),
    ("payment", "close", "6"), ("settle", "approve", "7", "--accept", "missing_here"), ("settle", "dismiss", "7"),
)  # fmt: skip
_PAID = ("settle", "paid", "alpha", "5", "--bank", "main", "--reference", "1")
_NAMED = (
    ("payout", "request", "acme", "RUB", "1"), ("payout", "approve", "8"), ("payout", "paid", "1"),
    ("payout", "export", "RUB", "x.xml"), ("payout", "answer", "x.xml"), _PAID,
    ("settle", "stage", "alpha", "x.csv", "--month", "2026-10"),
    *((*words, "--reason", "x") for words in _REASONED),
)  # fmt: skip


@pytest.mark.parametrize("words", _NAMED)
def test_nobody_does_what_moves_money(words: tuple[str, ...]) -> None:
    for name, says in (
        ("", "the name is empty; say who it is"), (" ", "the name is empty; say who it is"),
        ("\u200b", "the name holds a letter that cannot be seen; write it again"),
        ("x" * 81, "the name is longer than 80 letters; shorten it"),
    ):  # fmt: skip
        assert says in run(*words, "--by", name), name


@pytest.mark.parametrize("words", [*_REASONED, _PAID])
def test_a_reason_says_something(words: tuple[str, ...]) -> None:
    for reason, says in (
        ("", "the reason is empty; say why"), ("\u2800 ", "the reason is empty; say why"),
        ("x" * 201, "the reason is longer than 200 letters; shorten it"),
    ):  # fmt: skip
        assert says in run(*words, "--by", "o", "--reason", reason), reason
