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

_WAITING = ("fire", "peers")
_EARLY = 0.85
"""The last of what waits begins when so much of the rest has begun: it would be alone at the end."""

compile_once()


def pytest_collectstart() -> None:
    """Nothing that is collected goes before the end."""
    gc.disable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Beside each other run files that compute and files that wait for processes: of the latter a few at any time."""
    if not hasattr(config, "workerinput"):
        return  # One after the other, as they are written.
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waits = [path for path in files if path.parent.name in _WAITING]
    others = [path for path in files if path.parent.name not in _WAITING]
    places = [(place * _EARLY / len(waits), path) for place, path in enumerate(waits)]
    places += [(place / len(others), path) for place, path in enumerate(others)]
    items[:] = [item for _, path in sorted(places) for item in files[path]]


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
