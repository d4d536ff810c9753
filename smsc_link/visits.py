"""Operators that call us: what a request is to a link, and the door that hands it over. No I/O.

Visit          one request, read whole
VisitAnswer    what is answered
Guest          a link, as the door sees it;  Ear, Hearing, who listens in on its requests, for a trace
Door           one address of a process, with a path for each link

Rule: an answer is written once; whoever made it is told whether it left.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(slots=True)
class Visit:
    """One request. `tail` is what stands in its path behind the link's name; names of `headers` are in small letters.
    `path` and `query` are as they came, a character for each octet.

    `address` is the caller's, by the word of a proxy only where we know it. `certificate`: what TLS has verified, and
    `fingerprint` the SHA-256 of it; both empty without one.
    """

    method: str
    path: str
    tail: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    address: str
    certificate: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    is_gone: bool = False
    """The caller hears no answer any more."""
    on_gone: Callable[[], None] | None = None

    def leave(self) -> None:
        """The connection is lost."""
        if not self.is_gone:
            self.is_gone = True
            if self.on_gone is not None:
                self.on_gone()


@dataclass(frozen=True, slots=True)
class VisitAnswer:
    """What is answered. `sent` is told whether it left."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    sent: Callable[[bool], None] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request without its body, as it came: `target` is path and query. `ends` are the connection's, ours first."""

    ends: tuple[tuple[str, int], tuple[str, int]]
    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]


class Hearing(Protocol):
    """One request that is listened in on. Nothing here raises."""

    def asked(self, body: bytes) -> None:
        """It is whole."""
        ...

    def answered(self, answer: VisitAnswer, *, has_left: bool) -> None:
        """What we said."""
        ...


class Ear(Protocol):
    """Who listens in. Nothing here raises."""

    def calls(self, asked: Asked) -> Hearing:
        """A request begins."""
        ...


class Guest(Protocol):
    """A link that is called. `ear`: who listens in; None: nobody, which costs nothing."""

    @property
    def ear(self) -> Ear | None: ...

    @property
    def methods(self) -> frozenset[str]:
        """Those of any request to it."""
        ...

    def admits(self, address: str) -> bool:
        """Whether this address may call at all: asked before a body is read."""
        ...

    def visit(self, visit: Visit) -> Awaitable[VisitAnswer]:
        """Take a request."""
        ...


class Door(Protocol):
    """Where operators come to us: open while it has a guest."""

    async def enter(self, name: str, guest: Guest) -> None:
        """From now on its requests are the guest's. Raises OSError or ValueError where the door cannot be opened."""
        ...

    async def leave(self, name: str, guest: Guest) -> None:
        """It takes no more; the last one closes the door."""
        ...
