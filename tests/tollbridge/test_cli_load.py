"""`tollbridge load` where messages wait for what it brings."""

from contextlib import closing
from pathlib import Path

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

START = moment("2026-10-05T12:00:00Z")
TARIFF = """  [[short_code.tariff]]
  operator = "alpha"
  price = "12.00"
  payout = "0.50"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three messages that came before their tariff was loaded; beside it the file that brings it."""
    url = fresh_sqlite(tmp_path)
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text.count(TARIFF) == 1
    with closing(connect(url)) as database:
        provisioning.load(database, text.replace(TARIFF, ""), "early.toml", START, Keyring(KEY))
        with database.read() as connection:
            catalogue = read_catalogue(connection, Keyring(KEY))
        MonthDesk(database, catalogue, clock=HandClock(START)).earn("GAME 1", "GAME 2", "NOTHING", source="79005556677")
    for command in ("provision", "close"):
        monkeypatch.setattr(f"tollbridge.commands.{command}.SystemClock", lambda: HandClock(START + DAY_MS))
    config = tmp_path / "tollbridge.toml"
    config.write_text(f'[database]\nurl = "{url}"\n[security]\nkey = "{KEY}"\n', encoding="utf-8")
    (tmp_path / "whole.toml").write_text(text, encoding="utf-8")
    return config


def test_what_waited_is_rated_by_the_load_that_brings_its_tariff(config: Path) -> None:
    assert "partner:acme:earnings" not in call(config, "status").output

    loaded = call(config, "load", str(config.parent / "whole.toml"))

    assert loaded.exit_code == 0, loaded.output
    assert "3 messages that waited are rated now: 15.00 RUB from the operators" in loaded.output
    assert call(config, "check").exit_code == 0
    again = call(config, "load", str(config.parent / "whole.toml"))
    assert "rated now" not in again.output
    assert "nothing changed" in again.output


def test_what_came_while_the_service_had_the_older_catalogue_is_rated_before_its_month_is_closed(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tollbridge.commands.provision.rate_backlog", lambda *_, **__: pytest.fail("not today"))
        patch.setattr("tollbridge.commands.provision._rate_backlog", lambda *_: None)
        assert call(config, "load", str(config.parent / "whole.toml")).exit_code == 0
    monkeypatch.setattr("tollbridge.commands.close.SystemClock", lambda: HandClock(month_end(202610) + 2 * DAY_MS))

    closed = call(config, "close", "--month", "2026-10", "--by", "olga")

    assert closed.exit_code == 0, closed.output
    assert "6.00 RUB" in closed.output
    assert "without a tariff" not in closed.output
    assert call(config, "check").exit_code == 0


def test_a_partner_that_would_have_more_than_half_of_all_calls_is_remarked(config: Path) -> None:
    said = {}
    for most in (500, 501):
        file = config.parent / f"{most}.toml"
        file.write_text(f'[[partner]]\nlogin = "acme"\ncurrency = "RUB"\nconcurrency = {most}\n', encoding="utf-8")
        loaded = call(config, "load", str(file))
        assert loaded.exit_code == 0, loaded.output
        said[most] = " ".join(loaded.stdout.split())

    assert "at once" not in said[500]
    assert "remark: partner acme has concurrency = 501, but gets 500 calls at once" in said[501]
