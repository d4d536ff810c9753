"""`tollbridge check` says what is wrong by account and entry, on both databases.

Each row here is changed behind the triggers, which are there again before the command looks. What the audit finds is
tried in tests/store/test_audit.py.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.ledger.details import DetailKind
from store import provisioning
from store.database import Database
from store.schema import Account, Balance, Entry, Mo, Posting
from store.secrets import Keyring
from store.snapshot import read_catalogue
from store.triggers import create_triggers, triggers
from tests.makers_money import moment
from tests.store.month_desk import MonthDesk
from tests.store.mt_desk import HandClock
from tests.tollbridge.desk import EXAMPLE, KEY, call

NOON = moment("2026-10-05T12:00:00Z")


@dataclass(frozen=True)
class Books:
    """A sound ledger: an entry of two messages, one of money that came in."""

    config: Path
    database: Database
    mo: int

    def entry(self, kind: str) -> int:
        """The only one of its kind."""
        with self.database.read() as connection:
            return int(connection.execute(sa.select(Entry.id).where(Entry.kind == kind)).scalar_one())

    def spoil(self, *work: sa.Update) -> None:
        """Change rows that nobody may change."""
        with self.database.write() as connection:
            for trigger in triggers(self.database.dialect):
                connection.exec_driver_sql(f"DROP TRIGGER {trigger.name}")
            for one in work:
                assert connection.execute(one).rowcount == 1, str(one)
            create_triggers(connection)


@pytest.fixture
def books(database: Database, database_url: str, tmp_path: Path) -> Books:
    provisioning.load(database, EXAMPLE, EXAMPLE.name, NOON, Keyring(KEY))
    with database.read() as connection:
        catalogue = read_catalogue(connection, Keyring(KEY))
    desk = MonthDesk(database, catalogue, clock=HandClock(NOON))
    mo, _ = desk.earn("GAME 1", "GAME 2", source="79005556677")
    desk.move(DetailKind.PAYMENT, "50.00")
    config = tmp_path / "tollbridge.toml"
    config.write_text(f'[database]\nurl = "{database_url}"\n[security]\nkey = "{KEY}"\n', encoding="utf-8")
    return Books(config, database, mo)


def account(address: str) -> "sa.ScalarSelect[int]":
    return sa.select(Account.id).where(Account.address == address).scalar_subquery()


def a_posting(books: Books) -> tuple[sa.Update, dict[str, str]]:
    earned = sa.update(Posting).where(Posting.credit_id == account("partner:acme:earnings"))
    entry = books.entry("batch")
    return earned.values(amount=Posting.amount + 1), {
        "L3": f"entry {entry}: operator:alpha:receivable → partner:acme:earnings in 2026-10: posted 6.000001, "
        "its charges and details sum to 6.00 RUB"
    }


def a_payment(books: Books) -> tuple[sa.Update, dict[str, str]]:
    entry = books.entry("payment")
    return sa.update(Posting).where(Posting.entry_id == entry).values(amount=51_000_000), {
        "L3": f"entry {entry}: bank:main → partner:acme:prepaid in 2026-10: posted 51.00, "
        "its charges and details sum to 50.00 RUB",
        "L8": "partner:acme:prepaid is at 50.00 RUB, but opening and postings make 51.00",
    }


def a_balance(_: Books) -> tuple[sa.Update, dict[str, str]]:
    changed = sa.update(Balance).where(Balance.account_id == account("partner:acme:prepaid"))
    return changed.values(amount=50_000_001), {
        "L8": "partner:acme:prepaid is at 50.000001 RUB, but opening and postings make 50.00"
    }


def a_charge(books: Books) -> tuple[sa.Update, dict[str, str]]:
    entry = books.entry("batch")
    return sa.update(Mo).where(Mo.id == books.mo).values(partner_part=Mo.partner_part + 7), {
        "L3": f"entry {entry}: operator:alpha:receivable → partner:acme:earnings in 2026-10: posted 6.00, "
        "its charges and details sum to 6.000007 RUB",
        "L5": f"mo {books.mo}: the price is 12.00 RUB, its parts sum to 12.000007",
        "L7": f"mo {books.mo}: ",
    }


@pytest.mark.parametrize("what", [a_posting, a_payment, a_balance, a_charge])
def test_what_was_changed_behind_the_triggers_is_told_with_its_account_and_its_entry(
    books: Books, what: Callable[[Books], tuple[sa.Update, dict[str, str]]]
) -> None:
    sound = call(books.config, "check")
    change, sentences = what(books)
    books.spoil(change)

    done = call(books.config, "check")
    found = json.loads(call(books.config, "check", "--json").stdout)

    assert (sound.exit_code, done.exit_code) == (0, 1)
    printed = "\n".join(line for line in done.stdout.splitlines() if line.startswith("    "))
    kept = {one["name"]: " ".join(f"{f['table']} {f['row']}: {f['sentence']}" for f in one["findings"])
            for one in found["checks"] if not one["ok"]}  # fmt: skip
    for name, sentence in sentences.items():
        assert sentence in printed
        assert sentence in kept[name]
    assert {"L1", "L2", "triggers"}.isdisjoint(kept)
