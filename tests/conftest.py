"""Fixtures that wrap tests/services.py: databases and Redis; and what the suite leaves out of garbage collection.

sqlite_url, mariadb_url    a migrated, empty database of the test's own
database                   the same, connected; the test runs once on each
redis_url                  this process's Redis, emptied

Rule: nothing is made here; trial does not see fixtures and calls tests/services.py itself.
"""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database, connect
from tests import services
from tests.compiled import collect_seldom, compile_once

compile_once()


def pytest_collectstart() -> None:
    """Nothing that is collected goes before the end."""
    gc.disable()


def pytest_collection_finish() -> None:
    """From now on."""
    collect_seldom()
    gc.enable()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return services.fresh_sqlite(tmp_path)


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    url = services.fresh_mariadb()
    yield url
    services.mariadb().drop(url)


@pytest.fixture(params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = connect(database_url)
    yield database
    database.close()


@pytest.fixture
def redis_url() -> str:
    services.redis().flush()
    return services.redis().url
