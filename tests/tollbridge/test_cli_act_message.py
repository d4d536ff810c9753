"""`tollbridge message ID` tells which act took a message's money back, and `tollbridge act` what it moves."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from core.clock import Instant, month_of, month_text
from plumbing.clock import SystemClock
from store.database import connect
from store.secrets import Keyring
from store.snapshot import read_catalogue
from tests.store.month_desk import MonthDesk
from tests.store.mt_desk import HandClock
from tests.tollbridge.desk import KEY, a_folder, call


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return a_folder(tmp_path)


def an_mo(config: Path) -> int:
    """A message of now that acme has earned by."""
    url = config.read_text(encoding="utf-8").split('"')[1]
    now: Instant = SystemClock().now()
    with closing(connect(url)) as database:
        with database.read() as connection:
            catalogue = read_catalogue(connection, Keyring(KEY))
        (id_,) = MonthDesk(database, catalogue, clock=HandClock(now)).earn("GAME 1", source="79005556677")
    return id_


def test_a_message_tells_who_charged_it_back_and_why(config: Path) -> None:
    mo = str(an_mo(config))
    with config.open("a", encoding="utf-8") as file:
        file.write('[money]\nsecond_person_above = "1"\n')
    call(config, "act", "charge-back", mo, "--by", "olga", "--reason", "complaint 17")
    assert "act 1, charge back: olga, «complaint 17» (waits for a second person)" in call(config, "message", mo).output

    shown = call(config, "act", "show", "1").output
    assert "act 1: charge back: 1 message of acme, 5.00 RUB" in shown
    assert mo in shown
    assert "operator:alpha:receivable" in shown
    call(config, "act", "approve", "1", "--by", "ada")
    told = call(config, "message", mo).output

    assert "by         act 1, charge back: olga, «complaint 17»; agreed to by ada" in told
    assert "act 1, charge back: olga, «complaint 17»; agreed to by ada (done, entry " in told
    assert '"approver": "ada"' in call(config, "message", mo, "--json").output


def test_a_program_gets_what_a_message_was_worth_in_major_units(config: Path, tmp_path: Path) -> None:
    mo = str(an_mo(config))
    plan = tmp_path / "plan.toml"
    plan.write_text('[[tariff_plan]]\nname = "standard"\ntiers = [ { from = "0", share = "0.9" } ]\ncurrency = "RUB"\n')
    month = month_text(month_of(SystemClock().now()))

    life = json.loads(call(config, "message", mo, "--json").stdout)
    (replayed,) = json.loads(call(config, "replay", "--month", month, "--plan", str(plan), "--json").stdout)

    charge = life["mo"]["charge"]
    assert (charge["price"], charge["partner_part"], charge["ours"], charge["held"]) == ("12.00", "3.00", "2.00", False)
    assert {type(p["amount"]) for p in life["entries"][0]["postings"]} == {str}
    assert (replayed["partner"], replayed["was"]["partner"], replayed["would"]["partner"]) == ("acme", "3.00", "4.50")
    assert replayed["was"]["messages"] == 1
