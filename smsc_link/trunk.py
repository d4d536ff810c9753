"""What the adapters of all protocols of sessions share: the trunk behind smsc_link.adapter.Adapter.

SessionAdapter   one link's options and address, its reader and its writer, and whose link it is
Reads, Writes    what the reader and the writer of a protocol must have

A protocol adds its login, its answers, its words for errors.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from core.catalogue import Link, Operator
from core.clock import Instant
from core.errors import ConfigError
from core.message import Mt, SubmitAnswer
from core.numbering import Numbers
from core.question import Ordered
from core.sms.alphabet import Coding
from plumbing.conversation import Address
from plumbing.networks import Network
from smsc_link.adapter import Answer, Errand, Gateway, Inbound, Inquiry
from smsc_link.options import Common
from wire.session import Operation

BINDS = ("transceiver", "receiver", "transmitter")

T = TypeVar("T", bound=Common)


class Reads(Protocol):
    """What comes over a link."""

    operator: Operator
    numbers: Numbers

    @property
    def codings(self) -> Sequence[Coding]:
        """By data_coding."""
        ...

    def read(self, operation: Any, now: Instant, now_ms: int, answer: Answer, /) -> Inbound: ...


class Writes(Protocol):
    """What goes over it."""

    numbers: Numbers

    def write(self, mt: Mt, reference: int, now: Instant) -> Sequence[Operation]: ...
    def parts_of(self, text: str) -> int: ...
    def submit_answer(self, response: Any) -> SubmitAnswer: ...


class SessionAdapter(Generic[T]):
    """The mapping of one link. Made with its options; `_map` is told the reader and the writer made of them."""

    only_answers = False
    inquiry: Inquiry | None = None
    errands: Mapping[type[Ordered], Errand] = MappingProxyType({})
    ussd: Gateway | None = None
    callers: tuple[Network, ...] | None = None
    """Who opens the connection, where that is the centre (smsc_link/called.py); None: it is us."""
    name: ClassVar[str]
    """The protocol, for people."""
    window_max: ClassVar[int] = 0
    """Requests that its numbers can tell apart; 0: more than anybody configures."""

    def __init__(self, link: Link, options: T) -> None:
        if link.bind not in BINDS:
            raise ConfigError(f"link {link.name}: bind {link.bind!r} is none of {', '.join(BINDS)}")
        if self.window_max and not 0 < link.window <= self.window_max:
            widest = f"between 1 and {self.window_max}, {self.name}'s widest"
            raise ConfigError(f"link {link.name}: window {link.window} is not {widest}")
        self.link = link
        self.options = options
        self.address = Address(link.host, link.port, options.tls_of(link))
        self.connect_timeout_s = options.connect_timeout_s
        self.sends = link.bind != "receiver"
        self.terms = options.terms

    def _map(self, reader: Reads, writer: Writes) -> None:
        # Bound here once: the hot path asks nobody whose method it is.
        self._reader, self._writer = reader, writer
        self.read = reader.read
        self.write = writer.write
        self.parts_of = writer.parts_of
        self.submit_answer = writer.submit_answer

    @property
    def operator(self) -> Operator:
        """Whose link it is."""
        return self._reader.operator

    @operator.setter
    def operator(self, operator: Operator) -> None:
        if operator.country != self._reader.operator.country:
            numbers = self.options.numbers_after(self.link, operator, self._reader.numbers)
            self._reader.numbers = self._writer.numbers = numbers
        self._reader.operator = operator

    def is_congested(self, response: Any) -> bool:
        """Most protocols have no word for it."""
        return False

    def coding_of(self, data_coding: int) -> Coding:
        """How the text of an MO is to be read."""
        return self._reader.codings[data_coding]
