"""USSD over SMPP: deliver_sm and data_sm → Turn; a Turn and its Reply → submit_sm (ussd.md, sections 1, 2 and 4).

UssdOptions   the quirks of a gateway, by name
SmppUssd      the mapping of one link: is_ussd, read, write, notice, refused

| session | where                               | the key               | the end mark                      |
|---------|-------------------------------------|-----------------------|-----------------------------------|
| its     | its_session_info, its first octet   | number + that octet   | bit 0 of the second, and the op   |
| its15   | its_session_info as one number      | number + 15 bits      | bit 0, whatever the op            |
| umr     | user_message_reference              | number + value        | op                                |
| tlv     | a TLV of the vendor                 | number + value        | op                                |
| msisdn  | nothing                             | number + destination  | op                                |

Rule: every deliver_sm is answered at once, before anything here; the screen is a submit_sm of its own. read() raises
nothing. What a screen echoes is in its Turn, so nothing has to be remembered.
"""

from dataclasses import dataclass

from core.clock import SECOND_MS, Instant
from core.errors import ConfigError
from core.sms.alphabet import Alphabet, Coding, coding_of, encode, unpack
from core.ussd.dial import looks_dialled, normal
from core.ussd.session import Times, Ways
from core.ussd.texts import Room, pack_ussd, write
from core.ussd.turn import Reply, Turn, TurnKind, clean, subscriber
from smsc_link.adapter import Unreadable
from smsc_link.options import option
from wire.smpp import tlvs as tlv
from wire.smpp.operations import DataSm, DeliverSm, Operation, SubmitSm, user_data

ASK, NOTIFY = 0x02, 0x03
SESSION_MAX = 32
"""Octets of a session's key."""
_KINDS = {
    0x00: TurnKind.BEGIN,  # PSSD indication, the old one-shot form
    0x01: TurnKind.BEGIN,  # PSSR indication
    0x10: TurnKind.ANSWER,  # PSSD response
    0x12: TurnKind.ANSWER,  # USSR confirm
    0x13: TurnKind.SHOWN,  # USSN confirm
    0x81: TurnKind.ABORT,  # USSREL indication
}
_OPS = {"begin": TurnKind.BEGIN, "answer": TurnKind.ANSWER, "shown": TurnKind.SHOWN, "abort": TurnKind.ABORT}
_LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "pipe": "|"}
_SEQUENCES = 0x7F


@dataclass(frozen=True, slots=True)
class UssdOptions:
    """What a link may be told of its USSD gateway. Manuals often write op codes in hex without saying so."""

    session: str = option("its", "where a session's key is", among=("its", "its15", "umr", "tlv", "msisdn"))
    session_tag: str = option("", "with session tlv: its tag in hex, such as 0x1401")
    its_sequence: str = option(
        "count", "its_session_info of a screen: counted on, or echoed as it came", among=("count", "echo")
    )
    op_end: int = option(
        0x11, "ussd_service_op of a last screen: 17, with MICA and 6D 23; 3 ends by a notice", least=0, most=255
    )
    ops: str = option("", "op codes of the vendor, such as 0x21=answer,0x22=abort (begin, answer, shown, abort)")
    code_in: str = option(
        "auto",
        "where the dialled string of a begin is: its text, its destination",
        among=("auto", "text", "destination"),
    )
    service_type: str = option("USSD", "service_type of a screen")
    code_ton: int = option(-1, "TON of the code in a screen; -1: as it came", least=-1, most=6)
    code_npi: int = option(-1, "NPI of the code in a screen; -1: as it came", least=-1, most=18)
    gsm_coding: int = option(0, "data_coding of GSM texts: 0, or 15 where asked", least=0, most=255)
    ucs2_coding: int = option(8, "data_coding of UCS-2 texts: 8, or 72 where asked", least=0, most=255)
    packed: bool = option(False, "GSM texts are packed, seven spare bits are a CR")
    limit: int = option(182, "the most septets of a screen; of UCS-2 80 units at most", least=40, most=182)
    alphabet: str = option("any", "what letters the gateway carries", among=("any", "gsm7", "ascii"))
    line_end: str = option("lf", "what stands between two lines of a screen", among=("lf", "crlf", "pipe"))
    session_s: int = option(180, "a session without a turn for so long is over", least=10, most=900)


