"""One link's life: connect, bind, work, and when it ends, back off and begin again.

OperatorLink   a link that is kept up: the Line that traffic sends over, and its state for /health
pause_s        how long to wait before the next try

Rule: only asyncio, a clock, a random and a way to connect, all handed in, so that the simulation can run it.
"""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from structlog import get_logger

from core.catalogue import Link, Operator
from core.clock import Instant
from core.message import Mt, SubmitAnswer, SubmitOutcome
from core.question import Finding, Ordered, Question
from plumbing.loop import spawn
from smsc_link.adapter import Adapter
from smsc_link.keeping import UNBIND_S, Counts, LinkState, Listens, Surroundings
from smsc_link.mishaps import Mishaps
from smsc_link.session import Ended, LinkSession
from traffic.routes import Terms
from wire.window import Allowance

log = get_logger()

S = TypeVar("S", bound=LinkSession)

PAUSE_FIRST_S, PAUSE_MAX_S = 0.5, 30.0
REFUSED_FIRST_S, REFUSED_MAX_S = 300.0, 3600.0


def pause_s(failures: int, random: Random, *, refused: bool = False) -> float:
    """How long to wait after so many failures in a row: twice as long each time, and a half more or less.

    `refused`: our name or password was; operators lock accounts that keep trying (sheet, section 10).
    """
    first, most = (REFUSED_FIRST_S, REFUSED_MAX_S) if refused else (PAUSE_FIRST_S, PAUSE_MAX_S)
    grown = min(most, first * 2.0 ** min(max(0, failures - 1), 16))
    return grown * random.uniform(0.5, 1.5)


