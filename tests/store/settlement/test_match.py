"""Matching on both databases: by id, by number and time, and what neither side may keep to itself."""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pytest

from core.clock import iso_of
from core.errors import UserMistake
from core.settlement import RunState, Verdict
from store.acts import Acts, Draft
from store.database import Database, connect
from store.pruning import prune_some
from store.schema import Mo
from store.settlement import by_message
from store.settlement.look import standing
from store.settlement.match import match
from tests import services
from tests.store.settlement.office import ISO, RUB, SHEET, Office, moment, moscow, utc
from tests.store.test_corrections import act

NUMBER = "79001112233"
OTHER = "79001112244"


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


def iso(key: str, after: int = 0, price: str = "12.00", number: str = NUMBER, code: str = "4446") -> list[str]:
    return [key, number, code, iso_of(moment(after)), price]


def test_every_kind_of_difference_by_number_and_time(office: Office) -> None:
    ids = [office.mo(after=after) for after in (0, 1000, 2000, 3000)]
    path = office.russian(
        a_row(10), a_row(10), a_row(990, paid="4,00"), a_row(2000, state="Отказ", paid="0"), a_row(9000)
    )

    run = office.matched(path)

    assert [(row.line, row.verdict.word, row.mo_id, row.due // RUB) for row in office.rows(run)] == [
        (0, "missing_there", ids[3], -5),
        (2, "matched", ids[0], 0),
        (3, "duplicate_there", ids[0], 0),
        (4, "price_differs", ids[1], -1),
        (5, "refused_there", ids[2], -5),
        (6, "missing_here", 0, 5),
    ]
    assert office.sums(run) == {
        "matched": (1, 0), "missing_there": (1, -5 * RUB), "missing_here": (1, 5 * RUB),
        "price_differs": (1, -RUB), "duplicate_there": (1, 0), "refused_there": (1, -5 * RUB),
    }  # fmt: skip
    assert office.journal.audit() == []


def test_the_operators_id_decides_whatever_number_and_time_say(office: Office) -> None:
    office.relayout(ISO)
    first, second = office.mo(key="A-1"), office.mo(after=10, key="A-2")

    run = office.matched(
        office.iso(
            iso("A-2", 0, number=OTHER), iso("A-1", 7200), iso("A-1", 10), iso("A-9", 0, number=OTHER), iso("A-9", 0)
        )
    )

    assert [(row.line, row.verdict.word, row.mo_id) for row in office.rows(run)] == [
        (2, "matched", second), (3, "matched", first), (4, "duplicate_there", first), (5, "missing_here", 0),
        (6, "missing_here", 0),
    ]  # fmt: skip


def test_ids_without_numbers_and_the_same_id_twice(office: Office) -> None:
    office.relayout('{ key = "message_id", price = "gross" }')
    mo = office.mo(key="A-1")

    run = office.matched(office.iso(iso("A-1"), iso("A-1"), iso("X"), iso("X")))

    assert [(row.verdict.word, row.mo_id) for row in office.rows(run)] == [
        ("matched", mo), ("duplicate_there", mo), ("missing_here", 0), ("duplicate_there", 0)
    ]  # fmt: skip


def test_what_has_no_id_here_is_found_by_number(office: Office) -> None:
    office.relayout(ISO)
    mo = office.mo()

    run = office.matched(office.iso(iso("A-1", 30)))

    assert [(row.verdict.word, row.mo_id) for row in office.rows(run)] == [("matched", mo)]


def test_an_id_that_an_operator_uses_again_on_another_day_is_another_message(office: Office) -> None:
    office.relayout(ISO)
    first = office.mo(key="7")
    prune_some(office.database, "identity", moment(3 * 86_400))
    second = office.mo(after=3 * 86_400, key="7")

    run = office.matched(office.iso(iso("7", 3 * 86_400), iso("7", 0)))

    assert [(row.verdict.word, row.mo_id) for row in office.rows(run)] == [("matched", second), ("matched", first)]


def test_a_very_long_id_is_known_by_its_hash(office: Office) -> None:
    office.relayout(ISO)
    # As the SMPP door writes a TLV that is longer than a column (smsc_link/protocols/smpp/inbound.py).
    mo = office.mo(key=blake2b(b"K" * 150, digest_size=32).hexdigest())

    run = office.matched(office.iso(iso("K" * 150)))

    assert [(row.verdict.word, row.mo_id) for row in office.rows(run)] == [("matched", mo)]


def test_a_long_message_is_one_row_or_one_for_each_sms(office: Office) -> None:
    whole, each, some = (
        office.mo(after=0, parts=3), office.mo(after=1000, parts=3), office.mo(after=2000, parts=3)
    )  # fmt: skip

    run = office.matched(
        office.russian(
            a_row(0, price="36,00", paid="15,00"), a_row(1000), a_row(1001), a_row(1002), a_row(2000)
        )
    )  # fmt: skip

    assert [(row.line, row.verdict.word, row.mo_id, row.ours // RUB) for row in office.rows(run)] == [
        (0, "missing_there", some, 5), (0, "missing_there", some, 5),
        (2, "matched", whole, 15), (3, "matched", each, 5), (4, "matched", each, 5), (5, "matched", each, 5),
        (6, "matched", some, 5),
    ]  # fmt: skip


def test_the_id_of_a_long_message_is_that_of_its_last_part(office: Office) -> None:
    office.relayout(ISO)
    mo = office.mo(key="C#3", parts=3)

    run = office.matched(office.iso(iso("A", 0), iso("B", 1), iso("C", 2)))

    assert [(row.verdict.word, row.mo_id) for row in office.rows(run)] == [("matched", mo)] * 3


def test_a_sheet_of_net_amounts(office: Office) -> None:
    office.relayout(SHEET)
    first, second = office.mo(key="A-1"), office.mo(after=600, key="A-2")

    run = office.matched(
        office.sheet(["A-1", 79001112233, 4446, utc(0), 10, "ok"], ["A-2", 79001112233, 4446, utc(600), 8.0, "ok"])
    )

    assert [(row.verdict.word, row.mo_id, row.due // RUB) for row in office.rows(run)] == [
        ("matched", first, 0), ("price_differs", second, -1)
    ]  # fmt: skip


def test_messages_of_nobody_are_owed_too_and_free_ones_are_not(office: Office) -> None:
    nobodys = office.mo(text="HELLO")
    office.relayout('{ number = "Абонент", short_code = "Короткий номер", time = ["Дата", "Время"], price = "Цена" }')

    assert office.journal.rows(Mo)[0].suspense == 5 * RUB
    run = office.matched(office.csv(["Абонент", "Короткий номер", "Дата", "Время", "Цена"], [
        [NUMBER, "4446", "2024-10-15", "12:00:00", "12.00"]
    ]))  # fmt: skip

    assert [(row.verdict.word, row.mo_id) for row in office.rows(run)] == [("matched", nobodys)]


def test_a_message_without_a_tariff_is_named_and_stays_open(office: Office) -> None:
    mo = office.mo(code="9999")

    run = office.matched(office.russian(["1", *moscow(0), NUMBER, "9999", "12,00", "5,00", ""]))

    (row,) = office.rows(run)
    assert (row.verdict, row.mo_id, row.due) == (Verdict.MISSING_HERE, mo, 5 * RUB)
    assert "our message waits for a tariff" in row.problem


def test_a_message_that_was_given_back_is_not_owed(office: Office) -> None:
    mo, lost = office.mo(), office.mo(after=1000)
    act(office.clerk, "charge_back", [mo, lost])

    run = office.matched(office.russian(a_row()))

    assert [(row.line, row.verdict.word, row.mo_id, row.due) for row in office.rows(run)] == [
        (2, "missing_here", mo, 5 * RUB)
    ]


def test_what_we_refunded_ourselves_is_not_owed_and_its_partner_keeps_its_part(office: Office) -> None:
    mo = office.mo()
    Acts(office.clerk, 100 * RUB).ask(Draft("refund", "olga", "our mistake", (mo,), {"paid_by": "us"}))
    kept = office.balances()

    run = office.matched(office.russian(a_row(9000)))

    assert [(row.line, row.verdict.word, row.mo_id) for row in office.rows(run)] == [(2, "missing_here", 0)]
    assert office.balances() == kept


def test_only_the_month_is_asked_for_and_its_border_is_the_operators(office: Office) -> None:
    border = 16 * 86_400 + 9 * 3600  # 2024-10-31T21:00:00Z is November in Moscow
    inside, outside = office.mo(after=border - 1), office.mo(after=border)

    run = office.matched(office.russian(a_row(99_999)))
    other = office.matched(office.russian(a_row(border - 60), a_row(border + 60), name="both.csv"))

    assert [(row.line, row.mo_id) for row in office.rows(run)] == [(0, inside), (2, 0)]
    assert [(row.verdict.word, row.mo_id) for row in office.rows(other)] == [("matched", inside), ("matched", outside)]


def test_what_another_file_lists_is_a_duplicate_here_and_not_missing(office: Office) -> None:
    first, second = office.mo(), office.mo(after=1000)
    one = office.matched(office.russian(a_row()))
    assert [(row.verdict.word, row.mo_id) for row in office.rows(one)] == [
        ("missing_there", second), ("matched", first)
    ]  # fmt: skip

    two = office.matched(office.russian(a_row(), a_row(1000), name="second.csv"))
    match(office.database, one)

    assert [(row.verdict.word, row.mo_id) for row in office.rows(two)] == [
        ("duplicate_there", first), ("matched", second)
    ]  # fmt: skip
    assert [(row.verdict.word, row.mo_id) for row in office.rows(one)] == [("matched", first)]


def test_another_operators_messages_are_nobodys_business_here(office: Office) -> None:
    fact = office.journal.mo(
        "GAME 1", operator=office.journal.catalogue.operators["beta"], at=moment(0), source=NUMBER
    )  # fmt: skip
    office.journal.take(fact)

    run = office.matched(office.russian(a_row()))

    assert office.verdicts(run) == [(2, "missing_here")]


def test_matching_again_gives_the_same_and_sees_what_is_new(office: Office) -> None:
    office.mo()
    run = office.matched(office.russian(a_row(), a_row(5000)))
    before = office.rows(run)

    match(office.database, run)
    again = office.rows(run)
    late = office.mo(after=5000)
    match(office.database, run)

    assert again == before
    assert [(row.verdict.word, row.mo_id) for row in office.rows(run)][1] == ("matched", late)


def test_a_matching_that_was_broken_off_is_begun_anew(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_message, "BATCH", 2)
    mos = [office.mo(after=1000 * n, number=f"7900111{n:04d}") for n in range(6)]
    rows = [a_row(1000 * n, f"7900111{n:04d}") for n in range(5)]
    run = office.stage(office.russian(*rows)).run

    def dies(done: int, of: int) -> None:
        if done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        match(office.database, run, progress=dies)
    with office.database.read() as connection:
        assert standing(connection, run).run.state is RunState.STAGED
    match(office.database, run)

    assert [(row.line, row.verdict.word, row.mo_id) for row in office.rows(run)] == [
        (0, "missing_there", mos[5]), *((n + 2, "matched", mos[n]) for n in range(5))
    ]  # fmt: skip


def test_who_matches_it_meanwhile_ends_the_one_before(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_message, "BATCH", 2)
    for n in range(6):
        office.mo(after=1000 * n, number=f"7900111{n:04d}")
    run = office.stage(office.russian(*(a_row(1000 * n, f"7900111{n:04d}") for n in range(6)))).run
    began: list[int] = []

    def meanwhile(done: int, of: int) -> None:
        if not began:
            began.append(1)
            match(office.database, run)

    with pytest.raises(UserMistake, match="somebody else began to work on it"):
        match(office.database, run, progress=meanwhile)

    assert office.sums(run) == {"matched": (6, 0)}


def test_what_is_not_to_be_matched_says_what_to_do(lite: Office) -> None:
    with pytest.raises(UserMistake, match="there is no settlement run 7; see: tollbridge settle list"):
        match(lite.database, 7)


def test_rows_outside_the_month_are_found_by_their_ids(lite: Office) -> None:
    lite.relayout(ISO)
    mo = lite.mo(after=-20 * 86_400, key="S-1")

    run = lite.matched(lite.iso(iso("S-1", -20 * 86_400)))

    assert [(row.verdict.word, row.mo_id) for row in lite.rows(run)] == [("matched", mo)]
