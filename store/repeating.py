"""A transaction that is done again where another one stood in its way.

repeated   one transaction, up to eight times

Rule: `work` is done from its beginning each time, so it keeps nothing between two tries.
"""

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from core.errors import StoreAway
from store.database import Database
from store.faults import is_conflict, is_taken

T = TypeVar("T")

TRIES = 8


def repeated(database: Database, work: Callable[[Connection], T]) -> T:
    """What `work` returns. Raises what it raises; StoreAway also when others will not let us."""
    for attempt in range(1, TRIES + 1):
        try:
            with database.write() as connection:
                return work(connection)
        except (sa.exc.DBAPIError, StoreAway) as error:
            if not (is_conflict(error) or is_taken(error)):
                raise
            if attempt == TRIES:
                raise StoreAway(f"{database.name}: others hold locks; try again later") from error
    raise AssertionError("unreachable")
