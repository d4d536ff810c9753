"""Several files of one month that only count, on both databases: what one of them says, the others know."""

import random
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserMistake
from core.settlement import RunState, Verdict
from core.settlement.verdicts import ACCEPTABLE
from store.acts import Acts, Draft
from store.database import Database, connect
from store.settlement.approve import dismiss
from store.settlement.look import standing
from store.settlement.match import match
from store.settlement.runs import is_open, read_run
from store.settlement.since import problems_since
from tests import services
from tests.store.settlement.office import COUNTS, COUNTS_HEADER, ISO, LATER, RUB, Office
from tests.store.test_corrections import act

V = Verdict
EVENING = 10 * 3600
"""22:00 UTC of the 15th: the 16th in Moscow."""


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path, COUNTS)


def count(day: int, code: str, messages: int, paid: str = "", price: str = "12.00") -> list[object]:
    return [f"2024-10-{day}", code, messages, price, paid or f"{messages * (5 if code == '4446' else 10)}.00"]


def staged(office: Office, name: str, *rows: Sequence[object]) -> int:
    return office.stage(office.csv(COUNTS_HEADER, rows, name=f"{name}.csv")).run


def matched(office: Office, name: str, *rows: Sequence[object]) -> int:
    run = staged(office, name, *rows)
    match(office.database, run)
    return run


