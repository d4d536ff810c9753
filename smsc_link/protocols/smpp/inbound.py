"""What a message centre hands to us: deliver_sm and data_sm → Delivery, Receipt, or neither.

SmppReader   one link's reader; read() of a plain MO is the hot path, so all that can be known is worked out before

Rule: a receipt is known by the type bits of esm_class, never by its text, unless the link says so: a subscriber
may send any text. What cannot be read is refused for good, never dropped.

Source: the fact sheet's sections 4, 8 and 9; reliability.md, section 3, for the fingerprint.
"""

from hashlib import blake2b

from core.catalogue import Link, Operator
from core.clock import Instant
from core.errors import ConfigError
from core.message import Receipt, ReceiptState
from core.numbering import Numbers
from core.sms.alphabet import Alphabet, Coding, coding_of, unpack
from core.sms.parts import MESSAGE_OCTETS, PARTS_MAX, Piece, piece_of, read_header
from smsc_link.adapter import Answer, Ignored, Inbound, Unreadable
from smsc_link.protocols.smpp.options import SmppOptions
from smsc_link.reading import ADDRESS_MAX, coding_named, fingerprint, operator_octets, unfit
from traffic.ports import Delivery
from wire.smpp import tlvs as tlv
from wire.smpp.message_ids import receipt_key, response_key
from wire.smpp.operations import DataSm, DeliverSm, Operation, user_data
from wire.smpp.receipts import ReceiptText, read_receipt
from wire.smpp.receipts import Unreadable as NoReceipt

_UDHI = 0x40
_TYPE = 0x3C
_RECEIPT, _INTERMEDIATE = 0x04, 0x20
_NOTICES = {
    _RECEIPT: "a receipt", _INTERMEDIATE: "an intermediate receipt", 0x08: "an acknowledgement that a handset wrote",
    0x10: "an acknowledgement that a subscriber wrote", 0x18: "the end of a conversation",
}  # fmt: skip
"""Types that are no MO. What has bits that mean nothing is an MO, rather than nothing at all."""
_STATES = {2: ReceiptState.DELIVERED, 3: ReceiptState.EXPIRED, 7: ReceiptState.UNKNOWN}
_ACCEPTED = 6
_KEY_MAX = 64
_PACKED_MAX = PARTS_MAX * MESSAGE_OCTETS


