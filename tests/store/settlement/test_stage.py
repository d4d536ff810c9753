"""Staging: good rows and bad ones, three shapes of files, nothing posted, the same file once only."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import UserMistake
from core.money import format_micros
from core.settlement import RunState, Verdict
from store.database import Database, connect
from store.schema import Entry, SettlementRun
from store.settlement import stage as staging
from store.settlement.approve import dismiss
from store.settlement.look import standing
from store.settlement.stage import stage
from tests import services
from tests.store.settlement.office import ISO, LATER, RUB, SHEET, Office, moscow, utc

NUMBER = "79001112233"


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Office]:
    database = connect(services.fresh_sqlite(tmp_path))
    yield Office(database, tmp_path)
    database.close()


def a_row(after: int = 0, number: str = NUMBER, price: str = "12,00", paid: str = "5,00", state: str = "") -> list[str]:
    return ["1", *moscow(after), number, "4446", price, paid, state]


def test_good_rows_are_staged_and_bad_ones_listed_with_row_and_reason(office: Office) -> None:
    path = office.russian(
        a_row(), a_row(paid="пять"), a_row(60, "7 900 111-22-44"), a_row(number=""), [], ["Итого", *[""] * 5, "10,00"]
    )

    staged = office.stage(path)

    assert (staged.is_new, staged.rows, staged.bad, staged.total, staged.told) == (True, 4, 2, 10 * RUB, 10 * RUB)
    assert staged.reasons == [
        "row 3: amount: 'пять' is not an amount; write it like 12.50", "row 5: number: is empty"
    ]  # fmt: skip
    assert [(row.line, row.problem) for row in office.rows(staged.run, Verdict.UNREADABLE)] == [
        (3, staged.reasons[0].partition(": ")[2]), (5, "number: is empty")
    ]  # fmt: skip
    good = office.rows(staged.run, Verdict.UNMATCHED)
    assert [(row.line, row.number, row.amount) for row in good] == [(2, NUMBER, 5 * RUB), (4, "79001112244", 5 * RUB)]
    with office.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count(Entry.id))).scalar_one() == 0
        run = standing(connection, staged.run).run
    assert (run.state, run.author, run.month, run.currency) == (RunState.STAGED, "olga", 202410, "RUB")
    assert run.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_iso_file_with_a_byte_order_mark(office: Office) -> None:
    office.relayout(ISO)

    staged = office.stage(office.iso(["A-1", NUMBER, "4446", "2024-10-15T12:00:00Z", "1,200.50"]))

    (row,) = office.rows(staged.run)
    assert (row.key, row.number, row.at, row.price) == ("A-1", NUMBER, LATER - 19 * 86_400_000, 1_200_500_000)


def test_a_sheet_with_typed_cells_below_a_title(office: Office) -> None:
    office.relayout(SHEET)

    staged = office.stage(
        office.sheet(
            ["A-1", 79001112233, 4446, utc(0), 10, "ok"],
            ["A-2", "79001112233", "4446", utc(60), 41.67, "No money"],
            ["A-3", 79001112233, 4446, "yesterday", 10.0, None],
        )
    )

    assert (staged.rows, staged.bad) == (3, 1)
    assert staged.reasons == ['row 6: time: "yesterday" is not written like iso']
    first, second = office.rows(staged.run, Verdict.UNMATCHED)
    assert (first.line, first.number, first.short_code, first.amount) == (4, NUMBER, "4446", 10 * RUB)
    assert format_micros(second.amount) == "41.67"


def test_the_same_file_twice_is_one_run(office: Office) -> None:
    first = office.stage(office.russian(a_row()))

    second = office.stage(office.russian(a_row(), name="a copy.csv"), author="ben")
    other = office.stage(office.russian(a_row(1), name="another.csv"))

    assert (second.run, second.is_new, second.rows, second.total) == (first.run, False, 1, 5 * RUB)
    assert other.run != first.run
    assert office.row_count(first.run) == 1


def test_a_run_that_was_dismissed_gives_its_file_free(office: Office) -> None:
    path = office.russian(a_row())
    first = office.stage(path).run

    dismiss(office.database, first, None, by="olga", reason="wrong month", now=LATER)
    second = office.stage(path)

    assert second.is_new
    with office.database.read() as connection:
        assert standing(connection, first).run.state is RunState.DISMISSED


def test_a_staging_that_was_broken_off_is_begun_anew(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    path = office.russian(*(a_row(after) for after in range(30)))
    monkeypatch.setattr(staging, "BATCH", 10)
    told: list[int] = []

    def dies(done: int, of: int) -> None:
        told.append(done)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(office.database, path, operator="alpha", month=202410, author="olga", now=LATER, progress=dies)
    staged = office.stage(path, author="ben")

    assert (staged.is_new, staged.rows, office.row_count(staged.run)) == (True, 30, 30)
    with office.database.read() as connection:
        assert standing(connection, staged.run).run.author == "ben"


def test_of_two_who_stage_one_file_at_once_the_first_one_ends(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    path = office.russian(*(a_row(after) for after in range(30)))
    monkeypatch.setattr(staging, "BATCH", 10)
    runs: list[int] = []

    def meanwhile(done: int, of: int) -> None:
        if not runs:
            runs.append(office.stage(path, author="ben").run)

    with pytest.raises(UserMistake, match="somebody else began to work on it"):
        stage(office.database, path, operator="alpha", month=202410, author="olga", now=LATER, progress=meanwhile)

    assert office.row_count(runs[0]) == 30
    with office.database.read() as connection:
        assert standing(connection, runs[0]).run.state is RunState.STAGED


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (["Абонент", "Дата"], 'no column "Короткий номер" for short_code; the header has "Абонент", "Дата"'),
        ([], "there is no column .* the header has nothing"),
    ],
)
def test_a_header_that_does_not_fit_stages_nothing(lite: Office, header: list[str], why: str) -> None:
    path = lite.csv(header, [a_row()], encoding="cp1251", delimiter=";")

    with pytest.raises(UserMistake, match=why):
        lite.stage(path)

    with lite.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count(SettlementRun.id))).scalar_one() == 0


def test_a_file_of_which_no_row_can_be_read_stages_nothing(lite: Office) -> None:
    with pytest.raises(UserMistake, match=r"no row of the file can be read \(row 2: amount: \"5.00\" is not an amount"):
        lite.stage(lite.russian(*[a_row(paid="5.00")] * 5))
    with pytest.raises(UserMistake, match="no row of the file can be read"):
        lite.stage(lite.russian(*[a_row(paid="5.00")] * 5000))
    with pytest.raises(UserMistake, match="it has no rows"):
        lite.stage(lite.russian())

    with lite.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count(SettlementRun.id))).scalar_one() == 0


def test_what_cannot_be_staged_says_what_to_do(lite: Office) -> None:
    path = lite.russian(a_row())

    for operator, month, why in (
        ("gamma", 202410, "there is no operator 'gamma'; tollbridge dump shows them"),
        ("beta", 202410, "nobody said how files of beta are laid out"),
        ("alpha", 202411, "2024-11 is not over yet in Europe/Moscow"),
    ):
        with pytest.raises(UserMistake, match=why):
            stage(lite.database, path, operator=operator, month=month, author="olga", now=LATER)


def test_a_broken_sheet_leaves_nothing_behind(lite: Office) -> None:
    lite.relayout(SHEET)
    path = lite.sheet(*[["A", 79001112233, 4446, utc(0), 10, "ok"]] * 50)
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])

    with pytest.raises(UserMistake, match="cannot be read as XLSX"):
        lite.stage(path)

    with lite.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count(SettlementRun.id))).scalar_one() == 0
