"""acme has earned 120.00 RUB and said where its money goes; we have an account: for the commands that pay it.

a_payday   a folder with all that → its configuration
desk_of    a desk on its database, for what is quicker done without a command
approved   payouts that are approved, by their amounts
asked …    a command's JSON; its one line on stderr, when it is refused
"""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from click.testing import Result

from core.ledger.accounts import EXPENSE_LOSS, earnings
from core.ledger.details import About, DetailKind, moved
from plumbing.clock import SystemClock
from store import provisioning
from store.books import Act, open_month
from store.database import connect
from store.desk import Desk, open_desk
from store.payouts import Payouts
from store.secrets import Keyring
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
[[partner]]
login = "corner-shop"
currency = "RUB"
payout = [ { currency = "RUB", method = "yookassa", wallet = "4100175017397" } ]
"""
COMPANY = '[company]\nname = "Tollbridge"\niban = "FR1420041010050500013M02606"\nbic = "BNPAFRPPXXX"\n'


def a_payday(folder: Path) -> Path:
    """The configuration's path."""
    config = a_folder(folder)
    with config.open("a") as file:
        file.write(COMPANY)
    with closing(connect(config.read_text().split('"')[1])) as database:
        provisioning.load(database, TARGETS, "targets.toml", SystemClock().now(), Keyring(KEY))
    with desk_of(config) as desk:
        for login in ("acme", "corner-shop"):
            _earn(desk, login)
    return config


def _earn(desk: Desk, login: str) -> None:
    partner_id = desk.catalogue().partners[login].id

    def work(connection: Any) -> None:
        details = moved(
            DetailKind.ADJUSTED, EXPENSE_LOSS, earnings(login), 120 * RUB,
            currency="RUB", month=open_month(connection, desk.now()), about=About(partner_id=partner_id),
        )  # fmt: skip
        desk.books.book(connection, Act(f"a start of {login}", "adjusted", "a start", desk.now()), details=details)

    desk.run(work)


@contextmanager
def desk_of(config: Path) -> Iterator[Desk]:
    url = config.read_text().split('"')[1]
    with closing(connect(url)) as database, open_desk(database, SystemClock(), Keyring(KEY)) as desk:
        yield desk


def approved(config: Path, *amounts: int, login: str = "acme") -> None:
    """One for each amount, in roubles; olga asked, ada agreed."""
    with desk_of(config) as desk:
        payouts = Payouts(desk)
        for amount in amounts:
            key = f"{login} {desk.next_id()}"
            row = payouts.request(login, "RUB", amount * RUB, author="olga", key=key)
            payouts.approve(row.id, approver="ada")


def states(config: Path) -> list[str]:
    """Of the payouts, by their numbers."""
    return [row["state"] for row in reversed(asked(config, "payout", "list"))]


def asked(config: Path, *words: str, code: int = 0) -> Any:
    """A command's JSON."""
    done = call(config, *words, "--json")
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def refused(done: Result) -> str:
    """Its one line."""
    assert done.exit_code == 1, done.output
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("tollbridge: ").rstrip("\n")
