"""The commands that move money say in their lists what each does, whole; and how a month is written."""

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
