"""Folded sums are the postings that they hold; a balance is the same before and after."""

import re
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import SECOND_MS
from store.balances import AccountBalance, read_balances
from store.database import Database, connect, is_conflict
from store.folding import SETTLED_MS, FoldedCheck, fold_some, last_folded, read_sums
from store.schema import Account, FoldedSum, Posting
from store.text import flush_text
from tests.makers import NOON
from tests.store.ledger_rows import MONTH, a_ledger, post

LATER = NOON + 10 * SETTLED_MS
MONEY = Path(__file__).parents[2] / "docs" / "money.md"


def findings(database: Database) -> list[str]:
    """What the audit of the folded sums finds."""
    with database.read() as connection:
        check = FoldedCheck(connection)
        posting = Posting
        for row in connection.execute(sa.select(posting.__table__)):
            check.add(row.id, row.debit_id, row.credit_id, row.month, row.amount)
        return [finding.sentence for finding in check.findings(connection, str)]


def sums(database: Database, accounts: list[int] | None = None) -> dict[int, tuple[int, int]]:
    with database.read() as connection:
        return read_sums(connection, accounts)


POSTINGS = st.tuples(
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 10**15), st.sampled_from([202610, 202611, 202612])
).filter(lambda posting: posting[0] != posting[1])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.tuples(st.lists(POSTINGS, max_size=5), st.booleans()), max_size=8), most=st.integers(1, 7))
def test_sums_are_those_of_all_postings_however_much_is_folded(
    database: Database, batches: list[tuple[list[tuple[int, int, int, int]], bool]], most: int
) -> None:
    _empty(database)
    should: Counter[tuple[int, int]] = Counter()
    for number, (postings, folds) in enumerate(batches):
        with database.write() as connection:
            post(connection, NOON + number, postings)
        for debit, credit, amount, _ in postings:
            should[debit, 0] += amount
            should[credit, 1] += amount
        if folds:
            fold_some(database, LATER, most)

        assert sums(database) == {id_: (should[id_, 0], should[id_, 1]) for id_ in {id_ for id_, _ in should}}
        assert findings(database) == []
        assert sums(database, [1, 2]).keys() == {1, 2} & {id_ for id_, _ in should}


