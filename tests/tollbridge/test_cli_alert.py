"""`tollbridge alert` as a person, and a program, uses it."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from store import schema
from store.alerts import list_alerts
from store.asking import raise_alert
from store.database import connect
from tests.makers import NOON
from tests.partner_api.rows import add
from tests.tollbridge.desk import a_folder, call

BIG = (1 << 61) + 7
"""An id of a limit's alert."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = a_folder(tmp_path)
    with closing(connect(url_of(config))) as database, database.write() as connection:
        rows = (
            (1, "host", "file descriptors", "many \x1b[31m in use"), (2, "dead_letter", "acme", "not delivered"),
            (BIG, "fraud", "limit 1", "more than 20 messages"),
        )  # fmt: skip
        for number, (id_, kind, subject, sentence) in enumerate(rows):
            add(
                connection, schema.Alert, id=id_, at=NOON + number, kind=kind, subject=subject, sentence=sentence,
                message_id=911742853120000000 if kind == "dead_letter" else 0,
            )  # fmt: skip
    return config


def url_of(config: Path) -> str:
    return config.read_text(encoding="utf-8").split('"')[1]


def ids_of(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [one["id"] for one in json.loads(result.stdout)]


def resolve(config: Path, *words: str, by: str = "olga") -> Result:
    return call(config, "alert", "resolve", *words, "--by", by, "--note", "we have looked")


def test_a_person_sees_what_is_open_the_newest_first(config: Path) -> None:
    listed = call(config, "alert", "list")

    lines = listed.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == [str(BIG), "2", "1"]
    assert "911742853120000000" in lines[2]
    assert "acme: not delivered" in lines[2]
    assert "\x1b[31m" not in listed.stdout
    assert lines[4] == "3 open. One whole: tollbridge alert show ID"
    short = call(config, "alert", "list", "--limit", "1").stdout
    assert "3 open, 1 of them shown: see --limit" in short


def test_a_list_is_of_a_kind_and_of_resolved_ones_when_asked(config: Path) -> None:
    resolve(config, "2")

    assert ids_of(call(config, "alert", "list", "--json")) == [str(BIG), "1"]
    assert ids_of(call(config, "alert", "list", "--all", "--json")) == [str(BIG), "2", "1"]
    assert ids_of(call(config, "alert", "list", "--kind", "fraud", "--json")) == [str(BIG)]
    assert "olga" in call(config, "alert", "list", "--all").stdout
    assert call(config, "alert", "list", "--kind", "dead_letter").stdout == "no alert is open\n"
    assert call(config, "alert", "list", "--kind", "deadletter").exit_code == 2


def test_who_resolved_it_is_shown_for_good(config: Path) -> None:
    done = resolve(config, "2", "1")

    assert (done.exit_code, done.stdout) == (
        0, "alert 2 resolved: dead_letter, acme\nalert 1 resolved: host, file descriptors\n"
    )  # fmt: skip
    shown = call(config, "alert", "show", "2").stdout
    assert "resolved by olga, 20" in shown
    assert "we have looked" in shown
    (value,) = [json.loads(call(config, "alert", "show", "2", "--json").stdout)]
    assert (value["open"], value["resolved_by"], value["note"]) == (False, "olga", "we have looked")
    assert "open" in call(config, "alert", "show", str(BIG)).stdout
    status = json.loads(call(config, "status", "--json").stdout)
    assert [one["kind"] for one in status["alerts"]["kinds"]] == ["fraud"]


def test_resolving_again_is_harmless_and_says_so(config: Path) -> None:
    resolve(config, "2")

    again = resolve(config, "2", by="ada")

    assert again.exit_code == 0
    assert again.stdout.startswith("alert 2 was resolved by olga, 20")
    assert again.stdout.endswith("already: «we have looked»; nothing was changed\n")
    assert "ada" not in call(config, "alert", "show", "2").stdout
    (value,) = json.loads(call(config, "alert", "resolve", "2", "--by", "ada", "--note", "x", "--json").stdout)
    assert (value["was_resolved_before"], value["resolved_by"]) == (True, "olga")


def test_one_that_is_not_there_stops_none_of_the_others(config: Path) -> None:
    done = resolve(config, "4", "2")

    assert done.exit_code == 1
    assert done.stdout == "alert 2 resolved: dead_letter, acme\n"
    assert done.stderr == "tollbridge: there is no alert 4; see: tollbridge alert list --all\n"
    assert call(config, "alert", "show", "4").exit_code == 1


def test_without_a_name_or_a_note_nothing_is_resolved(config: Path) -> None:
    assert call(config, "alert", "resolve", "2", "--by", "olga").exit_code == 2
    assert call(config, "alert", "resolve", "2", "--note", "seen").exit_code == 2
    empty = call(config, "alert", "resolve", "2", "--by", " ", "--note", "seen")
    assert (empty.exit_code, empty.stderr.count("\n")) == (1, 1)
    assert call(config, "alert", "resolve", "2", "--by", "olga", "--note", "x" * 301).exit_code == 1

    assert len(ids_of(call(config, "alert", "list", "--json"))) == 3


def test_what_arises_again_is_listed_again(config: Path) -> None:
    with closing(connect(url_of(config))) as database:
        for _ in range(2):
            with database.write() as connection:
                raise_alert(connection, "payout", "payout 3", "no clear answer", NOON + 9)
            with database.read() as connection:
                (row,), _count = list_alerts(connection, kind="payout")
            assert ids_of(call(config, "alert", "list", "--kind", "payout", "--json")) == [str(row.id)]
            assert resolve(config, str(row.id)).exit_code == 0

    assert len(ids_of(call(config, "alert", "list", "--kind", "payout", "--all", "--json"))) == 2
