"""A centre that speaks UCP/EMI: texts to 52 (or 01), submissions to what they say and to notifications (53).

UcpTongue    the tongue (sim/tongue.py)
mo_parts     an MO as one operation or as several
mt_text      what a 51, 01 or 02 says, and which part of which long message it is

Its clock is UTC. It knows a message by recipient and second, as the protocol has it, so two to one handset within a
second are one to whoever reads only the key. A 02 to several addresses counts as one to the first.

Source: the UCP sheet's sections 3 to 7.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from types import MappingProxyType
from typing import TypeAlias

from core.clock import Instant
from core.sms.alphabet import Alphabet, coding_of, decode_gsm, encode_gsm
from core.sms.parts import Piece, headers, read_header, split
from sim.fates import Remembered
from sim.quirks import Quirks
from sim.subscribers import DELETED, DELIVERED, EXPIRED, Fate, Written
from sim.tongue import Login, Submission
from wire.errors import RemoteError
from wire.ucp import Settings, UcpSession, codes, read_identity, write_identity
from wire.ucp.frames import TRNS
from wire.ucp.operations import (
    CallInput,
    DeleteMessage,
    DeleteResponse,
    DeliverMessage,
    DeliverNotification,
    Goodbye,
    InquireMessage,
    InquiryResponse,
    ModifyMessage,
    MultipleCallInput,
    OpenSession,
    Request,
    Result,
    SubmitMessage,
    result_to,
)
from wire.ucp.text import (
    ALPHANUMERIC,
    NUMERIC,
    OTOA_ALPHANUMERIC,
    TRANSPARENT,
    read_ira,
    read_originator,
    text_octets,
    write_ira,
    write_transparent,
)
from wire.ucp.times import write_second
from wire.ucp.xser import DATA_CODING_SCHEME, USER_DATA_HEADER, Item, read_item, read_xser, write_xser

_GSM_SCHEME = 0x10
_TOO_FAST = " Operation not allowed (at this point in time)"
_TOLD_MAX = 4
_ABSENT, _UNKNOWN, _NOT_SENT = "107", "101", "108"
Submit: TypeAlias = SubmitMessage | CallInput | MultipleCallInput
# No reason says that somebody deleted it; this is the one that says nothing of the handset.
_REASONS = {EXPIRED: _ABSENT, DELETED: _NOT_SENT}
_DELETED = "has been deleted"
# What a 54 leaves empty stays as it was.
_TEXT = ("mt", "msg", "nb", "mcls", "xser")
_NEW = ("ac", "nrq", "nadc", "nt", "npid", "lrq", "lrad", "lpid", "dd", "ddt", "vp", "rpid", "pr")


class UcpTongue:
    """UCP/EMI 3.5 to 5."""

    logins: frozenset[type] = frozenset({OpenSession})
    submissions: frozenset[type] = frozenset({SubmitMessage, CallInput, MultipleCallInput})
    questions: frozenset[type] = frozenset({InquireMessage})
    cancels: frozenset[type] = frozenset({DeleteMessage})
    replaces: frozenset[type] = frozenset({ModifyMessage})
    throttled = codes.EC_NOT_ALLOWED
    refused = 54
    unknown_account = codes.EC_AUTHENTICATION
    wrong_password = codes.EC_AUTHENTICATION
    status_max = 99
    never: Mapping[str, tuple[object, ...]] = MappingProxyType(
        {
            **dict.fromkeys(("system_id", "banner", "enquire_s", "id_tlv", "message_ids", "receipts"), ()),
            "long_messages": ("sar", "payload"),
        }
    )

    status_of = staticmethod(attrgetter("ec"))
    is_temporary = staticmethod(codes.is_temporary)
    sentence = staticmethod(codes.sentence)

    def session(self, quirks: Quirks, now_ms: int) -> UcpSession:
        """A fresh machine."""
        return UcpSession("smsc", _settings(quirks, login=quirks.login, called=False), now_ms=now_ms)

    def call(self, quirks: Quirks, now_ms: int) -> tuple[UcpSession, OpenSession | None]:
        """A session with a login of the centre's, where there is an account."""
        account = next(iter((quirks.accounts or {}).items()), None)
        settings = _settings(quirks, login=account is not None, called=True)
        word = None if account is None else OpenSession(oadc=account[0], pwd=write_ira(encode_gsm(account[1]) or b""))
        return UcpSession("smsc", settings, now_ms=now_ms), word

    def read_login(self, login: OpenSession) -> Login:
        """A 60. Some clients write the password by the GSM alphabet, some as it is (sheet, pitfall 10)."""
        try:
            octets = read_ira(login.pwd)
        except RemoteError:
            return Login(login.oadc, ())
        return Login(login.oadc, (decode_gsm(octets), octets.decode("latin-1")))

    def answer_login(self, login: OpenSession, status: int, quirks: Quirks) -> Result:
        """Let in, or not."""
        return result_to(login, status)

    def parts(self, written: Written, quirks: Quirks, *, number: int, reference: int, now: Instant) -> list[Request]:
        """An MO, by the operation that the centre has for it."""
        return mo_parts(written, way=quirks.long_messages, reference=reference, now=now, by=quirks.mo_operation)

    def read(self, submit: Submit) -> Submission:
        """A 51, or 01 or 02, which cannot ask for a notification."""
        text, piece = mt_text(submit)
        if not isinstance(submit, SubmitMessage):
            return Submission(submit.oadc, _recipient_of(submit), text, piece, wants_receipt=False)
        # NT is a sum: 1 delivered, 2 not delivered, 4 buffered; we never buffer.
        wants = submit.nrq == "1" and submit.nt not in {"0", "4"}
        return Submission(_sender_of(submit), submit.adc, text, piece, wants)

    def ids(self, submit: Submit, quirks: Quirks, *, number: int, now: Instant) -> tuple[str, str]:
        """Recipient and second, in the answer as in the notification."""
        identity = write_identity(_recipient_of(submit), _second(now))
        return identity, identity

    def answer(self, submit: Submit, status: int, message_id: str) -> Result:
        """A result."""
        if not status:
            return result_to(submit, sm=message_id)
        return result_to(submit, status, sm=_TOO_FAST if status == self.throttled else "")

    def receipt(
        self, submit: SubmitMessage, message_id: str, fate: Fate, quirks: Quirks, *, now: Instant
    ) -> DeliverNotification:
        """A 53 from the handset to the sender, with words as the document has them."""
        identity = read_identity(message_id)
        assert identity is not None, message_id
        delivered = fate.state == DELIVERED
        rsn = "000" if delivered else _REASONS.get(fate.state, _UNKNOWN)
        words = _words(submit.adc, now, _became(fate))
        return DeliverNotification(
            adc=submit.oadc if submit.otoa != OTOA_ALPHANUMERIC else "",
            oadc=submit.adc,
            scts=identity.scts,
            dst="0" if delivered else "2",
            rsn=rsn,
            dscts=_second(now),
            mt=ALPHANUMERIC,
            msg=write_ira(words.encode("ascii")),
        )

    def filed(self, submit: Submit, message_id: str) -> str:
        """By recipient and sender: 55 names no message."""
        return f"{_recipient_of(submit)}/{submit.oadc}"

    def asked(self, question: InquireMessage) -> str:
        """The same."""
        return f"{question.adc}/{question.oadc}"

    def tell(
        self, question: InquireMessage, found: Sequence[Remembered], now: Instant
    ) -> tuple[Result, InquiryResponse]:
        """The result of the 55, and a 57 with the latest of them in words."""
        words = ". ".join(_told(one) for one in found[-_TOLD_MAX:]) or "0 messages"
        told = InquiryResponse(adc=question.oadc, mt=ALPHANUMERIC, msg=write_ira(words.encode("ascii")))
        return result_to(question), told

    def refuse(self, question: InquireMessage, how: str) -> Result:
        """An EC."""
        return result_to(question, codes.EC_NOT_SUPPORTED if how == "unknown" else codes.EC_NOT_FOUND)

    def named(self, change: ModifyMessage | DeleteMessage) -> str | None:
        """By recipient and sender, as it is filed."""
        return f"{change.adc}/{change.oadc}"

    def means(self, change: ModifyMessage | DeleteMessage, submit: Submit, message_id: str) -> bool:
        """SCTS says which of them."""
        identity = read_identity(message_id)
        return identity is not None and identity.scts == change.scts

    def replaced(self, change: ModifyMessage, submit: Submit) -> Submit:
        """What is said anew; what is not stays. What came as 01 or 02 has a text alone."""
        whole = isinstance(submit, SubmitMessage)
        new = {name: value for name in (_NEW if whole else ()) if (value := getattr(change, name))}
        if change.mt:
            new |= {name: getattr(change, name) for name in (_TEXT if whole else _TEXT[:2])}
        return replace(submit, **new)

    def wants_cancelled(self, submit: Submit) -> bool:
        """It is one that was not delivered."""
        return isinstance(submit, SubmitMessage) and submit.nrq == "1" and submit.nt not in {"0", "1", "4", "5"}

    def made(
        self, change: ModifyMessage | DeleteMessage, made: Sequence[Remembered]
    ) -> tuple[Result, DeleteResponse | None]:
        """The result, and of a 56 a 58 that says it in words."""
        result = result_to(change, sm=made[0].answer_id)
        if isinstance(change, ModifyMessage):
            return result, None
        words = _words(change.adc, made[0].at, _DELETED)
        return result, DeleteResponse(adc=change.oadc, mt=ALPHANUMERIC, msg=write_ira(words.encode("ascii")))

    def refuse_change(self, change: ModifyMessage | DeleteMessage, how: str) -> Result:
        """An EC. What is delivered is kept no longer, so it is not found either."""
        ecs = {"unknown": codes.EC_NOT_SUPPORTED, "failed": self.refused}
        return result_to(change, ecs.get(how, codes.EC_NOT_FOUND))

    def goodbye(self) -> Goodbye:
        """There is no logout: it closes when all is answered."""
        return Goodbye()


