"""A link whose centre calls us: it opens the connection, for MO and receipts only.

UCP's second connection for MO (sheet, section 2), and SMPP's outbind (SMPP 3.4, 2.2.1).

CalledLink      an OperatorLink that listens where that one connects
CalledSession   one call: where the protocol has a word for it, the caller is known by that before anything is taken
Greeting        what is done about that word; CalledAdapter, who says it
keep            the link of an adapter: called, or one that connects
is_same         two secrets, in a time that does not tell where they differ

One call at a time. A second one while the first is bound is closed at once, and the first is asked whether it is
there: who does not answer is given up, its last answers are in doubt as after any broken connection (reliability.md,
section 3), and the next call is let in. The newer one does not win at once: it may be a centre that keeps two
connections, which would end each other for ever, and each end would put messages in doubt; or a watchdog of the
operator's that only looks whether the port is open. A call that is not bound has carried nothing: it gives way at once.

Rule: what comes over such a connection has cost the subscriber money. Nobody is let in but `callers`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hmac import compare_digest
from typing import Protocol

from structlog import get_logger

from core.catalogue import Link
from core.clock import Instant
from core.errors import ConfigError
from plumbing.conversation import Conversation, Listen, Owner
from plumbing.networks import Network, is_within, network_of
from smsc_link.adapter import Adapter
from smsc_link.keeping import Surroundings
from smsc_link.link import OperatorLink
from smsc_link.mishaps import Told
from smsc_link.session import Ended, LinkSession
from wire.errors import LocalError
from wire.session import Operation, Session

log = get_logger()

PROBE_MS = 10_000
"""A call that is asked whether it is there is not asked again so soon, however often the next one comes."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """`answer` is the response to the word, `then` what we say next. With a `fault` the call ends."""

    answer: Operation | None = None
    then: Operation | None = None
    fault: str = ""


class CalledAdapter(Adapter, Protocol):
    """A protocol whose centres may call. Its bind() is None where they do."""

    @property
    def callers(self) -> tuple[Network, ...] | None:
        """Who may; None: it is us who connect."""
        ...

    def greet(self, word: Operation) -> Greeting:
        """What to do about a request that came before the session was bound."""
        ...

    def probe(self) -> Operation:
        """What asks the centre whether it is there; without an answer the session ends."""
        ...


def keep(link: Link, adapter: CalledAdapter, around: Surroundings) -> OperatorLink:
    """Who keeps a link of sessions up."""
    if adapter.callers is None:
        return OperatorLink(link, adapter, around)
    if around.listen is None:
        raise ConfigError(f"link {link.name}: option called: this process does not listen for message centres")
    return CalledLink(link, adapter, around, callers=adapter.callers, listen=around.listen)


def is_same(theirs: str, ours: str) -> bool:
    """Whether they are, in a time that tells nothing of ours but its length."""
    return compare_digest(theirs.encode("utf-8", "replace"), ours.encode("utf-8", "replace"))


class CalledLink(OperatorLink):
    """A link that is listened for from start() to stop()."""

    def __init__(
        self, link: Link, adapter: CalledAdapter, around: Surroundings, *, callers: tuple[Network, ...], listen: Listen
    ) -> None:
        super().__init__(link, adapter, around)
        self._called = adapter
        self._callers = callers
        self._listen = listen
        self._told = Told(around.clock.monotonic_ms)
        self._strangers = Told(around.clock.monotonic_ms)  # apart: so many may knock that there is room for no other
        self._reason = ""

    async def _hold(self) -> Ended:
        listening = self._listen(self._called.address, self._answer, self._clock)
        try:
            self._wait()
            until_stop: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
            return await until_stop  # Calls come by themselves.
        finally:
            self.last_error = self._reason
            await listening.close(abort=True)

    def _answer(self, peer: str) -> tuple[Session, Owner] | None:
        """Somebody calls; None: not with us."""
        if not is_within(peer, self._callers):
            self.counts.strangers += 1
            network = network_of(peer)
            if self._strangers.is_new(network):
                log.warning("a stranger called", link=self.link.name, network=network, advice="see the option callers")
            return None
        if self._is_stopping:
            return None
        before = self._session
        if before is not None and not before.is_over:
            assert isinstance(before, CalledSession), before
            if before.bound_at:
                if self._told.is_new("a second call"):
                    log.warning("a second call", link=self.link.name, peer=peer, advice="the first one is up")
                before.probe()
                return None
            before.give_way()
        session = self._new_session(CalledSession)
        session.on_bound = self._taken
        session.ended.add_done_callback(partial(self._over, session))
        return session.wire, session

    def _over(self, session: "CalledSession", ended: "asyncio.Future[Ended]") -> None:
        self._forget(session)
        how = ended.result()
        if self._is_stopping:
            self._note_stop(how)
            return
        if how.bound or self._told.is_new(how.reason):
            log.warning("link down", link=self.link.name, reason=how.reason, again="when the centre calls")
        if self._session is None:
            self._reason = how.reason
            self.last_error_at = self._clock.now()
            self._wait()

    def _wait(self) -> None:
        """For a person: nothing is wrong here, and nothing comes."""
        waiting = f"waiting for the centre to call {self._called.address}"
        self.last_error = f"{self._reason}; {waiting}" if self._reason else waiting

    def _taken(self) -> None:
        """A call is bound."""
        self.last_error = self._reason


class CalledSession(LinkSession):
    """One call."""

    _adapter: CalledAdapter
    on_bound: Callable[[], None]
    _asked_ms = -PROBE_MS

    def opened(self, conversation: Conversation) -> None:
        """It is up, and the centre speaks first; or another one came while TLS was made."""
        super().opened(conversation)
        if self._given_up:
            conversation.close()

    def give_way(self) -> None:
        """Another one came, and this one is not bound."""
        self._given_up = "the centre called again before it was bound"
        if self._conversation is not None:
            self._conversation.close()

    def probe(self) -> None:
        """Ask the centre whether it is there: the session ends if it does not answer."""
        now_ms = self._clock.monotonic_ms()
        if self._conversation is None or now_ms - self._asked_ms < PROBE_MS:
            return
        self._asked_ms = now_ms
        try:
            self._conversation.send(self._adapter.probe())
        except LocalError:
            pass  # It is ending by itself.

    def _hand_in(self, operation: Operation, now: Instant, now_ms: int) -> None:
        if self.bound_at:
            super()._hand_in(operation, now, now_ms)
        else:
            self._greet(operation)

    def _greet(self, word: Operation) -> None:
        del self._owed[id(word)]
        conversation = self._conversation
        assert conversation is not None
        greeting = self._adapter.greet(word)
        self._refusal = greeting.fault
        if greeting.answer is not None:
            conversation.answer(word, greeting.answer)
        elif greeting.fault:
            conversation.close()
        if greeting.then is not None:
            conversation.send(greeting.then)

    def _bound(self, now: Instant) -> None:
        super()._bound(now)
        self.on_bound()