class SmppUssd:
    """Reads and writes what goes over one link. Raises a ConfigError for options that make no sense together."""

    def __init__(self, link: str, options: UssdOptions) -> None:
        self.options = options
        self.room = Room.of(options.limit, options.alphabet, options.line_end)
        self.ways = Ways(self.room, Times(session_ms=options.session_s * SECOND_MS))
        self._link = link
        self._tag = _tag_of(link, options)
        self._kinds = _KINDS | _vendor_ops(link, options.ops)

    def is_ussd(self, operation: Operation) -> bool:
        """Whether a deliver_sm or data_sm is a turn, not an MO."""
        if not isinstance(operation, DeliverSm | DataSm):
            return False
        named = bool(self.options.service_type) and operation.service_type == self.options.service_type
        return named or tlv.read_octets(operation.tlvs, tlv.USSD_SERVICE_OP) is not None

    # --- what comes in ------------------------------------------------------------------------------------------------

    def read(self, operation: DeliverSm | DataSm, at: Instant) -> Turn | Unreadable:
        """A turn; Unreadable where nobody can tell whose it is. The answer is 0 even then: it would only come again."""
        number = subscriber(operation.source_addr)
        if not number:
            return Unreadable("a USSD turn without the subscriber's number")
        session, sequence, has_end = self._marks(operation)
        text = clean(self._text_of(operation))
        kind = self._kind(operation, text, has_end)
        begins = kind is TurnKind.BEGIN
        return Turn(
            kind,
            self._link,
            f"{number}/{session}",
            number,
            at,
            input="" if begins else text,
            dialled=self._dialled(operation.destination_addr, text) if begins else "",
            sequence=sequence,
            echo=self._echo(operation),
        )

    def _kind(self, operation: DeliverSm | DataSm, text: str, has_end: bool) -> TurnKind:
        op = tlv.read_int(operation.tlvs, tlv.USSD_SERVICE_OP)
        if op is None:
            kind = TurnKind.BEGIN if looks_dialled(text) else TurnKind.ANSWER
        else:
            kind = self._kinds.get(op, TurnKind.ANSWER if text else TurnKind.ABORT)
        if has_end and (self.options.session == "its15" or kind is TurnKind.ANSWER):
            return TurnKind.ABORT
        return kind

    def _marks(self, operation: DeliverSm | DataSm) -> tuple[str, str, bool]:
        """The session, what counts its turns, and whether it is marked as over. A gateway that leaves its TLV out once
        has one session of a number and code, as one that never sends any.
        """
        way = self.options.session
        octets = (tlv.read_octets(operation.tlvs, self._tag) or b"") if self._tag else b""
        if not octets or len(octets) > SESSION_MAX or (way in {"its", "its15"} and len(octets) < 2):
            return normal(operation.destination_addr), "", False
        if way not in {"its", "its15"}:
            return octets.hex(), "", False
        # A gateway whose second octet is only echoed does not count.
        sequence = "" if self.options.its_sequence == "echo" else octets[1:2].hex()
        if way == "its":
            return octets[:1].hex(), sequence, bool(octets[1] & 1)
        return f"{int.from_bytes(octets[:2], 'big') & 0xFFFE:04x}", "", bool(octets[1] & 1)

    def _text_of(self, operation: DeliverSm | DataSm) -> str:
        coding: Coding = coding_of(operation.data_coding)
        octets = user_data(operation)
        if self.options.packed and coding.alphabet is Alphabet.GSM7:
            # A CR of seven spare bits goes with the spaces around the text.
            octets = unpack(octets)
        return coding.decode(octets)

    def _dialled(self, destination: str, text: str) -> str:
        """The dialled string of a begin: the text, the destination, or the one with the rest in the other."""
        way = self.options.code_in
        if way == "text" or not destination or (way == "auto" and looks_dialled(text)):
            return text or destination
        code, typed = normal(destination), normal(text)
        if not text or typed == code or typed.startswith(f"{code}*"):
            return text or destination
        if way == "auto" and not looks_dialled(destination):
            # A short code as the destination says where it goes, not what was dialled.
            return text
        return f"{code}*{text}"

    def _echo(self, operation: DeliverSm | DataSm) -> tuple[tuple[str, str], ...]:
        session = tlv.read_octets(operation.tlvs, self._tag) if self._tag else None
        return (
            ("source", operation.source_addr),
            ("source_type", f"{operation.source_addr_ton}.{operation.source_addr_npi}"),
            ("destination", operation.destination_addr),
            ("destination_type", f"{operation.dest_addr_ton}.{operation.dest_addr_npi}"),
            ("session", (session or b"").hex()),
        )

    # --- what goes out ------------------------------------------------------------------------------------------------

    def write(self, turn: Turn, reply: Reply) -> SubmitSm:
        """The screen of a turn: addresses swapped, the session echoed."""
        op = self.options.op_end if reply.end else ASK
        session = self._session_out(bytes.fromhex(turn.echoed("session")), reply.end)
        sender, receiver = turn.echoed("destination"), turn.echoed("source") or turn.msisdn
        return self._submit(
            reply.text,
            op,
            session,
            (*self._code_types(turn.echoed("destination_type", "0.0")), sender),
            (*_types(turn.echoed("source_type", "1.1")), receiver),
        )

    def notice(self, msisdn: str, code: str, text: str, number: int) -> SubmitSm:
        """A text that nobody asked for, and that needs no answer, in a session of its own with this number."""
        octets = self._new_session(number)
        return self._submit(text, NOTIFY, octets, (*self._code_types("0.0"), code), (1, 1, msisdn))

    def refused(self, turn: Turn, at: Instant) -> Turn:
        """The turn that says that its screen was not taken, and so its session is gone."""
        return Turn(TurnKind.REFUSED, turn.link, turn.session, turn.msisdn, at)

    def _submit(
        self, text: str, op: int, session: bytes, sender: tuple[int, int, str], receiver: tuple[int, int, str]
    ) -> SubmitSm:
        data_coding, octets = self._encoded(text)
        tlvs: tlv.Tlvs = (tlv.write_tlv(tlv.USSD_SERVICE_OP, op),)
        if self._tag and session:
            tlvs = (*tlvs, (self._tag, session))
        return SubmitSm(
            tlvs=tlvs,
            service_type=self.options.service_type,
            source_addr_ton=sender[0],
            source_addr_npi=sender[1],
            source_addr=sender[2],
            dest_addr_ton=receiver[0],
            dest_addr_npi=receiver[1],
            destination_addr=receiver[2],
            data_coding=data_coding,
            short_message=octets,
        )

    def _encoded(self, text: str) -> tuple[int, bytes]:
        """data_coding and octets; one octet for each septet, unless the link packs."""
        written = write(text, self.room)
        ended = written.text.replace("\n", _LINE_ENDS[self.options.line_end])
        octets = encode(ended, written.alphabet)
        if written.alphabet is Alphabet.UCS2:
            return self.options.ucs2_coding, octets
        return self.options.gsm_coding, pack_ussd(octets) if self.options.packed else octets

    def _session_out(self, came: bytes, is_last: bool) -> bytes:
        """Sheet, section 2: what came, counted on, with the end bit in a last screen."""
        way = self.options.session
        if way not in {"its", "its15"} or len(came) < 2 or self.options.its_sequence == "echo":
            return came
        if way == "its15":
            return bytes((came[0], came[1] & 0xFE | is_last))
        sequence = ((came[1] >> 1) + 1) & _SEQUENCES
        return bytes((came[0], sequence << 1 | is_last))

    def _code_types(self, came: str) -> tuple[int, int]:
        ton, npi = _types(came)
        options = self.options
        return (ton if options.code_ton < 0 else options.code_ton, npi if options.code_npi < 0 else options.code_npi)

    def _new_session(self, number: int) -> bytes:
        if self.options.session == "its":
            return bytes((number & 0xFF, 0))
        if self.options.session == "its15":
            return (number << 1 & 0xFFFE).to_bytes(2, "big")
        return (number & 0xFFFF).to_bytes(2, "big")