def _settings(quirks: Quirks, *, login: bool, called: bool) -> Settings:
    return Settings(
        login=login,
        called=called,
        window=min(quirks.window, TRNS),
        window_in=1_000_000,
        response_timeout_ms=int(1000 * quirks.response_timeout_s),
        inactivity_ms=int(1000 * quirks.inactivity_s),
        serves=frozenset({CallInput, MultipleCallInput, InquireMessage, ModifyMessage, DeleteMessage}),
    )


def mo_parts(written: Written, *, way: str, reference: int, now: Instant, by: str = "52") -> list[Request]:
    """One operation per part; by 01 long texts go as messages of their own, for it has no place for a header."""
    bits = 16 if way == "udh16" else 8
    if by == CallInput.ot:
        return [
            CallInput(0, written.destination, written.source, "", ALPHANUMERIC, write_ira(chunk))
            for chunk in split(_in_gsm(written.text)).chunks
        ]
    parts = split(written.text, bits=bits)
    is_gsm = parts.alphabet is Alphabet.GSM7
    scheme: tuple[Item, ...] = () if is_gsm else ((DATA_CODING_SCHEME, b"\x08"),)
    operations: list[Request] = []
    for chunk, header in zip(parts.chunks, headers(reference, parts.parts, bits)):
        items: tuple[Item, ...] = ((USER_DATA_HEADER, header), *scheme) if header else scheme
        msg, nb = (write_ira(chunk), "") if is_gsm else write_transparent(chunk)
        operations.append(
            DeliverMessage(
                adc=written.destination,
                oadc=written.source,
                scts=_second(now),
                mt=ALPHANUMERIC if is_gsm else TRANSPARENT,
                nb=nb,
                msg=msg,
                xser=write_xser(items),
            )
        )
    return operations


