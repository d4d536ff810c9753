"""schema.py says what models/ say, and what both databases have."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from store.database import Database
from store.generate import PATH, write_schema
from store.schema import Base, Id, Json

ROOT = Path(__file__).parents[2]
# Our kind of a column → what a database may call it.
KINDS = {
    Json: (sa.Text, mysql.LONGTEXT),
    sa.BigInteger: (sa.BigInteger,),
    sa.Boolean: (sa.Boolean, mysql.TINYINT),
    sa.Integer: (sa.Integer,),
    sa.LargeBinary: (sa.LargeBinary, mysql.LONGBLOB),
    sa.SmallInteger: (sa.SmallInteger,),
    sa.String: (sa.String,),
    sa.Text: (sa.Text, mysql.LONGTEXT),
}


def test_the_committed_schema_is_what_the_models_say() -> None:
    assert PATH.read_text(encoding="utf-8") == write_schema(), "run `make schema`"


def test_a_stale_schema_is_told_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = (
        "import sys, pathlib, store.generate as g; g.PATH = pathlib.Path(sys.argv.pop()); sys.argv.append('--check');"
        "sys.exit(g.main())"
    )
    stale = tmp_path / "schema.py"
    stale.write_text("# old\n")

    done = subprocess.run(
        [sys.executable, "-c", script, str(stale)], check=False, cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "stale" in done.stderr
    assert "make schema" in done.stderr


def test_the_schema_needs_no_formatting() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", str(PATH)], check=False, cwd=ROOT, capture_output=True
    )

    assert done.returncode == 0, done.stdout


def test_the_engine_does_not_load_django() -> None:
    script = "import sys, store.database, store.migrate, store.triggers; sys.exit('django' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], check=False, cwd=ROOT)

    assert done.returncode == 0


def test_the_database_has_every_table_and_column_as_the_schema_says(database: Database) -> None:
    with database.read() as connection:
        there = sa.inspect(connection)
        found = set(there.get_table_names()) - {"django_migrations"}
        columns = {name: {column["name"]: column for column in there.get_columns(name)} for name in found}

    assert found == set(Base.metadata.tables)
    for name, table in Base.metadata.tables.items():
        assert set(columns[name]) == {column.name for column in table.columns}, name
        for column in table.columns:
            _assert_same(column, columns[name][column.name], database.dialect)


def test_the_database_has_every_key_and_index_as_the_schema_says(database: Database) -> None:
    with database.read() as connection:
        there = sa.inspect(connection)
        for name, table in Base.metadata.tables.items():
            key = there.get_pk_constraint(name)["constrained_columns"]
            # SQLAlchemy hides the indexes that SQLite makes for UNIQUE behind a column, unless asked.
            asked: dict[str, Any] = {"include_auto_indexes": True} if database.dialect == "sqlite" else {}
            indexes = there.get_indexes(name, **asked)
            unique = {tuple(index["column_names"]) for index in indexes if index["unique"]}
            plain = {tuple(index["column_names"]) for index in indexes if not index["unique"]}

            assert key == [column.name for column in table.primary_key.columns], name
            assert unique - {tuple(key)} == _unique(table), name
            # A database may use a longer index for a foreign key: one that begins with it.
            assert all(any(long[: len(short)] == short for long in plain | unique) for short in _plain(table)), name
            assert plain <= _plain(table), name


def _assert_same(wanted: sa.Column[Any], found: Any, dialect: str) -> None:
    where = f"{wanted.table.name}.{wanted.name}: {found}"
    kind = sa.Integer if wanted.type is Id and dialect == "sqlite" else type(wanted.type)
    assert isinstance(found["type"], KINDS[kind]), where
    assert bool(found["nullable"]) == bool(wanted.nullable), where
    if isinstance(wanted.type, sa.String) and kind is sa.String:
        assert getattr(found["type"], "length", None) == wanted.type.length, where


def _unique(table: sa.Table) -> set[tuple[str, ...]]:
    several = {
        tuple(column.name for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    }
    return several | {tuple(column.name for column in index.columns) for index in table.indexes if index.unique}


def _plain(table: sa.Table) -> set[tuple[str, ...]]:
    return {tuple(column.name for column in index.columns) for index in table.indexes if not index.unique}
