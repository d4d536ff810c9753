"""`tollbridge settle` as a person uses it, from the file to the payment."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from store.database import connect
from tests import services
from tests.store.settlement.office import Office, moscow
from tests.tollbridge.shell import cleared
from tollbridge.cli import main

NUMBER = "79001112233"
STAGED = ("--month", "2024-10", "--by", "olga")
BY_ADA = ("--by", "ada", "--reason", "agreed with alpha, letter 12")


def a_row(after: int = 0, paid: str = "5,00", state: str = "", price: str = "12,00") -> list[str]:
    return ["1", *moscow(after), NUMBER, "4446", price, paid, state]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    database = connect(services.fresh_sqlite(tmp_path))
    office = Office(database, tmp_path)
    (tmp_path / "tollbridge.toml").write_text(
        f'[database]\nurl = "sqlite:///{tmp_path}/tollbridge.db"\n[money]\nsecond_person_above = "20"\n'
    )
    yield office
    database.close()


@pytest.fixture
def told(office: Office) -> Office:
    """Four messages, of which the file knows two, one at another price, and one of its own."""
    for after in (0, 1000, 2000, 3000):
        office.mo(after=after)
    rows = [a_row(0), a_row(1000, "4,00"), a_row(9000), a_row(paid="?"), ["Итого", "", "", "", "", "", "14,00", ""]]
    office.russian(*rows, name="october.csv")
    office.later()
    return office


def call(office: Office, *words: str) -> Result:
    config = ("--config", str(office.folder / "tollbridge.toml"))
    return CliRunner().invoke(main, ["settle", *words, *config], env=cleared())


def said(office: Office, *words: str) -> str:
    result = call(office, *words)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_the_whole_way_of_a_file(told: Office) -> None:
    file = str(told.folder / "october.csv")

    staged = said(told, "stage", "alpha", file, *STAGED)
    assert "run 1: 3 rows staged, 1 bad; together 14.00 RUB bad: row 5: amount: '?' is not an amount" in staged
    assert "next: tollbridge settle match 1" in staged
    again = said(told, "stage", "alpha", file, *STAGED)
    assert again == "this file is run 1 already (staged, 2024-10, 14.00 RUB)"

    matched = said(told, "match", "1")
    assert "missing_there open 2 0.00 10.00 -10.00" in matched
    assert "together 6 14.00 20.00 -6.00" in matched
    preview = said(told, "preview", "1")
    assert "operator:alpha:receivable suspense:alpha 5.00" in preview
    assert "income:margin" in preview
    assert "together 16.00" in preview
    assert "unreadable 1 0.00 cannot be accepted, only dismissed postings" in preview

    refused = call(told, "approve", "1", "--accept", "missing_there", *BY_ADA)
    assert refused.exit_code == 1
    assert "1 rows that could not be read" in refused.stderr
    assert "tollbridge settle dismiss 1 --class unreadable --by NAME --reason TEXT" in refused.stderr
    dismissed = said(told, "dismiss", "1", "--class", "unreadable", *BY_ADA)
    assert "1 row is dismissed, nothing is posted for it; " in dismissed
    approved = said(told, "approve", "1", "--accept", "missing_there,price_differs", *BY_ADA)
    assert approved == "run 1: 3 rows are accepted and posted; it is approved"
    assert "1 approved 4 1 14.00 RUB 1" in said(told, "list").replace("alpha 2024-10 ", "")
    assert "missing_here open 1 5.00 0.00 5.00" in said(told, "show", "1")
    assert "it is posted" in said(told, "approve", "1", "--accept", "missing_here", *BY_ADA)

    paid = said(told, "paid", "alpha", "14.00", "--bank", "main", "--reference", "PO 1")
    assert paid == (
        "booked: 14.00 RUB of alpha on bank:main bank:main is new: nothing was booked on it before "
        "alpha owes us 0.00 RUB now"
    )
    assert "booked before, nothing was changed" in said(
        told, "paid", "alpha", "14.00", "--bank", "main", "--reference", "PO 1"
    )
    ahead = said(told, "paid", "alpha", "1.50", "--bank", "main", "--reference", "PO 2", "--by", "olga")
    assert ahead == "booked: 1.50 RUB of alpha on bank:main alpha has paid 1.50 RUB in advance"
    large = ("paid", "alpha", "20.01", "--bank", "main", "--reference", "PO 3", "--by", "olga")
    assert "--reason: it is empty; say why" in call(told, *large).stderr
    never = ("paid", "alpha", "10000000000.00", *large[3:], "--reason", "October")
    assert "AMOUNT: 10000000000.00 is not above zero and at most 1000000000.00" in call(told, *never).stderr
    waits = said(told, *large, "--reason", "October")
    assert waits == (
        "act 1: operator paid: 20.01 RUB from alpha to bank:main, PO 3: waits for a second person: "
        "tollbridge act approve 1 --by NAME"
    )
    assert told.journal.audit() == []


def test_rows_are_shown_and_written_with_numbers_masked_unless_asked_for(told: Office) -> None:
    call(told, "stage", "alpha", str(told.folder / "october.csv"), *STAGED)
    call(told, "match", "1")

    shown = said(told, "show", "1", "--class", "missing_there")
    assert "7900***33" in shown
    assert NUMBER not in shown
    rows = list(csv.DictReader(io.StringIO(call(told, "show", "1", "--csv", "-", "--full-numbers").stdout)))
    assert [(row["line"], row["class"], row["amount"], row["difference"]) for row in rows] == [
        ("", "missing_there", "0.00", "-5.00"),
        ("", "missing_there", "0.00", "-5.00"),
        ("2", "matched", "5.00", "0.00"),
        ("3", "price_differs", "4.00", "-1.00"),
        ("4", "missing_here", "5.00", "5.00"),
        ("5", "unreadable", "0.00", "0.00"),
    ]
    assert {row["number"] for row in rows} == {NUMBER, ""}
    path = told.folder / "rows.csv"
    assert said(told, "show", "1", "--class", "price_differs", "--csv", str(path)) == f"1 row in {path}"
    assert len(path.read_text().splitlines()) == 2


def test_everything_for_programs(told: Office) -> None:
    file = str(told.folder / "october.csv")

    staged = json.loads(call(told, "stage", "alpha", file, *STAGED, "--json").stdout)
    matched = json.loads(call(told, "match", "1", "--json").stdout)
    preview = json.loads(call(told, "preview", "1", "--accept", "missing_here", "--json").stdout)
    shown = json.loads(call(told, "show", "1", "--class", "unreadable", "--json").stdout)
    listed = json.loads(call(told, "list", "--json").stdout)

    assert (staged["run"], staged["is_new"], staged["total"], staged["total_of_the_file"]) == (
        1,
        True,
        "14.00",
        "14.00",
    )
    assert sum(float(one["amount"]) for one in matched["classes"]) == 14
    assert preview["moved"] == "5.00"
    assert preview["postings"] == [
        {"debit": "operator:alpha:receivable", "credit": "suspense:alpha", "amount": "5.00"}
    ]  # fmt: skip
    assert shown["shown"][0]["problem"].startswith("amount: '?'")
    assert [one["run"] for one in listed] == [1]


def test_a_second_person_is_asked_for_above_the_limit(office: Office) -> None:
    for n in range(5):
        office.mo(after=1000 * n)
    path = office.russian(a_row(99_999))
    call(office, "stage", "alpha", str(path), *STAGED)
    call(office, "match", "1")
    words = ("approve", "1", "--accept", "missing_there", "--reason", "gone")

    alone = call(office, *words, "--by", "olga")

    assert alone.exit_code == 1
    sentence = "moves at least 25.00 RUB, more than 20.00: another person than olga, who staged it, has to approve it"
    assert sentence in alone.stderr
    assert "5 rows are accepted and posted" in said(office, *words, "--by", "ada")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("match", "9"), 1, "there is no settlement run 9"),
        (("approve", "1", "--accept", "missing", *BY_ADA), 2, "missing is none of missing_there, missing_here"),
        (("approve", "1", "--accept", "unreadable", *BY_ADA), 2, "unreadable is none of"),
        (("paid", "alpha", "12,5", "--bank", "main", "--reference", "1"), 1, "AMOUNT: '12,5' is not an amount"),
        (("stage", "alpha", "nowhere.csv", *STAGED), 1, "nowhere.csv: No such file or directory; name a file"),
        (("stage", "alpha", "x", "--month", "10.2024", "--by", "olga"), 2, "is no month; write a month like 2026-10"),
        (("show", "0"), 2, "0 is not a number of a run: they go from 1 to 9223372036854775807"),
    ],
)
def test_a_mistake_is_one_line(office: Office, words: tuple[str, ...], code: int, sentence: str) -> None:
    result = call(office, *words)

    assert result.exit_code == code
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_an_empty_list_says_where_the_others_are(office: Office) -> None:
    assert said(office, "list") == "no settlement runs are open; --all lists those that are done too"


def test_the_list_names_a_month_for_which_nobody_staged_a_file(told: Office) -> None:
    assert "no file: alpha owes 20.00 RUB for 2024-10, no file was staged" in said(told, "list")
    (listed,) = json.loads(call(told, "list", "--json").stdout)
    assert listed == {
        "run": None, "operator": "alpha", "months": ["2024-10"], "currency": "RUB", "state": "no file",
        "brought": "20.00", "owed": "20.00",
    }  # fmt: skip

    call(told, "stage", "alpha", str(told.folder / "october.csv"), *STAGED)

    assert "no file" not in said(told, "list")
    assert [one["run"] for one in json.loads(call(told, "list", "--json").stdout)] == [1]


def test_a_key_that_would_be_a_formula_is_a_text_in_the_csv(office: Office) -> None:
    office.relayout('{ key = "message_id", price = "gross" }')
    path = office.iso(["=cmd|'/C calc'!A0", NUMBER, "4446", "", "12.00"])
    call(office, "stage", "alpha", str(path), *STAGED)

    (row,) = csv.DictReader(io.StringIO(call(office, "show", "1", "--csv", "-").stdout))

    assert row["message_id"] == "'=cmd|'/C calc'!A0"
