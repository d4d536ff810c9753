"""`tollbridge report`: what a person sees, what a spreadsheet and a program get, what is refused."""

import csv
import io
import json
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection

from core.clock import DAY_MS
from core.ledger.details import DetailKind
from core.money import parse_micros as micros
from core.report import FREE, Sums, told_of
from core.tariff.charge import ChargeKind
from store import schema
from store.daily import write_sums
from store.database import connect
from tests.makers import NOON
from tests.makers_money import moment
from tests.partner_api.rows import add
from tests.services import fresh_sqlite
from tests.store.ledger_rows import post
from tests.store.mt_desk import HandClock
from tests.tollbridge.shell import cleared
from tollbridge.cli import main

RUB = 1_000_000
OCTOBER = ("--month", "2026-10")
YEAR = ("--from", "2026-01-01", "--to", "2026-12-31")
EACH = (12 * RUB, 2 * RUB, 5 * RUB, 3 * RUB, 0, 2 * RUB, 0, 5 * RUB)
EVIL = "=cmd|' /C calc'!A0"


def call(*words: str) -> Result:
    return CliRunner().invoke(main, ["report", *words], env=cleared())


@pytest.fixture(autouse=True)
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """alpha and beta, acme and one with the name of a formula that referred it; October's messages, what alpha owes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tollbridge.commands.report.SystemClock", HandClock)
    (tmp_path / "var").mkdir()
    url = fresh_sqlite(tmp_path)
    Path(url.removeprefix("sqlite:///")).rename("var/tollbridge.db")
    database = connect("sqlite:///var/tollbridge.db")
    with database.write() as connection:
        for id_, code, currency in ((1, "alpha", "RUB"), (2, "beta", "KZT")):
            add(connection, schema.Operator, id=id_, code=code, currency=currency)
        for id_, login, service in ((1, "acme", EVIL), (2, "-bolt", "quiz")):
            add(connection, schema.Partner, id=id_, login=login)
            add(connection, schema.Service, id=id_, partner_id=id_, name=service)
        add(connection, schema.ReferralTerms, id=1, partner_id=1, referrer_id=2)
        add(connection, schema.TariffPlan, id=1, name="standard", currency="RUB")
        tiers = [[0, 600_000], [100 * RUB, 655_000]]
        add(connection, schema.PlanVersion, id=1, plan_id=1, tiers_mode="volume", tiers=tiers)
        volume = {"partner_id": 1, "plan_version_id": 1, "month": 202610}
        add(connection, schema.Volume, **volume, volume=40 * RUB + 1)
        sums = {
            (20261005, "RUB", 1, "4446", 1, 1, 1, 202610, 0, 0): [2, 2, *(2 * one for one in EACH)],
            (20261006, "RUB", 1, "4446", 1, 1, 6, 202610, 0, 0): [1, 1, *(-one for one in EACH)],
            (20261006, "KZT", 2, "4446", 2, 2, 1, 202610, 0, 0): [1, 2, *EACH],
            (20261006, "RUB", 1, "4446", 0, 0, 1, 202610, 0, 0): [1, 1, 6 * RUB, RUB, 2 * RUB, 0, 0, 0, 3 * RUB, 0],
            (20261006, "", 1, "9999", 2, 0, 0, 202610, 0, 0): [5, 5, 0, 0, 0, 0, 0, 0, 0, 0],
            (20261102, "RUB", 1, "+1", 1, 1, 2, 202611, 1, 1): [1, 1, 0, 0, 0, 333_333, 1, -333_334, 0, 0],
            (20261007, "RUB", 1, "", 0, 0, 101, 202610, 0, 0): [1, 0, 5 * RUB, 0, 0, 0, 0, 0, 0, 0],
            (20261007, "RUB", 1, "", 0, 0, 102, 202610, 0, 0): [1, 0, 1 * RUB, 0, 0, 0, 0, 0, 0, 0],
        }
        write_sums(connection, sums, 1)
        _owed(connection)
    database.close()


def _owed(connection: Connection) -> None:
    """alpha: 13.00 in September; in October 5.00 given back, 5.00 paid, 1.00 written off; 4.00 in November, in which
    we owe it 4.00 for outgoing SMS.
    """
    for id_, address in ((1, "operator:alpha:receivable"), (2, "bank:main"), (3, "operator:alpha:payable")):
        add(connection, schema.Account, id=id_, address=address, currency="RUB")
    moved = [(1, 2, 13 * RUB, 202609), (2, 1, 11 * RUB, 202610), (1, 2, 4 * RUB, 202611), (4, 3, 4 * RUB, 202611)]
    post(connection, NOON - DAY_MS, moved)


def rows(*words: str) -> list[dict[str, str]]:
    """A report as CSV, read again."""
    done = call(*words, "--csv", "-")
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def value(*words: str) -> Any:
    """A report as JSON, read again."""
    done = call(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


# --- what is said ------------------------------------------------------------------------------------------


def test_revenue_is_split_by_operator_unless_told_otherwise() -> None:
    beta, alpha = rows("revenue", *OCTOBER)

    assert alpha == {
        "operator": "alpha", "currency": "RUB", "messages": "3", "parts": "3", "free": "5", "taken_back": "1",
        "price": "18.00", "vat": "3.00", "operator_part": "7.00", "revenue": "8.00", "partner_part": "3.00",
        "referral": "0.00", "ours": "2.00", "suspense": "3.00",
    }  # fmt: skip
    assert (beta["operator"], beta["currency"], beta["messages"], beta["parts"]) == ("beta", "KZT", "1", "2")


def test_revenue_may_be_split_by_several() -> None:
    found = rows("revenue", *YEAR, "--by", "day", "--by", "kind", "--operator", "alpha")

    assert [(row["day"], row["kind"], row["messages"], row["price"]) for row in found] == [
        ("2026-10-05", "mo", "2", "24.00"), ("2026-10-06", "free", "0", "0.00"), ("2026-10-06", "mo", "1", "6.00"),
        ("2026-10-06", "charge_back", "0", "-12.00"), ("2026-11-02", "tier_correction", "0", "0.00"),
    ]  # fmt: skip


def test_what_is_named_twice_is_one_column() -> None:
    header, *_ = call("revenue", *OCTOBER, "--by", "operator", "--by", "operator", "--csv", "-").stdout.splitlines()

    assert header.split(",").count("operator") == 1


def test_without_days_it_is_the_month_of_today() -> None:
    found = value("revenue", "--by", "month")

    assert (found["from"], found["to"]) == ("2026-11-01", "2026-11-24")
    assert [line["month"] for line in found["lines"]] == ["2026-11"]


def test_partners_are_told_what_they_earned_and_nobody_is_no_partner() -> None:
    bolt, its_income, acme = rows("partners", *YEAR)

    assert (bolt["partner"], bolt["currency"], bolt["earned"]) == ("'-bolt", "KZT", "3.00")
    assert acme == {
        "partner": "acme", "currency": "RUB", "messages": "2", "volume": "5.00", "earned": "3.333333",
        "held": "0.333333", "referral_income": "0.00", "of_it_corrections": "0.333333", "of_it_taken_back": "-3.00",
        "to_referrer": "0.000001", "ours": "1.666666", "outgoing": "0.00",
    }  # fmt: skip
    assert {name: text for name, text in its_income.items() if text not in {"0.00", "0"}} == {
        "partner": "'-bolt", "currency": "RUB", "referral_income": "0.000001"
    }  # fmt: skip
    totals = value("partners", *YEAR)["totals"]
    assert [(one["held"], one["referral_income"]) for one in totals] == [("0.00", "0.00"), ("0.333333", "0.000001")]


def test_one_partner_by_short_code() -> None:
    found = rows("partners", *YEAR, "--partner", "acme", "--by", "short_code")

    assert [(row["partner"], row["short_code"]) for row in found] == [("acme", "'+1"), ("acme", "4446")]


def test_a_partner_is_told_what_is_left_to_its_next_tier() -> None:
    (acme,) = rows("tiers", *OCTOBER)

    assert acme == {
        "partner": "acme", "plan": "standard", "since": "", "currency": "RUB", "mode": "volume",
        "volume": "40.000001", "earned": "24.00", "tier": "1 of 2", "share": "0.60", "next_from": "100.00",
        "left": "59.999999", "next_share": "0.655",
    }  # fmt: skip
    assert rows("tiers") == []


def test_what_operators_owe_is_told_month_by_month() -> None:
    found = rows("receivables")

    assert [tuple(row.values())[2:] for row in found] == [
        ("2026-09", "0.00", "13.00", "0.00", "0.00", "0.00", "13.00"),
        ("2026-10", "13.00", "0.00", "5.00", "1.00", "5.00", "2.00"),
        ("2026-11", "2.00", "4.00", "0.00", "0.00", "0.00", "6.00"),
    ]
    assert rows("receivables", *OCTOBER, "--operator", "alpha") == found[1:2]
    assert value("receivables")["totals"] == [
        {"operator": "total", "currency": "RUB", "opening": "0.00", "accrued": "17.00", "taken_back": "5.00",
         "written_off": "1.00", "paid": "5.00", "open": "6.00"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        ("2026-10-31T09:59:59Z", "2025-11", "2026-10"),
        ("2026-10-31T10:00:00Z", "2025-12", "2026-11"),
        ("2026-11-01T00:00:00Z", "2025-12", "2026-11"),
    ],
)
def test_what_is_owed_is_told_of_the_month_that_the_easternmost_plans_book_already(
    monkeypatch: pytest.MonkeyPatch, now: str, first: str, last: str
) -> None:
    monkeypatch.setattr("tollbridge.commands.report.SystemClock", lambda: HandClock(moment(now)))

    for name in ("receivables", "payables"):
        found = value(name)
        assert (found["from"], found["to"]) == (first, last)
        months = {line["month"]: line["accrued"] for line in found["lines"]}
        assert months.get("2026-11") == ("4.00" if last == "2026-11" else None)


def test_every_kind_has_a_name() -> None:
    """Of charges, of what has none, and of details; all of them here of a partner and held, so that each is a row."""
    kinds = {FREE, *(int(kind) for kind in ChargeKind)}
    sides = ("bank:main", "expense:loss", "operator:alpha:receivable", "partner:acme:held", "partner:acme:earnings")
    kinds |= {
        told.kind for kind in DetailKind for pair in product(sides, sides) for told in told_of(kind.value, *pair, 1)
    }
    sums: Sums = {(20260901, "RUB", 1, "", 0, 1, kind, 202609, 0, 1): [1, 1, *EACH] for kind in kinds}
    with closing(connect("sqlite:///var/tollbridge.db")) as database, database.write() as connection:
        write_sums(connection, sums, 2)

    told = [row["kind"] for name in ("revenue", "partners") for row in rows(name, "--month", "2026-09", "--by", "kind")]

    assert {"free", "mt_cost", "hold_released", "paid", "written_off"} < set(told)
    assert len(set(told)) == len(kinds) == 12
    assert [name for name in told if not name.replace("_", "").isalpha()] == []


def test_what_is_open_is_told_by_age() -> None:
    found = value("ageing")

    assert found["lines"] == [
        {"operator": "alpha", "currency": "RUB", "month": "2026-09", "months_old": 2, "accrued": "13.00",
         "open": "2.00"},
        {"operator": "alpha", "currency": "RUB", "month": "2026-11", "months_old": 0, "accrued": "4.00",
         "open": "4.00"},
    ]  # fmt: skip


# --- how it is given ---------------------------------------------------------------------------------------


def test_a_person_sees_a_table_with_totals_of_each_currency() -> None:
    done = call("revenue", *OCTOBER)

    lines = [line.split() for line in done.stdout.splitlines() if line]
    assert lines[0] == ["Revenue", "of", "2026-10"]
    assert lines[2][:8] == ["beta", "KZT", "1", "2", "0", "0", "12.00", "2.00"]
    assert [line[:3] for line in lines[2:]] == [
        ["beta", "KZT", "1"], ["alpha", "RUB", "3"], ["total", "KZT", "1"], ["total", "RUB", "3"]
    ]  # fmt: skip


def test_in_a_table_amounts_have_two_decimals_and_what_is_not_there_is_a_dash() -> None:
    done = call("tiers", *OCTOBER)

    assert "40.00 " in done.stdout
    assert "40.000001" not in done.stdout
    assert " — " in done.stdout


def test_nothing_is_said_to_be_nothing() -> None:
    done = call("revenue", "--from", "2020-01-01", "--to", "2020-12-31")

    assert (done.exit_code, done.stdout) == (0, "Revenue of 2020-01-01 to 2020-12-31: nothing was booked.\n")
    assert rows("revenue", "--month", "2020-01") == []


def test_a_program_gets_totals_that_are_the_sums_of_the_lines() -> None:
    found = value("revenue", *YEAR, "--by", "service")

    assert (found["report"], found["by"], found["from"]) == ("revenue", "service", "2026-01-01")
    for total in found["totals"]:
        prices = [micros(line["price"]) for line in found["lines"] if line["currency"] == total["currency"]]
        assert micros(total["price"]) == sum(prices)


def test_a_name_that_is_a_formula_is_none_in_a_spreadsheet() -> None:
    services = [row["service"] for row in rows("revenue", *YEAR, "--by", "service")]
    codes = [row["short_code"] for row in rows("revenue", *YEAR, "--by", "short_code")]

    assert set(services) == {"'-bolt/quiz", "", f"acme/{EVIL}"}
    assert codes[1:] == ["'+1", "4446", "9999"]
    assert not [cell for cell in services + codes if cell.startswith(("=", "+", "-", "@"))]
    assert value("revenue", *YEAR, "--by", "short_code")["lines"][1]["short_code"] == "+1"


def test_csv_is_written_to_a_file() -> None:
    done = call("revenue", *OCTOBER, "--csv", "october.csv")

    assert done.stdout == "october.csv: 2 lines\n"
    written = Path("october.csv").read_text(encoding="utf-8")
    assert list(csv.DictReader(io.StringIO(written))) == rows("revenue", *OCTOBER)


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("takings",), "'takings' is not one of 'revenue'"),
        (("ageing", *OCTOBER), "--month does not go with ageing"),
        (("tiers", "--from", "2026-10-01"), "--from does not go with tiers"),
        (("receivables", "--by", "day"), "--by does not go with receivables"),
        (("revenue", *OCTOBER, *YEAR), "name either days, with --from and --to, or a --month"),
        (("revenue", "--to", "2026-10-01"), "--to needs a --from"),
        (("revenue", "--from", "2026-10-02", "--to", "2026-10-01"), "--from 2026-10-02 is behind --to"),
        (("revenue", "--from", "2030-01-01"), "--from 2030-01-01 is behind today"),
        (("revenue", "--month", "October"), "'October' is no month"),
        (("revenue", "--json", "--csv", "-"), "--csv and --json do not go together"),
    ],
)
def test_what_makes_no_sense_is_bad_usage(words: tuple[str, ...], said: str) -> None:
    done = call(*words)

    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("partners", "--partner", "acne"), "there is no partner 'acne'; did you mean acme?"),
        (("ageing", "--operator", "alfa"), "there is no operator 'alfa'; did you mean alpha?"),
        (("revenue", "--csv", "no/such/folder.csv"), "no/such/folder.csv: No such file or directory"),
    ],
)
def test_what_is_not_there_is_a_mistake_in_one_line(words: tuple[str, ...], said: str) -> None:
    done = call(*words)

    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
