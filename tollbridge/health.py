"""What GET /health says of a service that is built.

health_of   the status, the links, the queues, and why when it is not ok

Rule: it asks nobody: a health check that waits for a database would say nothing just when it matters.
"""

from collections.abc import Mapping
from typing import Any

from traffic.way import Way


def health_of(way: Way, *, is_up: bool, links: Mapping[str, str], smpp: Mapping[str, Any] | None) -> dict[str, Any]:
    """`status` is ok once every role is up, while the database is there and memory is not short."""
    batcher = way.batcher
    ok = is_up and not batcher.away and not batcher.is_stuck and not batcher.why_short
    body: dict[str, Any] = {"status": "ok" if ok else "unavailable", "links": dict(links)}
    if batcher.away:
        body["reason"] = batcher.why_away
    elif batcher.is_stuck:
        body["reason"] = "the database takes nothing: another transaction holds it, or it hangs"
    elif batcher.why_short:
        body["reason"] = f"{batcher.why_short}; new messages wait"
    if smpp is not None:
        body["smpp"] = smpp
    body["queues"] = {
        "commit": batcher.waiting,
        "callbacks": way.dispatcher.waiting + way.dispatcher.running,
        "replies": way.sender.waiting,
    }
    return body
