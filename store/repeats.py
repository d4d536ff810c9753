"""Requests of the API under an Idempotency-Key that make something: their answer is remembered with what they make.

OnceOnly   the key, and how what was made is answered; `refuse` before, `remember` after, in the same transaction

Rule: an effect and its answer are durable together or not at all (partner_api/http/repeats.py asks for the answer).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

from core.clock import Instant
from core.errors import RequestError
from store.life import Remembered
from store.messages import read_remembered, remember

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OnceOnly(Generic[T]):
    """A partner's request; what it makes is a T."""

    partner_id: int
    key: str
    answer: Callable[[T], Remembered]

    def refuse(self, connection: Connection) -> None:
        """Raises RequestError where another process has carried it out meanwhile: its answer is there."""
        if read_remembered(connection, self.partner_id, self.key) is not None:
            raise RequestError("the same request was carried out meanwhile", status=409)

    def remember(self, connection: Connection, made: T, at: Instant) -> None:
        """Write its answer down."""
        answer = self.answer(made)
        remember(connection, partner_id=self.partner_id, key=self.key, answer=answer, at=at)
