"""UCP/EMI towards an operator: its operations ↔ Delivery, Mt, Receipt; the quirks of centres as named options.

UcpAdapter   one link's adapter (smsc_link/adapter.py)
options      the table of all quirks, with defaults and meanings
inbound      52, 01 → Delivery; 53 → Receipt
words        what a centre tells in words
outbound     Mt → 51, 01
inquiry      55 and 57: what became of an MT
cancelling   56 and 58: an MT taken back
replacing    54: an MT with another text
tracing      its stream as frames, masked

A link without a system_id says no login: its operator knows us by our address, and both are bound at once. One that is
called says none either: with a system_id, the centre does, by the same name and password.

Source: EMI-UCP 3.5 to 5; the fact sheet, protocols/ucp.md.
"""

from functools import partial

from core.catalogue import Link, Operator
from core.errors import ConfigError
from core.message import Heard, MtKind
from core.question import Replacement, Withdrawal
from core.sms.alphabet import encode_gsm
from smsc_link.adapter import Fault, Refusal
from smsc_link.called import Greeting, is_same
from smsc_link.options import STAMPED_RECEIPTS, read_options
from smsc_link.protocols.ucp.cancelling import UcpCancelling
from smsc_link.protocols.ucp.inbound import UcpReader
from smsc_link.protocols.ucp.inquiry import UcpInquiry
from smsc_link.protocols.ucp.options import LATER_ERRORS, WINDOW_MAX, UcpOptions
from smsc_link.protocols.ucp.outbound import UcpWriter
from smsc_link.protocols.ucp.replacing import UcpReplacing
from smsc_link.protocols.ucp.tracing import TRACED
from smsc_link.saying import Keys, a_plain_mt, check_said
from smsc_link.trunk import SessionAdapter
from wire.ucp import Settings, UcpSession, codes, encode
from wire.ucp.operations import (
    Alert,
    CallInput,
    DeleteResponse,
    DeliverMessage,
    DeliverNotification,
    Goodbye,
    InquiryResponse,
    OpenSession,
    Operation,
    Result,
    result_to,
)
from wire.ucp.text import write_ira

__all__ = ["RECEIPT_OPTIONS", "TRACED", "UcpAdapter", "UcpOptions"]

RECEIPT_OPTIONS = STAMPED_RECEIPTS

_FAULTS = {Fault.SOURCE: codes.EC_SYNTAX, Fault.DESTINATION: codes.EC_ADC_INVALID}
# Sheet, section 2 and pitfall 11: a login refused in a loop blocks accounts.
_FOR_GOOD = frozenset({codes.EC_AUTHENTICATION, codes.EC_ADC_INVALID})


def _keys(**keys: str) -> Keys:
    # Widths are not looked at: centres differ (wire/ucp/codec.py).
    return {field: (key, "letters of printable ASCII, without a slash") for field, key in keys.items()}


_OF_LOGIN = _keys(oadc="system_id", vers="login_version", opid="login_opid")
_OF_SUBMISSION = _keys(ac="authentication", nadc="notify_address", npid="notify_pid", rpid="rpid")
_OF_PREMIUM: Keys = {**_OF_SUBMISSION, **_keys(ac="premium_authentication")}