def _types(written: str) -> tuple[int, int]:
    ton, _, npi = written.partition(".")
    return int(ton), int(npi)


def _tag_of(link: str, options: UssdOptions) -> int:
    """The TLV with the session; 0 where there is none."""
    own = {"its": tlv.ITS_SESSION_INFO, "its15": tlv.ITS_SESSION_INFO, "umr": tlv.USER_MESSAGE_REFERENCE, "msisdn": 0}
    if options.session in own:
        return own[options.session]
    try:
        tag = int(options.session_tag, 16)
    except ValueError:
        tag = 0
    if not 0 < tag <= 0xFFFF:
        raise ConfigError(
            f"link {link}: option session_tag: {options.session_tag!r} is no hexadecimal tag, such as 0x1401, "
            "which session = tlv needs"
        )
    return tag


def _vendor_ops(link: str, written: str) -> dict[int, TurnKind]:
    ops = {}
    for pair in filter(None, (part.strip() for part in written.split(","))):
        code, _, word = pair.partition("=")
        try:
            ops[int(code.strip(), 0)] = _OPS[word.strip()]
        except (ValueError, KeyError):
            raise ConfigError(
                f"link {link}: option ops: {pair!r} is no op code with its meaning; write it like 0x21=answer, "
                f"with {', '.join(_OPS)}"
            ) from None
    return ops
