"""What several files of an operator list and we do not have is found once, on both databases."""

import random
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.clock import DAY_MS, SECOND_MS, iso_of
from core.errors import UserMistake
from core.settlement import RunState, Verdict
from store.database import Database, connect
from store.settlement import by_message
from store.settlement.approve import Approved, dismiss
from store.settlement.match import Worker, match
from store.settlement.preview import preview
from store.settlement.runs import Sums
from store.settlement.since import problems_since
from tests import services
from tests.store.clerk import clerk_of
from tests.store.settlement.office import ISO, LATER, RUB, Office, moment, moscow
from tests.store.test_corrections import act

V = Verdict
NUMBER = "79009998877"
DAY_S = DAY_MS // SECOND_MS


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path, ISO)


def iso(key: str, after: int = 0, price: str = "12.00", number: str = NUMBER) -> list[str]:
    return [key, number, "4446", iso_of(moment(after)), price]


def russian(after: int = 0, paid: str = "5,00", number: str = NUMBER) -> list[str]:
    return ["1", *moscow(after), number, "4446", "12,00", paid, ""]


def matched(office: Office, name: str, *rows: Sequence[str]) -> int:
    write = office.russian if office.layout != ISO else office.iso
    return office.matched(write(*rows, name=f"{name}.csv"))


def books(office: Office) -> tuple[int, int]:
    """Whole roubles: owed by the operator, in suspense."""
    found = office.balances()
    return found.get("operator:alpha:receivable", 0) // RUB, found.get("suspense:alpha", 0) // RUB


def verdicts(office: Office, run: int) -> list[str]:
    return [word for _, word in office.verdicts(run)]


def at_once(office: Office, monkeypatch: pytest.MonkeyPatch, first: int, second: int) -> None:
    """Both are matched at the same time, so neither knows of the other's rows."""
    finish = Worker.finish

    def and_the_other(worker: Worker) -> list[Sums]:
        if worker.run.id == first:
            match(office.database, second)
        return finish(worker)

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "finish", and_the_other)
        match(office.database, first)


def test_a_corrected_file_finds_only_what_is_new_in_it(office: Office) -> None:
    office.mo(key="k1", number="79001112233")
    ours = iso("k1", number="79001112233")
    first = matched(office, "first", ours, iso("k9", 100))
    office.later()
    office.approve(first, V.MISSING_HERE)
    assert books(office) == (10, 5)

    corrected = matched(office, "corrected", ours, iso("k9", 100), iso("k7", 200))

    assert verdicts(office, corrected) == ["duplicate_there", "duplicate_there", "missing_here"]
    office.approve(corrected, V.MISSING_HERE, V.DUPLICATE_THERE)
    assert books(office) == (15, 10)
    assert office.journal.audit() == []


def test_without_ids_it_is_known_by_number_short_code_time_and_amount(database: Database, tmp_path: Path) -> None:
    office = Office(database, tmp_path)
    first = matched(office, "first", russian(0))
    office.later()
    office.approve(first, V.MISSING_HERE)

    second = matched(
        office, "second", russian(0), russian(1), russian(0, paid="4,00"), russian(0, number="79009998878")
    )  # fmt: skip

    assert verdicts(office, second) == ["duplicate_there", "missing_here", "missing_here", "missing_here"]


def test_a_row_with_an_id_and_one_without_are_one_message_when_all_else_is_the_same(office: Office) -> None:
    matched(office, "first", iso("", 100), iso("k1", 200))

    second = matched(office, "second", iso("k7", 100), iso("", 200), iso("k2", 200))

    assert verdicts(office, second) == ["duplicate_there", "duplicate_there", "missing_here"]


def test_a_message_that_was_given_back_is_found_once_whatever_time_the_files_give(
    database: Database, tmp_path: Path
) -> None:
    office = Office(database, tmp_path)
    mo = office.mo(number=NUMBER)
    act(office.clerk, "charge_back", [mo])
    office.later()
    office.approve(matched(office, "first", russian(60)), V.MISSING_HERE)

    second = matched(office, "second", russian(61))

    assert [(row.verdict.word, row.mo_id, row.due) for row in office.rows(second)] == [("duplicate_there", mo, 0)]
    assert books(office) == (5, 5)


def test_an_id_that_is_used_again_on_another_day_is_another_message(office: Office) -> None:
    matched(office, "first", iso("k9", 100))

    second = matched(office, "second", iso("k9", 100 + DAY_S), iso("k9", 101 + DAY_S, number="79009998878"))

    assert verdicts(office, second) == ["duplicate_there", "missing_here"]


def test_ids_alone_are_known_without_numbers_and_times(database: Database, tmp_path: Path) -> None:
    office = Office(database, tmp_path, '{ key = "id", price = "gross", short_code = "sc" }')
    header = ["id", "sc", "gross"]
    office.matched(office.csv(header, [["k9", "4446", "12.00"]], name="first.csv"))

    second = office.matched(office.csv(header, [["k9", "4446", "12.00"], ["k7", "4446", "12.00"]], name="second.csv"))

    assert verdicts(office, second) == ["duplicate_there", "missing_here"]


