"""What a menu may ask of the product: actions by name, with what may come of them.

Action     its outcomes and values, as the check of a menu knows them
ACTIONS    all there are; a later product adds its line
Call       a question to carry out; Outcome, what came of it
Item       one line of a list

| action    | does                                     | outcomes                  | values              |
|-----------|------------------------------------------|---------------------------|---------------------|
| `call`    | asks the partner's end point (`url`)     | the menu's own, and busy  | the screen's own    |
| `balance` | reads the subscriber's prepaid balance   | ok, none, busy            | balance, currency   |

Rule: every action may be slow or away, so each has busy or pending; what a Call does, it does once for its `id`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.clock import Instant

BUSY, PENDING, NONE = "busy", "pending", "none"
CALL = "call"
VALUE_MAX = 160
ITEMS_MAX = 50
"""Fewer than 98, which is taken."""
LABEL_MAX = 60


@dataclass(frozen=True, slots=True)
class Action:
    """`values`: name → characters at most. `is_open`: outcomes and values are the menu's own."""

    outcomes: frozenset[str] = frozenset()
    values: Mapping[str, int] = field(default_factory=dict)
    is_open: bool = False
    lists: bool = False
    """It can bring the items of a list."""


ACTIONS: Mapping[str, Action] = {
    CALL: Action(is_open=True, lists=True),
    "balance": Action(frozenset({"ok", NONE, BUSY}), {"balance": 24, "currency": 3}),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a list: `label` is shown, `key` is the answer."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Call:
    """An action to carry out for the session `session`; `outcome` goes on with it, by the same `visit`.

    `id` is unique for ever and the same when it is asked again. `until` is when the user is told that it takes longer;
    the action itself goes on. `for_list`: its outcome brings items.
    """

    id: str
    session: str
    visit: int
    action: str
    screen: str
    until: Instant
    url: str = ""
    input: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    for_list: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: a name with values; or a text, as a screen of its own; or the items of a list.

    `why` is for the journal, where something went wrong.
    """

    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    end: bool = False
    items: tuple[Item, ...] = ()
    why: str = ""
