"""An MT from anywhere, made durable before anything is sent.

cut_to_fit   a reply that would be too long
Replies      a reply through the API: one per MO, durable before it is answered

Rule: a reply's key is its MO's id: the second one is refused by the journal, whoever brings it. The parts of an MT are
those of its text (core.sms.parts.count), whatever door it came by and over whichever link it will go: what a partner
pays and is told is known before a link is.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from core.catalogue import Partner
from core.clock import DAY_MS, Clock
from core.ids import Ids
from core.message import Mt, MtState
from core.sms.parts import MESSAGE_SEPTETS, TooLong, count
from store.journal import NewMtFact
from store.life import Idempotency
from traffic.commit import Batcher

VALID_MS = DAY_MS
PARTS_MAX = 20
"""A reply of more parts is cut: it would cost us without end."""


def cut_to_fit(text: str) -> tuple[str, int]:
    """The text, cut to PARTS_MAX parts, and how many it has."""
    try:
        parts = count(text)
    except TooLong:
        # So many characters are more than fit, and not too many to be counted.
        text = text[: PARTS_MAX * MESSAGE_SEPTETS]
        parts = count(text)
    while parts > PARTS_MAX:
        text = text[: len(text) * PARTS_MAX // parts]
        parts = count(text)
    return text, parts


class ReplyOutcome(StrEnum):
    """What came of a reply through the API."""

    QUEUED = "queued"
    NOT_FOUND = "not_found"
    ANSWERED_BEFORE = "already_answered"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Replied:
    """The reply's id and parts, or why there is none, in a sentence."""

    outcome: ReplyOutcome
    mt_id: int = 0
    parts: int = 0
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class ReplyPlace:
    """Where the reply to an MO goes: what must be known of the MO."""

    link: str
    link_id: int
    operator_id: int
    short_code: str
    source: str


FindPlace: TypeAlias = Callable[[int, int], Awaitable[ReplyPlace | None]]
"""(MO's id, partner's id) → its place, or None when it is not this partner's. Raises StoreAway."""


class Replies:
    """Replies through the API and the SMPP server."""

    def __init__(
        self,
        batcher: Batcher,
        ids: Ids,
        clock: Clock,
        *,
        find_place: FindPlace,
        holds: Callable[[int], bool],
        on_reply: Callable[[Mt], None],
    ) -> None:
        self._batcher = batcher
        self._ids = ids
        self._clock = clock
        self._find_place = find_place
        self._holds = holds
        self._on_reply = on_reply

    async def reply(self, partner: Partner, mo_id: int, text: str, idempotency: Idempotency | None = None) -> Replied:
        """The partner's answer to one of its MO, durable when this returns. Raises StoreAway."""
        place = await self._find_place(mo_id, partner.id)
        if place is None:
            return Replied(ReplyOutcome.NOT_FOUND)
        try:
            parts = count(text)
        except TooLong:
            parts = PARTS_MAX + 1
        if parts > PARTS_MAX:
            return Replied(ReplyOutcome.TOO_LONG, sentence=f"the text needs more than {PARTS_MAX} SMS; shorten it")
        now = self._clock.now()
        state = MtState.SUBMITTING if self._holds(place.operator_id) else MtState.QUEUED
        mt = Mt(
            self._ids.next(now), place.link, place.link_id, place.operator_id, place.short_code, place.source, text,
            parts, now, mo_id, partner.id, state, now + VALID_MS,
        )  # fmt: skip
        fact = NewMtFact(mt, idempotency)
        await self._batcher.commit(fact)
        if fact.existing:
            return Replied(ReplyOutcome.ANSWERED_BEFORE, fact.existing)
        self._on_reply(mt)
        return Replied(ReplyOutcome.QUEUED, mt.id, parts)
