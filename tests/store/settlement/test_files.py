"""Files as they come: three shapes that operators write, and what a broken or hostile file cannot do."""

import contextlib
import zipfile
from datetime import time
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserMistake
from core.settlement.columns import ColumnMap
from core.settlement.reading import Cell
from store.settlement import xlsx_file
from store.settlement.files import CELL_MAX, Line, open_file

CSV = ColumnMap(key="id", amount="amount")


def lines(path: Path, columns: ColumnMap = CSV) -> list[Line]:
    with open_file(path, columns) as file:
        return list(file.lines())


def cells(path: Path, columns: ColumnMap = CSV) -> list[list[Cell]]:
    return [line.cells for line in lines(path, columns)]


def a_file(folder: Path, content: bytes | str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_byte_order_mark_and_all_ends_of_lines_are_no_part_of_cells(tmp_path: Path) -> None:
    path = a_file(tmp_path, b"\xef\xbb\xbfid,amount\r\nA,1\rB,2\nC,3")

    assert cells(path) == [["id", "amount"], ["A", "1"], ["B", "2"], ["C", "3"]]


def test_another_encoding_and_delimiter(tmp_path: Path) -> None:
    path = a_file(tmp_path, "Абонент\tСумма\nиванов\t1,5\n".encode("utf-16"))

    assert cells(path, ColumnMap(encoding="utf-16", delimiter="tab")) == [["Абонент", "Сумма"], ["иванов", "1,5"]]


def test_a_quoted_cell_may_hold_ends_of_lines_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = a_file(tmp_path, 'id,amount\n"A\nB",1\nC,2\n')

    assert [(line.number, line.cells) for line in lines(path)] == [
        (1, ["id", "amount"]), (2, ["A\nB", "1"]), (4, ["C", "2"])
    ]  # fmt: skip


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    rows = "".join(f"K{n},{n}\n" for n in range(300))
    path = a_file(tmp_path, f'id,amount\n"A,1\n{rows}')

    found = lines(path)

    assert [line.problem for line in found if line.problem] == ["a quote is not closed within 50 lines"]
    assert [line.cells for line in found if not line.problem][1:] == [[f"K{n}", str(n)] for n in range(300)]
    assert [line.number for line in found] == list(range(1, 303))


def test_octets_of_another_encoding_are_marked_and_the_rest_is_read(tmp_path: Path) -> None:
    path = a_file(tmp_path, b"id,amount\n\xcf\xf0,1\nB,2\n")

    assert cells(path) == [["id", "amount"], ["\udccf\udcf0", "1"], ["B", "2"]]


def test_a_line_without_end_and_a_huge_cell_are_bad_rows(tmp_path: Path) -> None:
    path = a_file(tmp_path, "id,amount\n" + "x" * 3_000_000 + "\nB,2\n" + "y" * (CELL_MAX + 1) + ",3\nC,4\n")

    assert [(line.cells, line.problem) for line in lines(path)][1:] == [
        ([], "the line is longer than 65536 characters"), (["B", "2"], ""),
        ([], f"a cell has {CELL_MAX + 1} characters; {CELL_MAX} at most are read"), (["C", "4"], ""),
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=400))
def test_no_octets_stop_the_reading_of_a_csv(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = a_file(tmp_path_factory.mktemp("any"), b"id\n" + content)

    for encoding in ("utf-8", "cp1251", "gb18030"):
        assert lines(path, ColumnMap(encoding=encoding))
    with contextlib.suppress(UserMistake):
        lines(path, ColumnMap(encoding="utf-16"))


def test_what_is_no_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    for path, why in (
        (tmp_path / "none", "No such file"),
        (a_file(tmp_path, b""), "is empty"),
        (a_file(tmp_path, b"\xd0\xcf\x11\xe0xxxx", "a.xls"), "save it as XLSX or CSV"),
        (a_file(tmp_path, b"PK\x03\x04xxxx", "a.xlsx"), "cannot be read as XLSX"),
    ):
        with pytest.raises(UserMistake, match=why):
            lines(path)


# --- sheets -----------------------------------------------------------------------------------------------


def a_book(folder: Path, *rows: list[object], title: str = "MO") -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(row)
    path = folder / "a.xlsx"
    book.save(path)
    return path


def test_typed_cells_of_a_sheet(tmp_path: Path) -> None:
    path = a_book(tmp_path, ["id", 79001112233, 12.5, 0.1 + 0.2, 1e15, None, True, time(12, 4)], [], ["x"])

    found = cells(path, ColumnMap(sheet="MO"))

    assert found[0][:8] == ["id", 79001112233, Decimal("12.5"), Decimal("0.3"), 10**15, "", "1", time(12, 4)]
    assert found[2][0] == "x"
    assert not any(cell != "" for cell in found[1])


def test_rows_are_cut_behind_the_columns_that_are_needed(tmp_path: Path) -> None:
    path = a_book(tmp_path, ["a", "b", "c"], [1, 2, 3], [4, 5, 6])

    with open_file(path, CSV) as file:
        rows = file.lines()
        first = next(rows)
        file.needs(2)
        rest = list(rows)

    assert (first.cells[:3], [line.cells for line in rest]) == (["a", "b", "c"], [[1, 2], [4, 5]])
    assert [line.number for line in rest] == [2, 3]


def test_a_sheet_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="there is no sheet 'MT'; there are 'MO'"):
        lines(a_book(tmp_path, ["id"]), ColumnMap(sheet="MT"))


