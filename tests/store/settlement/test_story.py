"""The full story on both databases: messages come in, a file has every kind of difference, a person approves, the
operator pays; then the audit finds nothing and what is owed is what the file says."""

import random
from pathlib import Path

import pytest

from core.settlement import RunState, Verdict
from core.settlement.reading import FileRow
from store.database import Database
from store.settlement.look import standing
from store.settlement.paid import book_payment
from store.settlement.preview import preview
from tests.store.settlement.office import COUNTS, COUNTS_HEADER, ISO, RUB, SHEET, Office, moscow, utc
from tests.store.test_corrections import act

V = Verdict
ALL = (V.MISSING_THERE, V.MISSING_HERE, V.PRICE_DIFFERS, V.DUPLICATE_THERE, V.REFUSED_THERE)
RECEIVABLE = "operator:alpha:receivable"


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)


def settled(office: Office, run: int) -> int:
    """Everything is accepted; what the operator owes then."""
    office.later()
    with office.database.read() as connection:
        before = standing(connection, run)
    owed = office.balances().get(RECEIVABLE, 0)
    shown = preview(office.clerk, run, ALL)

    approved = office.approve(run, *ALL)

    assert (approved.left_open, approved.state, shown.problems) == (0, RunState.POSTED, 0)
    assert office.journal.audit() == []
    after = office.balances().get(RECEIVABLE, 0)
    assert after - owed == sum(one.due for one in before.sums)
    return after


def test_a_semicolon_file_in_cp1251_with_every_kind_of_difference(office: Office) -> None:
    """acme is on a volume plan: what is taken back moves its tier too."""
    chance = random.Random(7)
    numbers = [f"7900{chance.randrange(10**7):07d}" for _ in range(40)]
    for place, number in enumerate(numbers):
        office.mo(after=100 * place, number=number, text="GAME" if place % 7 else "NOBODY'S")
    rows = [["1", *moscow(100 * place + 7), number, "4446", "12,00", "5,00", "Оплачено"] for place, number in
            enumerate(numbers) if place % 10]  # fmt: skip
    rows[0][6], rows[1][6], rows[2][6:] = "3,50", "6,50", ["0,00", "Отказ"]
    rows.append(list(rows[5]))
    rows.append(["1", *moscow(9_000), "79991112233", "4446", "12,00", "5,00", ""])
    rows.append(["Итого", "", "", "", "", "", "185,00", ""])

    staged = office.stage(office.russian(*rows))
    run = office.matched(office.russian(*rows))
    owed = settled(office, run)

    assert run == staged.run
    assert {word: found[0] for word, found in office.sums(run).items()} == {
        "matched": 33, "missing_there": 4, "missing_here": 1, "price_differs": 2, "duplicate_there": 1,
        "refused_there": 1,
    }  # fmt: skip
    duplicate = 5 * RUB
    assert staged.told == staged.total == owed + duplicate
    paid = book_payment(office.clerk, "alpha", owed, bank="main", reference="PO 1", by="olga")
    assert (paid.owed, office.balances()["bank:main"]) == (0, owed)
    assert office.journal.audit() == []


def test_an_iso_file_of_gross_prices(office: Office) -> None:
    """What the operator pays of a gross price follows from the tariff: 5 of 12."""
    office.relayout(ISO)
    for place in range(6):
        office.mo(after=100 * place, key=f"A-{place}", number=f"7900111223{place}")
    rows = [
        [f"A-{place}", f"7900111223{place}", "4446", utc(100 * place).isoformat(), "12.00"] for place in range(1, 6)
    ]
    rows[0][4] = "6.00"
    rows.append(["B-1", "79991112233", "4446", utc(0).isoformat(), "24.00"])

    owed = settled(office, office.matched(office.iso(*rows)))

    assert owed == (4 * 12 + 6 + 24) * RUB * 5 // 12


def test_a_sheet_of_net_amounts_with_a_title(office: Office) -> None:
    office.relayout(SHEET)
    for place in range(4):
        office.mo(after=100 * place, key=f"A-{place}", number=f"7900111223{place}")
    rows = [[f"A-{place}", int(f"7900111223{place}"), 4446, utc(100 * place), 10, "ok"] for place in range(3)]
    rows[1][4], rows[2][5] = 10.5, "rejected"

    owed = settled(office, office.matched(office.sheet(*rows)))

    assert owed == (10 * RUB + 10 * RUB + RUB // 2) // 2


def test_a_file_that_counts(office: Office) -> None:
    office.relayout(COUNTS)
    for place in range(10):
        office.mo(after=100 * place, number=f"7900111223{place}", code="7733" if place > 6 else "4446")
    rows = [["2024-10-15", "4446", 5, "12.00", "25.00"], ["2024-10-15", "7733", 4, "24.00", "40.00"]]

    owed = settled(office, office.matched(office.csv(COUNTS_HEADER, rows)))

    assert owed == 65 * RUB


def test_two_months_of_one_operator(office: Office) -> None:
    """A message that October's file lacks and November's lists: charged back, then found again."""
    office.mo()
    october = office.matched(office.russian(["1", *moscow(7000), "79001112244", "4446", "12,00", "5,00", ""]))
    assert settled(office, october) == 5 * RUB

    second = office.matched(
        office.russian(["1", *moscow(0), "79001112233", "4446", "12,00", "5,00", ""], name="late.csv")
    )

    assert office.verdicts(second) == [(2, "missing_here")]
    assert settled(office, second) == 10 * RUB
    assert office.balances()["suspense:alpha"] == 10 * RUB


def test_what_is_held_or_in_suspense_is_charged_back_from_where_it_lies(office: Office) -> None:
    nobodys, mine = office.mo(text="HELLO"), office.mo(after=1000)
    assert office.balances()["suspense:alpha"] == 5 * RUB

    owed = settled(office, office.matched(office.russian(["1", *moscow(7000), "7999", "4446", "12,00", "5,00", ""])))

    assert owed == 5 * RUB
    assert office.balances()["suspense:alpha"] == 5 * RUB
    assert "partner:acme:earnings" not in office.balances()
    for id_ in (nobodys, mine):
        assert "given back" in str(act(office.clerk, "charge_back", [id_]))


def test_the_rows_that_are_stored_are_those_of_the_file(office: Office) -> None:
    run = office.stage(office.russian(["1", *moscow(0), "79001112233", "4446", "12,00", "5,00", ""])).run

    (row,) = office.rows(run)

    assert FileRow(row.line, row.key, row.number, row.short_code, row.at, row.count, row.price, row.amount, False) == (
        FileRow(2, "", "79001112233", "4446", office.clock.now() + 40 * 86_400_000, 1, 12 * RUB, 5 * RUB, False)
    )
