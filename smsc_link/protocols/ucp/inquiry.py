"""What became of an MT, asked by 55. Its result only says that it was heard; the centre tells by 57, an operation.

UcpInquiry   one link's: Question → 55; its result, and the 57 that follows → Finding
scts_in      the time that the centre gave a submission
why_not      what a result that is no means, to a question and to who takes back

A 55 names recipient and originator, no message, so the 57 may speak of several: ours is known by the time at which
the centre took it, in its words ("with identification 241126081000") or, where a centre fills it in, in SCTS.

Rule: a 57 that names other messages and not ours says that ours is not there; one that names nobody, but counts
messages that wait, may mean ours.

Source: the fact sheet's sections 3 and 7.
"""

import re

from core.question import Finding, Found, Question
from smsc_link.protocols.ucp.options import UcpOptions
from smsc_link.protocols.ucp.outbound import UcpWriter
from smsc_link.protocols.ucp.words import IDENTIFICATION, RECIPIENT, scts_of, state_in, words_of
from wire.ucp import codes
from wire.ucp.identity import Identity
from wire.ucp.operations import InquireMessage, InquiryResponse, Operation, Result
from wire.ucp.text import OTOA_ALPHANUMERIC

_FOUND = {"0": Found.DELIVERED, "1": Found.ON_ITS_WAY, "2": Found.FAILED}
_COUNT = re.compile(r"\s*(\d{1,4})\b")
_REFUSALS = frozenset({codes.EC_NOT_SUPPORTED, codes.EC_NOT_ALLOWED})


class UcpInquiry:
    """How one link asks."""

    def __init__(self, options: UcpOptions, writer: UcpWriter) -> None:
        self.per_minute = options.asks_per_minute
        self._writer = writer

    def write(self, question: Question) -> InquireMessage:
        """A 55. Raises ValueError for a submission that the centre gave no time."""
        if not scts_in(question):
            raise ValueError("the centre did not say when it took the message")
        originator, otoa = self._writer.originator_of(question.source)
        return InquireMessage(
            adc=self._writer.destination_of(question.destination),
            oadc=originator,
            otoa=otoa if otoa == OTOA_ALPHANUMERIC else "",
        )

    def read(self, question: Question, response: Result) -> Finding | None:
        """None: it was heard, and a 57 will come."""
        if response.ec == codes.EC_OK:
            return None
        return why_not(response, Found.NOT_KNOWN)

    def overhear(self, question: Question, operation: Operation) -> Finding | None:
        """What a 57 says of it; None where it speaks of another recipient: it is late, and of an earlier question."""
        if not isinstance(operation, InquiryResponse):
            return None
        scts = scts_in(question)
        if operation.scts == scts and operation.dst in _FOUND:
            return _finding(operation.dst, operation.rsn)
        words = words_of(operation)
        recipients = RECIPIENT.findall(words)
        if recipients and not any(_is_of(question, recipient, scts) for recipient in recipients):
            return None
        return _told(words, scts)


def _told(words: str, scts: str) -> Finding:
    named = list(IDENTIFICATION.finditer(words))
    for place, match in enumerate(named):
        if scts_of(match) == scts:
            until = named[place + 1].start() if place + 1 < len(named) else len(words)
            return _finding(state_in(words[match.end() : until]) or "1")
    counted = _COUNT.match(words)
    waits = int(counted[1]) > 0 if counted is not None else state_in(words) == "1"
    if waits and not named:
        return _finding("1")
    return Finding(Found.NOT_KNOWN, "not among its messages")


def _finding(dst: str, rsn: str = "") -> Finding:
    state = codes.STATES[dst]
    return Finding(_FOUND[dst], state.word, codes.reason_sentence(rsn) if state.ok is False else "")


def scts_in(question: Question) -> str:
    """The centre's time, in front of the recipient's last digits; "" where the key is none of UCP's."""
    scts, slash, _ = question.key.partition("/")
    return scts if slash else ""


def why_not(response: Result, permanent: Found) -> Finding:
    """`permanent`: what it means that this message is refused, not for now and not the operation itself."""
    ec, why = response.ec, codes.sentence(response.ec)
    if codes.is_throttle(ec, response.sm):
        return Finding(Found.LATER, why)
    if ec in _REFUSALS:
        return Finding(Found.REFUSED, why)
    return Finding(permanent if codes.is_permanent(ec, response.sm) else Found.LATER, why)


def _is_of(question: Question, recipient: str, scts: str) -> bool:
    return Identity(recipient, scts).key == question.key
