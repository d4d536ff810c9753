"""`tollbridge close` and `tollbridge statement` as a person uses them."""

import csv
import io
import json
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest

from core.clock import DAY_MS, month_end
from store import provisioning
from store.database import connect
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests.makers_money import moment
from tests.services import fresh_sqlite
from tests.store.month_desk import MonthDesk
from tests.store.mt_desk import HandClock
from tests.tollbridge.desk import EXAMPLE, KEY, call

CLOSE = ("close", "--month", "2026-10")
START = moment("2026-10-05T12:00:00Z")
NOW = month_end(202610) + 2 * DAY_MS


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three messages of October: two that acme has earned by, one in suspense. It is 3 November."""
    url = fresh_sqlite(tmp_path)
    with closing(connect(url)) as database:
        provisioning.load(database, EXAMPLE, EXAMPLE.name, START, Keyring(KEY))
        with database.read() as connection:
            catalogue = read_catalogue(connection, Keyring(KEY))
        desk = MonthDesk(database, catalogue, clock=HandClock(START))
        desk.earn("GAME 1", "GAME 2", "NOTHING", source="79005556677")
    monkeypatch.setattr("tollbridge.commands.close.SystemClock", lambda: HandClock(NOW))
    config = tmp_path / "tollbridge.toml"
    company = '[company]\nname = "ООО Толлбридж"\ntax_id = "7701234567"\n'
    config.write_text(f'[database]\nurl = "{url}"\n[security]\nkey = "{KEY}"\n{company}', encoding="utf-8")
    return config


def test_one_looks_first_and_then_closes(config: Path) -> None:
    seen = call(config, *CLOSE, "--dry-run")
    assert seen.exit_code == 0, seen.output
    assert "2026-10 can be closed: 1 statement. Nothing was written" in seen.output
    assert "waits: 5.00 RUB: in suspense, nobody's yet" in seen.output
    assert "waits: 15.00 RUB: owed by an operator of which no file is staged: alpha, 2026-10" in seen.output
    assert "no statements; a month gets them when it is closed" in call(config, "statement", "list").output

    closed = call(config, *CLOSE, "--by", "olga")

    assert closed.exit_code == 0, closed.output
    assert "2026-10 is closed: 1 statement; see: tollbridge statement list --month 2026-10" in closed.output
    assert "partner:…:earnings" in closed.output
    assert "6.00 RUB" in closed.output
    assert call(config, "check").exit_code == 0


def test_what_programs_get(config: Path) -> None:
    found = json.loads(call(config, *CLOSE, "--by", "olga", "--json").stdout)

    (statement,) = found["statements"]
    assert statement == {
        "number": "2026-000001", "partner": "acme", "currency": "RUB", "opening": "0.00", "movement": "6.00",
        "closing": "6.00", "young": "0.00", "due": "6.00",
    }  # fmt: skip
    assert found["closed"] is True
    assert {one["account"]: one["closing"] for one in found["accounts"]}["suspense:alpha"] == "5.00"
    suspense, no_file = found["waiting"]
    assert (suspense["kind"], suspense["about"]) == ("suspense", None)
    assert (no_file["kind"], no_file["about"], no_file["amount"]) == ("no_file", "alpha, 2026-10", "15.00")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (CLOSE, 2, "who closes it? give --by NAME, or --dry-run to look only"),
        ((*CLOSE, "--by", "ol\u200bga"), 2, "the name holds a letter that cannot be seen; write it again"),
        (("close", "--month", "2026-13", "--by", "olga"), 2, "2026-13"),
        (("close", "--month", "2026-11", "--by", "olga"), 1, "2026-11 is not over in "),
        (("statement", "show", "2026-000009"), 1, "no statement has the number 2026-000009"),
        (("statement", "export", "2026-000009"), 2, "name a NUMBER and --pdf, --csv or --xlsx FILE"),
        (("statement", "export", "--all", "--month", "2026-10"), 2, "--all wants --month YYYY-MM and --dir DIR"),
        (("statement", "export", "--all", "--month", "2026-10", "--dir", "x"), 1, "2026-10 has no statements"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    config: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, sentence: str
) -> None:
    monkeypatch.chdir(config.parent)

    done = call(config, *words)

    assert done.exit_code == code
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_month_is_closed_once(config: Path) -> None:
    call(config, *CLOSE, "--by", "olga")

    again = call(config, *CLOSE, "--by", "ada")

    assert again.exit_code == 1
    assert "2026-10 was closed by olga" in again.stderr


def test_a_statement_is_listed_and_shown(config: Path) -> None:
    call(config, *CLOSE, "--by", "olga")

    listed = call(config, "statement", "list", "--partner", "acme", "--month", "2026-10").output
    shown = call(config, "statement", "show", "2026-000001").output
    value = json.loads(call(config, "statement", "show", "2026-000001", "--json").stdout)

    assert "2026-000001" in listed
    assert "2026-11-03" in listed
    assert "Messages, plan standard" in shown
    assert "movement of earnings 6.00, too young to be paid 0.00, due 6.00 RUB" in shown
    assert [(line["kind"], line["amount"]) for line in value["lines"]] == [
        ("opening", "0.00"), ("mo", "6.00"), ("closing", "6.00")
    ]  # fmt: skip
    assert json.loads(call(config, "statement", "list", "--month", "2020-01", "--json").stdout) == []


def test_a_statement_is_written_in_each_form(config: Path) -> None:
    call(config, *CLOSE, "--by", "olga")
    folder = config.parent
    files = [word for ending in ("pdf", "csv", "xlsx") for word in (f"--{ending}", str(folder / f"acme.{ending}"))]

    done = call(config, "statement", "export", "2026-000001", *files)

    assert done.exit_code == 0, done.output
    assert (folder / "acme.pdf").read_bytes().startswith(b"%PDF-")
    rows = list(csv.DictReader(io.StringIO((folder / "acme.csv").read_text("utf-8-sig"))))
    assert [row["amount"] for row in rows if row["kind"] == "due"] == ["6.00"]
    sheet = openpyxl.load_workbook(folder / "acme.xlsx")["Statement"]
    assert ("Issued by", "ООО Толлбридж") in [(row[0].value, row[1].value) for row in sheet.iter_rows()]
    assert list(folder.glob("*.part")) == list(folder.glob(".*.part")) == []


def test_a_statement_keeps_who_its_partner_was(config: Path) -> None:
    def named(name: str) -> None:
        text = EXAMPLE.read_text(encoding="utf-8").replace('login = "acme"', f'login = "acme"\nlegal_name = "{name}"')
        (config.parent / "named.toml").write_text(text, encoding="utf-8")
        loaded = call(config, "load", str(config.parent / "named.toml"))
        assert loaded.exit_code == 0, loaded.output

    named("Acme Ltd")
    call(config, *CLOSE, "--by", "olga")
    named("Acme plc")

    call(config, "statement", "export", "2026-000001", "--xlsx", str(config.parent / "acme.xlsx"))
    sheet = openpyxl.load_workbook(config.parent / "acme.xlsx")["Statement"]
    figures = {row[0].value: row[1].value for row in sheet.iter_rows()}
    assert (figures["Partner"], figures["Login"]) == ("Acme Ltd", "acme")
    assert 'legal_name = "Acme plc"' in call(config, "dump").output


def test_a_statement_keeps_the_vat_that_its_partner_paid(config: Path) -> None:
    def paying(vat: str) -> None:
        text = EXAMPLE.read_text(encoding="utf-8").replace('login = "acme"', f'login = "acme"\nvat = "{vat}"')
        (config.parent / "vat.toml").write_text(text, encoding="utf-8")
        loaded = call(config, "load", str(config.parent / "vat.toml"))
        assert loaded.exit_code == 0, loaded.output

    paying("0.20")
    call(config, *CLOSE, "--by", "olga")
    paying("0.10")

    value = json.loads(call(config, "statement", "show", "2026-000001", "--json").stdout)
    assert (value["earned"], value["vat_rate"], value["vat"], value["due"]) == ("6.00", "0.20", "1.00", "6.00")
    assert 'vat = "0.10"' in call(config, "dump").output
    assert call(config, "check").exit_code == 0


def test_all_of_a_month_are_written_into_a_folder(config: Path) -> None:
    call(config, *CLOSE, "--by", "olga")
    folder = config.parent / "october"

    done = call(config, "statement", "export", "--month", "2026-10", "--all", "--dir", str(folder))
    fewer = call(
        config, "statement", "export", "--month", "2026-10", "--all", "--dir", str(folder / "x"), "--format", "csv"
    )

    assert done.output == f"1 statement as pdf, csv, xlsx in {folder}\n"
    assert sorted(file.name for file in folder.iterdir() if file.is_file()) == [
        "2026-000001-acme-RUB.csv", "2026-000001-acme-RUB.pdf", "2026-000001-acme-RUB.xlsx"
    ]  # fmt: skip
    assert fewer.exit_code == 0
    assert [file.name for file in (folder / "x").iterdir()] == ["2026-000001-acme-RUB.csv"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(config: Path) -> None:
    call(config, *CLOSE, "--by", "olga")

    done = call(config, "statement", "export", "2026-000001", "--pdf", str(config.parent / "nowhere" / "acme.pdf"))

    assert done.exit_code == 1
    assert "nowhere" in done.stderr
