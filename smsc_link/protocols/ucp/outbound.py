"""What we submit to a message centre: Mt → 51 (or 01, or 02), and what the centre says to it.

UcpWriter   one link's writer

By 51 a text goes as GSM characters (MT 3) or as UCS-2 (MT 4), long ones in parts with a header in XSer 01. By 01 or
02, which old centres know, only GSM characters can go, and a long text goes as several messages. A 02 could name many
recipients; ours names one, for its answer is that of one message.

Rule: parts_of() and write() agree always: one is what is counted, the other what is sent. A text that the link's own
alphabet lacks, or of which it makes more octets than an AMsg takes, goes as UCS-2, all of it.

Source: the fact sheet's sections 3 to 6.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial
from typing import TypeVar

from core.catalogue import Link
from core.clock import MINUTE_MS, Instant
from core.message import Mt, MtKind, SubmitAnswer, SubmitOutcome
from core.numbering import Numbers
from core.sms.alphabet import GSM7, Alphabet, decode_gsm, encode, encode_gsm
from core.sms.parts import MESSAGE_OCTETS, MESSAGE_SEPTETS, PARTS_MAX, TooLong, count, cut, headers
from smsc_link.options import error_codes, zone_named
from smsc_link.protocols.ucp.options import UcpOptions, read_billing, read_extras
from smsc_link.reading import coding_named, said
from wire.errors import LocalError
from wire.ucp import codes, read_identity
from wire.ucp.operations import CallInput, MultipleCallInput, Request, Result, ShortMessage, SubmitMessage
from wire.ucp.text import (
    ALPHANUMERIC,
    OTOA_ALPHANUMERIC,
    OTOA_INTERNATIONAL,
    TRANSPARENT,
    write_originator,
    write_transparent,
)
from wire.ucp.times import write_minute
from wire.ucp.xser import BILLING_IDENTIFIER, DATA_CODING_SCHEME, USER_DATA_HEADER, Item, write_xser

S = TypeVar("S", bound=ShortMessage)
_OLD = frozenset({CallInput.ot, MultipleCallInput.ot})
_UCS2: Item = (DATA_CODING_SCHEME, b"\x08")
_ESCAPE = 0x1B
_AMSG_OCTETS = 320
"""Of 640 digits."""
_SHORT_MAX = 8
_SAID_MAX = 80


class UcpWriter:
    """Writes what goes over one link."""

    def __init__(self, link: Link, options: UcpOptions, numbers: Numbers) -> None:
        self.numbers = numbers
        self._options = options
        self._own = coding_named(link, "alphabet", options.alphabet)
        self._is_old = options.operation in _OLD
        self._bits = 16 if options.long_messages == "udh16" else 8
        self._zone = zone_named(link, options.time_zone)
        self._throttles = _ecs(link, "throttle_ecs", options.throttle_ecs)
        self._passes = _ecs(link, "temporary_ecs", options.temporary_ecs)
        self._billing = {
            False: read_billing(link, "billing_id", options.billing_id),
            True: read_billing(link, "premium_billing_id", options.premium_billing_id),
        }
        self._extras = {
            False: read_extras(link, "extra_services", options.extra_services),
            True: read_extras(link, "premium_extra_services", options.premium_extra_services),
        }
        self._nrq = "1" if options.notify else ""
        self._nt = str(options.notify) if options.notify else ""
        self._class = "" if options.message_class < 0 else str(options.message_class)
        self.originator_of = lru_cache(maxsize=1024)(self._write_originator)
        self._services_of = lru_cache(maxsize=1024)(self._write_services)
        self._validity_at = lru_cache(maxsize=256)(self._write_validity)

    def write(self, mt: Mt, reference: int, now: Instant) -> list[Request]:
        """One operation for each part; the cheapest alphabet."""
        destination = self.destination_of(mt.destination)
        originator, otoa = self.originator_of(mt.source)
        premium = mt.kind is MtKind.PREMIUM
        options = self._options
        ac = options.premium_authentication if premium else options.authentication
        alphabet, chunks = self._cut(mt.text)
        if self._is_old:
            if otoa == OTOA_ALPHANUMERIC or alphabet is Alphabet.UCS2:
                raise ValueError(
                    f"operation {options.operation} carries no names as senders, and no letters that GSM 03.38 lacks"
                )
            call = self._call_to(destination)
            return [call(oadc=originator, ac=ac, mt=ALPHANUMERIC, msg=self._characters(one)) for one in chunks]
        services = self._services_of(mt.source, premium)
        envelope = partial(
            SubmitMessage,
            adc=destination,
            oadc=originator,
            otoa=otoa,
            ac=ac,
            nrq=self._nrq,
            nadc=options.notify_address,
            nt=self._nt,
            npid=options.notify_pid,
            vp=self._validity_of(mt.valid_until, now) if mt.valid_until else "",
            rpid=options.rpid,
        )
        return [
            self._filled(envelope, alphabet, chunk, header + services)
            for chunk, header in zip(chunks, self._headers(alphabet, reference, len(chunks)))
        ]

    def text_like(self, envelope: Callable[..., S], old: str, new: str, *, source: str, kind: MtKind) -> S:
        """An operation with a text in one SMS, in the alphabet that another one went in, and with what else stood
        beside it in XSer. Raises ValueError.
        """
        alphabet = self._cut(old)[0]
        if alphabet is Alphabet.UCS2:
            chunks: tuple[bytes, ...] = (encode(new, Alphabet.UCS2),)
            fits = len(chunks[0]) <= MESSAGE_OCTETS
        else:
            its, chunks = self._cut(new)
            fits = its is alphabet and len(chunks) == 1
        if not fits:
            raise ValueError("the new text does not go in one SMS in the alphabet that the message was sent in")
        if self._is_old:
            return envelope(mt=ALPHANUMERIC, msg=self._characters(chunks[0]))
        services = self._services_of(source, kind is MtKind.PREMIUM)
        return self._filled(envelope, alphabet, chunks[0], self._headers(alphabet, 0, 1)[0] + services)

    def _call_to(self, destination: str) -> Callable[..., Request]:
        if self._options.operation == MultipleCallInput.ot:
            return partial(MultipleCallInput, adc=(destination,))
        return partial(CallInput, adc=destination)

    def parts_of(self, text: str) -> int:
        """How many SMS the text is over this link."""
        if self._own is GSM7 and not self._is_old:
            return count(text, bits=self._bits)
        return len(self._cut(text)[1])

    def submit_answer(self, response: Result) -> SubmitAnswer:
        """What the centre says to one part. Without "AdC:SCTS" no receipt will find it."""
        ec = response.ec
        if ec == codes.EC_OK:
            identity = read_identity(response.sm)
            return SubmitAnswer(SubmitOutcome.ACCEPTED, identity.key if identity is not None else "")
        sentence = codes.sentence(ec) + said(response.sm, _SAID_MAX)
        return SubmitAnswer(self._outcome_of(ec, response.sm), "", ec, sentence)

    def _outcome_of(self, ec: int, sm: str) -> SubmitOutcome:
        if ec in self._throttles or codes.is_throttle(ec, sm):
            return SubmitOutcome.THROTTLED
        if ec in self._passes or codes.is_temporary(ec, sm) or codes.is_session(ec):
            return SubmitOutcome.TEMPORARY
        return SubmitOutcome.PERMANENT

    # --- the text -----------------------------------------------------------------------------------

    def _cut(self, text: str) -> tuple[Alphabet, tuple[bytes, ...]]:
        """GSM septets or UCS-2, in chunks. What the link's own alphabet lacks goes as UCS-2."""
        septets = encode_gsm(text)
        if septets is not None:
            chunks = _messages(septets) if self._is_old else cut(septets, Alphabet.GSM7, bits=self._bits)
            if self._is_written(chunks):
                return Alphabet.GSM7, chunks
        octets = encode(text, Alphabet.UCS2)
        return Alphabet.UCS2, cut(octets, Alphabet.UCS2, bits=self._bits)

    def _is_written(self, chunks: tuple[bytes, ...]) -> bool:
        """Whether the centre takes them by its own alphabet, which may have several octets for a letter."""
        if self._own is GSM7:
            return True
        try:
            return all(len(self._in_own(chunk)) <= _AMSG_OCTETS for chunk in chunks)
        except UnicodeEncodeError:
            return False

    def _in_own(self, septets: bytes) -> bytes:
        # The centre makes GSM of it again, so it is cut where GSM would be.
        return septets if self._own is GSM7 else decode_gsm(septets).encode(self._own.codec)

    def _characters(self, septets: bytes) -> str:
        return self._in_own(septets).hex().upper()

    def _headers(self, alphabet: Alphabet, reference: int, total: int) -> list[str]:
        """The items of XSer that a part has for its text."""
        coded: tuple[Item, ...] = (_UCS2,) if alphabet is Alphabet.UCS2 else ()
        if total == 1:
            return [write_xser(coded)]
        return [write_xser(((USER_DATA_HEADER, header), *coded)) for header in headers(reference, total, self._bits)]

    def _filled(self, envelope: Callable[..., S], alphabet: Alphabet, chunk: bytes, xser: str) -> S:
        if alphabet is Alphabet.UCS2:
            msg, nb = write_transparent(chunk)
            return envelope(mt=TRANSPARENT, nb=nb, msg=msg, mcls=self._class, xser=xser)
        return envelope(mt=ALPHANUMERIC, msg=self._characters(chunk), xser=xser)

    # --- what stands beside it ----------------------------------------------------------------------

    def destination_of(self, destination: str) -> str:
        """AdC has digits only: a plus is written as 00, as Kannel does (sheet, section 3)."""
        number = self.numbers.outbound(destination)
        number = f"00{number[1:]}" if number[:1] == "+" else number
        if not (number.isascii() and number.isdigit()):
            raise ValueError("a recipient of UCP has digits only")
        return number

    def _write_originator(self, sender: str) -> tuple[str, str]:
        """OAdC and OTOA of a sender."""
        plain = sender.removeprefix("+")
        if plain.isascii() and plain.isdigit():
            how = self._options.originator
            is_long = len(plain) > _SHORT_MAX or plain != sender
            return plain, OTOA_INTERNATIONAL if how == "international" or (how == "auto" and is_long) else ""
        septets = encode_gsm(sender)
        if septets is None:
            raise ValueError("a sender has a letter that GSM 03.38 lacks")
        try:
            return write_originator(septets), OTOA_ALPHANUMERIC
        except LocalError as error:
            raise ValueError(error.reason) from error

    def _write_services(self, sender: str, premium: bool) -> str:
        """The items of XSer that tell what a message costs, and the operator's further ones."""
        billing = self._billing[premium]
        identifier = billing.get(sender, billing.get("", b""))
        items: tuple[Item, ...] = ((BILLING_IDENTIFIER, identifier),) if identifier else ()
        return write_xser(items) + self._extras[premium]

    def _validity_of(self, valid_until: Instant, now: Instant) -> str:
        if self._zone is None:
            return ""
        # VP has minutes only, and one that is over when it arrives is refused (EC 22).
        return self._validity_at(max(valid_until, now + MINUTE_MS) // MINUTE_MS)

    def _write_validity(self, minute: int) -> str:
        return write_minute(datetime.fromtimestamp(60 * minute, self._zone).replace(tzinfo=None))


_ecs = partial(error_codes, digits=2, such_as="90, 91")


def _messages(septets: bytes) -> tuple[bytes, ...]:
    """A text as messages of their own, no escape cut from its character."""
    chunks: list[bytes] = []
    start = 0
    while start < len(septets) or not chunks:
        end = min(start + MESSAGE_SEPTETS, len(septets))
        if end < len(septets) and septets[end - 1] == _ESCAPE:
            end -= 1
        chunks.append(septets[start:end])
        start = end
    if len(chunks) > PARTS_MAX:
        raise TooLong(f"{len(septets)} characters are more than {PARTS_MAX} messages; shorten the text")
    return tuple(chunks)
