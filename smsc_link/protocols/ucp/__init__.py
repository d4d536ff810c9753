"""UCP/EMI towards an operator: its operations ↔ Delivery, Mt, Receipt; the quirks of centres as named options.

UcpAdapter   one link's adapter (smsc_link/adapter.py)
options      the table of all quirks, with defaults and meanings
inbound      52, 01 → Delivery; 53 → Receipt
words        what a centre tells in words
outbound     Mt → 51, 01
inquiry      55 and 57: what became of an MT

A link without a system_id says no login: its operator knows us by our address, and both are bound at once.

Source: EMI-UCP 3.5 to 5; the fact sheet, protocols/ucp.md.
"""

from core.catalogue import Link, Operator
from core.errors import ConfigError
from core.message import Heard
from core.sms.alphabet import encode_gsm
from smsc_link.adapter import Fault, Refusal
from smsc_link.options import read_options
from smsc_link.protocols.ucp.inbound import UcpReader
from smsc_link.protocols.ucp.inquiry import UcpInquiry
from smsc_link.protocols.ucp.options import LATER_ERRORS, WINDOW_MAX, UcpOptions
from smsc_link.protocols.ucp.outbound import UcpWriter
from smsc_link.trunk import SessionAdapter
from wire.ucp import Settings, UcpSession, codes
from wire.ucp.operations import (
    CallInput,
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

__all__ = ["UcpAdapter", "UcpOptions"]

_FAULTS = {Fault.SOURCE: codes.EC_SYNTAX, Fault.DESTINATION: codes.EC_ADC_INVALID}
# Sheet, section 2 and pitfall 11: a login refused in a loop blocks accounts.
_FOR_GOOD = frozenset({codes.EC_AUTHENTICATION, codes.EC_ADC_INVALID})


class UcpAdapter(SessionAdapter[UcpOptions]):
    """The mapping of one link."""

    name = "UCP"
    window_max = WINDOW_MAX

    def __init__(self, link: Link, operator: Operator) -> None:
        options = read_options(UcpOptions, link)
        super().__init__(link, options)
        self._password = _password_of(link, options)
        later = options.later_ec or LATER_ERRORS[link.temporary_error]
        self._ecs = {Heard.TAKEN: codes.EC_OK, Heard.LATER: later}
        self._settings = _settings_of(link, options, later)
        numbers = options.numbers_of(link, operator)
        writer = UcpWriter(link, options, numbers)
        self._map(UcpReader(link, operator, options, numbers), writer)
        if options.asks:
            self.inquiry = UcpInquiry(options, writer)

    def session(self, now_ms: int) -> UcpSession:
        """A fresh machine for a new connection."""
        return UcpSession("esme", self._settings, now_ms=now_ms)

    def bind(self) -> OpenSession | None:
        """The login; None where the operator knows us by our address."""
        if not self.link.system_id:
            return None
        options = self.options
        return OpenSession(
            oadc=self.link.system_id,
            oton=str(options.login_ton),
            onpi=str(options.login_npi),
            pwd=self._password,
            vers=options.login_version,
            opid=options.login_opid,
        )

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
        if isinstance(request, InquiryResponse):
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
        serves=frozenset({CallInput, InquiryResponse} if options.asks else {CallInput}),
    )
