"""`tollbridge payout`, `payment`, `convert` and `rates` as people use them."""

import hashlib
import json
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from click.testing import Result

from core.ids import Ids
from core.top_ups import Told
from plumbing.clock import SystemClock
from store import processes, provisioning
from store.database import connect
from store.desk import Desk
from store.payments import Payments
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests.tollbridge.desk import KEY, a_folder, call

RUB = 1_000_000
TARGETS = """[[partner]]
login = "acme"
currency = "RUB"
payout = [
  { currency = "RUB", name = "ООО Акме", account = "40702810412345678901", bank_code = "044525600", country = "RU", \
schedule = "monthly" },
  { currency = "EUR", name = "Acme GmbH", iban = "DE89370400440532013000" },
]
"""
RATES = "source,target,valid_from,rate,origin\nRUB,EUR,2020-01-01,0.01,ECB\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """acme has earned 120.00 RUB and said where its money goes; we have an account."""
    config = a_folder(tmp_path)
    url = config.read_text().split('"')[1]
    with closing(connect(url)) as database:
        provisioning.load(database, TARGETS, "targets.toml", SystemClock().now(), Keyring(KEY))
    with config.open("a") as file:
        file.write('[company]\nname = "Tollbridge"\niban = "FR1420041010050500013M02606"\nbic = "BNPAFRPPXXX"\n')
    earned = call(
        config, "act", "adjust", "--debit", "expense:loss", "--credit", "partner:acme:earnings", "--amount", "120.00",
        "--currency", "RUB", "--by", "olga", "--reason", "a start",
    )  # fmt: skip
    assert earned.exit_code == 0, earned.output
    return config


def asked(config: Path, *words: str) -> Any:
    """A command's JSON."""
    done = call(config, *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def refused(done: Result) -> str:
    """Its one line."""
    assert done.exit_code == 1, done.output
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def balances(config: Path) -> dict[str, int]:
    from store.balances import read_balances

    with closing(connect(config.read_text().split('"')[1])) as database, database.read() as connection:
        return {f"{one.address} {one.currency}": one.amount for one in read_balances(connection) if one.amount}


def test_from_the_request_to_the_bank_and_to_paid(config: Path, tmp_path: Path) -> None:
    assert "120.00" in call(config, "payout", "due", "acme").output
    assert call(config, "payout", "request", "acme", "RUB", "50.00", "--by", "partner:acme").exit_code == 0
    assert "requested" in call(config, "payout", "list").output
    assert "approved" in call(config, "payout", "approve", "1", "--by", "ada").output
    file = tmp_path / "payouts.xml"

    made = call(config, "payout", "export", "RUB", str(file), "--by", "ada")

    assert made.exit_code == 0, made.output
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert made.output == f"file 1: 1 payout, 50.00 RUB, sha256 {digest}: {file}\n"
    assert [one.text for one in Xml.parse(file).iter() if one.tag.endswith("InstdAmt")] == ["50.00"]
    again = tmp_path / "again.xml"
    assert call(config, "payout", "file", "1", str(again)).exit_code == 0
    assert again.read_bytes() == file.read_bytes()

    (paid,) = asked(config, "payout", "paid", "--file", "1", "--reference", "4711", "--by", "ada")

    assert (paid["state"], paid["reference"], paid["approvers"]) == ("paid", "4711", ["ada"])
    assert balances(config)["bank:main RUB"] == -50 * RUB
    assert call(config, "check").exit_code == 0


def test_who_asked_does_not_approve_and_above_the_limit_two_do(config: Path) -> None:
    with config.open("a") as file:
        file.write('[money]\nsecond_person_above = "40"\n')
    call(config, "payout", "request", "acme", "RUB", "50.00", "--by", "olga")

    assert "somebody else must approve it" in refused(call(config, "payout", "approve", "1", "--by", "Olga"))
    assert "waits for a second person" in call(config, "payout", "approve", "1", "--by", "ada").output
    assert "waits for a second person" in call(config, "payout", "approve", "1", "--by", "ADA").output
    (row,) = asked(config, "payout", "approve", "1", "--by", "ben")

    assert (row["state"], row["approvers"]) == ("approved", ["ada", "ben"])


def test_the_same_request_on_one_day_is_one_payout(config: Path) -> None:
    words = ("payout", "request", "acme", "RUB", "50.00", "--by", "olga")
    first, again = asked(config, *words), asked(config, *words)
    other = asked(config, *words, "--key", "another")

    assert first == again
    assert [row["id"] for row in other] == [2]


def test_what_is_on_schedule_is_asked_for(config: Path) -> None:
    (row,) = asked(config, "payout", "scheduled")

    assert (row["author"], row["amount"], row["currency"]) == ("schedule", "120.00", "RUB")
    assert asked(config, "payout", "scheduled") == [row]


@pytest.mark.parametrize("step", ["failed", "returned", "cancel"])
def test_what_does_not_arrive_is_the_partners_again(config: Path, tmp_path: Path, step: str) -> None:
    call(config, "payout", "request", "acme", "RUB", "--by", "olga")
    call(config, "payout", "approve", "1", "--by", "ada")
    if step != "cancel":
        call(config, "payout", "export", "RUB", str(tmp_path / "x.xml"), "--by", "ada")

    done = call(config, "payout", step, "1", "--by", "ada", "--reason", "no such account")

    assert done.exit_code == 0, done.output
    assert "no such account" in done.output
    assert balances(config)["partner:acme:earnings RUB"] == 120 * RUB
    assert call(config, "check").exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("payout", "request", "acme", "RUB", "130.00", "--by", "o"), "120.00 RUB may be paid of 120.00 earned"),
        (("payout", "request", "acme", "RUB", "1,5", "--by", "o"), "AMOUNT: '1,5' is not an amount"),
        (("payout", "request", "acme", "USD", "1", "--by", "o"), "nobody has said where USD of acme goes"),
        (("payout", "request", "nobody", "RUB", "1", "--by", "o"), "there is no partner 'nobody'"),
        (("payout", "approve", "9", "--by", "o"), "there is no payout 9"),
        (("payout", "export", "RUB", "x.xml", "--by", "o"), "no approved payout in RUB goes by bank"),
        (("payout", "file", "9", "x.xml"), "there is no file 9"),
        (("payout", "paid", "--file", "9", "--by", "o"), "there is no file 9"),
        (("payout", "request", "acm", "RUB", "1", "--by", "o"), "there is no partner 'acm'; did you mean acme?"),
        (("payout", "due", "acm"), "there is no partner 'acm'; did you mean acme?"),
        (("payout", "list", "--partner", "acm"), "there is no partner 'acm'; did you mean acme?"),
        (("statement", "list", "--partner", "acm"), "there is no partner 'acm'; did you mean acme?"),
        (("act", "assign", "acm", "1", "--by", "o", "--reason", "x"), "there is no partner 'acm'; did you mean acme?"),
        (("payment", "show", "9"), "there is no payment 9"),
        (("payment", "assign", "9", "acme", "--by", "o", "--reason", "x"), "there is no payment 9"),
        (("convert", "currency", "acme", "1", "RUB", "EUR", "--by", "o"), "there is no rate from RUB to EUR yet"),
        (("convert", "earnings", "acme", "121", "RUB", "--by", "o"), "acme: 120.00 RUB may be taken"),
        (("rates", "load", "nowhere.csv"), "nowhere.csv: No such file or directory"),
    ],
)
def test_what_cannot_be_is_one_line(config: Path, words: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(call(config, *words))


@pytest.mark.parametrize(
    "words", [("payout", "paid", "--by", "o"), ("payout", "approve", "--by", "o"), ("payout", "approve", "1")]
)
def test_bad_usage_is_2(config: Path, words: tuple[str, ...]) -> None:
    assert call(config, *words).exit_code == 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('iban = ""', "company.iban: is missing; add the IBAN of the account that payouts are paid from"),
        ('iban = "FR1420041010050500013M02607"', "company.iban: is no IBAN"),
        ('iban = "FR1420041010050500013M02606"\nname = "株式会社"', "company.name: '株' cannot be written in Latin"),
    ],
)
def test_an_account_of_ours_that_cannot_pay_is_named(config: Path, line: str, sentence: str) -> None:
    text = config.read_text()
    config.write_text(text[: text.index("[company]")] + f"[company]\n{line}\n")

    assert sentence in refused(call(config, "payout", "export", "RUB", "x.xml", "--by", "o"))