def repacked(path: Path, part: str, content: bytes) -> Path:
    """The same archive with another part."""
    other = path.with_name("b.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
        if part not in old.namelist():
            new.writestr(part, content)
    return other


SHEET1 = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize(
    ("part", "content", "why"),
    [
        ("xl/sharedStrings.xml", b"<sst>" + b"<si><t>x</t></si>" * 4_500_000 + b"</sst>", "unpacks to 72 MiB, more"),
        ("xl/strings.bin", b"<sst>" + b"<si><t>x</t></si>" * 1_200_000 + b"</sst>", "strings.bin unpacks to 19 MiB"),
        ("xl/strings.bin", b"  <sst><si><t>" + b"x" * 2_000_000, "strings.bin holds a cell of many megabytes"),
        (SHEET1, b"<worksheet><sheetData><row><c><is><t>" + b"x" * 2_000_000, "holds a cell of many megabytes"),
        (SHEET1, b"<worksheet><sheetData>" + b"<c><v>1</v></c>" * 1_500_000, "holds a row of many megabytes"),
        (SHEET1, b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet/>', "declares entities"),
        (SHEET1, "<worksheet/>".encode("utf-16"), "is not written in UTF-8"),
        (SHEET1, b"<worksheet><sheetData><row>", "cannot be read as XLSX"),
    ],
)  # fmt: skip
def test_what_would_fill_the_memory_is_not_opened(tmp_path: Path, part: str, content: bytes, why: str) -> None:
    path = repacked(a_book(tmp_path, ["id", "text"]), part, content)

    with pytest.raises(UserMistake, match=why):
        lines(path)


def test_a_bomb_of_a_gigabyte_is_refused_by_its_size_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_file, "SHEET_MAX", 1 << 20)
    path = repacked(a_book(tmp_path, ["id"]), SHEET1, b"<worksheet>" + b" " * (2 << 20))

    assert path.stat().st_size < 20_000
    with pytest.raises(UserMistake, match="unpacks to 2 MiB, more than 1"):
        lines(path)


def test_a_row_far_below_is_no_million_of_rows(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in (1, 999_999_999))
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    path = repacked(a_book(tmp_path, ["id"]), SHEET1, sheet.encode())

    with open_file(path, CSV) as file:
        file.needs(1)
        found = [line.number for line in file.lines() if any(cell != "" for cell in line.cells)]

    assert found == [1]
