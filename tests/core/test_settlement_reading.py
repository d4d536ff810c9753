"""One raw row of an operator's file: what is read, and what is listed with its reason."""

from datetime import datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import iso_of
from core.money import format_micros
from core.settlement.columns import ColumnMap, map_fault, map_of
from core.settlement.reading import Cell, ColumnsMissing, FileRow, RowReader, TotalLine, Unreadable

RUSSIAN = ColumnMap(
    number="Абонент", short_code="Короткий номер", time=("Дата", "Время"), price="Цена, руб.", amount="К выплате",
    refused="Статус", refused_marks=("Отказ", "нет средств"), amounts="payout", prices="gross",
    time_format="%d.%m.%Y %H:%M:%S", zone="Europe/Moscow", decimal=",", total="Итого",
)  # fmt: skip
HEADER = ["№", "Дата", "Время", "Абонент", "Короткий номер", "Цена, руб.", "К выплате", "Статус"]
KEYED = ColumnMap(key="id", number="msisdn", amount="amount")


def russian(*cells: Cell, line: int = 2) -> FileRow | Unreadable | TotalLine | None:
    return RowReader(RUSSIAN, HEADER).read(line, cells)


def reason(found: FileRow | Unreadable | TotalLine | None) -> str:
    assert isinstance(found, Unreadable), found
    return found.reason


def keyed(*cells: Cell) -> FileRow | Unreadable | TotalLine | None:
    return RowReader(KEYED, ["id", "msisdn", "amount"]).read(2, cells)


def test_a_row_with_a_decimal_comma_two_columns_of_time_and_a_zone() -> None:
    row = russian("1", "05.10.2026", "15:04:05", "+7 900 111-22-33", "4446", "1 200,50", "500,2083", "Оплачено")

    assert isinstance(row, FileRow)
    assert (row.number, row.short_code, row.count, row.refused) == ("79001112233", "4446", 1, False)
    assert iso_of(row.at) == "2026-10-05T12:04:05.000Z"
    assert (format_micros(row.price), format_micros(row.amount)) == ("1200.50", "500.2083")


def test_a_refused_row_needs_no_amount() -> None:
    row = russian("1", "05.10.2026", "15:04:05", "79001112233", "4446", "", "", " НЕТ  средств ")

    assert isinstance(row, FileRow)
    assert (row.refused, row.price, row.amount) == (True, 0, 0)


def test_an_amount_below_zero_takes_back_what_was_paid() -> None:
    row = keyed("A1", "79001112233", "-12.00")

    assert isinstance(row, FileRow)
    assert (row.refused, row.amount) == (True, -12_000_000)


def test_typed_cells_of_a_sheet_are_read_as_they_are() -> None:
    day, hour = datetime(2026, 10, 5), time(15, 4, 5)  # noqa: DTZ001

    row = russian(1, day, hour, 79001112233, 4446, Decimal("12.5"), 5, "")

    assert isinstance(row, FileRow)
    assert (row.number, row.short_code, row.price, row.amount) == ("79001112233", "4446", 12_500_000, 5_000_000)
    assert iso_of(row.at) == "2026-10-05T12:04:05.000Z"


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (("1", "32.10.2026", "12:00:00", "79001112233", "4446", "12", "5", ""),
         'time: "32.10.2026 12:00:00" is not written like %d.%m.%Y %H:%M:%S'),
        (("1", "", "", "79001112233", "4446", "12", "5", ""), "time: is empty"),
        (
            ("1", "05.10.2026", "12:00:00", "аноним", "4446", "12", "5", ""),
            'number: "аноним" is no subscriber\'s number',
        ),
        (("1", "05.10.2026", "12:00:00", "79001112233", "", "12", "5", ""), "short_code: is empty"),
        (("1", "05.10.2026", "12:00:00", "79001112233", "4446", "12", "", ""), "amount: is empty"),
        (("1", "05.10.2026", "12:00:00", "79001112233", "4446", "12", "5.00", ""),
         'amount: "5.00" is not an amount with a decimal comma; see decimal'),
        (("1", "05.10.2026", "12:00:00", "79001112233", "4446", "12", "41,6666667", ""),
         "amount: '41.6666667' has more than six decimals; amounts are never rounded"),
        (("1", "05.10.2026", "12:00:00", "79001112233", "4446", "12", "пять", ""),
         "amount: 'пять' is not an amount; write it like 12.50"),
        (("1", "05.10.2026", "12:00:00", "790011122\udcff", "4446", "12", "5", ""),
         "number: holds bytes that are no utf-8; is it the file's encoding?"),
        (("1", "05.10.1926", "12:00:00", "79001112233", "4446", "12", "5", ""),
         "time: 1926 is no year that a message could be of"),
    ],
)  # fmt: skip
def test_a_bad_row_is_listed_with_its_reason(cells: tuple[Cell, ...], why: str) -> None:
    assert reason(russian(*cells)) == why


def test_an_id_that_a_sheet_has_rounded_is_not_taken_for_an_id() -> None:
    assert "let the operator write it as text" in reason(keyed("9,11742E+17", "79001112233", "5"))
    assert "let the operator write it as text" in reason(keyed(Decimal("9.11742853120000E+17"), "79001112233", "5"))


