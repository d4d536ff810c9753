"""What came of a person's orders to messages, as a command waits for it and tells it.

wait_for   until all are over, or the time is
line_of    one for a person; value_of, for a program; is_bad, for the exit code
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from plumbing.clock import SystemClock
from store.database import Database
from store.mt_orders import Given, Order, read_given
from tollbridge.show import plain

WAIT_S = 15.0
LOOK_S = 0.2


def wait_for(database: Database, given: Sequence[Given], seconds: float) -> dict[int, Order]:
    """What came of orders, when all of them are over or the time is."""
    order_ids = [one.order_id for one in given if one.order_id]
    end_s = time.monotonic() + seconds
    while True:
        with database.read() as connection:
            found = read_given(connection, order_ids, SystemClock().now())
        if all(one.is_over for one in found) or time.monotonic() >= end_s:
            return {one.id: one for one in found}
        time.sleep(LOOK_S)


def line_of(given: Given, found: Mapping[int, Order], *, waits: bool) -> str:
    """The message and what came of it."""
    if not given.order_id:
        return plain(f"{given.mt_id}: {given.sentence}")
    order = found[given.order_id]
    said = order.sentence() if waits or order.is_over else "ordered"
    return plain(f"{given.mt_id}: {said}")


def value_of(given: Given, found: Mapping[int, Order]) -> dict[str, Any]:
    """The same; no texts of messages."""
    if not given.order_id:
        return {"id": str(given.mt_id), "outcome": "nothing", "result": given.sentence}
    return found[given.order_id].value()


def is_bad(given: Given, found: Mapping[int, Order], *, waits: bool) -> bool:
    """It is not done, or not yet."""
    if not given.order_id:
        return True
    order = found[given.order_id]
    return not order.is_done and (waits or order.is_over)