def test_what_was_dismissed_there_is_asked_again(office: Office) -> None:
    first = matched(office, "first", iso("k9"))
    dismiss(office.database, first, {V.MISSING_HERE}, by="olga", reason="wait for the corrected file", now=LATER)
    third = matched(office, "third", iso("k9"), iso("k8", 10))
    dismiss(office.database, third, None, by="olga", reason="staged by mistake", now=LATER)

    second = matched(office, "second", iso("k9"), iso("k8", 10), iso("k7", 20))

    assert verdicts(office, second) == ["missing_here"] * 3


def test_another_operators_file_says_nothing_of_it(office: Office) -> None:
    matched(office, "first", iso("k9"))
    with office.database.write() as connection:
        connection.exec_driver_sql("UPDATE settlement_run SET operator_id = 2")

    assert verdicts(office, matched(office, "second", iso("k9"), iso("k7"))) == ["missing_here"] * 2


def test_of_two_that_were_matched_at_once_the_second_one_finds_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [office.stage(office.iso(iso("k9"), iso(key, 20), name=f"{key}.csv")).run for key in ("k7", "k8")]
    at_once(office, monkeypatch, *runs)
    assert [verdicts(office, run) for run in runs] == [["missing_here"] * 2] * 2
    office.later()
    office.approve(runs[1], V.MISSING_HERE)

    shown = preview(office.clerk, runs[0], {V.MISSING_HERE})
    approved = office.approve(runs[0], V.MISSING_HERE)

    assert (shown.problems, shown.moved) == (1, 5 * RUB)
    assert (approved.posted, approved.left_open, approved.state) == (1, 1, RunState.APPROVED)
    (row,) = [row for row in office.rows(runs[0]) if row.problem]
    assert (row.key, "there it was accepted; dismiss this row" in row.problem) == ("k9", True)
    assert books(office) == (15, 15)


def test_of_two_that_are_approved_at_once_one_finds_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """On MariaDB the second one waits for the operator's row, on SQLite for the one writer.

    Whoever has looked for what others booked goes on when both have, or when the other one cannot for a while.
    """
    # Who books for the first time ever waits for more than that.
    office.approve(matched(office, "before", iso("first", 500)), V.MISSING_HERE)
    shared = [iso(f"k{n}", n) for n in range(40)]
    runs = [office.stage(office.iso(*shared, iso(key, 90), name=f"{key}.csv")).run for key in ("x", "y")]
    at_once(office, monkeypatch, *runs)
    office.later()
    start, looked = threading.Barrier(2), threading.Barrier(2)

    def look(*args: Any) -> dict[int, str]:
        found = problems_since(*args)
        with suppress(threading.BrokenBarrierError):
            looked.wait(1)
        return found

    monkeypatch.setattr("store.settlement.approve.problems_since", look)
    done: dict[int, Approved] = {}

    def person(run: int, by: str) -> None:
        desk = clerk_of(office.journal)
        start.wait()
        done[run] = office.approve(run, V.MISSING_HERE, by=by, desk=desk)

    threads = [threading.Thread(target=person, args=item) for item in zip(runs, ("ada", "ben"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted((one.posted, one.left_open) for one in done.values()) == [(1, 40), (41, 0)]
    assert books(office) == (43 * 5, 43 * 5)


@pytest.mark.parametrize("seed", range(12))
def test_files_that_repeat_each_other_find_each_message_once_in_any_order(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small pieces, so that rows are looked up in many."""
    monkeypatch.setattr(by_message, "IN_LIST", 3)
    chance = random.Random(seed)
    database = connect(services.fresh_sqlite(tmp_path))
    office = Office(database, tmp_path, ISO if seed % 2 else Office.layout)
    known = list(range(20))
    rows = {n: iso(f"k{n}", n * 1000) if seed % 2 else russian(n * 1000) for n in known}
    listed: set[int] = set()
    office.later()
    turns = [n for n in range(4) for _ in range(4)]
    chance.shuffle(turns)
    steps = {n: iter(["stage", "match", "approve", "approve"]) for n in range(4)}
    runs: dict[int, int] = {}

    for n in turns:
        step = next(steps[n])
        if step == "stage":
            some = chance.sample(known, chance.randrange(1, 15))
            listed |= set(some)
            write = office.iso if seed % 2 else office.russian
            runs[n] = office.stage(write(*(rows[one] for one in some), name=f"{n}.csv")).run
        elif step == "match":
            match(database, runs[n])
        else:
            try:
                office.approve(runs[n], V.MISSING_HERE, V.DUPLICATE_THERE)
            except UserMistake as error:
                assert "nothing open" in str(error)  # noqa: PT017

    assert books(office) == (5 * len(listed), 5 * len(listed))
    assert office.journal.audit() == []
    database.close()
