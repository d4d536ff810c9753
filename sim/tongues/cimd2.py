"""A centre that speaks CIMD2: texts to 20, submissions to what they say and to status reports (23).

Cimd2Tongue   the tongue (sim/tongue.py)
mo_parts      an MO as one operation or as several
mt_text       what a 03 says, and which part of which long message it is

Its clock is UTC. It knows a message by destination and second, as the protocol has it, so two to one handset within a
second are one to whoever reads only the key. A client cannot refuse an MO: it answers, or it goes and gets it again.
It cannot know the account's own number, so a sender is what the client said: 027, or 023. An MT to several destinations
counts as one to the first.

Source: the CIMD2 sheet's sections 2 to 7.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from operator import attrgetter
from types import MappingProxyType

from core.clock import Instant
from core.sms.alphabet import GSM7, Alphabet, coding_of, decode_gsm, unpack
from core.sms.parts import Piece, headers, read_header, split
from sim.fates import Remembered
from sim.quirks import Quirks
from sim.subscribers import DELETED, DELIVERED, EXPIRED, Fate, Written
from sim.tongue import Login, Submission
from wire.cimd2 import (
    Cancel,
    CancelResp,
    Cimd2Session,
    Deliver,
    Enquire,
    EnquireResp,
    Goodbye,
    LoginResp,
    Request,
    Settings,
    StatusReport,
    Submit,
    SubmitResp,
    Submitted,
    codes,
    read_text,
    write_text,
    write_time,
)
from wire.cimd2 import Login as LoginRequest
from wire.cimd2.identity import key_of
from wire.session import Operation

_BANNER = "CIMD2-A ConnectionInfo: SessionId = 1 PortId = 1 AccessType = TCPIP_SOCKET PIN = 1"
_WINDOW_MAX = 128
_GSM_SCHEME, _UCS2_SCHEME, _BINARY_SCHEME = 0x10, 0x08, 0x04
# 056 is a sum: 2 expired, 4 failed, 8 delivered; 16 cancelled. We never tell anything else.
_FINAL, _CANCELLED_TOO = 14, 16
_UNDER_WAY, _SUCCESS, _EXPIRED, _FAILED, _CANCELLED = 1, 4, 2, 3, 7
_ABSENT, _UNKNOWN = 29, 1
# 059. The sheet only says that 0 and 1 are wider than 2; this is what they mean here.
_ALL_TO_ONE, _ALL, _ONE = 0, 1, 2
_BAD_COMBINATION = 603


class Cimd2Tongue:
    """CIMD2."""

    logins: frozenset[type] = frozenset({LoginRequest})
    submissions: frozenset[type] = frozenset({Submit})
    questions: frozenset[type] = frozenset({Enquire})
    cancels: frozenset[type] = frozenset({Cancel})
    replaces: frozenset[type] = frozenset()
    throttled = codes.CONGESTION
    refused = codes.BAD_DESTINATION
    unknown_account = codes.INVALID_LOGIN
    wrong_password = codes.INVALID_LOGIN
    status_max = 999
    never: Mapping[str, tuple[object, ...]] = MappingProxyType(
        {
            **dict.fromkeys(("login", "system_id", "id_tlv", "message_ids", "receipts", "mo_operation"), ()),
            "long_messages": ("sar", "payload"),
        }
    )

    status_of = staticmethod(attrgetter("error"))
    is_temporary = staticmethod(codes.is_temporary)
    sentence = staticmethod(codes.sentence)

    def session(self, quirks: Quirks, now_ms: int) -> Cimd2Session:
        """A fresh machine."""
        settings = Settings(
            window=min(quirks.window, _WINDOW_MAX),
            response_timeout_ms=int(1000 * quirks.response_timeout_s),
            enquire_ms=int(1000 * quirks.enquire_s),
            inactivity_ms=int(1000 * quirks.inactivity_s),
            banner=_BANNER if quirks.banner else "",
            serves=self.questions | self.cancels,
        )
        return Cimd2Session("smsc", settings, now_ms=now_ms)

    def call(self, quirks: Quirks, now_ms: int) -> None:
        """It is always the application that connects."""

    def read_login(self, login: LoginRequest) -> Login:
        """A 01."""
        return Login(login.user_identity, (login.password,))

    def answer_login(self, login: LoginRequest, status: int, quirks: Quirks) -> LoginResp:
        """Let in, or not."""
        return LoginResp(login.sequence, error=status)

    def parts(self, written: Written, quirks: Quirks, *, number: int, reference: int, now: Instant) -> list[Request]:
        """An MO."""
        return mo_parts(written, way=quirks.long_messages, reference=reference, now=now)

    def read(self, submit: Submit) -> Submission:
        """A 03."""
        text, piece = mt_text(submit)
        source = read_text(submit.alphanumeric_originator.encode("latin-1")) or submit.originating_address
        wants = bool((submit.status_report_request or 0) & _FINAL)
        return Submission(source, submit.destinations[0], text, piece, wants)

    def ids(self, submit: Submit, quirks: Quirks, *, number: int, now: Instant) -> tuple[str, str]:
        """The second, in the answer as in the report."""
        stamp = write_time(now, UTC)
        return stamp, stamp

    def answer(self, submit: Submit, status: int, message_id: str) -> SubmitResp:
        """A time stamp for each destination, or an error."""
        if status:
            return SubmitResp(submit.sequence, error=status)
        return SubmitResp(submit.sequence, submitted=tuple(Submitted(one, message_id) for one in submit.destinations))

    def receipt(self, submit: Submit, message_id: str, fate: Fate, quirks: Quirks, *, now: Instant) -> StatusReport:
        """A 23."""
        status, cause = _became(fate)
        return StatusReport(
            destination=submit.destinations[0],
            originating_address=submit.originating_address,
            time_stamp=message_id,
            status_code=status,
            status_error=cause,
            discharge_time=write_time(now, UTC),
        )

    def filed(self, submit: Submit, message_id: str) -> str:
        """By destination and second."""
        return key_of(submit.destinations[0], message_id)

    def asked(self, question: Enquire) -> str:
        """The same."""
        return key_of(question.destination, question.time_stamp)

    def tell(self, question: Enquire, found: Sequence[Remembered], now: Instant) -> tuple[EnquireResp, None]:
        """Of several of one second, the oldest."""
        if not found:
            return self.refuse(question, "failed"), None
        fate = found[0].fate
        status, cause = _became(fate) if fate is not None else (_UNDER_WAY, None)
        return EnquireResp(
            question.sequence,
            destination=question.destination,
            time_stamp=question.time_stamp,
            status_code=status,
            status_error=cause,
            discharge_time="" if fate is None else write_time(now, UTC),
        ), None

    def refuse(self, question: Enquire, how: str) -> EnquireResp:
        """An error."""
        return EnquireResp(question.sequence, error=codes.UNEXPECTED if how == "unknown" else codes.NOT_FOUND)

    def named(self, change: Cancel) -> str | None:
        """By destination and second; the wider modes mean all to a destination (0), and all there are (1)."""
        return key_of(change.destination, change.time_stamp) if _mode_of(change) == _ONE else None

    def means(self, change: Cancel, submit: Submit, message_id: str) -> bool:
        """The wider ones look at the destination alone, or at nothing."""
        return _mode_of(change) != _ALL_TO_ONE or change.destination == submit.destinations[0]

    def replaced(self, change: Operation, submit: Submit) -> Submit:
        """CIMD2 changes nothing."""
        return submit

    def wants_cancelled(self, submit: Submit) -> bool:
        """056 has a number for it."""
        return bool((submit.status_report_request or 0) & _CANCELLED_TOO)

    def made(self, change: Cancel, made: Sequence[Remembered]) -> tuple[CancelResp, None]:
        """A response without parameters."""
        return CancelResp(change.sequence), None

    def refuse_change(self, change: Cancel, how: str) -> CancelResp:
        """An error; it is another one where what the mode needs was not said."""
        if how == "unknown":
            return CancelResp(change.sequence, error=codes.UNEXPECTED)
        if how == "failed":
            return CancelResp(change.sequence, error=codes.FAILED)
        mode = _mode_of(change)
        is_named = mode == _ALL or (change.destination and (mode == _ALL_TO_ONE or change.time_stamp))
        return CancelResp(change.sequence, error=codes.NOT_FOUND if is_named else _BAD_COMBINATION)

    def goodbye(self) -> Goodbye:
        """A centre has no logout: it closes when all is answered."""
        return Goodbye()


def mo_parts(written: Written, *, way: str, reference: int, now: Instant) -> list[Request]:
    """One operation per part."""
    bits = 16 if way == "udh16" else 8
    parts = split(written.text, bits=bits)
    is_gsm = parts.alphabet is Alphabet.GSM7
    operations: list[Request] = []
    for chunk, header in zip(parts.chunks, headers(reference, parts.parts, bits)):
        operations.append(
            Deliver(
                destination=written.destination,
                originating_address=written.source,
                time_stamp=write_time(now, UTC),
                data_coding=None if is_gsm else _UCS2_SCHEME,
                user_data_header=header,
                user_data=write_text(decode_gsm(chunk)) if is_gsm else b"",
                user_data_binary=b"" if is_gsm else chunk,
            )
        )
    return operations


def _mode_of(change: Cancel) -> int:
    return _ONE if change.cancel_mode is None else change.cancel_mode


def _became(fate: Fate) -> tuple[int, int | None]:
    """Parameters 061 and 062 of it."""
    if fate.state in (DELIVERED, DELETED):
        return _SUCCESS if fate.state == DELIVERED else _CANCELLED, None
    return (_EXPIRED, _ABSENT) if fate.state == EXPIRED else (_FAILED, _UNKNOWN)


def mt_text(submit: Submit) -> tuple[str, Piece | None]:
    """The text of one part, and its place."""
    header = read_header(submit.user_data_header)
    piece = header.piece if header is not None else None
    if submit.user_data:
        return read_text(submit.user_data), piece
    scheme = _BINARY_SCHEME if submit.data_coding is None else submit.data_coding
    coding = coding_of(scheme | _GSM_SCHEME if scheme < _GSM_SCHEME else scheme)
    octets = submit.user_data_binary
    if coding.alphabet is Alphabet.GSM7:
        return GSM7.decode(unpack(octets, header_octets=len(submit.user_data_header))), piece
    return coding.decode(octets), piece
