"""What is asked of whoever keeps a link up, whatever its protocol: the contract of smsc_link/link.py and its like.

Kept         a link from start() to stop(): its state, its counts, and the Line that traffic sends over
Registered   one protocol of the register: its adapter, and who keeps its links up
Counts       what a link has carried
Listens, Listenable, Traced   for traces: who listens in, on what, what they need of a protocol (smsc_link/tracing.py)
Ends, Notes, Notable   the same for requests and answers, each by itself

Rule: Links knows nothing more of a link than this.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from core.catalogue import Link, Operator
from core.clock import Clock, Instant
from plumbing.conversation import Connect, Conversation, Listen, Tap
from smsc_link.adapter import Wording
from smsc_link.screens import Screens
from smsc_link.visits import Door
from traffic.ports import Intake, TakeTurns
from wire.masking import Mask

LinkState: TypeAlias = Literal["connecting", "bound", "disabled"]

UNBIND_S = 5.0
"""How long the operator may take to answer an unbind."""


@dataclass(slots=True)
class Counts:
    """What a link has carried since it was made; for metrics and status.

    `refused`, `ignored`: PDUs, of the sessions that are over. `strangers`: calls of those who may not call.
    """

    deliveries: int = 0
    receipts: int = 0
    unreadable: int = 0
    submits: int = 0
    accepted: int = 0
    throttled: int = 0
    unanswered: int = 0
    sessions: int = 0
    refused: int = 0
    ignored: int = 0
    turns: int = 0
    questions: int = 0
    mishaps: int = 0
    strangers: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a link lives in: whom it tells, how it connects, its clock and its chance."""

    intake: Intake
    connect: Connect
    clock: Clock
    random: Random
    door: Door | None = None
    """Where operators call us by HTTP; None: nowhere."""
    turns: TakeTurns | None = None
    """Who goes on with USSD sessions; None: nobody."""
    screens: Screens | None = None
    """The way out of USSD over links of sessions; there with `turns`."""
    listen: Listen | None = None
    """How message centres call us; None: they cannot."""


class Kept(Protocol):
    """A link that is kept up."""

    link: Link
    counts: Counts
    last_error: str
    last_error_at: Instant
    operator: Operator
    """May be exchanged for a newer version of the same operator."""

    @property
    def state(self) -> LinkState: ...

    @property
    def bound_at(self) -> Instant:
        """Since when it is bound; 0: it is not."""
        ...

    def unused(self, what: str) -> int:
        """PDUs that were `refused` or `ignored` since the link was made."""
        ...

    def start(self) -> None:
        """Begin to keep it up, where it is enabled."""
        ...

    async def stop(self, timeout_s: float = 20.0, unbind_s: float = UNBIND_S) -> None:
        """Take and send nothing new, wait for what is under way, end. A second stop() ends at once."""
        ...


Listens: TypeAlias = Callable[[Conversation, bool], Tap]
"""Who listens in on a conversation; True: from its very beginning."""


@runtime_checkable
class Listenable(Protocol):
    """A link whose conversations can be listened in on."""

    def listen_in(self, listens: Listens | None, /) -> None:
        """From now on, also in sessions to come; None: no more."""
        ...


Ends: TypeAlias = tuple[tuple[str, int], tuple[str, int]]
"""Of a connection: our own address and port, and the peer's; ("", 0) where there is none."""


class Notes(Protocol):
    """What a trace takes of requests and answers: whole messages, masked already."""

    @property
    def texts(self) -> bool:
        """Whether texts and numbers are wanted."""
        ...

    @property
    def is_over(self) -> bool:
        """Nothing more is wanted."""
        ...

    def note(self, ends: Ends, message: bytes, *, ours: bool, by_peer: bool) -> None:
        """A message of ours, or of the peer's, over the connection of these ends, which the peer opened or we did."""
        ...

    def leave_out(self) -> None:
        """Something could not be masked for sure."""
        ...

    def end(self, ends: Ends) -> None:
        """The connection is over, or what was to come over it did not."""
        ...


@runtime_checkable
class Notable(Protocol):
    """A link without conversations: it notes its requests and answers itself."""

    def note_in(self, notes: Notes | None, /) -> None:
        """From now on; None: no more."""
        ...


class Cutter(Protocol):
    """A stream → its whole frames, in order."""

    def read(self, data: bytes, /) -> list[bytes]: ...


@dataclass(frozen=True, slots=True)
class Traced:
    """What a trace needs of a protocol of conversations: a stream into frames, and a frame without its texts."""

    cutter: Callable[[], Cutter]
    mask: Mask


@dataclass(frozen=True, slots=True)
class Registered:
    """A protocol: `adapter` raises a ConfigError where a link's options are wrong; `keep` is given what it made.

    `receipt_options` tells people which options of a link may keep its receipts from their messages. `traced` None: it
    has no conversations to cut into frames; its links are Notable, or have no trace. `remarks` are of what `adapter`
    made: what works, and probably was not meant; sentences for `load` that go on after the link's name.
    """

    adapter: Callable[[Link, Operator], Wording]
    keep: Callable[[Link, Any, Surroundings], Kept]
    receipt_options: str
    traced: Traced | None = None
    remarks: Callable[[Any], Iterable[str]] = lambda adapter: ()