class SmppReader:
    """Reads what comes over one link."""

    def __init__(self, link: Link, operator: Operator, options: SmppOptions, numbers: Numbers) -> None:
        self.operator = operator
        self.numbers = numbers
        self._link = link
        self._options = options
        default = coding_named(link, "default_alphabet", options.default_alphabet)
        ia5 = coding_named(link, "ia5_alphabet", options.ia5_alphabet)
        self.codings = tuple(coding_of(value, default, ia5=ia5) for value in range(256))
        self._id_tag = _tag_of(link)
        self._operator_octets = operator_octets(operator)
        self._looks_for_headers = options.udhi_missing or options.packed

    def read(self, operation: Operation, now: Instant, now_ms: int, answer: Answer) -> Inbound:
        """An MO or a part of one, a receipt, or neither."""
        if type(operation) is DeliverSm:
            octets = operation.short_message or (user_data(operation) if operation.tlvs else b"")
        elif type(operation) is DataSm:
            octets = user_data(operation)
        else:
            return Ignored(f"{operation.name} is of no use to us")
        esm_class = operation.esm_class
        if esm_class & _TYPE in _NOTICES:
            return self._read_notice(operation, octets, now)
        if self._options.receipts_by_text:
            receipt = self._read_receipt(operation, octets, now)
            if type(receipt) is Receipt:
                return receipt

        source = operation.source_addr
        destination = operation.destination_addr or self._options.default_destination
        if len(source) > ADDRESS_MAX or len(destination) > ADDRESS_MAX:
            return unfit(source)
        data_coding = operation.data_coding
        hashed, key, piece = self._of_tlvs(operation.tlvs, octets) if operation.tlvs else (octets, "", None)
        head = f"{source}\0{operation.destination_addr}\0{esm_class}\0{data_coding}\0"
        print_ = fingerprint(self._operator_octets, head, hashed)
        coding = self.codings[data_coding]
        if len(octets) > _PACKED_MAX and self._unpacks(coding):
            return Unreadable(f"a packed text of {len(octets)} octets: {PARTS_MAX} SMS have {_PACKED_MAX}")
        if esm_class & _UDHI or self._looks_for_headers:
            octets, piece = self._without_header(octets, esm_class, coding, piece)
        return Delivery(
            self._link,
            self.operator,
            self.numbers.inbound(source),
            destination.removeprefix("+"),
            octets,
            coding,
            data_coding,
            piece,
            print_,
            key,
            now,
            now_ms,
            answer,
        )

    def _of_tlvs(self, tlvs: tlv.Tlvs, octets: bytes) -> tuple[bytes, str, Piece | None]:
        """What is hashed, the operator's identity of the message, its place in a long one."""
        piece = _sar_of(tlvs)
        if piece is not None:
            # Parts of one message may be equal but for their number.
            octets = b"%d/%d/%d\0" % (piece.reference, piece.sequence, piece.total) + octets
        return octets, _key_in(tlvs, self._id_tag) if self._id_tag else "", piece

    def _without_header(
        self, octets: bytes, esm_class: int, coding: Coding, piece: Piece | None
    ) -> tuple[bytes, Piece | None]:
        """User data without its header, unpacked; a header that does not add up was taken off by the centre."""
        header = read_header(octets) if esm_class & _UDHI or self._options.udhi_missing else None
        if header is not None and not esm_class & _UDHI and header.piece is None:
            header = None
        header_octets = 0
        if header is not None:
            header_octets = header.octets
            octets = octets[header_octets:]
            piece = header.piece or piece
        if self._unpacks(coding):
            octets = unpack(octets, header_octets=header_octets)
        return octets, piece

    def _unpacks(self, coding: Coding) -> bool:
        return self._options.packed and coding.alphabet is Alphabet.GSM7

    # --- receipts -----------------------------------------------------------------------------------

    def _read_notice(self, operation: DeliverSm | DataSm, octets: bytes, now: Instant) -> Inbound:
        kind = operation.esm_class & _TYPE
        if kind in (_RECEIPT, _INTERMEDIATE):
            return self._read_receipt(operation, octets, now)
        return Unreadable(f"{_NOTICES[kind]} (esm_class 0x{operation.esm_class:02X}), for which we did not ask")

    def _read_receipt(self, operation: DeliverSm | DataSm, octets: bytes, now: Instant) -> Receipt | Unreadable:
        if operation.esm_class & _UDHI:
            header = read_header(octets)
            octets = octets[header.octets :] if header else octets
        coding = self.codings[operation.data_coding]
        text = coding.decode(octets) if coding.alphabet is Alphabet.UCS2 else octets
        intermediate = operation.esm_class & _TYPE == _INTERMEDIATE
        found = read_receipt(text, operation.tlvs, intermediate=intermediate)
        if isinstance(found, NoReceipt):
            return Unreadable(f"a receipt that cannot be read: {found.reason}")
        return Receipt(
            self._link.name,
            self._link.id,
            self.operator.id,
            self._keys_of(found),
            self._state_of(found, intermediate),
            found.stat,
            found.err or (str(found.network_error.code) if found.network_error else ""),
            self.numbers.inbound(operation.source_addr),
            operation.destination_addr.removeprefix("+"),
            now,
        )

    def _keys_of(self, found: ReceiptText) -> tuple[str, ...]:
        """The spellings that the answer's id may have been stored under."""
        mode = self._options.message_id_base
        keys = [receipt_key(found.message_id, mode)]
        if found.text_id and found.text_id != found.message_id:
            # Sheet, section 8: TLV and text may be in different bases, and the TLV then in that of the answer.
            keys += [receipt_key(found.text_id, mode), response_key(found.message_id, mode)]
        return tuple(dict.fromkeys(keys))

    def _state_of(self, found: ReceiptText, intermediate: bool) -> ReceiptState:
        if found.state == _ACCEPTED and self._options.accepted_is_final and not intermediate:
            return ReceiptState.DELIVERED
        if not found.is_final:
            return ReceiptState.ON_ITS_WAY
        return _STATES.get(found.state, ReceiptState.FAILED)


def _tag_of(link: Link) -> int:
    """The number of the TLV with the operator's identity of an MO; 0: there is none."""
    try:
        return int(link.id_tlv or "0", 16)
    except ValueError:
        raise ConfigError(f"link {link.name}: id_tlv {link.id_tlv!r} is no hexadecimal tag, such as 0x1402") from None


def _sar_of(tlvs: tlv.Tlvs) -> Piece | None:
    reference = tlv.read_int(tlvs, tlv.SAR_MSG_REF_NUM)
    total = tlv.read_int(tlvs, tlv.SAR_TOTAL_SEGMENTS)
    sequence = tlv.read_int(tlvs, tlv.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or sequence is None:
        return None
    return piece_of(reference=reference, total=total, sequence=sequence)


def _key_in(tlvs: tlv.Tlvs, tag: int) -> str:
    """The operator's identity of an MO: as text where it is one, else in hex; a very long one by its hash."""
    octets = (tlv.read_octets(tlvs, tag) or b"").rstrip(b"\0")
    text = octets.decode("latin-1")
    key = text if octets and text.isascii() and text.isprintable() else octets.hex()
    return key if len(key) <= _KEY_MAX else blake2b(octets, digest_size=_KEY_MAX // 2).hexdigest()
