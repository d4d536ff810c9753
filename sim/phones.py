"""Phones that dial: USSD as an SMPP gateway carries it, for the pocket SMSC.

Phones    of one centre: dial() begins a session; heard() takes a screen out of what clients submit
Dialled   one session: what was shown, what is answered

A phone answers each screen that asks with its next answer, `think_s` later, as long as it has one. The session stands
in its_session_info, counted on in its second octet, as most gateways do it.

Source: the USSD sheet's sections 1 and 2.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.sms.alphabet import coding_of
from sim.esme import Job
from wire.session import Operation
from wire.smpp import tlvs as tlv
from wire.smpp.operations import DeliverSm, SubmitSm, user_data

BEGIN, ANSWER, ABORT = 0x01, 0x12, 0x81
ASK = 0x02
_SESSIONS = 256
REMEMBERED = 10_000
"""Sessions that are known by their numbers; a screen may come again after the last one."""


@dataclass(slots=True, eq=False)
class Dialled:
    """One session. `screens` as they came; `took_ms` how long each was waited for."""

    msisdn: str
    code: str
    number: int
    answers: list[str]
    think_s: float
    screens: list[str] = field(default_factory=list)
    took_ms: list[int] = field(default_factory=list)
    sequence: int = 0
    sent_ms: int = 0
    waits: bool = False
    """For its next screen."""
    is_over: bool = False

    @property
    def is_done(self) -> bool:
        """Nothing more comes of it by itself."""
        return self.is_over or not (self.waits or self.answers)

    @property
    def last(self) -> str:
        """The present screen."""
        return self.screens[-1] if self.screens else ""


class Phones:
    """Those of one centre. `send` queues a job for whoever is bound; `now_ms` is the centre's clock."""

    def __init__(self, send: Callable[[Job], None], now_ms: Callable[[], int]) -> None:
        self.refuses = 0
        """Status of the answer to the next screen, if not 0."""
        self.dialled: deque[Dialled] = deque(maxlen=REMEMBERED)
        self._send = send
        self._now_ms = now_ms
        self._known: OrderedDict[tuple[str, int], Dialled] = OrderedDict()
        self._numbers = 0

    def dial(self, msisdn: str, code: str, answers: Sequence[str] = (), *, think_s: float = 0.0) -> Dialled:
        """Somebody dials."""
        one = self.stranger(msisdn, code, answers, think_s=think_s)
        self._say(one, BEGIN, code)
        return one

    def stranger(self, msisdn: str, code: str, answers: Sequence[str] = (), *, think_s: float = 0.0) -> Dialled:
        """A session that nobody was told of."""
        self._numbers = (self._numbers + 1) % _SESSIONS
        one = Dialled(msisdn, code, self._numbers, list(answers), think_s)
        self.dialled.append(one)
        self._known[msisdn, one.number] = one
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return one

    def answer(self, one: Dialled, text: str) -> None:
        """The user types."""
        self._say(one, ANSWER, text)

    def hang_up(self, one: Dialled) -> None:
        """The user leaves."""
        one.is_over = True
        self._say(one, ABORT, "")

    def heard(self, submit: Operation) -> int | None:
        """Whether a submission is a screen: the status of its answer; None: it is none."""
        if not isinstance(submit, SubmitSm):
            return None
        op = tlv.read_int(submit.tlvs, tlv.USSD_SERVICE_OP)
        if op is None:
            return None
        status, self.refuses = self.refuses, 0
        session = tlv.read_octets(submit.tlvs, tlv.ITS_SESSION_INFO) or b"\0\0"
        one = self._known.get((submit.destination_addr, session[0]))
        if one is not None and not status:
            self._show(one, submit, op, session)
        return status

    def _show(self, one: Dialled, submit: SubmitSm, op: int, session: bytes) -> None:
        one.waits = False
        one.screens.append(coding_of(submit.data_coding).decode(user_data(submit)))
        one.took_ms.append(self._now_ms() - one.sent_ms)
        one.sequence = session[1] >> 1
        if op != ASK:
            one.is_over = True
        elif one.answers:
            asyncio.get_running_loop().call_later(one.think_s, self._next, one)

    def _next(self, one: Dialled) -> None:
        if not one.is_over:
            self._say(one, ANSWER, one.answers.pop(0))

    def _say(self, one: Dialled, op: int, text: str) -> None:
        one.sent_ms, one.waits = self._now_ms(), op != ABORT
        session = bytes((one.number, (one.sequence + 1 & 0x7F) << 1))
        said = DeliverSm(
            tlvs=(tlv.write_tlv(tlv.USSD_SERVICE_OP, op), (tlv.ITS_SESSION_INFO, session)),
            service_type="USSD",
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=one.msisdn,
            dest_addr_ton=3,
            destination_addr=one.code,
            short_message=text.encode("ascii", "replace"),
        )
        self._send(Job(said, dialled=True))
