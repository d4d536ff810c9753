"""One turn of a USSD session, in the one form that all gateways are brought to (ussd.md, section 8).

Turn, TurnKind   what the user, or the network, did
Reply, Field     what is shown, and what is expected then
clean, clean_raw a text from outside without what no phone can show, no longer than asked
subscriber       a number as gateways write it → digits only, "" where it is none

A gateway sends the new input alone, or all inputs so far (`grows`); it says that a session begins, or leaves it to us
to notice. So a shape or an adapter fills in what it was told, and `step` finds out the rest from the session.

Rule: nothing of a turn is trusted. Whoever makes one has its texts cleaned.
"""

import unicodedata
from dataclasses import dataclass, replace
from enum import Enum

from core.clock import Instant
from core.msisdn import read_msisdn

INPUT_MAX = 512
"""More than a phone can send, which is 182."""
GROWN_MAX = 4096
"""Of all inputs of a session, where a gateway sends them all."""
KEY_MAX = 128


class TurnKind(Enum):
    """What came in."""

    BEGIN = "begin"
    ANSWER = "answer"
    ABORT = "abort"
    """The user or the network left; nothing is shown."""
    SHOWN = "shown"
    """The phone showed a notice; nothing is to be done."""
    REFUSED = "refused"
    """The gateway did not take our screen: the session is gone."""
    REPEAT = "repeat"
    """The same again: the same reply, no step."""


class Field(Enum):
    """How a phone may ask for the input, where a gateway wants to know."""

    TEXT = "text"
    NUMBER = "number"
    DECIMAL = "decimal"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Turn:
    """`session` is the gateway's own key, with the number where that alone would not do (section 2).

    `dialled` is the string that was dialled, or would have been if this should turn out to be the beginning. `sequence`
    is "" where a gateway counts nothing. `echo` is what its adapter needs to answer this turn.
    """

    kind: TurnKind
    link: str
    session: str
    msisdn: str
    at: Instant
    input: str = ""
    dialled: str = ""
    code: str = ""
    prefilled: tuple[str, ...] = ()
    grows: bool = False
    sequence: str = ""
    echo: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """Under which its session is kept: unique among all links."""
        return f"{self.link}/{self.session}"

    @property
    def wants_reply(self) -> bool:
        """A screen has to be shown."""
        return self.kind in {TurnKind.BEGIN, TurnKind.ANSWER, TurnKind.REPEAT}

    def echoed(self, name: str, default: str = "") -> str:
        """What came with the turn under this name."""
        return next((value for given, value in self.echo if given == name), default)

    def as_begin(self, code: str, prefilled: tuple[str, ...]) -> "Turn":
        """The same as the beginning of a session of this code."""
        return replace(self, kind=TurnKind.BEGIN, code=code, prefilled=prefilled)


@dataclass(frozen=True, slots=True)
class Reply:
    """A screen. `end`: the session is over with it. `screen` and `field` are for gateways that want to know."""

    text: str
    end: bool
    screen: str = ""
    field: Field = Field.TEXT


def clean(text: str, most: int = INPUT_MAX, *, lines: bool = False) -> str:
    """Composed, without control characters and spaces around; line ends become spaces, or stay as `lines`."""
    return clean_raw(text, most, lines=lines).strip()


def clean_raw(text: str, most: int = INPUT_MAX, *, lines: bool = False) -> str:
    """The same with its outer spaces, for inputs that stand one behind the other."""
    # What is far too long is cut first, so that composing it costs nothing; nothing composes to a tenth.
    composed = unicodedata.normalize("NFC", text[: most * 10])
    if lines:
        composed = composed.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        sign if sign == "\n" and lines else " " if sign.isspace() else sign
        for sign in composed
        if sign.isspace() or unicodedata.category(sign)[0] != "C"
    )
    return kept[:most]


def subscriber(text: str) -> str:
    """`+254711…`, ` 254711…` (a plus that a form lost), `00254711…` → `254711…` (pitfalls 7 and 8)."""
    digits = read_msisdn(text[:40].strip())
    if digits is None:
        return ""
    return digits.removeprefix("00") if len(digits.removeprefix("00")) >= 3 else ""