def _empty(database: Database) -> None:
    """Between two examples. Postings cannot be deleted, so their table goes."""
    with database.write() as connection:
        for table in ("entry", "posting"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_delete")
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql("DELETE FROM folded_sum")
        connection.exec_driver_sql("UPDATE folding SET posting_id = 0")


def test_folding_goes_on_until_nothing_is_left_and_changes_no_balance(database: Database) -> None:
    a_ledger(database, 1000)
    with database.read() as connection:
        before = read_balances(connection)

    steps = [fold_some(database, LATER, most=6) for _ in range(5)]

    with database.read() as connection:
        assert read_balances(connection) == before
        assert AccountBalance("partner:acme:earnings", "RUB", 3_000_000_000) in before
        assert connection.execute(sa.select(sa.func.count()).select_from(FoldedSum)).scalar_one() == 3
        assert last_folded(connection) == connection.execute(sa.select(sa.func.max(Posting.id))).scalar_one()
    assert steps == [True, True, True, False, False]


def test_what_is_not_settled_yet_is_not_folded(database: Database) -> None:
    """A posting with a smaller number may still be on its way to its commit."""
    with database.write() as connection:
        post(connection, NOON, [(1, 2, 5, MONTH)])
        post(connection, NOON + SECOND_MS, [(1, 2, 7, MONTH)])

    fold_some(database, NOON + SETTLED_MS - 1)
    early = _folded(database)
    fold_some(database, NOON + SETTLED_MS)
    first = _folded(database)

    assert (early, first) == ({}, {1: (5, 0), 2: (0, 5)})
    assert sums(database) == {1: (12, 0), 2: (0, 12)}


def _folded(database: Database) -> dict[int, tuple[int, int]]:
    with database.read() as connection:
        query = sa.select(FoldedSum.account_id, FoldedSum.debits, FoldedSum.credits)
        return {id_: (debits, credits) for id_, debits, credits in connection.execute(query)}


def test_a_posting_whose_commit_takes_long_is_waited_for_and_never_left_out(mariadb_url: str) -> None:
    """Its number is smaller than that of one committed before it, and it is old."""
    ours, theirs = connect(mariadb_url), connect(mariadb_url)
    with theirs.write() as slow:
        post(slow, NOON, [(1, 2, 5, MONTH)])
        flush_text(slow)
        with ours.write() as connection:
            post(connection, NOON + 1, [(1, 2, 7, MONTH)])

        with pytest.raises(sa.exc.OperationalError) as refused:
            fold_some(ours, LATER)

    assert is_conflict(refused.value)
    assert sums(ours) == {1: (12, 0), 2: (0, 12)}
    assert fold_some(ours, LATER) is False
    assert _folded(ours) == {1: (12, 0), 2: (0, 12)}
    ours.close()
    theirs.close()


def test_two_processes_do_not_fold_the_same_postings(mariadb_url: str) -> None:
    """The one that comes second does nothing, and does not wait."""
    ours, theirs = connect(mariadb_url), connect(mariadb_url)
    with ours.write() as connection:
        post(connection, NOON, [(1, 2, 5, MONTH)])

    with theirs.write() as connection:
        connection.exec_driver_sql("SELECT posting_id FROM folding WHERE id = 1 FOR UPDATE")
        begun = time.monotonic()
        while_theirs = fold_some(ours, LATER)
        waited_s = time.monotonic() - begun

    assert (while_theirs, _folded(ours)) == (False, {})
    assert waited_s < 1
    ours.close()
    theirs.close()


def test_folding_beside_writers_loses_nothing(mariadb_url: str) -> None:
    databases = [connect(mariadb_url) for _ in range(3)]

    def work(number: int) -> None:
        for turn in range(40):
            with databases[number].write() as connection:
                post(connection, NOON, [(1, 2, 1, MONTH), (2, 3, 1, MONTH)], entry_id=number * 1000 + turn + 1)

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        _fold_if_nothing_is_in_the_way(databases[2])
    while fold_some(databases[2], LATER):
        pass

    assert _folded(databases[2]) == {1: (80, 0), 2: (80, 80), 3: (0, 80)}
    assert findings(databases[2]) == []
    for database in databases:
        database.close()


def _fold_if_nothing_is_in_the_way(database: Database) -> None:
    try:
        fold_some(database, LATER, most=5)
    except sa.exc.OperationalError as error:
        if not is_conflict(error):
            raise


def test_a_folded_sum_that_is_wrong_missing_or_too_many_is_found(database: Database) -> None:
    with database.write() as connection:
        post(connection, NOON, [(1, 2, 5_000_000, MONTH), (1, 3, 2_000_000, MONTH)])
    fold_some(database, LATER)
    with database.write() as connection:
        connection.execute(sa.update(FoldedSum).where(FoldedSum.account_id == 1).values(debits=8_000_000))
        connection.execute(sa.delete(FoldedSum).where(FoldedSum.account_id == 2))
        connection.execute(sa.insert(FoldedSum).values(account_id=9, month=MONTH, debits=1, credits=0))

    assert findings(database) == [
        "1 in 2026-11: debits 8.00, its postings sum to 7.00",
        "9 in 2026-11: debits 0.000001, its postings sum to 0.00",
        "2 in 2026-11: credits 0.00, its postings sum to 5.00",
    ]


def test_the_question_for_balances_in_the_pages_is_answered_as_the_service_does(database: Database) -> None:
    a_ledger(database, 1000)
    fold_some(database, LATER, most=7)
    (sql,) = re.findall(r"```sql\n(SELECT address.*?);\n```", MONEY.read_text("utf-8"), re.DOTALL)

    with database.read() as connection:
        found = {address: int(credits - debits) for address, _, debits, credits in connection.exec_driver_sql(sql)}
        should = {line.address: line.amount // 1_000_000 for line in read_balances(connection)}

    assert found == should | {"operator:alpha:receivable": -should["operator:alpha:receivable"]}


def test_a_balance_reads_few_postings_of_many(database: Database) -> None:
    """The folded ones are passed over by the key of the table."""
    a_ledger(database, 20_000)
    while fold_some(database, LATER):
        pass
    with database.write() as connection:
        connection.execute(sa.insert(Account).values(id=9, address="bank:main", currency="RUB"))
        post(connection, LATER, [(9, 1, 70_000_000, MONTH)])
        last = last_folded(connection)

    with database.read() as connection:
        found = {line.address: line.amount for line in read_balances(connection)}
        sql = f"SELECT debit_id, SUM(amount) FROM posting WHERE id > {last} GROUP BY debit_id"
        plan = connection.exec_driver_sql(
            f"EXPLAIN {'QUERY PLAN ' if database.dialect == 'sqlite' else ''}{sql}"
        ).first()

    assert found["operator:alpha:receivable"] == 20_000 * 5_000_000 - 70_000_000
    assert plan is not None
    if database.dialect == "sqlite":
        assert plan[-1] == "SEARCH posting USING INTEGER PRIMARY KEY (rowid>?)"
    else:
        assert (plan.key, int(plan.rows)) == ("PRIMARY", 1)
