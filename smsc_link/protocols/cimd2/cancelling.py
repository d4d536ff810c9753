"""An MT taken back, by 06 with mode 2: one message, by its destination and the time at which the centre took it.

Cimd2Cancelling   one link's: Withdrawal → 06, its answer → Finding

Rule: mode 2 only; the others mean more than one message. Error 9, «requested operation failed», may pass elsewhere;
here it is how a centre says no.

Source: the fact sheet's sections 3, 4 and 6.
"""

from core.question import Finding, Found, Question
from smsc_link.protocols.cimd2.outbound import Cimd2Writer
from wire.cimd2 import Cancel, CancelResp, GeneralError, Operation, Response, codes
from wire.cimd2.identity import stamp_of

_ONE_MESSAGE = 2
_REFUSALS = frozenset({codes.UNEXPECTED, codes.UNSUPPORTED_PARAMETER})


class Cimd2Cancelling:
    """How one link takes an MT back."""

    def __init__(self, writer: Cimd2Writer) -> None:
        self._writer = writer

    def write(self, question: Question) -> Cancel:
        """A 06. Raises ValueError for a submission that the centre gave no time stamp."""
        stamp = stamp_of(question.key)
        if not stamp:
            raise ValueError("the centre did not say when it took the message")
        destination = self._writer.destination_of(question.destination)
        return Cancel(cancel_mode=_ONE_MESSAGE, destination=destination, time_stamp=stamp)

    def read(self, question: Question, response: Response) -> Finding:
        """What the centre says."""
        if type(response) is GeneralError:
            return Finding(Found.REFUSED, "general error")
        if type(response) is not CancelResp:
            return Finding(Found.LATER, "the centre could not read the packet")
        error = response.error
        if not error:
            return Finding(Found.CANCELLED)
        why = f"error {codes.sentence(error)}"
        if error in _REFUSALS:
            return Finding(Found.REFUSED, why)
        is_no = error == codes.FAILED or codes.is_permanent(error)
        return Finding(Found.KEPT if is_no else Found.LATER, why)

    def overhear(self, question: Question, operation: Operation) -> None:
        """All is said in the response."""
        return
