"""What became of an MT, asked by 04: its answer says it as a status report does.

Cimd2Inquiry   one link's: Question → 04, its answer → Finding

Rule: a centre that recognises the operation and not the message does not know it, or not any more; one that does not
recognise the operation answers no questions. What is no end in a report is none here.

Source: the fact sheet's sections 3, 4 and 6.
"""

from core.question import Finding, Found, Question
from smsc_link.protocols.cimd2.inbound import cause_of
from smsc_link.protocols.cimd2.options import Cimd2Options
from smsc_link.protocols.cimd2.outbound import Cimd2Writer
from wire.cimd2 import Enquire, EnquireResp, GeneralError, Operation, Response, codes
from wire.cimd2.identity import stamp_of

_EXPIRED = 2
_REFUSALS = frozenset({codes.UNEXPECTED, codes.UNSUPPORTED_PARAMETER})


class Cimd2Inquiry:
    """How one link asks."""

    def __init__(self, options: Cimd2Options, writer: Cimd2Writer) -> None:
        self.per_minute = options.asks_per_minute
        self._writer = writer

    def write(self, question: Question) -> Enquire:
        """A 04. Raises ValueError for a submission that the centre gave no time stamp."""
        stamp = stamp_of(question.key)
        if not stamp:
            raise ValueError("the centre did not say when it took the message")
        return Enquire(destination=self._writer.destination_of(question.destination), time_stamp=stamp)

    def read(self, question: Question, response: Response) -> Finding:
        """What the centre says: a status, or why not."""
        if type(response) is GeneralError:
            return Finding(Found.REFUSED, "general error")
        if type(response) is not EnquireResp:
            return Finding(Found.LATER, "the centre could not read the packet")
        error = response.error
        if error:
            return Finding(_why_not(error), f"error {codes.sentence(error)}")
        if response.status_code is None:
            return Finding(Found.LATER, "an answer without a status")
        status = codes.status_of(response.status_code)
        return Finding(_found(status), status.meaning, cause_of(status, response.status_error))

    def overhear(self, question: Question, operation: Operation) -> None:
        """All is said in the response."""
        return


def _why_not(error: int) -> Found:
    if error in _REFUSALS:
        return Found.REFUSED
    return Found.NOT_KNOWN if codes.is_permanent(error) else Found.LATER


def _found(status: codes.Status) -> Found:
    if not status.final:
        return Found.ON_ITS_WAY
    if status.success:
        return Found.DELIVERED
    return Found.EXPIRED if status.code == _EXPIRED else Found.FAILED
