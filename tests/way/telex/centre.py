"""A message centre that speaks telex: one client, MO on demand, every MT taken and delivered at once.

TelexCentre   as tests/way/office.py uses a centre
"""

from itertools import count

from core.clock import Clock
from plumbing.conversation import Conversation, Owner
from sim.records import SeenMt, SentMo
from tests.way.telex.session import DONE, HELLO, NOTE, YES, Telex, TelexSession
from wire.session import Answered, Bound, Event, Session


class TelexCentre:
    """The centre, and the owner of its one conversation."""

    waiting = 0
    """MO that are not sent yet: none, they go at once."""

    def __init__(self, clock: Clock) -> None:
        self.mos: list[SentMo] = []
        self.mts: list[SeenMt] = []
        self.hellos: list[tuple[str, ...]] = []
        """Who said hello."""
        self._clock = clock
        self._ids = count(1)
        self._flying: dict[int, SentMo] = {}
        self._conversation: Conversation | None = None

    def accept(self, peer: str) -> tuple[Session, Owner]:
        """Somebody connects."""
        return TelexSession("smsc", self._clock.monotonic_ms()), self

    def opened(self, conversation: Conversation) -> None:
        """He is there."""
        self._conversation = conversation

    def write(self, source: str, destination: str, text: str) -> SentMo:
        """A subscriber writes."""
        mo = SentMo(len(self.mos) + 1, source, destination, text, parts=1, deliveries=1)
        self.mos.append(mo)
        assert self._conversation is not None
        self._flying[self._conversation.send(Telex(NOTE, (source, destination, text)))] = mo
        return mo

    def heard(self, events: list[Event]) -> None:
        """What the client says."""
        for event in events:
            if isinstance(event, Telex):
                self._take(event)
            elif isinstance(event, Bound):
                assert event.peer.word == HELLO
                self.hellos.append(event.peer.fields)
            elif isinstance(event, Answered) and event.request.word == NOTE:
                self._flying.pop(event.request.sequence).acknowledged += event.response.word == YES

    def _take(self, telex: Telex) -> None:
        assert self._conversation is not None
        source, destination, text = telex.fields
        key = f"T{next(self._ids)}"
        self.mts.append(SeenMt("", key, source, destination, text, None, self._clock.monotonic_ms()))
        self._conversation.answer(telex, Telex(YES, (key,)))
        self._conversation.send(Telex(DONE, (key, destination)))
