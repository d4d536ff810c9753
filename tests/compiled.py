"""Every engine of one test process shares what SQLAlchemy has compiled: thousands of databases ask the same statements.

compile_once()    before the first engine is made

A dialect is a part of the key of what is compiled, and every engine has its own; those of the suite are all set up
alike, so they count as equal here.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mysql.mysqldb import MySQLDialect_mysqldb
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

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
