"""An office that settles with an operator: provisioned, with real messages in its journal, and files as operators write
them.

Office        one database: `mo` brings messages, `csv` and `xlsx` write files, `stage`, `match`, `approve` as people do
RUSSIAN, ISO, SHEET, COUNTS    four layouts, as provisioning says them

The operator pays 5 of 12 roubles; acme earns 0.60 of that. Messages are of October 2024, files are staged in November.

Rule: the journal, the books and the files are the real ones.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import sqlalchemy as sa
from cryptography.fernet import Fernet

from core.clock import DAY_MS, HOUR_MS, SECOND_MS, Instant, instant_of
from core.settlement.verdicts import Verdict
from store.balances import read_balances
from store.database import Database
from store.desk import Desk
from store.provisioning import load
from store.schema import Detail, Entry, SettlementRow
from store.secrets import Keyring
from store.settlement.approve import Approved, approve
from store.settlement.look import RunRow, rows_of, standing
from store.settlement.match import match
from store.settlement.runs import Sums
from store.settlement.stage import Staged, stage
from store.snapshot import read_catalogue
from tests.store.clerk import clerk_of
from tests.store.journal.desk import MoDesk
from tests.store.mt_desk import HandClock

KEYRING = Keyring(Fernet.generate_key().decode())
NOON = instant_of(datetime(2024, 10, 15, 12, tzinfo=UTC))
LATER = instant_of(datetime(2024, 11, 3, 12, tzinfo=UTC))
RUB = 1_000_000

RUSSIAN = (
    '{ number = "Абонент", short_code = "Короткий номер", time = ["Дата", "Время"], price = "Цена", '
    'amount = "К выплате", refused = "Статус", refused_marks = ["Отказ"], amounts = "payout", prices = "gross", '
    'time_format = "%d.%m.%Y %H:%M:%S", zone = "Europe/Moscow", decimal = ",", delimiter = ";", encoding = "cp1251", '
    'total = "Итого" }'
)
RUSSIAN_HEADER = ["№", "Дата", "Время", "Абонент", "Короткий номер", "Цена", "К выплате", "Статус"]
ISO = '{ key = "message_id", number = "msisdn", short_code = "sc", time = "received_at", price = "gross" }'
ISO_HEADER = ["message_id", "msisdn", "sc", "received_at", "gross"]
SHEET = (
    '{ key = "ID", number = "Subscriber", short_code = "Number", time = "Time", amount = "Net", amounts = "net", '
    'refused = "State", refused_marks = ["rejected", "no money"], header = 3, sheet = "MO" }'
)
SHEET_HEADER = ["ID", "Subscriber", "Number", "Time", "Net", "State"]
COUNTS = (
    '{ time = "day", short_code = "code", count = "messages", price = "price", amount = "payout", '
    'amounts = "payout", prices = "gross", zone = "Europe/Moscow" }'
)
COUNTS_HEADER = ["day", "code", "messages", "price", "payout"]

_WORLD = """
[[operator]]
code = "alpha"
country = "RU"
currency = "RUB"
vat = "0.20"
settlement = %s
[[operator]]
code = "beta"
country = "RU"
currency = "RUB"
vat = "0.20"
[[link]]
name = "alpha-1"
operator = "alpha"
protocol = "smpp"
host = "127.0.0.1"
port = 2775
system_id = "us"
[[short_code]]
number = "4446"
  [[short_code.tariff]]
  operator = "alpha"
  price = "12.00"
  payout = "0.50"
[[short_code]]
number = "7733"
  [[short_code.tariff]]
  operator = "alpha"
  price = "24.00"
  payout = "0.50"
[[tariff_plan]]
name = "standard"
currency = "RUB"
tiers_mode = "volume"
tiers = [ { from = "0", share = "0.60" }, { from = "20", share = "0.70" } ]
[[partner]]
login = "acme"
currency = "RUB"
plan = "standard"
[[service]]
partner = "acme"
name = "game"
method = "http_post"
url = "http://partner.example/mo"
prefixes = [ { short_code = "4446", prefix = "GAME" }, { short_code = "7733", prefix = "GAME" } ]
"""


def provision(database: Database, layout: str) -> None:
    """The world, with a layout of alpha's files."""
    load(database, _WORLD % layout, "world.toml", 0, KEYRING)


