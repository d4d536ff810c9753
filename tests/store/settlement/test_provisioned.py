"""The layout of an operator's files as provisioning takes it, keeps it and gives it back."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import ProvisioningError
from core.settlement.columns import ColumnMap, map_of
from store.database import Database, connect
from store.provisioning import Refused, dump, load, load_values
from store.schema import AuditLog
from store.snapshot import read_catalogue
from tests import services
from tests.store.settlement.office import COUNTS, ISO, KEYRING, RUSSIAN, SHEET

NOW = 1_735_000_000_000
OPERATOR = '[[operator]]\ncode = "alpha"\ncountry = "RU"\ncurrency = "RUB"\nvat = "0.20"\n'


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Database]:
    database = connect(services.fresh_sqlite(tmp_path))
    yield database
    database.close()


def put(database: Database, settlement: str) -> None:
    load(database, f"{OPERATOR}{settlement and f'settlement = {settlement}'}\n", "f.toml", NOW, KEYRING)


def layout(database: Database) -> ColumnMap | None:
    with database.read() as connection:
        return map_of(read_catalogue(connection, KEYRING).operators["alpha"].settlement)


@pytest.mark.parametrize(
    "text", [RUSSIAN, ISO, SHEET, COUNTS, '{ key = 3, amount = 1, header = 0, tolerance = "0.01" }']
)
def test_a_dump_is_the_same_layout_again(database: Database, lite: Database, text: str) -> None:
    put(database, text)
    text = dump(database, KEYRING)

    load(lite, text, "f.toml", NOW, KEYRING)

    assert layout(database) == layout(lite)
    assert dump(lite, KEYRING) == text
    assert not load(database, text, "f.toml", NOW, KEYRING).changed_anything


def test_a_file_without_it_leaves_it_and_another_one_replaces_it(database: Database) -> None:
    put(database, RUSSIAN)
    russian = layout(database)

    put(database, "")
    assert layout(database) == russian
    put(database, '{ key = "id", amount = "sum" }')
    assert layout(database) == ColumnMap(key="id", amount="sum")
    put(database, "{}")
    assert layout(database) is None
    assert "settlement" not in tomllib.loads(dump(database, KEYRING))["operator"][0]


def test_the_audit_log_tells_it(database: Database) -> None:
    put(database, "")
    put(database, '{ key = "id", amount = "sum" }')

    with database.read() as connection:
        row = connection.execute(sa.select(AuditLog).order_by(AuditLog.id.desc()).limit(1)).one()
    assert (row.before, row.after["settlement"]["key"]) == ({"settlement": None}, "id")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{ kee = "id", amount = "a" }', "operator.settlement.kee: there is no such key; did you mean key?"),
        ('{ key = "id" }', "operator.settlement: names neither price nor amount"),
        ('{ number = "n", amount = "a" }', "finds messages by their number, and that needs time and short_code too"),
        ('{ key = 0, amount = "a" }', "settlement.key: must be the text of a column's header in quotes, or its number"),
        ('{ key = "id", amount = "a", header = 0 }', "columns are named by their numbers, from 1"),
        ('{ key = "id", amount = "a", time = ["a", "b", "c"] }', "settlement.time: must be one column, or two"),
        ('{ key = "id", amount = "a", amounts = "brutto" }', 'amounts: must be "gross", "net" or "payout"'),
        ('{ key = "id", amount = "a", prices = "brutto" }', 'prices: must be "gross", "net" or "payout"'),
        ('{ key = "id", amount = "a", time_format = "DD.MM.YYYY" }', "a pattern with day, month and year like"),
        ('{ key = "id", amount = "a", time_format = "%H:%M" }', "a pattern with day, month and year like"),
        ('{ key = "id", amount = "a", time_format = "izo" }', "did you mean iso?"),
        ('{ key = "id", amount = "a", zone = "Europe/Moskow" }', "did you mean Europe/Moscow?"),
        ('{ key = "id", amount = "a", encoding = "cp1521" }', "encoding: must be"),
        ('{ key = "id", amount = "a", delimiter = "\\t" }', 'delimiter: must be ",", ";", "|" or "tab"'),
        ('{ key = "id", amount = "a", decimal = ";" }', 'decimal: must be "." or ","'),
        ('{ key = "id", amount = "a", tolerance = 0.01 }', "tolerance: is a float, and money is never a float"),
        ('{ key = "id", amount = "a", refused = "r" }', "needs refused (a column) and refused_marks"),
        ('{ key = "id", amount = "a", refused = "r", refused_marks = [""] }', "refused_marks: must be what stands in"),
        ('"id"', "operator.settlement: must be a table"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_key_and_says_what_to_write(lite: Database, text: str, why: str) -> None:
    with pytest.raises(ProvisioningError) as raised:
        put(lite, text)

    assert str(raised.value).startswith("f.toml:6: operator.settlement"), raised.value
    assert why in str(raised.value)


def test_values_that_do_not_come_from_a_file_are_checked_too(lite: Database) -> None:
    operator = {"code": "alpha", "country": "RU", "currency": "RUB", "vat": "0.20", "settlement": {"key": True}}

    with pytest.raises(Refused, match=r"operator.settlement.key: must be the text"):
        load_values(lite, {"operator": [operator]}, now=NOW, keyring=KEYRING, who="olga")