def test_an_empty_list_says_so(config: Path) -> None:
    assert call(config, "payout", "list").output == "no such payouts; what may be paid: tollbridge payout due\n"
    assert call(config, "payment", "list").output == "no such payments\n"
    assert call(config, "rates", "list").output == "no such rates; load them: tollbridge rates load FILE.csv\n"
    assert call(config, "payout", "send").output == "nothing to send\n"


# --- payments, rates, conversions -----------------------------------------------------------------------------


@pytest.fixture
def parked(config: Path) -> Path:
    """A payment of 98.00 RUB names no top-up."""
    with closing(connect(config.read_text().split('"')[1])) as database:
        clock = SystemClock()
        me = processes.register(database, roles="api", now=clock.now())
        with database.read() as connection:
            catalogue = read_catalogue(connection, Keyring(KEY))
        desk = Desk(database, lambda: catalogue, clock, Ids(me.slot, after=me.after), me.id)
        Payments(desk).take(Told("yoomoney", "op-1", "rent\x1b[2J", 100 * RUB, 98 * RUB, "RUB"))
        processes.retire(database, me.id, clock.now())
    return config


def test_a_parked_payment_is_seen_and_assigned(parked: Path) -> None:
    listed = call(parked, "payment", "list", "--state", "parked").output
    assert "98.00" in listed
    assert "\x1b" not in listed
    assert "there is no top-up" in call(parked, "payment", "show", "1").output

    (row,) = asked(parked, "payment", "assign", "1", "acme", "--by", "olga", "--reason", "they wrote")

    assert (row["state"], row["partner"], row["amount"]) == ("booked", "acme", "98.00")
    assert balances(parked)["partner:acme:prepaid RUB"] == 98 * RUB
    shown = asked(parked, "payment", "show", "1")
    assert {**row, "steps": shown["steps"], "acts": []} == shown
    (step,) = shown["steps"]
    assert (step["who"], step["state"], step["about"]) == ("olga", "booked", "they wrote")
    assert "olga booked they wrote" in " ".join(call(parked, "payment", "show", "1").output.split())
    assert call(parked, "check").exit_code == 0