@dataclass
class Office:
    """One database and a folder for files."""

    database: Database
    folder: Path
    layout: str = RUSSIAN
    clock: HandClock = field(default_factory=lambda: HandClock(NOON - 40 * DAY_MS))

    def __post_init__(self) -> None:
        provision(self.database, self.layout)
        with self.database.read() as connection:
            catalogue = read_catalogue(connection, KEYRING)
        self.journal = MoDesk(self.database, catalogue, catalogue.links["alpha-1"], self.clock)
        self.clerk: Desk = clerk_of(self.journal)

    def relayout(self, layout: str) -> None:
        """Another layout is provisioned."""
        load(self.database, _WORLD % layout, "world.toml", 0, KEYRING)

    # --- messages ---------------------------------------------------------------------------------------

    def mo(
        self, *, after: int = 0, number: str = "79001112233", code: str = "4446", key: str = "", parts: int = 1,
        text: str = "",
    ) -> int:  # fmt: skip
        """An MO that came in so many seconds after noon; its id."""
        self._texts = getattr(self, "_texts", 0) + 1
        # Ids rise with the clock, and it never goes back.
        self.clock.advance(max(0, moment(after) - self.clock.now()))
        fact = self.journal.mo(
            text or f"GAME {self._texts}", source=number, short_code=code, key=key, parts=parts,
            operator=self.journal.catalogue.operators["alpha"], at=NOON + after * SECOND_MS,
        )  # fmt: skip
        self.journal.take(fact)
        return fact.id

    def later(self) -> None:
        """It is November."""
        self.clock.advance(LATER - self.clock.now())

    # --- files ------------------------------------------------------------------------------------------

    def csv(
        self, header: Sequence[str], rows: Sequence[Sequence[object]], *, encoding: str = "utf-8", delimiter: str = ",",
        name: str = "october.csv",
    ) -> Path:  # fmt: skip
        """A CSV file."""
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter).writerows([header, *rows])
        path = self.folder / name
        path.write_bytes(text.getvalue().encode(encoding))
        return path

    def russian(self, *rows: Sequence[object], name: str = "октябрь.csv") -> Path:
        """As `RUSSIAN` says."""
        return self.csv(RUSSIAN_HEADER, rows, encoding="cp1251", delimiter=";", name=name)

    def iso(self, *rows: Sequence[object], name: str = "october.csv") -> Path:
        """As `ISO` says, with a byte order mark."""
        return self.csv(ISO_HEADER, rows, encoding="utf-8-sig", name=name)

    def sheet(self, *rows: Sequence[Any], name: str = "october.xlsx") -> Path:
        """As `SHEET` says: a title, an empty row, a header, typed cells."""
        book = openpyxl.Workbook()
        book.create_sheet("Summary", 0)
        sheet = book.create_sheet("MO")
        for row in (["Report of premium messages for October 2024"], [], SHEET_HEADER, *rows):
            sheet.append(list(row))
        path = self.folder / name
        book.save(path)
        return path

    # --- what people do -----------------------------------------------------------------------------------

    def stage(self, path: Path, *, month: int = 202410, author: str = "olga") -> Staged:
        """As `tollbridge settle stage`."""
        return stage(self.database, path, operator="alpha", month=month, author=author, now=LATER)

    def matched(self, path: Path) -> int:
        """Staged and matched; the run."""
        run = self.stage(path).run
        match(self.database, run)
        return run

    def approve(
        self, run: int, *accept: Verdict, by: str = "ada", above: int = 10**15, desk: Desk | None = None
    ) -> Approved:
        """As `tollbridge settle approve`."""
        return approve(desk or self.clerk, run, accept, by=by, reason="as agreed", second_person_above=above)

    # --- what is there --------------------------------------------------------------------------------------

    def rows(self, run: int, verdict: Verdict | None = None) -> list[RunRow]:
        """Rows of a run."""
        with self.database.read() as connection:
            return list(rows_of(connection, run, verdict))

    def verdicts(self, run: int) -> list[tuple[int, str]]:
        """(line, class) of every row; ours have the line 0."""
        return [(row.line, row.verdict.word) for row in self.rows(run)]

    def sums(self, run: int) -> dict[str, tuple[int, int]]:
        """(rows, what is due) by class."""
        found: dict[str, tuple[int, int]] = {}
        for one in self.standing_sums(run):
            rows, due = found.get(one.verdict.word, (0, 0))
            found[one.verdict.word] = (rows + one.rows, due + one.due)
        return found

    def standing_sums(self, run: int) -> list[Sums]:
        """The sums, which must be the file's total."""
        with self.database.read() as connection:
            found = standing(connection, run)
        assert found.agrees, found
        return found.sums

    def balances(self) -> dict[str, int]:
        """Micros by account, those that are not zero."""
        with self.database.read() as connection:
            return {line.address: line.amount for line in read_balances(connection) if line.amount}

    def details(self, run: int) -> list[tuple[str, int, str]]:
        """(kind, amount, reason) of what was booked for a run that is not a message's."""
        with self.database.read() as connection:
            query = sa.select(Detail.kind, Detail.amount, Detail.reason).where(
                Detail.subject.like(f"settlement:{run}%")
            )
            return [tuple(row) for row in connection.execute(query.order_by(Detail.id))]  # type: ignore[misc]

    def entries(self, run: int) -> list[str]:
        """Keys of the entries of a run."""
        with self.database.read() as connection:
            query = sa.select(Entry.key).where(Entry.key.like(f"settlement:{run}:%"))
            return list(connection.execute(query.order_by(Entry.id)).scalars())

    def row_count(self, run: int) -> int:
        """Rows of a run in the database."""
        with self.database.read() as connection:
            query = sa.select(sa.func.count()).where(SettlementRow.run_id == run)
            return connection.execute(query).scalar_one()


def moscow(after: int) -> tuple[str, str]:
    """(day, hour) of so many seconds after noon UTC, as Moscow writes them."""
    at = datetime.fromtimestamp((NOON + 3 * HOUR_MS) // SECOND_MS + after, UTC)
    return f"{at:%d.%m.%Y}", f"{at:%H:%M:%S}"


def utc(after: int) -> datetime:
    """The moment, as a sheet holds it."""
    return datetime.fromtimestamp(NOON // SECOND_MS + after, UTC).replace(tzinfo=None)


def moment(after: int) -> Instant:
    """So many seconds after noon."""
    return NOON + after * SECOND_MS
