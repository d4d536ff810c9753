"""CIMD2 towards an operator: its operations ↔ Delivery, Mt, Receipt; the quirks of centres as named options.

Cimd2Adapter   one link's adapter (smsc_link/adapter.py)
TRACED         what a trace needs of its stream
options        the table of all quirks, with defaults and meanings
inbound        20 → Delivery; 23 → Receipt
outbound       Mt → 03
inquiry        04: what became of an MT
cancelling     06: an MT taken back

Rule: neither 20 nor 23 has a negative answer. What can never be taken is acknowledged, or it would come for ever; what
cannot be taken now is handed to us again by the session, which ends when that does not help.

Source: the fact sheet, protocols/cimd2.md.
"""

from core.catalogue import Link, Operator
from core.errors import ConfigError
from core.message import Heard
from core.question import Withdrawal
from smsc_link.adapter import Fault, Refusal
from smsc_link.keeping import Traced
from smsc_link.options import STAMPED_RECEIPTS, mistake, read_options
from smsc_link.protocols.cimd2.cancelling import Cimd2Cancelling
from smsc_link.protocols.cimd2.inbound import Cimd2Reader
from smsc_link.protocols.cimd2.inquiry import Cimd2Inquiry
from smsc_link.protocols.cimd2.options import WINDOW_MAX, Cimd2Options
from smsc_link.protocols.cimd2.outbound import Cimd2Writer
from smsc_link.saying import check_said
from smsc_link.trunk import SessionAdapter
from wire.cimd2 import (
    Cimd2Session,
    Deliver,
    DeliverResp,
    Login,
    Logout,
    Nack,
    Operation,
    Response,
    Settings,
    StatusReport,
    StatusReportResp,
    codes,
    encode,
)
from wire.cimd2.frames import FrameReader
from wire.cimd2.masking import mask

__all__ = ["RECEIPT_OPTIONS", "TRACED", "Cimd2Adapter", "Cimd2Options"]

RECEIPT_OPTIONS = STAMPED_RECEIPTS
TRACED = Traced(FrameReader, mask)

_LOGIN = "at most 32 printed letters of Latin-1, without spaces around them"
_OF_LOGIN = {"user_identity": ("system_id", _LOGIN), "password": ("password", _LOGIN)}
# The one refusal that passes by itself: a session of ours that the centre has not seen the end of.
_TOO_MANY_USERS = 102
_ADVICE = {
    codes.INVALID_WINDOW: "; give the link a narrower window",
    codes.WINDOWING_DISABLED: "; give the link window = 1, which asks for none",
}
_RESPONSES: dict[type[Operation], type[DeliverResp | StatusReportResp]] = {
    Deliver: DeliverResp,
    StatusReport: StatusReportResp,
}


class Cimd2Adapter(SessionAdapter[Cimd2Options]):
    """The mapping of one link."""

    name = "CIMD2"
    window_max = WINDOW_MAX

    def __init__(self, link: Link, operator: Operator) -> None:
        if link.options.get("called"):
            what = "CIMD2 has no call of the centre's, it is always us who connect; leave it out"
            raise mistake(link, "called", what)
        options = read_options(Cimd2Options, link)
        super().__init__(link, options)
        self._check()
        self._settings = _settings_of(link, options)
        numbers = options.numbers_of(link, operator)
        writer = Cimd2Writer(link, options, numbers)
        self._map(Cimd2Reader(link, operator, options, numbers), writer)
        self.errands = {Withdrawal: Cimd2Cancelling(writer)}
        if options.asks:
            self.inquiry = Cimd2Inquiry(options, writer)

    def session(self, now_ms: int) -> Cimd2Session:
        """A fresh machine for a new connection."""
        return Cimd2Session("esme", self._settings, now_ms=now_ms)

    def bind(self) -> Login:
        """The login. It asks for the link's window, unless that is 1, which is what a centre gives by itself."""
        link, subaddress = self.link, self.options.subaddress
        return Login(
            user_identity=link.system_id,
            password=link.password,
            subaddress=None if subaddress < 0 else subaddress,
            window_size=None if link.window == 1 else link.window,
        )

    def _check(self) -> None:
        """Raises a ConfigError for a link without an account, or with one that no packet can carry."""
        if not self.link.system_id:
            raise ConfigError(f"link {self.link.name}: CIMD2 has a login; give the link a system_id and a password")
        check_said(self.link, self.name, encode, self.bind(), _OF_LOGIN)

    def unbind(self) -> Logout:
        """The logout."""
        return Logout()

    def refusal(self, response: Response) -> Refusal:
        """What a failed login means."""
        if type(response) is Nack:
            return Refusal("login refused: the centre could not read it", False)
        error = response.error
        for_good = codes.is_session(error) and error != _TOO_MANY_USERS
        return Refusal(f"login refused: {codes.sentence(error)}{_ADVICE.get(error, '')}", for_good)

    def spelled(self, status: int) -> str:
        """An error code, for people."""
        return "NACK" if status == codes.NACK else f"error {status}"

    def answer(self, request: Operation, heard: Heard, fault: Fault = Fault.MESSAGE) -> Response | None:
        """The response. One with an error is for the session, which has no words for it."""
        kind = _RESPONSES.get(type(request))
        if kind is None:
            return None
        return kind(request.sequence, error=codes.CONGESTION if heard is Heard.LATER else codes.OK)


def _settings_of(link: Link, options: Cimd2Options) -> Settings:
    response_timeout_ms = max(1000, 1000 * link.response_timeout_s)
    return Settings(
        window=link.window,
        window_in=WINDOW_MAX,
        bind_timeout_ms=response_timeout_ms,
        response_timeout_ms=response_timeout_ms,
        enquire_ms=int(1000 * options.keepalive_s),
        inactivity_ms=int(1000 * options.inactivity_s),
        max_tps=link.max_tps,
        checksum=options.checksum,
        complains=True,
        # An answer that comes later than the centre waits for it would be taken for none.
        patience_ms=response_timeout_ms // 2,
    )
