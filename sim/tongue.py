"""What a pocket SMSC asks of a protocol: the contract of the files in tongues/.

Tongue       the centre's side of a protocol: what it says for an MO or a receipt, what it hears in a submission
Login        who wants in
Submission   what an MT says
Session      a wire session with what a centre asks besides: room, in_flight, owes

Rule: a tongue has no state and no chance; what may differ between centres comes in as Quirks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.clock import Instant
from core.sms.parts import Piece
from sim.fates import Remembered
from sim.quirks import Quirks
from sim.subscribers import Fate, Written
from wire import session as wire
from wire.session import Operation


@dataclass(frozen=True, slots=True)
class Login:
    """Who wants in. `passwords`: all that his octets may mean. `receives`: he takes MO and receipts."""

    system_id: str
    passwords: tuple[str, ...]
    receives: bool = True


@dataclass(slots=True)
class Submission:
    """An MT, or a part of one."""

    source: str
    destination: str
    text: str
    piece: Piece | None
    wants_receipt: bool


class Session(wire.Session, Protocol):
    """A session of the centre's side."""

    @property
    def in_flight(self) -> int:
        """Requests of ours without an answer."""
        ...

    def room_at(self, now_ms: int) -> int:
        """How many requests may be sent at this time."""
        ...

    def owes(self, request: Operation) -> bool:
        """Whether this request of the client still waits for our answer, and can get it."""
        ...


class Tongue(Protocol):
    """A protocol as a centre speaks it. In all of them a status of 0 says yes.

    `logins`, `submissions`, `questions`, `cancels` and `replaces` are the requests that it serves; `never` says which
    quirks it cannot have, and which of their values: an empty tuple, none at all.
    """

    logins: frozenset[type]
    submissions: frozenset[type]
    questions: frozenset[type]
    cancels: frozenset[type]
    """That take submissions back."""
    replaces: frozenset[type]
    """That change one."""
    throttled: int
    """The status of a submission that came too fast."""
    refused: int
    """That of one that is refused for good."""
    unknown_account: int
    wrong_password: int
    status_max: int
    """The largest that the wire has room for."""
    never: Mapping[str, tuple[object, ...]]

    def session(self, quirks: Quirks, now_ms: int) -> Session:
        """A fresh machine for a client that connected."""
        ...

    def call(self, quirks: Quirks, now_ms: int) -> tuple[Session, Operation | None] | None:
        """A fresh machine for a client that the centre connects to, and what it says first: who it is, by the first of
        the accounts. None: its centres call nobody.
        """
        ...

    def read_login(self, login: Operation) -> Login:
        """Who it is."""
        ...

    def answer_login(self, login: Operation, status: int, quirks: Quirks) -> Operation:
        """Let in, or not."""
        ...

    def parts(self, written: Written, quirks: Quirks, *, number: int, reference: int, now: Instant) -> list[Operation]:
        """An MO, its `number` in the order of writing; several when it is long, tied by `reference`."""
        ...

    def read(self, submit: Operation) -> Submission:
        """What a client submits."""
        ...

    def ids(self, submit: Operation, quirks: Quirks, *, number: int, now: Instant) -> tuple[str, str]:
        """The id of the `number`th submission as its answer has it, and as its receipt has it."""
        ...

    def answer(self, submit: Operation, status: int, message_id: str) -> Operation:
        """What is said to a submission."""
        ...

    def receipt(self, submit: Operation, message_id: str, fate: Fate, quirks: Quirks, *, now: Instant) -> Operation:
        """What became of it."""
        ...

    def goodbye(self) -> Operation:
        """What is said last to a client."""
        ...

    def status_of(self, response: Operation) -> int:
        """What a client said to an MO or a receipt."""
        ...

    def is_temporary(self, status: int) -> bool:
        """Whether he may take it later."""
        ...

    def sentence(self, status: int) -> str:
        """A status for people."""
        ...

    # --- what became of a submission, for clients that ask ----------------------------------------------------

    def filed(self, submit: Operation, message_id: str) -> str:
        """The name under which a submission is remembered; `message_id` as its answer has it."""
        ...

    def asked(self, question: Operation) -> str:
        """The name of what is asked for."""
        ...

    def tell(
        self, question: Operation, found: Sequence[Remembered], now: Instant
    ) -> tuple[Operation, Operation | None]:
        """The response, and what is said after it where the protocol tells by an operation of its own."""
        ...

    def refuse(self, question: Operation, how: str) -> Operation:
        """The response of a centre that tells nothing: `failed` or `unknown`, as Quirks have it."""
        ...

    # --- a submission that is taken back or changed -----------------------------------------------------------

    def named(self, change: Operation) -> str | None:
        """The name of the one that is meant; None: all that `means` says, of whatever names."""
        ...

    def means(self, change: Operation, submit: Operation, message_id: str) -> bool:
        """Whether this one is meant, of those of that name; `message_id` as its answer had it."""
        ...

    def replaced(self, change: Operation, submit: Operation) -> Operation:
        """A submission as it is after the change."""
        ...

    def wants_cancelled(self, submit: Operation) -> bool:
        """Whether its sender wants a receipt that says that it was taken back."""
        ...

    def made(self, change: Operation, made: Sequence[Remembered]) -> tuple[Operation, Operation | None]:
        """The response to a change of these, and what is said after it where the protocol has an operation for it."""
        ...

    def refuse_change(self, change: Operation, how: str) -> Operation:
        """The response that says no: `failed` or `unknown`, as Quirks have it; `absent`, there is no such submission;
        `late`, there is none any more that could be changed, or it is another sender's.
        """
        ...
