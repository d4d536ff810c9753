"""An MT taken back, by cancel_sm.

SmppCancelling   one link's: Withdrawal → cancel_sm, cancel_sm_resp → Finding

Rule: the id alone would do, and some centres number alike: sender and recipient are those of the submission, so that a
centre which has another message under this id refuses.

Source: SMPP 3.4, 4.9; the fact sheet's sections 3 and 6.
"""

from core.question import Finding, Found, Question
from smsc_link.protocols.smpp.inquiry import spelled, why_not
from smsc_link.protocols.smpp.options import SmppOptions
from smsc_link.protocols.smpp.outbound import SmppWriter
from wire.smpp import status as st
from wire.smpp.operations import CancelSm, CancelSmResp, Operation


class SmppCancelling:
    """How one link takes an MT back."""

    def __init__(self, options: SmppOptions, writer: SmppWriter) -> None:
        self._options = options
        self._writer = writer

    def write(self, question: Question) -> CancelSm:
        """A cancel_sm of one message."""
        if not question.key:
            # Without an id it would mean all that wait between the two.
            raise ValueError("the centre gave it no id")
        ton, npi, sender = self._writer.source_of(question.source)
        dest_ton, dest_npi, destination = self._writer.destination_of(question.destination)
        return CancelSm(
            message_id=question.asked_id or spelled(question.key, self._options),
            source_addr_ton=ton,
            source_addr_npi=npi,
            source_addr=sender,
            dest_addr_ton=dest_ton,
            dest_addr_npi=dest_npi,
            destination_addr=destination,
        )

    def read(self, question: Question, response: Operation) -> Finding:
        """What the centre says."""
        status = response.status
        if status == st.ROK and type(response) is CancelSmResp:
            return Finding(Found.CANCELLED)
        return why_not(status, Found.KEPT)

    def overhear(self, question: Question, operation: Operation) -> None:
        """All is said in the response."""
        return
