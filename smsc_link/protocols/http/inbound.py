"""What an operator's request holds: fields → Delivery, Receipt, or neither; and what we answer to it.

HttpReader   one link's reader
SaidIn       one answer of ours, its places filled;  Filled, that answer, and what it was filled with

Rule: what cannot be read is refused for good with a sentence, never dropped; the sentence repeats nothing that came.

Source: reliability.md, section 3, for the fingerprint.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from core.catalogue import Link, Operator
from core.clock import Instant
from core.errors import ConfigError
from core.message import Heard, Receipt, ReceiptState
from core.msisdn import mask_within
from core.numbering import Numbers
from core.sms.alphabet import BINARY, GSM7, LATIN1, UCS2, UTF8, Coding
from core.sms.charsets import charset_named
from core.sms.parts import Piece, piece_of, read_header
from smsc_link.adapter import Answer, Fault, Inbound, Unreadable
from smsc_link.protocols.http.fields import BadForm, Fields, identity
from smsc_link.protocols.http.options import CHARSETS, HttpOptions, MoTable, ReceiptTable, Said
from smsc_link.protocols.http.templates import BadTemplate, Template, as_is, escape_for
from smsc_link.reading import ADDRESS_MAX, fingerprint, operator_octets
from smsc_link.visits import VisitAnswer
from traffic.ports import Delivery
from wire.smpp.message_ids import message_id_key

_WORD_MAX = 20
_AS_TEXT = 0x0C
"""data_coding of what came as a text: reserved in SMPP, so that nobody takes it for something else."""
_HEX: Mapping[str, tuple[Coding, int]] = {
    "gsm_hex": (GSM7, 0x00),
    "latin1_hex": (LATIN1, 0x03),
    "binary_hex": (BINARY, 0x04),
    "ucs2_hex": (UCS2, 0x08),
}
_RETRY_AFTER_S = 5
_REFERENCE_MAX = 0xFFFF


def coding_of(data_coding: int) -> Coding:
    """How octets that were stored with this number are to be read."""
    return next((coding for coding, number in _HEX.values() if number == data_coding), UTF8)


class SaidIn:
    """One answer of ours. Raises a ConfigError for a place or a charset that there is not."""

    def __init__(self, link: Link, name: str, said: Said, known: tuple[str, ...], *, retries: bool = False) -> None:
        self._said = said
        self._escape = escape_for(said.content_type.lower())
        self._headers = (("Retry-After", str(_RETRY_AFTER_S)),) if retries and said.status == 503 else ()
        charset = said.content_type.lower().partition("charset=")[2].partition(";")[0].strip(' "')
        try:
            self._template = Template(said.body, known)
        except BadTemplate as error:
            raise ConfigError(f"link {link.name}: option {name}.body: {error}") from error
        if charset and not charset_named(charset):
            raise ConfigError(
                f"link {link.name}: option {name}.content_type: there is no charset {charset}; write one such as utf-8"
            )
        if any(ord(character) < 0x20 for character in said.content_type):
            raise ConfigError(f"link {link.name}: option {name}.content_type: it is no type such as text/plain")
        self._charset = charset or "utf-8"

    def __call__(self, sent: Callable[[bool], None] | None = None, **values: str) -> VisitAnswer:
        """The answer."""
        body = self._template.fill(values, self._escape).encode(self._charset, "replace")
        return Filled(self._said.status, body, self._said.content_type, self._headers, sent, self, values)

    def shown(self, values: Mapping[str, str], show: Callable[[str, bytes, bytes], bytes]) -> bytes:
        """Its body for others' eyes: `show` is given a place, what was written there, and what that says."""
        shown = {
            name: show(name, self._escape(value).encode("utf-8", "replace"), value.encode("utf-8", "replace"))
            for name, value in values.items()
        }
        filled = self._template.fill({name: one.decode() for name, one in shown.items()}, as_is)
        return filled.encode(self._charset, "replace")


@dataclass(frozen=True, slots=True)
class Filled(VisitAnswer):
    """An answer with what it was made of, for a trace."""

    said: SaidIn | None = None
    values: Mapping[str, str] = field(default_factory=dict)


