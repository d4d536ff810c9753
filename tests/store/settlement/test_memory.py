"""A file of any length is staged and matched in the memory of a piece of it: measured in processes of their own.

TOLLBRIDGE_SETTLEMENT_ROWS says how long it is; 300 000 rows take about three minutes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from core.clock import SECOND_MS
from core.ids import first_id_at
from store.bulk import bulk_insert
from store.database import Database
from store.journal.rows import MO_COLUMNS
from store.schema import Mo
from tests.store.settlement.office import NOON, RUB, Office

ROWS = int(os.environ.get("TOLLBRIDGE_SETTLEMENT_ROWS", "12000"))
MORE_MIB = 48
"""What a long file may take beyond one of a few rows; openpyxl's own pieces among it."""
LAYOUT = '{ key = "id", number = "msisdn", short_code = "sc", time = "at", price = "price" }'
HEADER = ["id", "msisdn", "sc", "at", "price"]

_SCRIPT = """
import json, sys
from pathlib import Path
from store.database import connect
from store.settlement.match import match
from store.settlement.stage import stage
import store.settlement.by_message, store.settlement.xlsx_file

def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) // 1024

url, path, now = sys.argv[1:]
database, before = connect(url), peak()
staged = stage(database, Path(path), operator="alpha", month=202410, author="olga", now=int(now))
between = peak()
sums = {one.verdict.word: one.rows for one in match(database, staged.run)}
print(json.dumps({"before": before, "staged": between, "matched": peak(), "rows": staged.rows, "sums": sums}))
"""


def messages(count: int) -> Iterator[dict[str, object]]:
    """Of October, one in so many milliseconds; half of them with an id of the operator's."""
    step = 28 * 86_400 * SECOND_MS // count
    amounts = {"price": 12 * RUB, "vat": 2 * RUB, "operator_part": 5 * RUB, "suspense": 5 * RUB}
    blank = dict.fromkeys(MO_COLUMNS, 0) | {"text": "GAME 7", "verdict_reason": "", "reason": "no_prefix"}
    for n in range(count):
        at = NOON - 14 * 86_400 * SECOND_MS + n * step
        yield blank | amounts | {
            "id": first_id_at(at) + n % 4096, "operator_id": 1, "source": f"7900{n * 7919 % 10**7:07d}",
            "short_code": "4446", "parts": 1, "operator_key": f"K{n}" if n % 2 else "", "accepted_at": at,
            "charge_state": 2, "currency": "RUB", "tariff_id": 1, "vat_id": 1, "month": 202410, "entry_id": 1,
            "referral_before": None,
        }  # fmt: skip


def fill(database: Database, count: int) -> None:
    """The journal of a month."""
    rows = [tuple(one[name] for name in MO_COLUMNS) for one in messages(count)]
    for start in range(0, count, 5000):
        with database.write() as connection:
            bulk_insert(connection, Mo, MO_COLUMNS, rows[start : start + 5000])


def a_csv(folder: Path, count: int) -> Path:
    path = folder / "october.csv"
    with path.open("w", encoding="utf-8") as out:
        out.write(",".join(HEADER) + "\n")
        for one in messages(count):
            out.write(f"{one['operator_key']},{one['source']},4446,{_at(one)},12.00\n")
    return path


def a_sheet(folder: Path, count: int) -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(HEADER)
    for one in messages(count):
        sheet.append([one["operator_key"], one["source"], 4446, _at(one), 12])
    path = folder / "october.xlsx"
    book.save(path)
    return path


def _at(one: dict[str, object]) -> datetime:
    at = one["accepted_at"]
    assert isinstance(at, int)
    return datetime.fromtimestamp(at // SECOND_MS, UTC).replace(tzinfo=None)


@pytest.mark.campaign
@pytest.mark.parametrize("write", [a_csv, a_sheet])
def test_a_long_file_needs_no_more_memory_than_a_short_one(
    database: Database, database_url: str, tmp_path: Path, write: object
) -> None:
    office = Office(database, tmp_path, LAYOUT)
    office.later()
    fill(database, ROWS)
    assert callable(write)
    path = write(tmp_path, ROWS)

    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, database_url, str(path), str(office.clock.now())],
        check=True, capture_output=True, text=True,
    )  # fmt: skip

    told = json.loads(done.stdout)
    print(told)
    assert (told["rows"], told["sums"]) == (ROWS, {"matched": ROWS})
    assert told["matched"] - told["before"] < MORE_MIB, told
