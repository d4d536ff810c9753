"""An MT with another text, by 54; its result says yes or no.

UcpReplacing   one link's: Replacement → 54, its result → Finding

It names the message as 56 does, and says the text; what is not said stays: whether and when notifications are wanted,
and how long it is valid. XSer, which says how a text is coded and may say what it costs, is that of the submission.

Rule: the text goes in the alphabet that the message was sent in, as by SMPP. Asked a second time it does no harm.

Source: the fact sheet's sections 3 and 7.
"""

from core.question import Finding, Found, Question, Replacement
from smsc_link.protocols.ucp.cancelling import naming
from smsc_link.protocols.ucp.inquiry import why_not
from smsc_link.protocols.ucp.outbound import UcpWriter
from wire.ucp import codes
from wire.ucp.operations import ModifyMessage, Operation, Result


class UcpReplacing:
    """How one link changes an MT."""

    def __init__(self, writer: UcpWriter) -> None:
        self._writer = writer

    def write(self, question: Question) -> ModifyMessage:
        """A 54. Raises ValueError for a submission that the centre gave no time, and a text that has no form here."""
        assert isinstance(question, Replacement), question
        named = naming(ModifyMessage, question, self._writer)
        return self._writer.text_like(named, question.sent, question.text, source=question.source, kind=question.kind)

    def read(self, question: Question, response: Result) -> Finding:
        """What the result says."""
        return Finding(Found.REPLACED) if response.ec == codes.EC_OK else why_not(response, Found.KEPT)

    def overhear(self, question: Question, operation: Operation) -> None:
        """All is said in the result."""
        return
