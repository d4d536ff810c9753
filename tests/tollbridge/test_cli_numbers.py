"""`tollbridge numbers` as a person, and a program, uses it."""

import json
from pathlib import Path

import pytest

from tests.tollbridge.desk import a_folder, call

OPERATORS = """
[[operator]]
code = "north"
country = "RU"
currency = "RUB"
vat = "0.20"
msisdn_prefixes = ["8 955", "7956"]
[[operator]]
code = "south"
country = "RU"
currency = "RUB"
vat = "0.20"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = a_folder(tmp_path)
    more = tmp_path / "more.toml"
    more.write_text(OPERATORS)
    assert call(config, "load", str(more)).exit_code == 0
    return config


def a_file(config: Path, text: str) -> str:
    path = config.parent / "ported.csv"
    path.write_text(text)
    return str(path)


def said(config: Path, *words: str) -> str:
    result = call(config, "numbers", *words)
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def test_a_number_is_its_prefix_s_until_it_is_ported(config: Path) -> None:
    assert said(config, "find", "8 (955) 111-22-33") == "79551112233: north, by prefix 7955"

    loaded = said(config, "load", a_file(config, "9551112233;south;2025-03-01\n"), "--by", "ada")

    assert loaded == "1 number loaded; 1 is ported now, 0 before"
    assert said(config, "find", "+79551112233") == "79551112233: south, ported, in the table since 2025-03-01"
    assert json.loads(said(config, "find", "79551112233", "--json")) == {
        "msisdn": "79551112233", "operator": "south", "rule": "ported", "since": "2025-03-01T00:00:00.000Z",
    }  # fmt: skip
    assert json.loads(said(config, "find", "79561112233", "--json")) == {
        "msisdn": "79561112233", "operator": "north", "rule": "prefix", "prefix": "7956",
    }  # fmt: skip


def test_bad_rows_are_listed_and_nothing_is_changed_unless_they_are_skipped(config: Path) -> None:
    file = a_file(config, "79551112233,south\n7955,south\n79551112234,west\n")

    refused = call(config, "numbers", "load", file, "--by", "ada")

    assert refused.exit_code == 1
    assert refused.stderr.splitlines() == [
        "row 2: \"7955\" is no subscriber's number; write it with the country's code, like 79001112233",
        'row 3: there is no operator "west"; write the code of one that is provisioned',
        "tollbridge: 2 rows are bad, nothing was changed; correct them, or load the others with --skip-bad",
    ]
    assert json.loads(said(config, "stats", "--json"))["total"] == 0

    skipped = said(config, "load", file, "--skip-bad", "--by", "ada", "--json")

    assert json.loads(skipped) == {"rows": 1, "numbers": 1, "bad": 2, "before": 0, "total": 1}


def test_stats_say_what_each_operator_has_and_who_loaded_last(config: Path) -> None:
    assert "never loaded" in said(config, "stats")
    said(config, "load", a_file(config, "79551112230,south\n79551112231,south\n79551112230,north\n"), "--by", "ada")

    told = json.loads(said(config, "stats", "--json"))

    counts = {one["operator"]: (one["ported"], one["prefixes"]) for one in told["operators"]}
    assert (counts["north"], counts["south"]) == ((1, ["7955", "7956"]), (1, []))
    assert (told["total"], told["loaded"]["by"], told["loaded"]["file"]) == (2, "ada", "ported.csv")
    assert "by ada: ported.csv" in said(config, "stats")


def test_replace_says_what_went(config: Path) -> None:
    said(config, "load", a_file(config, "79551112230,south\n79551112231,south\n"), "--by", "ada")

    told = said(config, "load", a_file(config, "79551112239,north\n"), "--replace", "--by", "ada")

    assert told == "1 number loaded; 1 is ported now, 2 before"


@pytest.mark.parametrize(
    ("text", "more", "why"),
    [
        ("", (), "there is no row with a number in it"),
        ("", ("--replace",), "there is no row with a number in it"),
        ("number,operator\n", ("--replace",), "there is no row with a number in it"),
        ("7955,south\n", ("--replace", "--skip-bad"), "1 row is bad and there is no other"),
    ],
)
def test_a_file_without_a_good_row_changes_nothing(config: Path, text: str, more: tuple[str, ...], why: str) -> None:
    said(config, "load", a_file(config, "79551112230,south\n79551112231,south\n"), "--by", "ada")

    done = call(config, "numbers", "load", a_file(config, text), *more, "--by", "ada")

    assert (done.exit_code, done.stdout) == (1, "")
    said_last = done.stderr.splitlines()[-1]
    assert said_last == f"tollbridge: {why}, nothing was changed; name another file, or correct it"
    assert json.loads(said(config, "stats", "--json"))["total"] == 2


def test_one_bad_row_is_told_in_the_right_number(config: Path) -> None:
    told = said(config, "load", a_file(config, "79551112230,south\n7955,south\n"), "--skip-bad", "--by", "ada")

    assert "1 number loaded, 1 bad row skipped; 1 is ported now, 0 before" in told


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("find", "call me"), "call me is no number; write it with the country's code, like +79001112233"),
        (("find", "+4915112345678"), "4915112345678 is no operator's: not ported, and no msisdn_prefixes begin so"),
        (("load", "none.csv", "--by", "ada"), "none.csv: No such file or directory; name a file that can be read"),
    ],
)
def test_a_failure_is_one_line(config: Path, words: tuple[str, ...], why: str) -> None:
    result = call(config, "numbers", *words)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"tollbridge: {why}")
    assert len(result.stderr.splitlines()) == 1


def test_who_loads_must_be_said(config: Path) -> None:
    assert call(config, "numbers", "load", a_file(config, "")).exit_code == 2