def books(office: Office) -> tuple[int, int, int]:
    """Whole roubles: owed by the operator, lost, in suspense."""
    found = office.balances()
    names = ("operator:alpha:receivable", "expense:loss", "suspense:alpha")
    owed, lost, suspense = (found.get(name, 0) // RUB for name in names)
    return owed, lost, suspense


def classes(office: Office, run: int) -> list[tuple[int, str, int]]:
    """(line, class, what is due in roubles)."""
    return [(row.line, row.verdict.word, row.due // RUB) for row in office.rows(run)]


# --- the same day and short code twice --------------------------------------------------------------------------


def test_a_corrected_file_writes_nothing_off_again_and_its_difference_is_entered_by_hand(office: Office) -> None:
    for n in range(10):
        office.mo(after=n)
    first = matched(office, "first", count(15, "4446", 7))
    office.later()
    office.approve(first, V.MISSING_THERE)
    assert books(office) == (35, 15, 0)
    corrected = staged(office, "corrected", count(15, "4446", 8))

    with pytest.raises(UserMistake) as refused:
        match(office.database, corrected)

    assert str(refused.value) == (
        f"run {corrected} (alpha, 2024-10) cannot stand beside run {first}: both count 2024-10-15, short code "
        f"4446; of the other one something is decided already, so dismiss run {corrected} and enter what its file "
        "says otherwise as an adjustment between operator:alpha:receivable and expense:loss: tollbridge act adjust"
    )
    with pytest.raises(UserMistake, match="is staged; first: tollbridge settle match"):
        office.approve(corrected, V.MISSING_THERE)
    assert books(office) == (35, 15, 0)
    move: dict[str, str | int] = {
        "debit": "operator:alpha:receivable", "credit": "expense:loss", "currency": "RUB", "amount": 5 * RUB,
    }  # fmt: skip
    Acts(office.clerk, 100 * RUB).ask(Draft("adjust", "olga", "corrected file of October", (), move))
    assert books(office) == (40, 10, 0)
    assert office.journal.audit() == []


def test_of_two_files_of_which_nothing_is_decided_the_one_that_does_not_hold_is_dismissed(office: Office) -> None:
    for n in range(10):
        office.mo(after=n)
    first = matched(office, "first", count(15, "4446", 7))
    corrected = staged(office, "corrected", count(15, "4446", 8))

    for run in (corrected, first):
        with pytest.raises(UserMistake, match="both count 2024-10-15, short code 4446; dismiss the one that does not"):
            match(office.database, run)
    # A run that may not be matched again is as it was.
    assert classes(office, first) == [(0, "missing_there", -15), (2, "matched", 0)]
    dismiss(office.database, first, None, by="olga", reason="corrected", now=LATER)
    match(office.database, corrected)
    office.later()
    office.approve(corrected, V.MISSING_THERE)

    assert books(office) == (40, 10, 0)


def test_of_two_that_count_the_same_neither_is_accepted(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A former version has matched both; or a corrected file was staged since."""
    for n in range(10):
        office.mo(after=n)
    first = matched(office, "first", count(15, "4446", 12))
    with monkeypatch.context() as patch:
        patch.setattr("store.settlement.match.check_beside", lambda *_: None)
        corrected = matched(office, "corrected", count(15, "4446", 11))
    office.later()

    for run in (first, corrected):
        with pytest.raises(UserMistake, match="both count 2024-10-15, short code 4446; dismiss the one that does not"):
            office.approve(run, V.MISSING_HERE)
    dismiss(office.database, first, None, by="olga", reason="corrected", now=LATER)
    office.approve(corrected, V.MISSING_HERE)

    assert books(office) == (55, 0, 5)


def test_a_part_of_a_day_in_another_file_is_refused_too(office: Office) -> None:
    """Whether it comes besides or instead is not written in it."""
    for n in range(10):
        office.mo(after=n)
    matched(office, "north", count(15, "4446", 6), count(16, "4446", 1))

    south = staged(office, "south", count(14, "4446", 1), count(15, "4446", 4, price="10.00"))

    with pytest.raises(UserMistake, match="both count 2024-10-15, short code 4446"):
        match(office.database, south)


# --- days and short codes shared out ----------------------------------------------------------------------------


def a_month(office: Office) -> None:
    """5 messages of 4446 on the 15th, 2 on the 16th; 3 of 7733 on the 16th."""
    for n in range(5):
        office.mo(after=n)
    for n in range(2):
        office.mo(after=EVENING + n)
    for n in range(3):
        office.mo(after=EVENING + 10 + n, code="7733")


@pytest.mark.parametrize("turned", [False, True])
def test_files_by_short_code_write_off_only_what_their_own_lacks(office: Office, turned: bool) -> None:
    a_month(office)
    assert books(office)[0] == 65
    rows = {"4446": [count(15, "4446", 4), count(16, "4446", 2)], "7733": [count(16, "7733", 2)]}
    order = sorted(rows, reverse=turned)
    runs = [staged(office, code, *rows[code]) for code in order]
    for run in runs:
        match(office.database, run)
    office.later()

    for run in runs:
        office.approve(run, V.MISSING_THERE)

    assert {code: classes(office, run)[0] for code, run in zip(order, runs, strict=True)} == {
        "4446": (0, "missing_there", -5), "7733": (0, "missing_there", -10),
    }  # fmt: skip
    assert [office.rows(run)[-1].verdict for run in runs] == [V.MATCHED] * 2
    assert books(office) == (50, 15, 0)
    assert office.journal.audit() == []


def test_a_first_file_is_matched_again_when_the_second_one_is_staged(office: Office) -> None:
    a_month(office)
    first = matched(office, "4446", count(15, "4446", 5), count(16, "4446", 2))
    assert classes(office, first)[0] == (0, "missing_there", -30)

    staged(office, "7733", count(16, "7733", 3))
    match(office.database, first)

    assert classes(office, first) == [(2, "matched", 0), (3, "matched", 0)]


def test_what_another_file_counts_by_now_is_not_written_off(office: Office) -> None:
    a_month(office)
    first = matched(office, "4446", count(15, "4446", 4), count(16, "4446", 2))
    second = staged(office, "7733", count(16, "7733", 3))
    office.later()

    approved = office.approve(first, V.MISSING_THERE)

    assert (approved.posted, approved.left_open, approved.state) == (1, 1, RunState.APPROVED)
    (left,) = [row for row in office.rows(first, V.MISSING_THERE) if row.problem]
    assert (left.short_code, "counts this day and short code by now" in left.problem) == ("7733", True)
    match(office.database, second)
    assert classes(office, second) == [(2, "matched", 0)]
    assert books(office) == (60, 5, 0)


def test_what_was_written_off_before_its_file_came_is_found_again_and_never_twice_owed(office: Office) -> None:
    a_month(office)
    first = matched(office, "4446", count(15, "4446", 5), count(16, "4446", 2))
    office.later()
    office.approve(first, V.MISSING_THERE)
    assert books(office) == (35, 30, 0)

    second = matched(office, "7733", count(16, "7733", 3))

    assert classes(office, second) == [(2, "missing_here", 30)]
    office.approve(second, V.MISSING_HERE)
    assert books(office) == (65, 30, 30)
    assert office.journal.audit() == []


def test_a_file_that_is_staged_while_its_messages_are_written_off_finds_them_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On MariaDB it waits for the operator's row, on SQLite for the one writer."""
    a_month(office)
    before = matched(office, "before", count(14, "4446", 1))
    first = matched(office, "4446", count(15, "4446", 5), count(16, "4446", 2))
    office.later()
    # Who books for the first time ever waits for more than that.
    office.approve(before, V.MISSING_HERE)
    runs: list[int] = []
    second = threading.Thread(target=lambda: runs.append(matched(office, "7733", count(16, "7733", 3))))

    def look(*args: Any) -> dict[int, str]:
        found = problems_since(*args)
        if second.ident is None:
            second.start()
            second.join(1)
        return found

    monkeypatch.setattr("store.settlement.approve.problems_since", look)

    office.approve(first, V.MISSING_THERE)
    second.join()

    assert classes(office, runs[0]) == [(2, "missing_here", 30)]
    assert books(office) == (40, 30, 5)


def test_what_nobody_counts_is_written_off_once(office: Office) -> None:
    a_month(office)
    first, second = matched(office, "4446", count(15, "4446", 5)), matched(office, "7733", count(16, "7733", 3))
    match(office.database, first)
    assert classes(office, first)[0] == classes(office, second)[0] == (0, "missing_there", -10)
    office.later()

    done = [office.approve(run, V.MISSING_THERE) for run in (second, first)]

    assert [(one.posted, one.left_open) for one in done] == [(1, 0), (0, 1)]
    assert "another run has written off messages of this day" in office.rows(first, V.MISSING_THERE)[0].problem
    assert books(office) == (55, 10, 0)
    third = matched(office, "14", count(14, "4446", 0))
    assert classes(office, third) == [(2, "matched", 0)]


def test_more_is_given_back_than_is_left_of_what_was_written_off(office: Office) -> None:
    mos = [office.mo(after=n) for n in range(4)]
    office.mo(after=5, code="7733")
    first = matched(office, "7733", count(15, "7733", 1))
    office.later()
    office.approve(first, V.MISSING_THERE)
    act(office.clerk, "charge_back", mos[:1])
    second = staged(office, "4446", count(15, "4446", 1))

    with pytest.raises(UserMistake, match=f"run {first} wrote off messages of 2024-10-15, short code 4446, and 1 of"):
        match(office.database, second)

    # A file that does not speak of them has no question.
    third = matched(office, "third", count(16, "4446", 1))
    assert classes(office, third) == [(2, "missing_here", 5)]


# --- files of two layouts -----------------------------------------------------------------------------------


def test_counts_stand_beside_no_other_layout_of_the_same_messages(office: Office) -> None:
    office.mo(key="k1")
    first = matched(office, "first", count(15, "4446", 1))
    iso = office.iso(["k1", "79001112233", "4446", "2024-10-15T12:00:00Z", "12.00"], name="messages.csv")
    other_zone = office.csv(COUNTS_HEADER, [count(20, "4446", 1)], name="utc.csv")

    for layout, path in ((ISO, iso), (COUNTS.replace("Europe/Moscow", "UTC"), other_zone)):
        office.relayout(layout)
        run = office.stage(path).run
        with pytest.raises(UserMistake, match=f"beside run {first}: both are about the same messages"):
            match(office.database, run)
        dismiss(office.database, run, None, by="olga", reason="another layout", now=LATER)

    office.relayout(ISO)
    dismiss(office.database, first, None, by="olga", reason="messages instead", now=LATER)
    match(office.database, office.stage(iso).run)


def test_counts_of_mo_and_of_mt_have_nothing_to_do_with_each_other(office: Office) -> None:
    office.relayout(COUNTS.replace("{", '{ messages = "mo",'))
    office.mo()
    first = matched(office, "mo", count(15, "4446", 1))

    office.relayout(COUNTS.replace("{", '{ messages = "mt",'))
    second = matched(office, "mt", count(15, "4446", 2))

    assert classes(office, first) == [(2, "matched", 0)]
    assert classes(office, second) == [(2, "missing_here", 10)]


# --- in any order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(16))
def test_any_split_of_a_months_counts_accepted_in_any_order_is_owed_as_one_file_says(
    tmp_path: Path, seed: int, database_of: "Make"
) -> None:
    chance = random.Random(seed)
    messages = [(chance.choice([0, EVENING]), chance.choice(["4446", "7733"])) for _ in range(chance.randrange(6, 16))]
    places = [(15, "4446"), (16, "4446"), (15, "7733"), (16, "7733"), (17, "4446")]
    chance.shuffle(places)
    rows = {}
    for day, code in places[: chance.randrange(2, 6)]:
        number = chance.randrange(0, 7)
        rows[day, code] = count(day, code, number, f"{chance.randrange(0, 60)}.00" if chance.random() < 0.3 else "")
    one = database_of(messages)
    alone = matched(one, "all", *rows.values())
    one.later()
    accept_all(one, alone)

    parted = database_of(messages)
    files: dict[int, list[list[object]]] = {}
    for row in rows.values():
        files.setdefault(chance.randrange(3), []).append(row)
    parted.later()
    work_in_any_order(parted, list(files.values()), chance)

    assert parted.balances().get("operator:alpha:receivable", 0) == one.balances().get("operator:alpha:receivable", 0)
    assert parted.journal.audit() == []


class Make:
    """Offices with the same messages, each with a database of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made: list[Office] = []

    def __call__(self, messages: Sequence[tuple[int, str]]) -> Office:
        folder = self._folder / str(len(self.made))
        folder.mkdir()
        office = Office(connect(services.fresh_sqlite(folder)), folder, COUNTS)
        self.made.append(office)
        for n, (after, code) in enumerate(sorted(messages)):
            office.mo(after=after + n, code=code)
        return office


@pytest.fixture
def database_of(tmp_path: Path) -> Iterator[Make]:
    make = Make(tmp_path)
    yield make
    for office in make.made:
        office.database.close()


def accept_all(office: Office, run: int, *verdicts: Verdict) -> None:
    """What can be accepted of these classes, or of all."""
    with office.database.read() as connection:
        open_ = {one.verdict for one in standing(connection, run).sums if is_open(one) and not one.has_problem}
    some = [verdict for verdict in verdicts or ACCEPTABLE if verdict in open_]
    if some:
        office.approve(run, *some)


def work_in_any_order(office: Office, files: list[list[list[object]]], chance: random.Random) -> None:
    """Each file is staged, matched, perhaps again, and accepted class by class, whenever it is its turn."""
    runs: dict[int, int] = {}
    turns = [n for n in range(len(files)) for _ in range(4)]
    chance.shuffle(turns)
    steps = {n: iter(["stage", "match", "approve", "all"]) for n in range(len(files))}
    for n in turns:
        step = next(steps[n])
        if step == "stage":
            runs[n] = staged(office, f"file{n}", *files[n])
            continue
        with office.database.read() as connection:
            state = read_run(connection, runs[n]).state
        if step == "match" or (state is RunState.MATCHED and chance.random() < 0.5):
            match(office.database, runs[n])
        if step == "approve":
            accept_all(office, runs[n], chance.choice([V.MISSING_THERE, V.MISSING_HERE, V.PRICE_DIFFERS]))
        elif step == "all":
            accept_all(office, runs[n])