def test_a_parked_payment_that_is_not_ours_is_closed(parked: Path) -> None:
    assert "closed" in call(parked, "payment", "close", "1", "--by", "olga", "--reason", "private").output
    assert call(parked, "payment", "list", "--state", "parked").output == "no such payments\n"


def test_a_parked_payment_is_an_alert_of_status(parked: Path) -> None:
    status = json.loads(call(parked, "status", "--json").stdout)

    assert [(kind["kind"], kind["count"]) for kind in status["alerts"]["kinds"]] == [("payment", 1)]


def test_rates_are_loaded_listed_and_used(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(RATES)
    assert call(config, "rates", "load", str(file)).output == "1 new, 0 as they were\n"
    assert call(config, "rates", "load", str(file)).output == "0 new, 1 as they were\n"
    assert asked(config, "rates", "list", "--source", "rub")[0]["rate"] == "0.01"

    done = call(config, "convert", "currency", "acme", "100.00", "rub", "eur", "--by", "olga")
    again = call(config, "convert", "currency", "acme", "100.00", "rub", "eur", "--by", "olga")

    assert done.output.startswith("100.00 RUB became 1.00 EUR, at 1 RUB = 0.01 EUR of 2020-01-01T00:00:00.000Z (ECB)")
    assert again.output == f"was done before, nothing new was booked: {done.output}"
    assert balances(config)["partner:acme:earnings RUB"] == 20 * RUB
    assert balances(config)["partner:acme:earnings EUR"] == RUB
    used = asked(config, "convert", "earnings", "acme", "20.00", "RUB", "--by", "olga")
    assert (used["amount"], used["came"]) == ("20.00", "20.00")
    assert call(config, "check").exit_code == 0


def test_a_file_of_rates_that_is_wrong_names_its_line(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(RATES + "RUB,EURO,2020-01-02,0.01,ECB\n")
    assert f"{file}:3: target: 'EURO' is not a currency" in refused(call(config, "rates", "load", str(file)))
    file.write_bytes(b"\xff\xfe")
    assert "is not UTF-8" in refused(call(config, "rates", "load", str(file)))
    assert call(config, "rates", "list").output == "no such rates; load them: tollbridge rates load FILE.csv\n"