def test_a_masked_number_is_no_fault_where_the_id_tells_the_message() -> None:
    row = keyed("A1", "7900***33", "5")

    assert isinstance(row, FileRow)
    assert (row.key, row.number) == ("A1", "")


def test_a_short_row_lacks_what_stands_behind_its_end() -> None:
    assert reason(keyed("A1", "79001112233")) == "amount: is empty"


def test_an_empty_row_is_nothing_and_a_total_is_no_message() -> None:
    assert russian("", "", "", "", "", "", "", "") is None
    assert russian("ИТОГО:", "", "", "", "", "", "1 234,50", "") == TotalLine(2, 1_234_500_000)
    assert russian("Итого по файлу", "", "", "", "", "", "?", "") == TotalLine(2, None)


def test_a_price_without_an_amount_is_that_of_each() -> None:
    counts = ColumnMap(time=("day",), short_code="code", count="n", price="price")

    row = RowReader(counts, ["day", "code", "n", "price"]).read(2, ["2026-10-05", "4446", "1 000", "12.00"])

    assert isinstance(row, FileRow)
    assert (row.count, row.price, row.amount) == (1000, 12_000_000, 12_000_000_000)


def test_an_amount_without_a_price_is_divided_only_where_it_divides() -> None:
    counts = ColumnMap(time=("day",), short_code="code", count="n", amount="sum")
    reader = RowReader(counts, ["day", "code", "n", "sum"])

    whole, broken = (reader.read(2, ["2026-10-05", "4446", "3", text]) for text in ("36.00", "100.00"))

    assert isinstance(whole, FileRow)
    assert isinstance(broken, FileRow)
    assert (whole.price, broken.price, broken.amount) == (12_000_000, 0, 100_000_000)


def test_an_amount_that_no_database_holds_is_refused() -> None:
    counts = ColumnMap(time=("day",), short_code="code", count="n", price="price")

    row = RowReader(counts, ["day", "code", "n", "price"]).read(2, ["2026-10-05", "4446", "9" * 12, "9000000000"])

    assert reason(row) == "price: price × count is too large"


@pytest.mark.parametrize(
    ("form", "written"),
    [("iso", "2026-10-05T15:04:05+03:00"), ("unix", "1791201845"), ("unix_ms", "1791201845999")],
)
def test_times_with_an_offset_are_believed_and_unix_times_are_utc(form: str, written: str) -> None:
    columns = ColumnMap(number="n", short_code="c", time=("t",), price="p", time_format=form, zone="Asia/Tokyo")

    row = RowReader(columns, ["n", "c", "t", "p"]).read(2, ["79001112233", "4446", written, "12"])

    assert isinstance(row, FileRow)
    assert iso_of(row.at) == "2026-10-05T12:04:05.000Z"


def test_a_header_without_a_column_of_the_map_says_what_it_has() -> None:
    with pytest.raises(ColumnsMissing, match='no column "msisdn" for number; the header has "id", "phone"'):
        RowReader(KEYED, ["id", "phone", "", "amount"])


def test_headers_are_found_whatever_their_case_and_spaces() -> None:
    row = RowReader(KEYED, ["\ufeffID ", " MSISDN", "Amount"]).read(2, ["A1", "79001112233", "1,200.50"])

    assert isinstance(row, FileRow)
    assert row.amount == 1_200_500_000


def test_columns_without_a_header_are_named_by_their_numbers() -> None:
    row = RowReader(ColumnMap(key=3, amount=1, header=0), []).read(1, ["12.00", "", "A1"])

    assert isinstance(row, FileRow)
    assert (row.key, row.amount) == ("A1", 12_000_000)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        (ColumnMap(key="id"), "names neither price nor amount"),
        (ColumnMap(price="p", time=("t",)), "needs short_code and count too"),
        (ColumnMap(number="n", price="p", time=("t",)), "needs time and short_code too"),
        (ColumnMap(key="k", price="p", refused="r"), "needs refused (a column) and refused_marks"),
        (ColumnMap(key="k", price=2, header=0), "named by their numbers"),
        (ColumnMap(key="k", price="p"), ""),
    ],
)
def test_a_map_by_which_nothing_can_be_matched_is_told(columns: ColumnMap, why: str) -> None:
    found = map_fault(columns)

    assert why in found
    assert bool(why) == bool(found)


def test_what_is_stored_is_the_map_again() -> None:
    assert map_of({"key": "id", "time": ["a", "b"], "tolerance": 10_000, "from_a_later_version": 1}) == ColumnMap(
        key="id", time=("a", "b"), tolerance=10_000
    )
    assert map_of({}) is None
    assert map_of(None) is None


CELLS = st.one_of(
    st.text(max_size=30), st.integers(), st.decimals(allow_nan=False, allow_infinity=False),
    st.datetimes(), st.times(), st.sampled_from(["79001112233", "4446", "05.10.2026", "12:00:00", "12,5"]),
)  # fmt: skip


@given(cells=st.lists(CELLS, max_size=9))
def test_whatever_a_row_holds_it_is_read_or_says_why_not(cells: list[Cell]) -> None:
    found = russian(*cells)

    if isinstance(found, Unreadable):
        assert found.reason.isprintable()
        assert len(found.reason) <= 200
    elif isinstance(found, FileRow):
        assert (found.number + found.short_code + found.key).isprintable()
        assert -(2**63) < found.amount < 2**63
