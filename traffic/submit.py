"""An MT from anywhere, made durable before anything is sent.

reply_mt    the free reply to an MO, held by this process or left to the one that has the link
Replies     a reply through the API: one per MO, durable before it is answered

Rule: a reply's key is its MO's id: the second one is refused by the journal, whoever brings it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from core.clock import DAY_MS, Clock, Instant
from core.errors import StoreError
from core.ids import Ids
from core.message import Mo, Mt, MtState
from core.sms.parts import TooLong, count
from store.journal import NewMtFact
from traffic.commit import Batcher

VALID_MS = DAY_MS
PARTS_MAX = 20
"""A reply of more parts is cut: it would cost us without end."""


def cut_to_fit(text: str) -> tuple[str, int]:
    """The text, cut to PARTS_MAX parts, and how many it has."""
    try:
        parts = count(text)
    except TooLong:
        parts = PARTS_MAX + 1
    while parts > PARTS_MAX:
        text = text[: len(text) * PARTS_MAX // parts] if parts < 255 else text[:3000]
        try:
            parts = count(text)
        except TooLong:
            parts = 255
    return text, parts


def reply_mt(mt_id: int, mo: Mo, text: str, sender: str, now: Instant, *, held: bool) -> Mt:
    """The free reply to an MO over the link it came by. `held`: this process has a link for it."""
    text, parts = cut_to_fit(text)
    state = MtState.SUBMITTING if held else MtState.QUEUED
    return Mt(
        mt_id, mo.link, mo.link_id, mo.operator.id, sender or mo.short_code, mo.source, text, parts, now, mo.id,
        0, state, now + VALID_MS,
    )  # fmt: skip


class ReplyOutcome(Enum):
    """What came of a reply through the API."""

    QUEUED = "queued"
    NOT_FOUND = "not_found"
    ANSWERED_BEFORE = "already_answered"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Replied:
    """The reply's id and parts, or why there is none."""

    outcome: ReplyOutcome
    mt_id: int = 0
    parts: int = 0


@dataclass(frozen=True, slots=True)
class ReplyPlace:
    """Where the reply to an MO goes: what must be known of the MO."""

    link: str
    link_id: int
    operator_id: int
    short_code: str
    source: str
    partner_id: int


class Replies:
    """Replies through the API and the SMPP server."""

    def __init__(
        self, batcher: Batcher, ids: Ids, clock: Clock, *, holds: Callable[[int], bool], on_reply: Callable[[Mt], None]
    ) -> None:
        self._batcher = batcher
        self._ids = ids
        self._clock = clock
        self._holds = holds
        self._on_reply = on_reply

    async def reply(self, mo_id: int, place: ReplyPlace, text: str, sender: str = "") -> Replied:
        """Make the reply durable; the message's place has been read and belongs to the caller."""
        if not text:
            return Replied(ReplyOutcome.EMPTY)
        try:
            parts = count(text)
        except TooLong:
            return Replied(ReplyOutcome.TOO_LONG)
        if parts > PARTS_MAX:
            return Replied(ReplyOutcome.TOO_LONG, parts=parts)
        now = self._clock.now()
        state = MtState.SUBMITTING if self._holds(place.operator_id) else MtState.QUEUED
        mt = Mt(
            self._ids.next(now), place.link, place.link_id, place.operator_id, sender or place.short_code,
            place.source, text, parts, now, mo_id, place.partner_id, state, now + VALID_MS,
        )  # fmt: skip
        fact = NewMtFact(mt)
        try:
            await self._batcher.commit(fact)
        except StoreError:
            return Replied(ReplyOutcome.AWAY)
        if fact.existing:
            return Replied(ReplyOutcome.ANSWERED_BEFORE, fact.existing)
        if mt.state is MtState.SUBMITTING:
            self._on_reply(mt)
        return Replied(ReplyOutcome.QUEUED, mt.id, parts)
