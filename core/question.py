"""What a message centre is asked of an MT, what it may say, and when it is asked again.

AskedKey   an operator's id that is asked for in another spelling than the one it is matched in
Question   what becomes of one submission (an MT, or a part of one)
Ordered    what a person's word asks of the centre: Withdrawal, that one is not to be delivered any more; Replacement,
           that it is to be delivered with another text
Finding    what came of asking
Found      the kinds of that
pause_ms   how long after so many times it is asked again

An MT is asked about when its validity is over and no receipt has come; a centre keeps what it knows for hours or days.
It is taken back, or changed, by a person's word (traffic/orders.py).

Rule: values only. What is said of its fate is a receipt like any other (store/journal/receipts.py); the rest moves
nothing.
"""

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, TypeVar

from core.clock import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from core.message import MtKind, ReceiptState

T = TypeVar("T", bound="Ordered")
CANCEL, REPLACE = "cancel", "replace"
"""Kinds of orders: stored, and said by people."""

GRACE_MS = 2 * MINUTE_MS
"""So long after its validity its receipt may still be under way: most centres send one when it expires."""
PAUSES_MS = (15 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 12 * HOUR_MS)
"""From one time to the next. All of them fit into the day after which nobody expects a receipt."""
ASKED_MAX = 12
"""So often at most: in the end a premium MT that stays unknown is asked for once a day."""


def pause_ms(asked: int) -> int | None:
    """When it was asked for so often: how long until the next time; None: it was the last."""
    if asked >= ASKED_MAX:
        return None
    return PAUSES_MS[asked - 1] if asked <= len(PAUSES_MS) else DAY_MS


class AskedKey(str):
    """An operator's id as it is matched with receipts, and as that operator wrote it: `asked_id` is what to ask it by.

    Made only where the one cannot be told from the other, so a usual id stays a plain text.
    """

    __slots__ = ("asked_id",)
    asked_id: str

    def __new__(cls, key: str, asked_id: str) -> "AskedKey":
        """It equals its key."""
        made = super().__new__(cls, key)
        made.asked_id = asked_id
        return made


@dataclass(frozen=True, slots=True)
class Question:
    """Which submission. `key` is the operator's id of it as it is matched; `link_id`, the link that it went by."""

    mt_id: int
    part: int
    """Its place in a long message, from 1; 0: there is one part."""
    operator_id: int
    link_id: int
    key: str
    source: str
    destination: str
    submitted_at: Instant
    asked_id: str = ""
    """That id as the operator wrote it, where it cannot be told from `key`."""


class Ordered(Question):
    """The same submission, of which its centre is asked for something."""

    __slots__ = ()

    @classmethod
    def of(cls: type[T], question: Question, **more: Any) -> T:
        """About this submission."""
        return cls(*(getattr(question, one.name) for one in fields(Question)), **more)


class Withdrawal(Ordered):
    """Not to deliver it any more."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Replacement(Ordered):
    """To deliver it with another text."""

    text: str = field(default="", repr=False)
    sent: str = field(default="", repr=False)
    """The one that it was submitted with: the new one goes in its alphabet."""
    kind: MtKind = MtKind.FREE
    """What it was submitted as: so its price is what it was."""


class Found(Enum):
    """What came of a question."""

    DELIVERED = "delivered"
    EXPIRED = "expired"
    FAILED = "failed"
    ON_ITS_WAY = "on_its_way"
    NOT_KNOWN = "not_known"
    """The centre knows no such message, or not any more."""
    LATER = "later"
    """No answer, or a temporary error."""
    REFUSED = "refused"
    """The centre answers no such questions."""
    CANCELLED = "cancelled"
    """It was taken back."""
    REPLACED = "replaced"
    """It is delivered with the new text."""
    KEPT = "kept"
    """It was neither, and will not be: it has its end, or the centre knows no such message."""

    @property
    def state(self) -> ReceiptState | None:
        """What a receipt that says the same has; None: it is no end."""
        return _ENDS.get(self)

    @property
    def ends(self) -> bool:
        """Asking again would bring nothing new."""
        return self in _ENDS or self is Found.NOT_KNOWN


_ENDS = {
    Found.DELIVERED: ReceiptState.DELIVERED,
    Found.EXPIRED: ReceiptState.EXPIRED,
    Found.FAILED: ReceiptState.FAILED,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a question: the centre's own word, such as DELIVRD, and its error code, as a receipt has them.

    `in_doubt`: it was sent and got no answer, so the centre may have done what was asked.
    """

    found: Found
    word: str = ""
    error: str = ""
    in_doubt: bool = False
