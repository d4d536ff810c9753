"""An MT taken back, by 56. Its result says yes or no; a centre may say more by 58, an operation of its own.

UcpCancelling   one link's: Withdrawal → 56; its result, and the 58 that may follow → Finding
naming          a 56 or a 54 with the fields that name one message

Rule: a 58 has words and no message id (sheet, section 3): one that names another message, or another recipient, is late
and of an earlier 56.

Source: the fact sheet's sections 3 and 7.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from core.question import Finding, Found, Question
from smsc_link.adapter import Silence
from smsc_link.protocols.ucp.inquiry import scts_in, why_not
from smsc_link.protocols.ucp.outbound import UcpWriter
from smsc_link.protocols.ucp.words import IDENTIFICATION, RECIPIENT, scts_of, words_of
from wire.ucp import codes
from wire.ucp.identity import Identity
from wire.ucp.operations import DeleteMessage, DeleteResponse, Operation, Result, ShortMessage
from wire.ucp.text import OTOA_ALPHANUMERIC

S = TypeVar("S", bound=ShortMessage)
HEAR_S = 3.0
"""A 58 that contradicts the result comes at once, if it does."""
_NOTHING = re.compile(r"\A\s*0+\b|\bno message|\bnot\b|\bcannot\b|\bunknown\b", re.IGNORECASE)
_TAKEN = Finding(Found.CANCELLED)


class UcpCancelling:
    """How one link takes an MT back."""

    def __init__(self, writer: UcpWriter) -> None:
        self._writer = writer

    def write(self, question: Question) -> DeleteMessage:
        """A 56. Raises ValueError for a submission that the centre gave no time."""
        return naming(DeleteMessage, question, self._writer)()

    def read(self, question: Question, response: Result) -> Finding | Silence:
        """What the result says; that it was done may be taken back by a 58."""
        return Silence(_TAKEN, HEAR_S) if response.ec == codes.EC_OK else why_not(response, Found.KEPT)

    def overhear(self, question: Question, operation: Operation) -> Finding | None:
        """What a 58 says of it."""
        if not isinstance(operation, DeleteResponse):
            return None
        words, scts = words_of(operation), scts_in(question)
        named = [scts_of(match) for match in IDENTIFICATION.finditer(words)]
        if named and scts not in named:
            return None
        recipients = RECIPIENT.findall(words)
        if recipients and not any(Identity(recipient, scts).key == question.key for recipient in recipients):
            return None
        return Finding(Found.KEPT, "its 58 says that nothing was deleted") if _NOTHING.search(words) else _TAKEN


def naming(operation: Callable[..., S], question: Question, writer: UcpWriter) -> Callable[..., S]:
    """With AdC, OAdC with its OTOA, SCTS. Raises ValueError for a submission that the centre gave no time."""
    if not scts_in(question):
        raise ValueError("the centre did not say when it took the message")
    originator, otoa = writer.originator_of(question.source)
    return partial(
        operation,
        adc=writer.destination_of(question.destination),
        oadc=originator,
        otoa=otoa if otoa == OTOA_ALPHANUMERIC else "",
        scts=scts_in(question),
    )
