"""A file of any length is staged and matched in the memory of a piece of it: five times the rows take no more.

The memory is what Python holds at its peak, by tracemalloc, in a process of its own. The pieces, and the caches of what
was read, are made small there, so that a short file is many of them. TOLLBRIDGE_SETTLEMENT_ROWS says how long the short
one is.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import openpyxl
import pytest

from core.clock import DAY_MS, SECOND_MS, month_start
from core.ids import first_id_at
from store.bulk import bulk_insert
from store.database import Database, connect
from store.journal.rows import MO_COLUMNS
from store.schema import Mo
from tests.store.settlement.office import RUB, Office

SHORT = int(os.environ.get("TOLLBRIDGE_SETTLEMENT_ROWS", "400"))
TIMES = 5
ROW = 150
"""Octets, of each row more, that nobody would notice. A row that is kept takes 370 and more."""
ROW_OF_SHEET = 200
"""What openpyxl keeps of each row beside it: an element that it has emptied. A sheet has a million at most."""
AT_ONCE = 20_000
PIECE = {"BATCH": 100, "SIEVE": 250, "IN_LIST": 100}
LAYOUT = '{ key = "id", number = "msisdn", short_code = "sc", time = "at", price = "price" }'
HEADER = ["id", "msisdn", "sc", "at", "price"]

_SCRIPT = """
import json, sys, tracemalloc
from functools import lru_cache
from pathlib import Path
from core.settlement import days, reading
from store.database import connect
from store.settlement import by_message, match, ours, stage, xlsx_file

def peak(work):
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    done = work()
    return tracemalloc.get_traced_memory()[1] - before, done

url, pieces, files, now = sys.argv[1:]
for module in (by_message, match, ours, stage):
    for name, rows in json.loads(pieces).items():
        if hasattr(module, name):
            setattr(module, name, rows)
reading._parsed = lru_cache(50)(reading._parsed.__wrapped__)
days._day_of_quarter = lru_cache(50)(days._day_of_quarter.__wrapped__)
xlsx_file._PIECE = 1 << 12
database = connect(url)
tracemalloc.start()
told = []
for month, path in json.loads(files):
    staging, staged = peak(
        lambda: stage.stage(database, Path(path), operator="alpha", month=month, author="olga", now=int(now))
    )
    matching, sums = peak(lambda: match.match(database, staged.run))
    told.append({"stage": staging, "match": matching, "sums": {one.verdict.word: one.rows for one in sums}})
print(json.dumps(told))
"""


def messages(month: int, count: int) -> Iterator[dict[str, object]]:
    """Of a month, one in so many milliseconds; half of them with an id of the operator's."""
    step = 28 * DAY_MS // count
    amounts = {"price": 12 * RUB, "vat": 2 * RUB, "operator_part": 5 * RUB, "suspense": 5 * RUB}
    blank = dict.fromkeys(MO_COLUMNS, 0) | {"text": "GAME 7", "verdict_reason": "", "reason": "no_prefix"}
    for n in range(count):
        at = month_start(month) + n * step
        yield blank | amounts | {
            "id": first_id_at(at) + n % 4096, "operator_id": 1, "source": f"7900{n * 7919 % 10**7:07d}",
            "short_code": "4446", "parts": 1, "operator_key": f"K{month}{n}" if n % 2 else "", "accepted_at": at,
            "charge_state": 2, "currency": "RUB", "tariff_id": 1, "vat_id": 1, "month": month, "entry_id": 1,
            "referral_before": None,
        }  # fmt: skip


def fill(database: Database, month: int, count: int) -> None:
    """The journal of a month."""
    rows = (tuple(one[name] for name in MO_COLUMNS) for one in messages(month, count))
    while some := list(islice(rows, AT_ONCE)):
        with database.write() as connection:
            bulk_insert(connection, Mo, MO_COLUMNS, some)


def a_csv(folder: Path, month: int, count: int) -> Path:
    path = folder / f"{month}.csv"
    with path.open("w", encoding="utf-8") as out:
        out.write(",".join(HEADER) + "\n")
        for one in messages(month, count):
            out.write(f"{one['operator_key']},{one['source']},4446,{_at(one)},12.00\n")
    return path


def a_sheet(folder: Path, month: int, count: int) -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(HEADER)
    for one in messages(month, count):
        sheet.append([one["operator_key"], one["source"], 4446, _at(one), 12])
    path = folder / f"{month}.xlsx"
    book.save(path)
    return path


def _at(one: dict[str, object]) -> datetime:
    at = one["accepted_at"]
    assert isinstance(at, int)
    return datetime.fromtimestamp(at // SECOND_MS, UTC).replace(tzinfo=None)


@pytest.mark.campaign
def test_a_long_file_needs_no_more_memory_than_a_short_one(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    hold_within(database, database_url, tmp_path, a_csv)


@pytest.mark.campaign
def test_nor_does_a_long_sheet(sqlite_url: str, tmp_path: Path) -> None:
    """How a file is read is no affair of the database's."""
    database = connect(sqlite_url)
    hold_within(database, sqlite_url, tmp_path, a_sheet)
    database.close()


def hold_within(database: Database, database_url: str, tmp_path: Path, write: Callable[[Path, int, int], Path]) -> None:
    office = Office(database, tmp_path, LAYOUT)
    office.later()
    # The first one is there for what is imported and kept once, whatever is read.
    counts = {202408: 100, 202409: SHORT, 202410: TIMES * SHORT}
    for month, count in counts.items():
        fill(database, month, count)
    files = [(month, str(write(tmp_path, month, count))) for month, count in counts.items()]

    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, database_url, json.dumps(PIECE), json.dumps(files), str(office.clock.now())],
        check=True, capture_output=True, text=True,
    )  # fmt: skip

    told = json.loads(done.stdout)
    print(told)
    assert [one["sums"] for one in told] == [{"matched": count} for count in counts.values()]
    _, short, long = told
    for step, kept in (("stage", ROW_OF_SHEET if write is a_sheet else 0), ("match", 0)):
        assert long[step] - short[step] < (ROW + kept) * (TIMES - 1) * SHORT, (step, told)