class UcpAdapter(SessionAdapter[UcpOptions]):
    """The mapping of one link."""

    name = "UCP"
    window_max = WINDOW_MAX

    def __init__(self, link: Link, operator: Operator) -> None:
        options = read_options(UcpOptions, link)
        super().__init__(link, options)
        self.callers = options.callers_of(link)
        self._password = _password_of(link, options)
        later = options.later_ec or LATER_ERRORS[link.temporary_error]
        self._ecs = {Heard.TAKEN: codes.EC_OK, Heard.LATER: later}
        self._settings = _settings_of(link, options, later)
        numbers = options.numbers_of(link, operator)
        writer = UcpWriter(link, options, numbers)
        self._map(UcpReader(link, operator, options, numbers), writer)
        self.errands = {Withdrawal: UcpCancelling(writer), Replacement: UcpReplacing(writer)}
        if options.asks:
            self.inquiry = UcpInquiry(options, writer)
        self._check()

    def session(self, now_ms: int) -> UcpSession:
        """A fresh machine for a new connection."""
        return UcpSession("esme", self._settings, now_ms=now_ms)

    def bind(self) -> OpenSession | None:
        """The login; None where the operator knows us by our address, or is who logs in."""
        return self._login() if self.link.system_id and not self.options.called else None

    def _login(self) -> OpenSession:
        options = self.options
        return OpenSession(
            oadc=self.link.system_id,
            oton=str(options.login_ton),
            onpi=str(options.login_npi),
            pwd=self._password,
            vers=options.login_version,
            opid=options.login_opid,
        )

    def greet(self, word: OpenSession) -> Greeting:
        """The centre that called us logs in."""
        # Both are compared, whatever the first says: how long it takes tells nobody which was wrong.
        if is_same(word.oadc, self.link.system_id) & is_same(word.pwd.upper(), self._password):
            return Greeting(result_to(word))
        return Greeting(
            result_to(word, codes.EC_AUTHENTICATION),
            fault="the centre's login was refused: its OAdC and PWD are not this link's system_id and password",
        )

    def probe(self) -> Alert:
        """Are you there?"""
        return Alert(adc=self._settings.address)

    def _check(self) -> None:
        """Raises a ConfigError for an account or an option that no frame can carry."""
        link, options = self.link, self.options
        said = partial(check_said, link, self.name, encode)
        if link.system_id:
            # A centre that calls us says the same name, but neither our version nor our OPID.
            said(self.bind() or OpenSession(oadc=link.system_id), _OF_LOGIN)
        for kind, keys in ((MtKind.FREE, _OF_SUBMISSION), (MtKind.PREMIUM, _OF_PREMIUM)) if self.sends else ():
            for submission in self.write(a_plain_mt(link, kind), 0, 0):
                said(submission, keys)
        if options.keepalive_s or options.called:
            key = "system_id" if link.system_id else "my_number"
            said(self.probe(), _keys(adc="keepalive_address" if options.keepalive_address else key))

    def unbind(self) -> Goodbye:
        """UCP has no logout: the session ends by itself when all is said."""
        return Goodbye()

    def refusal(self, response: Result) -> Refusal:
        """What a failed login means."""
        return Refusal(f"login refused: {codes.sentence(response.ec)}", response.ec in _FOR_GOOD)

    def spelled(self, status: int) -> str:
        """An EC, for people."""
        return f"EC {status:02d}"

    def answer(self, request: Operation, heard: Heard, fault: Fault = Fault.MESSAGE) -> Result | None:
        """The result. A notification that can never be taken is taken: refused, it only comes again (sheet, 7)."""
        if isinstance(request, DeliverNotification):
            ec = codes.EC_OK if heard is Heard.NEVER else self._ecs[heard]
            return result_to(request, ec, sm="" if ec else request.scts)
        if isinstance(request, InquiryResponse | DeleteResponse):
            return result_to(request)
        if isinstance(request, DeliverMessage | CallInput):
            return result_to(request, _FAULTS.get(fault, codes.EC_SYNTAX) if heard is Heard.NEVER else self._ecs[heard])
        return None


def _password_of(link: Link, options: UcpOptions) -> str:
    """PWD: hex of the characters, even of digits (sheet, pitfall 10)."""
    gsm = options.password_alphabet == "gsm7"
    octets = encode_gsm(link.password) if gsm else link.password.encode("ascii", "replace")
    if octets is None or (not gsm and not link.password.isascii()):
        raise ConfigError(f"link {link.name}: the password has a letter that {options.password_alphabet} lacks")
    return write_ira(octets)


def _settings_of(link: Link, options: UcpOptions, later: int) -> Settings:
    response_timeout_ms = max(1000, 1000 * link.response_timeout_s)
    return Settings(
        login=bool(link.system_id),
        called=options.called,
        address=options.keepalive_address or link.system_id or options.my_number,
        window=link.window,
        window_in=max(link.window, options.window_in),
        busy_ec=later,
        login_timeout_ms=response_timeout_ms,
        response_timeout_ms=response_timeout_ms,
        keepalive_ms=int(1000 * options.keepalive_s),
        inactivity_ms=int(1000 * options.inactivity_s),
        parked_ms=int(1000 * options.parked_s),
        max_tps=link.max_tps,
        tolerant_length=options.wrong_length,
        complains=True,
        serves=frozenset({CallInput, DeleteResponse} | ({InquiryResponse} if options.asks else set())),
    )