def mt_text(submit: Submit) -> tuple[str, Piece | None]:
    """The text of one part, and its place."""
    octets = text_octets(submit)
    items = read_xser(submit.xser) if isinstance(submit, SubmitMessage) and submit.xser else ()
    header = read_header(read_item(items, USER_DATA_HEADER) or b"")
    piece = header.piece if header is not None else None
    if submit.mt in (ALPHANUMERIC, NUMERIC):
        return decode_gsm(octets), piece
    scheme = read_item(items, DATA_CODING_SCHEME) or b"\x04"
    return coding_of(scheme[0] | _GSM_SCHEME if scheme[0] < _GSM_SCHEME else scheme[0]).decode(octets), piece


def _in_gsm(text: str) -> str:
    """What an old centre makes of letters that it does not know."""
    return "".join([letter if encode_gsm(letter) is not None else "?" for letter in text])


def _recipient_of(submit: Submit) -> str:
    """The first of them; one that names nobody is refused before it comes here."""
    return submit.adc[0] if isinstance(submit, MultipleCallInput) else submit.adc


def _sender_of(submit: SubmitMessage) -> str:
    if submit.otoa != OTOA_ALPHANUMERIC:
        return submit.oadc
    try:
        return decode_gsm(read_originator(submit.oadc))
    except RemoteError:
        return submit.oadc


def _words(recipient: str, at: Instant, what: str) -> str:
    """As the document has them; the identification is the time at which it was taken, year first."""
    return f"Message for {recipient}, with identification {_moment(at):%y%m%d%H%M%S} {what}"


def _told(one: Remembered) -> str:
    return _words(_recipient_of(one.submit), one.at, "has been buffered" if one.fate is None else _became(one.fate))


def _became(fate: Fate) -> str:
    return {DELIVERED: "has been delivered", DELETED: _DELETED}.get(fate.state, "could not be delivered")


def _moment(now: Instant) -> datetime:
    return datetime.fromtimestamp(now / 1000, UTC).replace(tzinfo=None)


def _second(now: Instant) -> str:
    return write_second(_moment(now))
