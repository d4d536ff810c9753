"""What became of an MT, asked by query_sm.

SmppInquiry   one link's: Question → query_sm, query_sm_resp → Finding
why_not       what a response that is no means, to a question and to who takes back
spelled       an id as it is stored → as the centre writes its ids; spells_plainly, whether that is always the same

An id is stored in one form for all its spellings (wire/smpp/message_ids.py), so the link's options say how its centre
writes one; where they do not give back what it wrote, that stands beside it (core/question.py, AskedKey).

Rule: what a centre says of a state means what it means in a receipt. «Unknown» is no end: the message is one of which
nobody knows more, as without the question.

Source: SMPP 3.4, 4.8 and 5.2.28; the fact sheet's sections 3, 6 and 8.
"""

from collections.abc import Callable

from core.question import Finding, Found, Question
from smsc_link.protocols.smpp.options import SmppOptions
from wire.smpp import status as st
from wire.smpp.message_ids import ID_MODES
from wire.smpp.operations import Operation, QuerySm, QuerySmResp
from wire.smpp.receipts import STATES, MessageState

_UNKNOWN, _ACCEPTED = 7, 6
_ENDS = {2: Found.DELIVERED, 3: Found.EXPIRED, _UNKNOWN: Found.NOT_KNOWN}
# The operation itself is refused, whatever message it is about. ESME_RQUERYFAIL may mean that, or that one message.
_REFUSALS = frozenset({st.RINVCMDID, st.RPROHIBITED})


class SmppInquiry:
    """How one link asks. `sender_of` gives TON, NPI and address of a sender: they must be those of the submission."""

    def __init__(self, options: SmppOptions, sender_of: Callable[[str], tuple[int, int, str]]) -> None:
        self.per_minute = options.asks_per_minute
        self._options = options
        self._sender_of = sender_of

    def write(self, question: Question) -> QuerySm:
        """A query_sm."""
        ton, npi, sender = self._sender_of(question.source)
        return QuerySm(
            message_id=question.asked_id or spelled(question.key, self._options),
            source_addr_ton=ton,
            source_addr_npi=npi,
            source_addr=sender,
        )

    def read(self, question: Question, response: Operation) -> Finding:
        """What the centre says: a state, or why not."""
        status = response.status
        if status == st.ROK and type(response) is QuerySmResp:
            state = STATES.get(response.message_state)
            if state is None:
                return Finding(Found.LATER, f"message_state {response.message_state}")
            return Finding(self._found(state), state.word, str(response.error_code) if response.error_code else "")
        return why_not(status, Found.NOT_KNOWN)

    def overhear(self, question: Question, operation: Operation) -> None:
        """All is said in the response."""
        return

    def _found(self, state: MessageState) -> Found:
        if state.code == _ACCEPTED and self._options.accepted_is_final:
            return Found.DELIVERED
        if not state.is_final:
            return Found.ON_ITS_WAY
        return _ENDS.get(state.code, Found.FAILED)


def why_not(status: int, permanent: Found) -> Finding:
    """What another response than the yes means, to a question and to who takes back; `permanent`: for this message."""
    why = st.sentence(status)
    if status in _REFUSALS:
        return Finding(Found.REFUSED, why)
    passes = status == st.ROK or not st.is_permanent(status)
    return Finding(Found.LATER if passes else permanent, why)


def spelled(key: str, options: SmppOptions) -> str:
    """An id as the centre's usual answers have it: in their base, in their letters, with the zeros in front."""
    base, _ = ID_MODES[options.message_id_base]
    written = f"{int(key):x}" if base == "hex" and key.isascii() and key.isdigit() else key
    written = written.lower() if options.asked_id_letters == "lower" else written.upper()
    return written.rjust(options.asked_id_length, "0")


def spells_plainly(options: SmppOptions) -> bool:
    """Whether an id that was written as it is stored is always asked for as it is stored."""
    base, _ = ID_MODES[options.message_id_base]
    return base != "hex" and options.asked_id_letters == "upper" and not options.asked_id_length
