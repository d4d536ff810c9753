"""A session as JSON and back, for the row that keeps it.

write_session   Session → text
read_session    text → Session; None for what is none, as of another release: its user dials again

Rule: what was written is read as it was, for every session that a step can make.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from enum import Enum
from typing import Any

from core.ussd.actions import Item
from core.ussd.session import Saved, Session, State
from core.ussd.turn import Field, Reply

_NAMES = frozenset(row.name for row in fields(Session))


def write_session(session: Session) -> str:
    """Compact, with every letter as it is."""
    return json.dumps(asdict(session), ensure_ascii=False, separators=(",", ":"), default=_plain)


def read_session(text: str) -> Session | None:
    """The session that was written."""
    try:
        given = json.loads(text)
        return _session(given) if given.keys() <= _NAMES else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _plain(value: object) -> str:
    assert isinstance(value, Enum), value
    return str(value.value)


def _session(given: dict[str, Any]) -> Session:
    reply, saved = given["reply"], given["saved"]
    return Session(
        **{
            **given,
            "state": State(given["state"]),
            "prefilled": tuple(given["prefilled"]),
            "trail": tuple(given["trail"]),
            "items": tuple(Item(**item) for item in given["items"]),
            "reply": None if reply is None else Reply(**{**reply, "field": Field(reply["field"])}),
            "saved": None if saved is None else _saved(saved),
        }
    )


def _saved(given: Mapping[str, Any]) -> Saved:
    return Saved(**{**given, "trail": tuple(given["trail"])})
