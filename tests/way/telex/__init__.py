"""Telex, a protocol that nobody speaks, as the next one would be added: this folder, and REGISTERED as its line.

TelexAdapter   one link's adapter (smsc_link/adapter.py), with its reader and its writer
TelexOptions   the table of its options
REGISTERED     what stands in the register

session     its machine, for either side;  centre, a message centre that speaks it

Rule: nothing of the product knows it; a test that has to change the product for it has found a fault there.
"""

from dataclasses import dataclass

from core.catalogue import Link, Operator
from core.clock import Instant
from core.message import Heard, Mt, Receipt, ReceiptState, SubmitAnswer, SubmitOutcome
from core.numbering import Numbers
from core.sms.alphabet import UTF8
from core.sms.parts import count
from smsc_link.adapter import Answer, Fault, Inbound, Refusal, Unreadable
from smsc_link.keeping import Registered, Traced
from smsc_link.link import OperatorLink
from smsc_link.options import Common, option, read_options
from smsc_link.reading import fingerprint, operator_octets
from smsc_link.trunk import SessionAdapter
from tests.way.telex.session import BYE, DONE, HELLO, NO, NOTE, YES, Lines, Telex, TelexSession, hide
from traffic.ports import Delivery


@dataclass(frozen=True, slots=True)
class TelexOptions(Common):
    """What a link may be told."""

    shouts: bool = option(False, "the machine has capitals only: replies are written in them")


class TelexReader:
    """What comes over one link."""

    def __init__(self, link: Link, operator: Operator, numbers: Numbers) -> None:
        self.operator, self.numbers, self.codings = operator, numbers, (UTF8,) * 256
        self._link = link

    def read(self, telex: Telex, now: Instant, now_ms: int, answer: Answer) -> Inbound:
        """A message, the news that one of ours is delivered, or nothing of use."""
        link = self._link
        if telex.word == NOTE and len(telex.fields) == 3:
            source, destination, text = telex.fields
            octets = text.encode()
            print_ = fingerprint(operator_octets(self.operator), f"{source}\0{destination}\0", octets)
            number = self.numbers.inbound(source)
            return Delivery(
                link, self.operator, number, destination, octets, UTF8, 0, None, print_, "", now, now_ms, answer
            )
        if telex.word == DONE and len(telex.fields) == 2:
            key, number = telex.fields
            return Receipt(
                link.name, link.id, self.operator.id, (key,), ReceiptState.DELIVERED, DONE, "", number, "", now
            )
        return Unreadable("a telex of no known kind")


class TelexWriter:
    """What goes over it."""

    def __init__(self, options: TelexOptions, numbers: Numbers) -> None:
        self.numbers = numbers
        self._options = options

    def write(self, mt: Mt, reference: int, now: Instant) -> list[Telex]:
        """One telex, however long."""
        text = mt.text.upper() if self._options.shouts else mt.text
        return [Telex(NOTE, (mt.source, self.numbers.outbound(mt.destination), text))]

    def parts_of(self, text: str) -> int:
        """As many SMS as it is elsewhere."""
        return count(text)

    def submit_answer(self, response: Telex) -> SubmitAnswer:
        """Yes, with the centre's id, or no."""
        if response.word == YES:
            return SubmitAnswer(SubmitOutcome.ACCEPTED, response.fields[0])
        return SubmitAnswer(SubmitOutcome.PERMANENT, sentence="no")


class TelexAdapter(SessionAdapter[TelexOptions]):
    """The mapping of one link."""

    name = "telex"

    def __init__(self, link: Link, operator: Operator) -> None:
        options = read_options(TelexOptions, link)
        super().__init__(link, options)
        numbers = options.numbers_of(link, operator)
        self._map(TelexReader(link, operator, numbers), TelexWriter(options, numbers))

    def session(self, now_ms: int) -> TelexSession:
        """A fresh machine for a new connection."""
        return TelexSession("esme", now_ms)

    def bind(self) -> Telex:
        """The first word."""
        return Telex(HELLO, (self.link.system_id,))

    def unbind(self) -> Telex:
        """The last."""
        return Telex(BYE)

    def refusal(self, response: Telex) -> Refusal:
        """The centre wants nothing of us."""
        return Refusal("hello refused", for_good=True)

    def spelled(self, status: int) -> str:
        """It has no numbers for what is wrong."""
        return f"{status}"

    def answer(self, request: Telex, heard: Heard, fault: Fault = Fault.MESSAGE) -> Telex:
        """Yes, or no: then it comes again."""
        return Telex(YES if heard is Heard.TAKEN else NO)


REGISTERED = Registered(TelexAdapter, OperatorLink, "shouts, where ids come in capitals", Traced(Lines, hide))
