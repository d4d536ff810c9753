"""Settlement: how long an operator's file takes to be staged and matched, and how much memory.

bench_settlement   a CSV and an XLSX of many rows on each database → Section

The office is that of the tests: messages of one month, half of them with an id of the operator's, the other half found
by number, time and price; the file lists each once. Staging and matching are one process, as `tollbridge settle` is
one; its memory is what it holds at most above what it held before (VmHWM), read anew for each database.

Rule: every row finds its message; else nothing is measured.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.setting import DATABASES, fresh_database
from bench.table import Section
from core.settlement.verdicts import Verdict
from tests.store.settlement.office import Office
from tests.store.settlement.test_memory import LAYOUT, a_csv, a_sheet, fill

MONTH = 202409
ROWS, QUICK = 300_000, 10_000
SHEET_MAX = 1_048_575
"""Rows of an XLSX below its header."""
_FILES = {"CSV": a_csv, "XLSX": a_sheet}
_SCRIPT = """
import json, sys, time
from pathlib import Path
from store.database import connect
from store.settlement.match import match
from store.settlement.stage import stage
from tollbridge.memory import sizes_of

def held(name):
    return sizes_of(Path("/proc/self/status").read_text())[name]

url, path, month, now = sys.argv[1:]
database = connect(url)
before = held("VmRSS")
begun = time.perf_counter()
staged = stage(database, Path(path), operator="alpha", month=int(month), author="bench", now=int(now))
halfway = time.perf_counter()
sums = match(database, staged.run)
print(json.dumps({
    "stage": halfway - begun, "match": time.perf_counter() - halfway, "more": held("VmHWM") - before,
    "rows": {one.verdict.word: one.rows for one in sums},
}))
"""


def bench_settlement(say: Callable[[str], None], *, quick: bool, count: int = 0) -> Section:
    """A file of each kind on both databases; of `count` rows, where that is said."""
    count = count or (QUICK if quick else ROWS)
    rows = []
    with tempfile.TemporaryDirectory(prefix="tollbridge-bench-") as folder:
        for name, write in _FILES.items():
            if name == "XLSX" and count > SHEET_MAX:
                continue
            say(f"a {name} of {count} rows")
            path = write(Path(folder), MONTH, count)
            rows += [(kind, name, *_measured(kind, Path(folder), path, count, say)) for kind in DATABASES]
    return Section(
        "settlement",
        f"An operator's file of {count:,} rows staged and matched".replace(",", " "),
        ("database", "file", "stage s", "match s", "together s", "rows/s", "memory above the start, MiB"),
        tuple(rows),
        ("Half of the rows are found by the operator's id, half by number, time and price; all of them are found.",),
    )


def _measured(kind: str, folder: Path, path: Path, count: int, say: Callable[[str], None]) -> tuple[str, ...]:
    with fresh_database(kind) as (url, database):
        office = Office(database, folder, layout=LAYOUT)
        say(f"{kind}: {count} messages")
        fill(database, MONTH, count)
        office.later()
        say(f"{kind}: staging and matching")
        words = [sys.executable, "-c", _SCRIPT, url, str(path), str(MONTH), str(office.clock.now())]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"settling failed: {done.stderr.strip().splitlines()[-1]}")
    told = json.loads(done.stdout)
    if told["rows"] != {Verdict.MATCHED.word: count}:
        raise RuntimeError(f"settling went wrong: {told['rows']}")
    whole = told["stage"] + told["match"]
    more = f"{told['more'] / 2**20:.0f}"
    say(f"{kind}: {count / whole:.0f} rows/s, {more} MiB more")
    return (*(f"{told[step]:.1f}" for step in ("stage", "match")), f"{whole:.1f}", f"{count / whole:.0f}", more)
