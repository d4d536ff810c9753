"""SMPP towards an operator: its operations ↔ Delivery, Mt, Receipt; the quirks of centres as named options.

SmppAdapter   one link's adapter (smsc_link/adapter.py)
TRACED        what a trace needs of its stream
options       the table of all quirks, with defaults and meanings
inbound       deliver_sm, data_sm → Delivery, Receipt
outbound      Mt → submit_sm
inquiry       query_sm: what became of an MT
cancelling    cancel_sm: an MT taken back
replacing     replace_sm: an MT with another text
ussd          deliver_sm, data_sm ↔ turns of USSD sessions

A link that is called binds when the centre's outbind asks for it, on the same connection (SMPP 3.4, 2.2.1).

Source: SMPP 3.4; the fact sheet, protocols/smpp.md.
"""

from dataclasses import replace
from functools import partial

from core.catalogue import Link, Operator
from core.clock import Instant
from core.errors import ConfigError
from core.message import Heard
from core.question import Replacement, Withdrawal
from core.ussd.turn import subscriber
from smsc_link.adapter import Answer, Dialogue, Fault, Ignored, Inbound, Refusal, Unreadable
from smsc_link.called import Greeting, is_same
from smsc_link.keeping import Traced
from smsc_link.options import read_options
from smsc_link.protocols.smpp.cancelling import SmppCancelling
from smsc_link.protocols.smpp.inbound import SmppReader
from smsc_link.protocols.smpp.inquiry import SmppInquiry
from smsc_link.protocols.smpp.options import RECEIPT_OPTIONS, TEMPORARY_ERRORS, SmppOptions
from smsc_link.protocols.smpp.outbound import SmppWriter
from smsc_link.protocols.smpp.replacing import SmppReplacing
from smsc_link.protocols.smpp.ussd import SmppUssd
from smsc_link.saying import SHORT_CODE, Keys, a_plain_mt, check_said
from smsc_link.trunk import SessionAdapter
from wire.smpp import encode
from wire.smpp import status as st
from wire.smpp import tlvs as tlv
from wire.smpp.frames import FrameReader
from wire.smpp.layout import FORMS, CString
from wire.smpp.masking import mask
from wire.smpp.operations import (
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    Operation,
    Outbind,
    Response,
    Unbind,
)
from wire.smpp.session import SmppSession
from wire.smpp.settings import Settings

__all__ = ["RECEIPT_OPTIONS", "TRACED", "SmppAdapter", "SmppOptions"]

TRACED = Traced(FrameReader, mask)

_BINDS: dict[str, type[Bind]] = {
    "transceiver": BindTransceiver,
    "receiver": BindReceiver,
    "transmitter": BindTransmitter,
}
_FIRST_WITH_TLVS = 0x34
_CONGESTED = 90
_FAULTS = {Fault.SOURCE: st.RINVSRCADR, Fault.DESTINATION: st.RINVDSTADR}
# Sheet, section 10: Kannel stops reconnecting after these, since accounts get locked.
_FOR_GOOD = frozenset({st.RINVPASWD, st.RINVSYSID, st.RINVSYSTYP})


def _keys(**keys: str) -> Keys:
    return {field: (key, _fits(FORMS[field])) for field, key in keys.items()}


def _fits(form: object) -> str:
    assert isinstance(form, CString), form
    return "letters of Latin-1 only" if form.any_length else f"at most {form.size - 1} letters of Latin-1"


_OF_BIND = _keys(system_id="system_id", password="password", system_type="system_type", address_range="address_range")
_OF_OUTBIND = _keys(system_id="outbind.system_id", password="outbind.secret")
_OF_SUBMISSION = _keys(service_type="service_type")
_OF_SCREEN = _keys(service_type="ussd_gateway.service_type")