class HttpReader:
    """Reads what comes to one link."""

    def __init__(self, link: Link, operator: Operator, options: HttpOptions, numbers: Numbers) -> None:
        self.operator = operator
        self.numbers = numbers
        self._link = link
        self._mo = options.mo
        self._receipt = options.receipt
        self._operator_octets = operator_octets(operator)
        self._codings = {name: _charset_of(link, charset) for name, charset in options.mo.codings}
        self._states = {name: _state_of(link, name, word) for name, word in options.receipt.states}
        self._words = frozenset(word[:_WORD_MAX] for word in self._states)
        self._answers = {"mo": _answers(link, "mo", options.mo), "receipt": _answers(link, "receipt", options.receipt)}
        self.reply_answer = SaidIn(link, "reply_answer", options.reply_answer, ("text", "id", "source", "destination"))

    def answer(self, what: str, heard: Heard) -> SaidIn:
        """What is said to a request with an MO or a receipt (`what`)."""
        return self._answers[what][heard]

    def is_receipt(self, fields: Fields) -> bool:
        """Whether a request to the link's own path has a receipt. Raises BadForm."""
        table = self._receipt
        word = fields.get(table.mark)
        return word in table.marks if table.marks else bool(word)

    # --- MO -----------------------------------------------------------------------------------------------------------

    def read_mo(self, fields: Fields, now: Instant, now_ms: int, answer: Answer) -> Inbound:
        """An MO or a part of one. Raises BadForm."""
        table = self._mo
        sender, meant_for = fields.get(table.source), fields.get(table.destination)
        source = self.numbers.inbound(_number(sender))
        destination = _number(meant_for).removeprefix("+") or table.default_destination
        if not _is_address(source) or not _is_address(destination):
            return _unfit(table, source)
        octets, coding, data_coding = self._text_of(fields)
        piece = self._piece_of(fields)
        part = b"" if piece is None else b"%d/%d/%d\0" % (piece.reference, piece.sequence, piece.total)
        head = f"{sender}\0{meant_for}\0{data_coding}\0"
        key = fields.get(table.id)
        if table.each and not key:
            raise BadForm(f"a message of the list has no {table.id}, by which its redelivery is known; send it")
        return Delivery(
            self._link,
            self.operator,
            source,
            destination,
            octets,
            coding,
            data_coding,
            piece,
            fingerprint(self._operator_octets, head, part + octets),
            identity(key),
            now,
            now_ms,
            answer,
        )

    def _text_of(self, fields: Fields) -> tuple[bytes, Coding, int]:
        table = self._mo
        charset = self._codings.get(fields.get(table.coding), table.charset) if table.coding else table.charset
        if charset in _HEX:
            coding, data_coding = _HEX[charset]
            try:
                return bytes.fromhex(fields.get(table.text)), coding, data_coding
            except ValueError:
                raise BadForm(f"{table.text} is no hex, two digits for each octet; send it so") from None
        octets = fields.octets(table.text) if charset == "utf-16-be" else None
        if octets is not None:
            return octets, UCS2, _HEX["ucs2_hex"][1]
        return fields.get(table.text, charset).encode("utf-8", "replace"), UTF8, _AS_TEXT

    def _piece_of(self, fields: Fields) -> Piece | None:
        table = self._mo
        if table.udh and (header := fields.get(table.udh)):
            try:
                read = read_header(bytes.fromhex(header))
            except ValueError:
                raise BadForm(f"{table.udh} is no hex, two digits for each octet; send it so") from None
            return read.piece if read is not None else None
        if not table.part or not (part := fields.get(table.part)):
            return None
        reference, total = fields.get(table.reference), fields.get(table.parts)
        if not all(one.isascii() and one.isdigit() and len(one) <= 18 for one in (part, total)):
            raise BadForm(f"{table.part} and {table.parts} are no whole numbers; send them so")
        number = int(total)
        piece = piece_of(reference=_reference(reference), total=number, sequence=int(part))
        if piece is None:
            raise BadForm(f"{table.part} is not from 1 to {table.parts}, or that is more than 255; send it so")
        return piece if number > 1 else None

    # --- receipts -----------------------------------------------------------------------------------------------------

    def read_receipt(self, fields: Fields, now: Instant) -> Receipt | Unreadable:
        """What became of an MT. Raises BadForm."""
        table = self._receipt
        key = fields.get(table.id)
        word = _clean(fields.get(table.state))
        if not key or not word:
            return Unreadable(f"a receipt without {table.id if not key else table.state}; send both")
        state = self._states.get(word)
        return Receipt(
            self._link.name,
            self._link.id,
            self.operator.id,
            (identity(message_id_key(key)),),
            ReceiptState.ON_ITS_WAY if state is None else state,
            # A word of the mapping is the mapping's; any other may be a sentence with a subscriber in it.
            (mask_within(word) if state is None else word)[:_WORD_MAX],
            mask_within(_clean(fields.get(table.error)))[:_WORD_MAX],
            self.numbers.inbound(_number(fields.get(table.number)))[:ADDRESS_MAX],
            "",
            now,
        )

    def knows(self, receipt: Receipt) -> bool:
        """Whether the receipt's word is in receipt.states; one that is not says nothing."""
        return receipt.word in self._words


def _answers(link: Link, name: str, table: MoTable | ReceiptTable) -> dict[Heard, SaidIn]:
    return {
        Heard.TAKEN: SaidIn(link, f"{name}.taken", table.taken, ("id",)),
        Heard.LATER: SaidIn(link, f"{name}.later", table.later, ("id",), retries=True),
        Heard.NEVER: SaidIn(link, f"{name}.never", table.never, ("id", "reason")),
    }


def _charset_of(link: Link, charset: object) -> str:
    if charset not in CHARSETS:
        raise ConfigError(f"link {link.name}: option mo.codings: {charset!r} is none of {', '.join(CHARSETS)}")
    return str(charset)


def _state_of(link: Link, name: str, word: object) -> ReceiptState:
    try:
        return ReceiptState(word)
    except ValueError:
        known = ", ".join(state.value for state in ReceiptState)
        raise ConfigError(f"link {link.name}: option receipt.states.{name}: {word!r} is none of {known}") from None


def _number(text: str) -> str:
    """A + that was not escaped in a query has become a space."""
    return text.strip()


def _is_address(text: str) -> bool:
    return 0 < len(text) <= ADDRESS_MAX and text.isascii() and text.isprintable() and " " not in text


def _unfit(table: MoTable, source: str) -> Unreadable:
    wrong, fault = (table.destination, Fault.DESTINATION) if _is_address(source) else (table.source, Fault.SOURCE)
    return Unreadable(f"{wrong} is no number of 1 to {ADDRESS_MAX} characters; send one", fault)


def _reference(text: str) -> int:
    """What ties parts together may be any text; a long one by its hash."""
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= _REFERENCE_MAX:
        return int(text)
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=2).digest(), "big")


def _clean(text: str) -> str:
    return "".join(character for character in text if character.isprintable()).strip()
