"""What we submit to a message centre: Mt → submit_sm, and what the centre says to it.

SmppWriter   one link's writer; write() of a short GSM text is the hot path

Rule: parts_of() and write() agree always: one is what is counted, the other what is sent. A text that a link's own
alphabet lacks, or of which it makes more octets than a PDU takes, goes as UCS-2, all of it; a 16-bit reference takes a
unit of each part. What the centre itself cuts (message_payload) is counted as we would cut it: nobody tells us its
parts (sheet, section 9).

Source: the fact sheet's sections 4, 7, 9 and 11.
"""

from functools import lru_cache

from core.catalogue import Link
from core.clock import DAY_MS, Instant
from core.message import Mt, SubmitAnswer, SubmitOutcome
from core.numbering import Numbers
from core.question import AskedKey
from core.sms.alphabet import GSM7, Alphabet, data_coding_of, decode_gsm, encode, encode_gsm, pack
from core.sms.parts import MESSAGE_OCTETS, MESSAGE_SEPTETS, Split, count, cut, headers, split
from smsc_link.protocols.smpp.inquiry import spelled, spells_plainly
from smsc_link.protocols.smpp.options import SmppOptions
from smsc_link.reading import coding_named
from wire.smpp import status as st
from wire.smpp import tlvs as tlv
from wire.smpp.message_ids import response_key
from wire.smpp.operations import Operation, SubmitSm, SubmitSmResp
from wire.smpp.times import write_absolute, write_relative

_BITS = {"udh8": 8, "udh16": 16, "sar": 8, "payload": 8}
_UDHI = 0x40
_FIELD_OCTETS = 254
"""Of short_message in SMPP 3.4; 5.0 takes one more."""
_HEADER_OCTETS = 7
"""Of a part at most."""
_VALIDITY_MAX_MS = 99 * DAY_MS
_OUTCOMES = {
    "throttle": SubmitOutcome.THROTTLED,
    "temporary": SubmitOutcome.TEMPORARY,
    "session": SubmitOutcome.TEMPORARY,
    "permanent": SubmitOutcome.PERMANENT,
    "ok": SubmitOutcome.TEMPORARY,  # a generic_nack with status 0: refused, and nobody says why
}


