"""What a message centre hands to us: 20 → Delivery, 23 → Receipt.

Cimd2Reader   one link's reader
cause_of      parameter 062, for people

Of a Delivery `data_coding` says how its octets are to be read: 0, characters of GSM 03.38, from 033 or unpacked from
034; 1, a text of 033 with letters that GSM lacks, as UTF-8; else the data coding scheme of 034 (parameter 030), where
those below 0x10 have 0x10 added.

Rule: whatever it says, an MO is read: the centre cannot be told that it is wrong, and somebody has paid for it. Only a
report that does not say of what, or what became of it, is Unreadable. read() never raises.

Source: the fact sheet's sections 3 to 5 and 7.
"""

from core.catalogue import Link, Operator
from core.clock import Instant
from core.message import Receipt, ReceiptState
from core.numbering import Numbers
from core.sms.alphabet import GSM7, UTF8, Alphabet, coding_of, encode_gsm, unpack
from core.sms.parts import read_header
from smsc_link.adapter import Answer, Ignored, Inbound, Unreadable
from smsc_link.protocols.cimd2.options import Cimd2Options
from smsc_link.reading import ADDRESS_MAX, fingerprint, operator_octets, stamped, unfit
from traffic.ports import Delivery
from wire.cimd2 import Deliver, Operation, StatusReport, codes, read_text
from wire.cimd2.identity import keys_of

TEXT, BEYOND_GSM, _BINARY, _GSM = 0x00, 0x01, 0x14, 0x10
_ESCAPE = b"_XX"
_EXPIRED = 2


class Cimd2Reader:
    """Reads what comes over one link."""

    def __init__(self, link: Link, operator: Operator, options: Cimd2Options, numbers: Numbers) -> None:
        self.operator = operator
        self.numbers = numbers
        # Below 0x10 a GSM scheme and SMPP's data_coding differ; one bit more says the former.
        schemes = (coding_of(value | _GSM if value < _GSM else value, GSM7) for value in range(2, 256))
        self.codings = (GSM7, UTF8, *schemes)
        self._link = link
        self._my_number = options.my_number
        self._time_stamp_tells = options.time_stamp_tells
        self._operator_octets = operator_octets(operator)

    def read(self, operation: Operation, now: Instant, now_ms: int, answer: Answer) -> Inbound:
        """An MO or a part of one, a receipt, or neither."""
        if type(operation) is Deliver:
            return self._read_mo(operation, now, now_ms, answer)
        if type(operation) is StatusReport:
            return self._read_receipt(operation, now)
        return Ignored("an operation that is of no use to us")

    # --- MO -----------------------------------------------------------------------------------------

    def _read_mo(self, mo: Deliver, now: Instant, now_ms: int, answer: Answer) -> Delivery | Unreadable:
        source = mo.originating_address
        destination = self._my_number or mo.destination
        if len(source) > ADDRESS_MAX or len(destination) > ADDRESS_MAX:
            return unfit(source)
        header = mo.user_data_header
        data_coding, octets = self._meant(mo)
        read = read_header(header) if header else None
        head = f"{source}\0{mo.destination}\0{mo.data_coding}\0{header.hex()}\0{len(mo.user_data)}\0"
        print_ = fingerprint(self._operator_octets, head, mo.user_data + mo.user_data_binary)
        return Delivery(
            self._link,
            self.operator,
            self.numbers.inbound(source),
            destination.removeprefix("+"),
            octets,
            self.codings[data_coding],
            data_coding,
            read.piece if read is not None else None,
            print_,
            stamped(mo.time_stamp, print_) if self._time_stamp_tells else "",
            now,
            now_ms,
            answer,
        )

    def _meant(self, mo: Deliver) -> tuple[int, bytes]:
        """How the octets are to be read, and they themselves, unpacked."""
        if mo.user_data or not mo.user_data_binary:
            return _characters(mo.user_data)
        scheme = _BINARY if mo.data_coding is None else mo.data_coding & 0xFF
        scheme = scheme | _GSM if scheme < _GSM else scheme
        if self.codings[scheme].alphabet is not Alphabet.GSM7:
            return scheme, mo.user_data_binary
        return TEXT, unpack(mo.user_data_binary, header_octets=len(mo.user_data_header))

    # --- receipts -----------------------------------------------------------------------------------

    def _read_receipt(self, report: StatusReport, now: Instant) -> Receipt | Unreadable:
        if not report.time_stamp or report.status_code is None:
            return Unreadable("a status report that does not say of what, or what became of it")
        status = codes.status_of(report.status_code)
        return Receipt(
            self._link.name,
            self._link.id,
            self.operator.id,
            keys_of(report.destination, report.time_stamp),
            _state_of(status),
            status.meaning,
            cause_of(status, report.status_error),
            self.numbers.inbound(report.destination),
            report.originating_address.removeprefix("+"),
            now,
        )


def _characters(user_data: bytes) -> tuple[int, bytes]:
    """033 as septets, or as UTF-8. An escape at the end belongs to the part that follows: joined, they are one."""
    cut = user_data.endswith(_ESCAPE)
    text = read_text(user_data[: -len(_ESCAPE)] if cut else user_data)
    septets = encode_gsm(text)
    if septets is None:
        return BEYOND_GSM, text.encode("utf-8")
    return TEXT, septets + b"\x1b" if cut else septets


def cause_of(status: codes.Status, cause: int | None) -> str:
    """Why it was not delivered; with success the cause has no meaning."""
    return codes.cause_sentence(cause) if cause and not status.success else ""


def _state_of(status: codes.Status) -> ReceiptState:
    if not status.final:
        return ReceiptState.ON_ITS_WAY
    if status.success:
        return ReceiptState.DELIVERED
    return ReceiptState.EXPIRED if status.code == _EXPIRED else ReceiptState.FAILED