class OperatorLink:
    """A link that is kept up from start() to stop()."""

    def __init__(self, link: Link, adapter: Adapter, around: Surroundings) -> None:
        self.link = link
        self.last_error = ""
        self.last_error_at: Instant = 0
        self.counts = Counts()
        self._adapter = adapter
        self._intake = around.intake
        self._connect = around.connect
        self._clock = around.clock
        self._mishaps = Mishaps(link, around.intake, around.clock, self.counts)
        self._screens = around.screens
        self._random = around.random
        self._session: LinkSession | None = None
        self._allowance: Allowance | None = None
        self._listens: Listens | None = None
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._is_stopping = False

    # --- State ----------------------------------------------------------------------------------------

    @property
    def state(self) -> LinkState:
        """For /health."""
        if self._task is None:
            return "disabled"
        return "bound" if self.bound_at else "connecting"

    @property
    def bound_at(self) -> Instant:
        """Since when it is bound; 0: it is not."""
        session = self._session
        return session.bound_at if session is not None and not session.is_over else 0

    @property
    def operator(self) -> Operator:
        """Whose link it is; may be exchanged for a newer version of the same."""
        return self._adapter.operator

    @operator.setter
    def operator(self, operator: Operator) -> None:
        self._adapter.operator = operator

    def unused(self, what: str) -> int:
        """PDUs that were `refused` or `ignored` since the link was made, in the session that is up too."""
        so_far: int = getattr(self.counts, what)
        return so_far + (getattr(self._session.wire, what) if self._session is not None else 0)

    def listen_in(self, listens: Listens | None) -> None:
        """A trace begins, or is over (None): in the session that is up, and in those to come."""
        self._listens = listens
        if self._session is not None:
            self._session.listen_in(listens)

    # --- Line -----------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Bound for sending, and not about to unbind."""
        session = self._session
        return (
            session is not None
            and self._adapter.sends
            and bool(session.bound_at)
            and not (session.is_over or session.is_draining)
        )

    only_answers = False

    def awaits(self, mt: Mt) -> bool:
        """Nothing waits on a session: a reply is a message of its own."""
        return False

    @property
    def terms(self) -> Terms:
        """Its priority and weight."""
        return self._adapter.terms

    def room(self) -> int:
        """How many parts may be submitted right now. After a 0, intake.line_has_room tells."""
        return self._session.room() if self._session is not None and self._adapter.sends else 0

    @property
    def is_slowed(self) -> bool:
        """The operator found it too fast, and its rate has not grown back; as of the last room()."""
        return self._allowance is not None and self._allowance.is_slowed

    def write(self, mt: Mt, *, reference: int) -> Sequence[object]:
        """The operations that carry the message."""
        return self._adapter.write(mt, reference, self._clock.now())

    def submit(self, operation: object) -> "asyncio.Future[SubmitAnswer]":
        """Send one part; never raises."""
        if self._session is not None and self._adapter.sends:
            return self._session.submit(operation)
        future: asyncio.Future[SubmitAnswer] = asyncio.get_running_loop().create_future()
        future.set_result(SubmitAnswer(SubmitOutcome.UNSENT, sentence="the link is not open"))
        return future

    @property
    def asks_per_minute(self) -> int:
        """How many questions what became of an MT may go over it; 0: none, its operator does not answer them."""
        inquiry = self._adapter.inquiry
        return inquiry.per_minute if inquiry is not None and self._adapter.sends else 0

    def ask(self, question: Question) -> "asyncio.Future[Finding] | None":
        """Ask what became of a submission; never raises. None: not now, MT go first."""
        return self._session.ask(question) if self._session is not None and self.asks_per_minute else None

    def obeys(self, order: type[Ordered]) -> bool:
        """Whether such a thing may be asked of an MT that went over it."""
        return order in self._adapter.errands and self._adapter.sends

    def order(self, ordered: Ordered) -> "asyncio.Future[Finding] | None":
        """Ask it of a submission; never raises. None: not now."""
        return self._session.ask(ordered) if self._session is not None and self.obeys(type(ordered)) else None

    # --- Life -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to keep the link up."""
        if self._task is None and self.link.enabled:
            self._is_stopping = False
            self._failures = 0
            self._begin()

    async def stop(self, timeout_s: float = 20.0, unbind_s: float = UNBIND_S) -> None:
        """Take and send nothing new, wait for what is under way, unbind. A second stop() closes at once."""
        task, session = self._task, self._session
        if task is None:
            return
        self._is_stopping = True
        if session is not None and not session.is_over:
            await session.drain(timeout_s, unbind_s)
        task.cancel()
        await asyncio.wait([task])
        self._task = None

    def _begin(self, pause: float = 0.0) -> None:
        self._task = spawn(self._live(pause), name=f"link {self.link.name}")
        self._task.add_done_callback(self._failed)

    def _failed(self, task: "asyncio.Task[None]") -> None:
        """A mistake of ours between two sessions: nobody else would ever call the operator again."""
        error = None if task.cancelled() else task.exception()
        if error is None or self._is_stopping:
            return
        self._failures += 1
        pause = pause_s(self._failures, self._random)
        self._begin(pause)
        self.last_error, self.last_error_at = f"{type(error).__name__}; see the log", self._clock.now()
        log.error("a link failed; it begins anew", link=self.link.name, again_in_s=round(pause, 1))

    async def _live(self, pause: float) -> None:
        if pause:
            await asyncio.sleep(pause)
        while True:
            ended = await self._one_session()
            if self._is_stopping:
                self._note_stop(ended)
                return
            self._failures = 1 if ended.worked else self._failures + 1
            pause = pause_s(self._failures, self._random, refused=ended.refused_for_good)
            self._note(ended, pause)
            await asyncio.sleep(pause)

    async def _one_session(self) -> Ended:
        try:
            return await self._hold()
        except (OSError, ValueError) as error:
            return Ended(str(error))
        except Exception as error:
            # The edge of a door: a bug of ours ends this session, not the link.
            log.exception("link failed", link=self.link.name)
            return Ended(f"{type(error).__name__}; see the log")

    async def _hold(self) -> Ended:
        session = self._new_session(LinkSession)
        adapter = self._adapter
        try:
            await self._connect(
                adapter.address, session.wire, session, self._clock, timeout_s=adapter.connect_timeout_s
            )
            return await asyncio.shield(session.ended)
        finally:
            self._forget(session)

    def _new_session(self, kind: type[S]) -> S:
        session = kind(
            self, self._adapter, self._intake, self._clock, self.counts, mishaps=self._mishaps, screens=self._screens
        )
        self._session = session
        if self._allowance is None:
            self._allowance = session.wire.allowance
        session.wire.allowance = self._allowance
        session.listen_in(self._listens)
        return session

    def _forget(self, session: LinkSession) -> None:
        if self._session is session:
            self._session = None
        self.counts.refused += session.wire.refused
        self.counts.ignored += session.wire.ignored

    def _note_stop(self, ended: Ended) -> None:
        """It ended because we wanted it to. What was not answered is no loss: the operator delivers it again."""
        log.info("link stopped", link=self.link.name, reason=ended.reason, unanswered=ended.unanswered)

    def _note(self, ended: Ended, pause: float) -> None:
        self.last_error = ended.reason
        self.last_error_at = self._clock.now()
        tell = log.error if ended.refused_for_good else log.warning
        advice = {"advice": "check the name and password that they gave us"} if ended.refused_for_good else {}
        tell("link down", link=self.link.name, reason=ended.reason, again_in_s=round(pause, 1), **advice)
