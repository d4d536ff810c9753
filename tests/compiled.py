"""What a process with thousands of tests need not do again and again: compile statements, look through its modules.

compile_once      every engine shares what SQLAlchemy has compiled; said before the first engine is made
collect_seldom    what is there already is left out of garbage collection, and the rest is collected less often

A dialect is a part of the key of what is compiled, and every engine has its own; those of the suite are all set up
alike, so they count as equal here.
"""

import gc
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mysql.mysqldb import MySQLDialect_mysqldb
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

# Young objects, and how many rounds of these an older generation waits for: a test leaves little behind.
_OFTEN = (20_000, 20, 50)
_COMPILED: LRUCache[Any, Any] = LRUCache(5000)


class _Alike:
    """A dialect that is equal to every other of its class."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: sa.Engine) -> None:
        engine.update_execution_options(compiled_cache=_COMPILED)


class SqliteAlike(_Alike, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class MariadbAlike(_Alike, MySQLDialect_mysqldb):
    supports_statement_cache = True


def compile_once() -> None:
    """SQLAlchemy finds these dialects by the names of its own."""
    registry.register("sqlite", __name__, "SqliteAlike")
    registry.register("mysql.mysqldb", __name__, "MariadbAlike")


def collect_seldom() -> None:
    """A third of the suite's time went into looking through thousands of collected tests and their modules."""
    gc.freeze()
    gc.set_threshold(*_OFTEN)