class SmppWriter:
    """Writes what goes over one link."""

    def __init__(self, link: Link, options: SmppOptions, numbers: Numbers) -> None:
        self.numbers = numbers
        self._options = options
        self._default = coding_named(link, "default_alphabet", options.default_alphabet)
        self._plain_gsm = self._default is GSM7 and not options.packed
        self._bits = _BITS[options.long_messages]
        self.source_of = lru_cache(maxsize=1024)(self._read_sender)
        fixed = options.dest_ton >= 0 and options.dest_npi >= 0
        self._plain_ids = spells_plainly(options)
        self._dest = (options.dest_ton, options.dest_npi) if fixed else None

    def write(self, mt: Mt, reference: int, now: Instant) -> list[SubmitSm]:
        """One submit_sm for each part; the cheapest alphabet."""
        septets = encode_gsm(mt.text) if self._plain_gsm else None
        if septets is not None and len(septets) <= MESSAGE_SEPTETS:
            return [self._submit(mt, now, 0, septets)]
        data_coding, whole, chunks = self._cut(mt.text)
        if len(chunks) == 1:
            return [self._submit(mt, now, data_coding, self._packed(whole, data_coding))]
        way = self._options.long_messages
        if way == "payload":
            payload = self._packed(whole, data_coding)
            return [self._submit(mt, now, data_coding, b"", tlvs=((tlv.MESSAGE_PAYLOAD, payload),))]
        if way == "sar":
            return [
                self._submit(mt, now, data_coding, self._packed(chunk, data_coding), tlvs=tlvs)
                for chunk, tlvs in zip(chunks, _sar_tlvs(reference & 0xFFFF, len(chunks)))
            ]
        return [
            self._submit(mt, now, data_coding, header + self._packed(chunk, data_coding, len(header)), udhi=_UDHI)
            for chunk, header in zip(chunks, headers(reference, len(chunks), self._bits))
        ]

    def parts_of(self, text: str) -> int:
        """How many SMS the text is over this link."""
        return count(text, bits=self._bits) if self._plain_gsm else len(self._cut(text)[2])

    def text_like(self, old: str, new: str) -> bytes:
        """The octets of a text in one SMS, in the data_coding that another one has. Raises ValueError."""
        data_coding = self._cut(old)[0]
        if data_coding:
            octets = encode(new, Alphabet.UCS2)
            if len(octets) > MESSAGE_OCTETS:
                raise ValueError("the new text does not fit into one SMS")
            return octets
        its, octets, chunks = self._cut(new)
        if its or len(chunks) > 1:
            raise ValueError("the new text does not go in one SMS in the alphabet that the message was sent in")
        return self._packed(octets, data_coding)

    def submit_answer(self, response: Operation) -> SubmitAnswer:
        """What the centre says to one part."""
        code = response.status
        if code == 0 and type(response) is SubmitSmResp:
            message_id = response.message_id
            key = response_key(message_id, self._options.message_id_base)
            if key != message_id or not self._plain_ids:
                key = self._asked_by(key, message_id)
            return SubmitAnswer(SubmitOutcome.ACCEPTED, key)
        return SubmitAnswer(_OUTCOMES[st.lookup(code).kind], "", code, st.sentence(code))

    def _asked_by(self, key: str, message_id: str) -> str:
        """The key, with what the centre wrote where the options do not give that back."""
        return AskedKey(key, message_id) if key and spelled(key, self._options) != message_id else key

    def _submit(
        self, mt: Mt, now: Instant, data_coding: int, octets: bytes, *, udhi: int = 0, tlvs: tlv.Tlvs = ()
    ) -> SubmitSm:
        options = self._options
        ton, npi, source = self.source_of(mt.source)
        dest_ton, dest_npi, destination = self.destination_of(mt.destination)
        return SubmitSm(
            0,
            0,
            tlvs,
            options.service_type,
            ton,
            npi,
            source,
            dest_ton,
            dest_npi,
            destination,
            options.messaging_mode | udhi,
            0,
            0,
            "",
            self._validity_of(mt.valid_until, now) if mt.valid_until else "",
            options.registered_delivery,
            0,
            data_coding,
            0,
            octets,
        )

    def destination_of(self, number: str) -> tuple[int, int, str]:
        """TON, NPI and address of a subscriber."""
        destination = self.numbers.outbound(number)
        return (*(self._dest or self._kind_of(destination, number)), destination)

    def _validity_of(self, valid_until: Instant, now: Instant) -> str:
        how = self._options.validity
        if how == "none":
            return ""
        if how == "absolute":
            return _absolute(valid_until // 1000)
        left_ms = min(valid_until - now, _VALIDITY_MAX_MS)
        return _relative(max(1, left_ms // 1000))

    def _cut(self, text: str) -> tuple[int, bytes, tuple[bytes, ...]]:
        """data_coding, the whole and its chunks. A text that the link's own alphabet does not carry goes as UCS-2."""
        parts = split(text, bits=self._bits)
        chunks = self._in_default(parts)
        if chunks is not None:
            return 0, b"".join(chunks), chunks
        octets = encode(text, Alphabet.UCS2)
        return data_coding_of(Alphabet.UCS2), octets, cut(octets, Alphabet.UCS2, bits=self._bits)

    def _in_default(self, parts: Split) -> tuple[bytes, ...] | None:
        """The chunks in the alphabet of data_coding 0; None where it lacks a letter, or they would be too long."""
        if parts.alphabet is not Alphabet.GSM7:
            return None
        if self._default is GSM7:
            return parts.chunks
        try:
            # The centre makes GSM of it again, so it is cut where GSM would be.
            chunks = tuple(decode_gsm(chunk).encode(self._default.codec) for chunk in parts.chunks)
        except UnicodeEncodeError:
            return None
        # A charset may have several octets for a letter that is one septet.
        room = _FIELD_OCTETS if len(chunks) == 1 else _FIELD_OCTETS - _HEADER_OCTETS
        return chunks if all(len(chunk) <= room for chunk in chunks) else None

    def _packed(self, chunk: bytes, data_coding: int, header_octets: int = 0) -> bytes:
        if self._options.packed and data_coding == 0 and self._default is GSM7:
            return pack(chunk, header_octets=header_octets)
        return chunk

    def _kind_of(self, written: str, digits: str) -> tuple[int, int]:
        """TON and NPI of a subscriber by how the number is written (sheet, section 4): with the country's code,
        national, a short one of the operator's; behind any prefix it is of no kind.
        """
        if len(digits) <= 8:
            ton, npi = 3, 0
        elif written in (digits, "+" + digits):
            ton, npi = 1, 1
        else:
            ton, npi = (2 if digits.endswith(written) else 0), 1
        options = self._options
        return ton if options.dest_ton < 0 else options.dest_ton, npi if options.dest_npi < 0 else options.dest_npi

    def _read_sender(self, source: str) -> tuple[int, int, str]:
        """TON, NPI and address of a sender: as the options say, or by its look (sheet, section 4)."""
        plain = source.removeprefix("+")
        if not (plain.isascii() and plain.isdigit()):
            ton, npi = 5, 0
            # An "@" is septet 0 to some centres, and ends the string (Kannel).
            plain = source.replace("@", "?")
        elif len(plain) <= 8 and plain == source:
            ton, npi = 3, 0
        else:
            ton, npi = 1, 1
        options = self._options
        return (
            ton if options.source_ton < 0 else options.source_ton,
            npi if options.source_npi < 0 else options.source_npi,
            plain,
        )


_absolute = lru_cache(maxsize=256)(lambda seconds: write_absolute(1000 * seconds))
_relative = lru_cache(maxsize=256)(write_relative)


def _sar_tlvs(reference: int, total: int) -> list[tlv.Tlvs]:
    return [
        (
            tlv.write_tlv(tlv.SAR_MSG_REF_NUM, reference),
            tlv.write_tlv(tlv.SAR_TOTAL_SEGMENTS, total),
            tlv.write_tlv(tlv.SAR_SEGMENT_SEQNUM, number),
        )
        for number in range(1, total + 1)
    ]