class SmppAdapter(SessionAdapter[SmppOptions]):
    """The mapping of one link."""

    name = "SMPP"
    ussd: SmppUssd | None = None

    def __init__(self, link: Link, operator: Operator) -> None:
        options = read_options(SmppOptions, link)
        super().__init__(link, options)
        self.callers = options.callers_of(link)
        if options.interface_version < _FIRST_WITH_TLVS and options.long_messages in {"sar", "payload"}:
            raise ConfigError(
                f"link {link.name}: option long_messages: {options.long_messages} needs TLVs, "
                "which SMPP before 3.4 has not; use udh8 or udh16"
            )
        self._settings = _settings_of(link, options)
        self._statuses = {
            Heard.TAKEN: st.ROK,
            Heard.LATER: self._settings.busy_status,
            Heard.NEVER: st.RX_P_APPN,
        }
        numbers = options.numbers_of(link, operator)
        writer = SmppWriter(link, options, numbers)
        self._map(SmppReader(link, operator, options, numbers), writer)
        self.errands = {Withdrawal: SmppCancelling(options, writer), Replacement: SmppReplacing(options, writer)}
        if options.asks:
            self.inquiry = SmppInquiry(options, writer.source_of)
        if options.ussd:  # The hot path of a link without USSD asks nobody.
            self.ussd = SmppUssd(link.name, options.ussd_gateway)
            self.read = self._read_ussd_too
        self._check()

    def _read_ussd_too(self, operation: Operation, now: Instant, now_ms: int, answer: Answer) -> Inbound:
        assert self.ussd is not None
        if not isinstance(operation, DeliverSm | DataSm) or not self.ussd.is_ussd(operation):
            return self._reader.read(operation, now, now_ms, answer)
        turn = self.ussd.read(operation, now)
        if isinstance(turn, Unreadable):
            # Refused, it would only come again.
            return Ignored(turn.reason)
        number = subscriber(self._reader.numbers.inbound(operation.source_addr)) or turn.msisdn
        # Any link of the operator may carry the next turn: its gateway has them all.
        return Dialogue(replace(turn, link=self._reader.operator.code, msisdn=number), self.ussd)

    def session(self, now_ms: int) -> SmppSession:
        """A fresh machine for a new connection."""
        return SmppSession("esme", self._settings, now_ms=now_ms)

    def bind(self) -> Bind | None:
        """The bind request; None where it waits for the centre's outbind."""
        return None if self.options.called else self._bind()

    def greet(self, word: Outbind) -> Greeting:
        """The centre that called us asks for the bind."""
        wanted = self.options.outbind
        is_it = not wanted.system_id or is_same(word.system_id, wanted.system_id)
        if is_it & (not wanted.secret or is_same(word.password, wanted.secret)):
            return Greeting(then=self._bind())
        return Greeting(fault="the centre's outbind was refused: it does not say what the option outbind has")

    def probe(self) -> EnquireLink:
        """Are you there?"""
        return EnquireLink()

    def _bind(self) -> Bind:
        options = self.options
        return _BINDS[self.link.bind](
            system_id=self.link.system_id,
            password=self.link.password,
            system_type=options.system_type,
            interface_version=options.interface_version,
            addr_ton=options.bind_ton,
            addr_npi=options.bind_npi,
            address_range=options.address_range,
        )

    def _check(self) -> None:
        """Raises a ConfigError for an account or an option that no PDU can carry."""
        said = partial(check_said, self.link, self.name, encode)
        said(self._bind(), _OF_BIND)
        # It is the centre that says it: one that cannot be said is one that no centre ever says.
        outbind = self.options.outbind
        said(Outbind(system_id=outbind.system_id, password=outbind.secret), _OF_OUTBIND)
        if self.sends:
            for submission in self.write(a_plain_mt(self.link), 0, 0):
                said(submission, _OF_SUBMISSION)
        if self.ussd is not None:
            # Whether it sends or not: what it reads is answered by any link of its operator, in its manner.
            said(self.ussd.notice(SHORT_CODE, SHORT_CODE, "A", 1), _OF_SCREEN)

    def unbind(self) -> Unbind:
        """The last request."""
        return Unbind()

    def refusal(self, response: Operation) -> Refusal:
        """What a failed bind means."""
        return Refusal(f"bind refused: {st.sentence(response.status)}", response.status in _FOR_GOOD)

    def spelled(self, status: int) -> str:
        """A command_status, for people."""
        return f"0x{status:02X}"

    def is_congested(self, response: Operation) -> bool:
        """SMPP 5.0: congestion_state rides on any response (sheet, section 11); most have no TLVs at all."""
        state = tlv.read_int(response.tlvs, tlv.CONGESTION_STATE) if response.tlvs else None
        return state is not None and state >= _CONGESTED

    def answer(self, request: Operation, heard: Heard, fault: Fault = Fault.MESSAGE) -> Response | None:
        """The response; None to the one request that has none."""
        status = _FAULTS.get(fault, st.RX_P_APPN) if heard is Heard.NEVER else self._statuses[heard]
        if type(request) is DeliverSm:
            return DeliverSmResp(0, status)
        return DataSmResp(0, status) if type(request) is DataSm else None


def _settings_of(link: Link, options: SmppOptions) -> Settings:
    return Settings(
        window=link.window,
        window_in=max(link.window, options.window_in),
        busy_status=TEMPORARY_ERRORS[link.temporary_error],
        # Who is called waits for the outbind, then for the answer to the bind: each so long.
        bind_timeout_ms=int(1000 * options.connect_timeout_s)
        if options.called
        else max(1000, 1000 * link.response_timeout_s),
        response_timeout_ms=max(1000, 1000 * link.response_timeout_s),
        enquire_ms=int(1000 * options.enquire_s),
        inactivity_ms=int(1000 * options.inactivity_s),
        max_tps=link.max_tps,
        complains=True,
        serves=frozenset({DataSm}),
    )
