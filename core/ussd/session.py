"""One session of one subscriber, as a frozen value, and what a step may ask for.

Session, State    everything that is known between two turns: a row of the store
Saved             what a broken session leaves to the one that goes on with it
Show, Wait, Close, Call   the effects of a step
Ways              what a session has to know of its link: room and times

Rule: a session is not a purchase (ussd.md, section 9). It may be lost at any time; nothing is decided by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from hashlib import blake2b
from typing import TypeAlias

from core.clock import SECOND_MS, Instant
from core.ussd.actions import Call, Item
from core.ussd.texts import NETWORK, Room
from core.ussd.turn import Reply, Turn


class State(Enum):
    """Where a session is."""

    ASKING = "asking"
    """A screen is shown, or on its way; the user's answer comes next."""
    WORKING = "working"
    """An action is at work; its outcome comes next."""
    ENDED = "ended"
    """Its last screen went out."""
    BROKEN = "broken"
    """The user or the network left, or a screen was refused."""

    @property
    def is_live(self) -> bool:
        """More may come."""
        return self in {State.ASKING, State.WORKING}


@dataclass(frozen=True, slots=True)
class Saved:
    """Where a broken session was."""

    screen: str
    answers: Mapping[str, str]
    trail: tuple[str, ...]
    language: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Session:
    """A session. `visit` counts the screens entered: an outcome of an earlier visit changes nothing.

    `line` is the text on top of the screen, `said` a text that a partner gave instead of it. `raw` is the last input as
    it came, None while there was none but the dialled string. `touched_at` is the last turn's time.
    """

    key: str
    link: str
    msisdn: str
    code: str
    menu: str
    version: str
    screen: str
    language: str
    began_at: Instant
    touched_at: Instant
    state: State = State.ASKING
    dialled: str = ""
    line: str = ""
    page: int = 0
    visit: int = 0
    turns: int = 0
    wrong: int = 0
    answers: Mapping[str, str] = field(default_factory=dict)
    prefilled: tuple[str, ...] = ()
    trail: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    said: str = ""
    raw: str | None = None
    sequence: str = ""
    until: Instant = 0
    """While it is WORKING: when its turn must have had a screen."""
    reply: Reply | None = None
    shown_at: Instant = 0
    """When the last screen was there."""
    saved: Saved | None = None

    @property
    def id(self) -> str:
        """A name for the outside that tells nothing of the link or the number."""
        return blake2b(f"{self.key}\0{self.msisdn}\0{self.began_at}".encode(), digest_size=10).hexdigest()

    def is_of(self, turn: Turn) -> bool:
        """The turn is of this session: gateways use their keys again for other phones (pitfall 3)."""
        return self.key == turn.key and (not turn.msisdn or turn.msisdn == self.msisdn)

    def broken(self) -> "Session":
        """The same, left by the user or the network."""
        return replace(self, state=State.BROKEN, reply=None) if self.state.is_live else self


@dataclass(frozen=True, slots=True)
class Show:
    """A screen goes out."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Wait:
    """The turn before is still at work: step this one again when its screen is there, or at this time."""

    until: Instant


@dataclass(frozen=True, slots=True)
class Close:
    """An older session of the same number and code is over: one is live at a time."""

    key: str


Effect: TypeAlias = Show | Call | Wait | Close
Effects: TypeAlias = tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """`session_ms`: a session without a turn for so long is over. `repeat_ms`: the same within it is a repeat;
    `blind_repeat_ms`: the same where the gateway counts nothing.
    """

    session_ms: int = 180 * SECOND_MS
    repeat_ms: int = 30 * SECOND_MS
    blind_repeat_ms: int = SECOND_MS


@dataclass(frozen=True, slots=True)
class Ways:
    """What a link lets a session do."""

    room: Room = NETWORK
    times: Times = Times()


USUAL = Ways()
"""A link without options of its own."""
