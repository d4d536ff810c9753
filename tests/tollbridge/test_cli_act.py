"""`tollbridge act` and `tollbridge replay` as a person uses them."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from core.clock import month_of, month_text
from plumbing.clock import SystemClock
from store.database import connect
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests.store.journal.paid import Office
from tests.store.mt_desk import HandClock
from tests.tollbridge.desk import KEY, a_folder, call

ADJUST = ("act", "adjust", "--debit", "expense:loss", "--credit", "partner:acme:earnings", "--currency", "RUB")
BY_OLGA = ("--by", "olga", "--reason", "goodwill for the outage")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return a_folder(tmp_path)


def test_a_small_adjustment_is_done_at_once_and_listed(config: Path) -> None:
    done = call(config, *ADJUST, "--amount", "12.50", *BY_OLGA)

    assert done.exit_code == 0, done.output
    assert "act 1: adjust: 12.50 RUB from expense:loss to partner:acme:earnings: done, entry " in done.output
    listed = call(config, "act", "list", "--all").output
    assert "12.50 RUB from expense:loss to partner:acme:earnings" in " ".join(listed.split())
    assert "goodwill for the outage" in listed
    assert "olga" in listed
    assert call(config, "check").exit_code == 0


def test_a_large_one_waits_and_says_what_to_type(config: Path) -> None:
    asked = call(config, *ADJUST, "--amount", "10000.01", *BY_OLGA)
    assert "waits for a second person: tollbridge act approve 1 --by NAME" in asked.output
    assert "10000.01 RUB" in call(config, "act", "list").output

    refused = call(config, "act", "approve", "1", "--by", "OLGA")
    assert refused.exit_code == 1
    assert "another person has to agree" in refused.stderr
    approved = json.loads(call(config, "act", "approve", "1", "--by", "ada", "--json").stdout)

    assert (approved["state"], approved["approver"], approved["amount"]) == ("done", "ada", "10000.01")
    assert call(config, "act", "list").output == "no act waits\n"
    assert call(config, "check").exit_code == 0


def test_one_that_waits_can_be_refused(config: Path) -> None:
    call(config, *ADJUST, "--amount", "20000", *BY_OLGA)

    done = call(config, "act", "refuse", "1", "--by", "ada", "--reason", "asked twice")

    assert "refused by ada" in done.output
    assert call(config, "act", "approve", "1", "--by", "ada").exit_code == 1


def test_who_is_to_agree_sees_all_of_it(config: Path) -> None:
    call(config, *ADJUST, "--amount", "20000", *BY_OLGA)

    shown = call(config, "act", "show", "1").output
    value = json.loads(call(config, "act", "show", "1", "--json").stdout)

    assert "act 1: adjust: 20000.00 RUB from expense:loss to partner:acme:earnings" in shown
    for word in ("waits for a second person", "olga", "goodwill for the outage", "would be booked now:", "acme"):
        assert word in shown
    assert value["postings"][0]["credit"] == "partner:acme:earnings"
    assert (value["amount"], value["postings"][0]["amount"], value["body"]["values"]["amount"]) == ("20000.00",) * 3
    call(config, "act", "approve", "1", "--by", "ada")
    shown = call(config, "act", "show", "1").output
    assert "agreed by  ada, " in shown
    assert "booked:" in shown


def test_what_was_done_before_is_told_as_such(config: Path) -> None:
    call(config, *ADJUST, "--amount", "12.50", *BY_OLGA)
    again = call(config, *ADJUST, "--amount", "12.50", *BY_OLGA)
    assert again.exit_code == 0
    assert "act 1 was done before, nothing new was booked: adjust: 12.50 RUB from expense:loss" in again.output

    call(config, *ADJUST, "--amount", "20000", *BY_OLGA)
    waits = call(config, *ADJUST, "--amount", "20000", *BY_OLGA)
    assert "act 2 was asked for before, and waits for a second person" in waits.output

    call(config, "act", "refuse", "2", "--by", "ada", "--reason", "too much")
    refused = call(config, *ADJUST, "--amount", "20000", *BY_OLGA)
    assert refused.exit_code == 1
    assert "act 2 was refused before, by ada: too much" in refused.stderr


def test_a_key_that_stands_for_something_else_is_an_error(config: Path) -> None:
    call(config, *ADJUST, "--amount", "12.50", *BY_OLGA, "--key", "k1")

    done = call(config, *ADJUST, "--amount", "13.50", *BY_OLGA, "--key", "k1")

    assert done.exit_code == 1
    assert "the key 'k1' stands for act 1 already" in done.stderr


def test_help_tells_the_accounts(config: Path) -> None:
    said = " ".join(call(config, "act", "adjust", "--help").output.split())

    assert "partner:LOGIN:earnings, partner:LOGIN:held, partner:LOGIN:prepaid, operator:CODE:receivable" in said


def test_a_limit_by_currency_is_that_of_the_configuration(config: Path) -> None:
    with config.open("a", encoding="utf-8") as file:
        file.write('[money]\nsecond_person_above = { EUR = "100" }\n')

    assert "waits for a second person" in call(config, *ADJUST, "--amount", "0.01", *BY_OLGA).output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            (*ADJUST[:4], "--credit", "partner:amce:held", *ADJUST[6:], "--amount", "1", *BY_OLGA),
            "did you mean acme",
        ),
        ((*ADJUST, "--amount", "1000000001", *BY_OLGA), "is more than 1000000000.00"),
        (("act", "charge-back", "7", "7", *BY_OLGA), "message 7 is named twice; name it once"),
        (("act", "show", "9"), "there is no act 9"),
        ((*ADJUST, "--amount", "12,50", *BY_OLGA), "is not an amount"),
        ((*ADJUST[:2], "--debit", "purse", *ADJUST[4:], "--amount", "1", *BY_OLGA), "there is no account 'purse'"),
        (("act", "charge-back", "7", *BY_OLGA), "message 7: there is no such MO"),
        (("act", "return", "7", *BY_OLGA), "message 7"),
        (("act", "release", "7", *BY_OLGA), "message 7"),
        (("act", "refuse-hold", "7", *BY_OLGA), "message 7"),
        (("act", "refund", "7", "--paid-by", "us", *BY_OLGA), "message 7"),
        (("act", "assign", "nobody", "7", *BY_OLGA), "no partner 'nobody'"),
        (("act", "approve", "9", "--by", "ada"), "there is no act 9"),
        (("replay", "--month", "2026-10", "--plan", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_what_cannot_be_done_is_one_line(config: Path, words: tuple[str, ...], sentence: str) -> None:
    done = call(config, *words)

    assert done.exit_code == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_what_is_no_month_is_bad_usage(config: Path) -> None:
    done = call(config, "replay", "--month", "2026-13", "--plan", "x.toml")

    assert done.exit_code == 2
    assert "'2026-13' is no month" in done.stderr


def test_a_partner_that_is_not_there_is_not_shown_as_one_that_earned_nothing(config: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text("")

    done = call(config, "replay", "--month", "2026-10", "--plan", str(plan), "--partner", "acne")

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "tollbridge: there is no partner 'acne'; did you mean acme?\n"


def test_a_month_without_traffic_is_replayed_to_nothing(config: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[tariff_plan]]\nname = "standard"\ntiers = [ { from = "0", share = "0.9" } ]\ncurrency = "RUB"\n')

    done = call(config, "replay", "--month", "2026-10", "--plan", str(plan))

    assert done.exit_code == 0, done.output
    assert "nothing was earned in 2026-10" in done.output
    head = call(config, "replay", "--month", "2026-10", "--plan", str(plan), "--csv").stdout
    assert head.startswith("partner,currency,messages was,messages would be,price was,price would be")


def test_what_outgoing_sms_cost_is_replayed_too(config: Path, tmp_path: Path) -> None:
    clock = HandClock(SystemClock().now())
    with closing(connect(config.read_text().split('"')[1])) as database:
        with database.read() as connection:
            catalogue = read_catalogue(connection, Keyring(KEY))
        sender = Office(database, catalogue, clock)
        sender.pay_in(10_000_000)
        sender.ends(sender.sent())
    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[[tariff_plan]]\nname = "standard"\ntiers = [ { from = "0", share = "0.9" } ]\ncurrency = "RUB"\n'
        'mt_price = [ { from = 0, price = "0.75" } ]\n'
    )

    done = call(config, "replay", "--month", month_text(month_of(clock.now())), "--plan", str(plan))

    assert done.exit_code == 0, done.output
    rows = [line.replace("│", " ").split() for line in done.output.splitlines()]
    told = ["1.20", "RUB", "0.75", "RUB"]
    assert [row[-4:] for row in rows if row[:1] in (["acme"], ["all"])] == [told] * 2
    assert "outgoing" in done.output
