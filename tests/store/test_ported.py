"""A file of ported numbers: all or nothing, and the whole table changes in one moment."""

import itertools
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import UserMistake
from store import ported
from store.database import Database
from store.numbers import count_ported, operators_of
from store.ported import Loaded, Refused, load_ported
from store.schema import AuditLog, PortedNumber, PortedNumberNext
from tests.partner_api.rows import add
from tests.store.test_provisioning import NOW, put

OPERATORS = """
[[operator]]
code = "alpha"
country = "RU"
currency = "RUB"
vat = "0.20"
[[operator]]
code = "beta"
country = "RU"
currency = "RUB"
vat = "0.20"
"""
MEMORY_ROWS = (200_000, int(os.environ.get("TOLLBRIDGE_PORTED_ROWS", "600000")))
"""The second one by TOLLBRIDGE_PORTED_ROWS."""
MORE_MIB = 8
"""What more rows may take: allocators are not exact."""


@pytest.fixture
def stored(database: Database) -> Database:
    put(database, OPERATORS)
    return database


def a_file(folder: Path, text: str | bytes, name: str = "ported.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(database: Database, path: Path, *, replace: bool = False, skip_bad: bool = False) -> Loaded:
    return load_ported(database, path, author="ada", now=NOW, replace=replace, skip_bad=skip_bad)


def table(database: Database) -> dict[int, int]:
    with database.read() as connection:
        rows = connection.execute(sa.select(PortedNumber.msisdn, PortedNumber.operator_id))
        return {msisdn: owner for msisdn, owner in rows}


ALPHA, BETA = 1, 2


def test_every_form_of_a_line_is_read(stored: Database, tmp_path: Path) -> None:
    lines = (
        "\ufeffmsisdn;operator;since\r\n79001112230;alpha;\r\n+7 900 111-22-31;beta\r\n"
        "8 (900) 111-22-32; alpha ;2020-01-01\r\n\r\n"
        '9001112233;"beta"\r\n"79001112234";alpha;2020-01-01T10:00:00+03:00\r\n380501112233;beta'
    )

    found = loaded(stored, a_file(tmp_path, lines))

    assert (found.numbers, found.rows, found.bad, found.total) == (6, 6, 0, 6)
    assert table(stored) == {
        79001112230: ALPHA, 79001112231: BETA, 79001112232: ALPHA, 79001112233: BETA, 79001112234: ALPHA,
        380501112233: BETA,
    }  # fmt: skip


def test_a_bad_row_is_told_with_its_number_and_nothing_is_changed(stored: Database, tmp_path: Path) -> None:
    loaded(stored, a_file(tmp_path, "79001112230,alpha\n"))
    path = a_file(
        tmp_path,
        "79001112230,beta\n7900,alpha\n79001112231,gamma\n79001112232\n79001112233,alpha,soon\n"
        "79001112234,alpha,2050-01-01\n" + "7" * 5000 + ",alpha\n\x00\xff,alpha\n79001112239,alpha\n",
    )

    with pytest.raises(Refused, match="7 rows are bad, nothing was changed") as refused:
        loaded(stored, path)

    assert {bad.line: bad.reason for bad in refused.value.found.told} == {
        2: "\"7900\" is no subscriber's number; write it with the country's code, like 79001112233",
        3: 'there is no operator "gamma"; write the code of one that is provisioned',
        4: "is not NUMBER,OPERATOR or NUMBER,OPERATOR,SINCE; write it so",
        5: '"soon" is no day; write it like 2026-12-01',
        6: 'is ported in the future, at "2050-01-01"; load it again when that has come',
        7: "is longer than 1000 characters; write NUMBER,OPERATOR",
        8: "\"?ÿ\" is no subscriber's number; write it with the country's code, like 79001112233",
    }
    assert table(stored) == {79001112230: ALPHA}

    found = loaded(stored, path, skip_bad=True)

    assert (found.numbers, found.bad) == (2, 7)
    assert table(stored) == {79001112230: BETA, 79001112239: ALPHA}


def test_a_number_that_stands_twice_is_where_the_last_row_says(stored: Database, tmp_path: Path) -> None:
    found = loaded(stored, a_file(tmp_path, "79001112230,alpha\n79001112231,alpha\n8 900 1112230,beta\n"))

    assert (found.numbers, found.rows) == (2, 3)
    assert table(stored) == {79001112230: BETA, 79001112231: ALPHA}


def test_with_replace_what_the_file_does_not_name_goes(stored: Database, tmp_path: Path) -> None:
    loaded(stored, a_file(tmp_path, "79001112230,alpha\n79001112231,alpha\n"))
    loaded(stored, a_file(tmp_path, "79001112232,beta\n"))
    assert len(table(stored)) == 3

    found = loaded(stored, a_file(tmp_path, "79001112231,beta\n"), replace=True)

    assert (found.before, found.total) == (3, 1)
    assert table(stored) == {79001112231: BETA}
    with stored.read() as connection:
        assert count_ported(connection, PortedNumberNext) == {}
        last = connection.execute(sa.select(AuditLog).order_by(AuditLog.id.desc())).first()
        assert last is not None
        assert (last.who, last.subject, last.key, last.before) == (
            "ada",
            "ported numbers",
            "ported.csv",
            {"numbers": 3},
        )


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("text", ["", "number,operator\n", "\n\n", "12,alpha\n"])
def test_a_file_without_a_good_row_is_refused_and_changes_nothing(
    stored: Database, tmp_path: Path, text: str, replace: bool
) -> None:
    loaded(stored, a_file(tmp_path, "79001112230,alpha\n"))

    with pytest.raises(Refused, match="nothing was changed; name another file, or correct it"):
        loaded(stored, a_file(tmp_path, text), replace=replace, skip_bad=True)

    assert list(table(stored)) == [79001112230]


def test_whoever_asks_sees_the_old_table_or_the_new_one(
    stored: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ported, "BATCH", 10)
    numbers = [str(79001112200 + n) for n in range(100)]
    loaded(stored, a_file(tmp_path, "".join(f"{number},alpha\n" for number in numbers)))
    seen: list[dict[str, int]] = []

    def look(done: int, of: int) -> None:
        with stored.read() as connection:
            seen.append(operators_of(connection, numbers))

    path = a_file(tmp_path, "".join(f"{number},beta\n" for number in numbers))
    load_ported(stored, path, author="ada", now=NOW, replace=True, progress=look)
    look(0, 0)

    assert len(seen) == 11
    assert all(one == dict.fromkeys(numbers, ALPHA) for one in seen[:-1])
    assert seen[-1] == dict.fromkeys(numbers, BETA)


def test_who_asks_all_the_time_never_fails_and_never_sees_half(stored: Database, tmp_path: Path) -> None:
    numbers = [str(79001112200 + n) for n in range(500)]
    files = [
        a_file(tmp_path, "".join(f"{number},{code}\n" for number in numbers), f"{code}.csv")
        for code in ("alpha", "beta")
    ]
    loaded(stored, files[0], replace=True)
    over = threading.Event()

    # As the journal asks: MariaDB has no old picture of a table that was made anew; SQLite's writers would wait.
    look = stored.read if stored.dialect == "sqlite" else stored.write

    def ask() -> list[set[int]]:
        seen = []
        while not over.is_set():
            with look() as connection:
                found = operators_of(connection, numbers)
            assert len(found) == len(numbers)
            seen.append(set(found.values()))
        return seen

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            for turn in range(1, 9):
                loaded(stored, files[turn % 2], replace=True)
        finally:
            over.set()
        seen = asking.result()

    assert all(len(owners) == 1 for owners in seen)
    assert {ALPHA} in seen
    assert {BETA} in seen


def test_a_load_that_broke_off_leaves_the_table_and_does_not_hinder_the_next(
    stored: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ported, "BATCH", 10)
    loaded(stored, a_file(tmp_path, "79001112230,alpha\n"))
    path = a_file(tmp_path, "".join(f"{79001112200 + n},beta\n" for n in range(50)))

    def break_off(done: int, of: int) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_ported(stored, path, author="ada", now=NOW, replace=True, progress=break_off)
    assert table(stored) == {79001112230: ALPHA}

    loaded(stored, path, replace=True)
    assert table(stored) == {79001112200 + n: BETA for n in range(50)}


def test_two_loads_of_the_whole_table_at_once_do_not_mix(
    stored: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ported, "BATCH", 10)
    loaded(stored, a_file(tmp_path, "79001112230,alpha\n"))
    mine = a_file(tmp_path, "".join(f"{79001112200 + n},beta\n" for n in range(50)))
    once = itertools.count()

    def another(done: int, of: int) -> None:
        if next(once) == 2:
            with stored.write() as connection:
                add(connection, PortedNumberNext, msisdn=79001110000, operator_id=ALPHA, since=0)

    with pytest.raises(UserMistake, match="another load of numbers is under way, nothing was changed"):
        load_ported(stored, mine, author="ada", now=NOW, replace=True, progress=another)

    assert table(stored) == {79001112230: ALPHA}


def test_another_kind_of_file_is_given_up_early(stored: Database, tmp_path: Path) -> None:
    path = a_file(tmp_path, os.urandom(100).hex() + "\n" + "x1,y\n" * 100_000)

    with pytest.raises(Refused, match="1000 rows are bad") as refused:
        loaded(stored, path, skip_bad=True)

    assert len(refused.value.found.told) == ported.TOLD


def test_a_file_that_is_not_there_is_a_sentence(stored: Database, tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match=r"none\.csv: No such file or directory"):
        loaded(stored, tmp_path / "none.csv")


_SCRIPT = """
import json, sys
from pathlib import Path
from store.database import connect
from store.ported import load_ported
from tollbridge.memory import sizes_of

url, path = sys.argv[1:]
found = load_ported(connect(url), Path(path), author="ada", now=1795500000000, replace=True)
peak = sizes_of(Path("/proc/self/status").read_text())["VmHWM"] >> 20
print(json.dumps({"numbers": found.numbers, "peak": peak}))
"""


@pytest.mark.campaign
def test_a_longer_file_needs_no_more_memory(stored: Database, database_url: str, tmp_path: Path) -> None:
    told = []
    for count in MEMORY_ROWS:
        path = tmp_path / "many.csv"
        with path.open("w") as out:
            for n in range(count):
                out.write(f"{79000000000 + n * 7919 % 1_000_003},{('alpha', 'beta')[n % 2]}\n")
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, database_url, str(path)], check=True, capture_output=True, text=True
        )
        told.append(json.loads(done.stdout))

    print(told)
    assert [one["numbers"] for one in told] == list(MEMORY_ROWS)
    assert told[1]["peak"] - told[0]["peak"] < MORE_MIB, told
