"""An MT with another text, by replace_sm.

SmppReplacing   one link's: Replacement → replace_sm, replace_sm_resp → Finding

Both times are left empty, which keeps those of the submission; registered_delivery has no such value, so it is that of
the submission. It has no data_coding: the text goes in the one that the message has.

Rule: sender and id are those of the submission, as the centre wrote the id. Asked a second time it does no harm.

Source: SMPP 3.4, 4.10; the fact sheet's sections 3 and 6.
"""

from core.question import Finding, Found, Question, Replacement
from smsc_link.protocols.smpp.inquiry import spelled, why_not
from smsc_link.protocols.smpp.options import SmppOptions
from smsc_link.protocols.smpp.outbound import SmppWriter
from wire.smpp import status as st
from wire.smpp.operations import Operation, ReplaceSm, ReplaceSmResp


class SmppReplacing:
    """How one link changes an MT."""

    def __init__(self, options: SmppOptions, writer: SmppWriter) -> None:
        self._options = options
        self._writer = writer

    def write(self, question: Question) -> ReplaceSm:
        """A replace_sm of one message. Raises ValueError for one without an id, and a text that has no form here."""
        assert isinstance(question, Replacement), question
        if not question.key:
            raise ValueError("the centre gave it no id")
        ton, npi, sender = self._writer.source_of(question.source)
        return ReplaceSm(
            message_id=question.asked_id or spelled(question.key, self._options),
            source_addr_ton=ton,
            source_addr_npi=npi,
            source_addr=sender,
            registered_delivery=self._options.registered_delivery,
            short_message=self._writer.text_like(question.sent, question.text),
        )

    def read(self, question: Question, response: Operation) -> Finding:
        """What the centre says."""
        if response.status == st.ROK and type(response) is ReplaceSmResp:
            return Finding(Found.REPLACED)
        return why_not(response.status, Found.KEPT)

    def overhear(self, question: Question, operation: Operation) -> None:
        """All is said in the response."""
        return
