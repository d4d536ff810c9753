"""What a message centre hands to us: 52 and 01 → Delivery, 53 → Receipt.

UcpReader   one link's reader

Of a Delivery `data_coding` says how its octets are to be read: 0, characters of the link's own alphabet (MT 3); else a
GSM data coding scheme, as XSer has it for data (MT 4), where 0x10 stands for GSM 03.38 proper.

Rule: a receipt is known by its operation alone, and read by its fields; its words are looked at only where a field is
missing (sheet, section 7). read() never raises: what cannot be read is Unreadable.

Source: the fact sheet's sections 3 to 7.
"""

from core.catalogue import Link, Operator
from core.clock import Instant
from core.message import Receipt, ReceiptState
from core.numbering import Numbers
from core.sms.alphabet import GSM7, Alphabet, coding_of, decode_gsm, unpack
from core.sms.parts import read_header
from smsc_link.adapter import Answer, Ignored, Inbound, Unreadable
from smsc_link.protocols.ucp.options import UcpOptions
from smsc_link.protocols.ucp.words import IDENTIFICATION, scts_of, state_in, words_of
from smsc_link.reading import ADDRESS_MAX, coding_named, fingerprint, operator_octets, stamped, unfit
from traffic.ports import Delivery
from wire.errors import RemoteError
from wire.ucp import Identity, codes
from wire.ucp.codes import STATES
from wire.ucp.operations import CallInput, DeliverMessage, DeliverNotification, Operation
from wire.ucp.text import (
    ALPHANUMERIC,
    NUMERIC,
    OTOA_ALPHANUMERIC,
    bit_count,
    read_originator,
    text_octets,
)
from wire.ucp.xser import DATA_CODING_SCHEME, USER_DATA_HEADER, read_item, read_xser

_OWN, _GSM, _BINARY = 0x00, 0x10, 0x04
_STATES = {"0": ReceiptState.DELIVERED, "1": ReceiptState.ON_ITS_WAY, "2": ReceiptState.FAILED}


class UcpReader:
    """Reads what comes over one link."""

    def __init__(self, link: Link, operator: Operator, options: UcpOptions, numbers: Numbers) -> None:
        self.operator = operator
        self.numbers = numbers
        own = coding_named(link, "alphabet", options.alphabet)
        # Below 0x10 a GSM scheme and SMPP's data_coding differ; one bit more says the former.
        self.codings = (own, *(coding_of(value | _GSM if value < _GSM else value, GSM7) for value in range(1, 256)))
        self._link = link
        self._my_number = options.my_number
        self._time_stamp_tells = options.time_stamp_tells
        self._operator_octets = operator_octets(operator)

    def read(self, operation: Operation, now: Instant, now_ms: int, answer: Answer) -> Inbound:
        """An MO or a part of one, a receipt, or neither."""
        kind = type(operation)
        try:
            if kind is DeliverMessage or kind is CallInput:
                return self._read_mo(operation, now, now_ms, answer)  # type: ignore[arg-type]
        except RemoteError as error:
            return Unreadable(error.reason)
        if kind is DeliverNotification:
            return self._read_receipt(operation, now)  # type: ignore[arg-type]
        return Ignored("an operation that is of no use to us")

    # --- MO -----------------------------------------------------------------------------------------

    def _read_mo(
        self, operation: DeliverMessage | CallInput, now: Instant, now_ms: int, answer: Answer
    ) -> Delivery | Unreadable:
        whole = operation if type(operation) is DeliverMessage else None
        items = read_xser(whole.xser) if whole is not None and whole.xser else ()
        source = operation.oadc if whole is None or whole.otoa != OTOA_ALPHANUMERIC else _name_of(whole)
        destination = self._my_number or operation.adc
        if len(source) > ADDRESS_MAX or len(destination) > ADDRESS_MAX:
            return unfit(source)

        octets = text_octets(operation)
        header = read_item(items, USER_DATA_HEADER) or b""
        scheme = read_item(items, DATA_CODING_SCHEME) or b""
        head = f"{operation.oadc}\0{operation.adc}\0{operation.mt}\0{scheme.hex()}\0{header.hex()}\0"
        data_coding, text = self._meant(operation, octets, scheme)
        read = read_header(header) if header else None
        print_ = fingerprint(self._operator_octets, head, octets)
        return Delivery(
            self._link,
            self.operator,
            self.numbers.inbound(source),
            destination.removeprefix("+"),
            text,
            self.codings[data_coding],
            data_coding,
            read.piece if read is not None else None,
            print_,
            stamped(whole.scts, print_) if whole is not None and self._time_stamp_tells else "",
            now,
            now_ms,
            answer,
        )

    def _meant(self, operation: DeliverMessage | CallInput, octets: bytes, scheme: bytes) -> tuple[int, bytes]:
        """How the octets are to be read, and they themselves, unpacked."""
        if operation.mt == ALPHANUMERIC:
            return _OWN, octets
        if operation.mt == NUMERIC:
            return _GSM, octets
        data_coding = scheme[0] if scheme else _BINARY
        coding = self.codings[data_coding] if data_coding else GSM7
        if coding.alphabet is not Alphabet.GSM7:
            return data_coding, octets
        bits = bit_count(operation.nb) if type(operation) is DeliverMessage else None
        return _GSM, _unpacked(octets, bits)

    # --- receipts -----------------------------------------------------------------------------------

    def _read_receipt(self, notification: DeliverNotification, now: Instant) -> Receipt | Unreadable:
        scts, dst = notification.scts, notification.dst
        if not (scts and dst in STATES):
            words = words_of(notification)
            scts, dst = scts or _identified(words), dst if dst in STATES else state_in(words)
        if not scts or dst not in STATES:
            return Unreadable("a notification that does not say of what, or what became of it")
        state = STATES[dst]
        return Receipt(
            self._link.name,
            self._link.id,
            self.operator.id,
            (Identity(notification.oadc, scts).key,),
            _STATES[dst],
            state.word,
            # With Dst 0 the reason has no meaning.
            "" if state.ok else codes.reason_sentence(notification.rsn),
            self.numbers.inbound(notification.oadc),
            notification.adc.removeprefix("+"),
            now,
        )


def _name_of(mo: DeliverMessage) -> str:
    """A packed sender; nobody where it cannot be unpacked. Its digits are no number."""
    try:
        return decode_gsm(read_originator(mo.oadc))
    except RemoteError:
        return ""


def _unpacked(octets: bytes, bits: int | None) -> bytes:
    """GSM characters sent as data: one per octet, or packed, which NB or an eighth bit tells (sheet, section 4)."""
    if bits is None or (bits % 8 == 0 and octets.isascii()):
        return octets if octets.isascii() else unpack(octets)
    counted = bits % 7 == 0 and (bits + 7) // 8 == len(octets)
    return unpack(octets, count=bits // 7 if counted else None)


def _identified(words: str) -> str:
    """The SCTS that the words name; "" when they name none."""
    found = IDENTIFICATION.search(words)
    return scts_of(found) if found else ""
