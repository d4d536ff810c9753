"""The one batcher: gathers facts of every kind and makes them durable together (reliability.md, sections 2 and 4).

A batch goes to the writer at once when the writer is idle; while it works the next one fills, up to `max_batch`. So
batches grow by themselves under load. `max_delay_ms` is the longest wait on purpose, and only under load: for as many
facts as the last batch had. Of receipts, which may come in storms, a batch has so many at most (traffic/gather.py).

With the database away, or Redis where limits count in it: an arrival fails at once (its operator keeps the message);
everything else waits here, in order, for its return, since nobody else remembers it. A commit that ended in doubt is
looked up when it is back. A person is told by one alert: at once where it can be written, else with the first batch.

Rule: `put` never loses a fact: its `settled` is called exactly once, with the error or None.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from structlog import get_logger

from core.clock import MINUTE_MS, Clock
from core.errors import Buried, StoreAway, StoreError
from core.msisdn import mask_within
from store.journal import AlertFact, Fact, MoFact, NewMtFact, PartFact, RepeatFact
from traffic.gather import Gather, Settled, Waiting

log = get_logger()

T = TypeVar("T")

ALERT_MS = 10 * MINUTE_MS
"""What comes and goes is one alert in so long, not one each time."""
PROBE_MIN_S = 0.1
PROBE_MAX_S = 2.0
STUCK_MS = 2_000


class Writes(Protocol):
    """store.journal.Journal, as we use it: blocking, on the writer's thread."""

    def write(self, facts: Sequence[Fact]) -> None: ...

    def resolve(self, doubtful: Sequence[Fact], refused: Sequence[Fact]) -> bool: ...


class Run(Protocol):
    """Runs a blocking function on the writer's thread (plumbing.threads.Writer.run)."""

    def __call__(self, function: Callable[..., T], /, *args: Sequence[Fact]) -> Awaitable[T]: ...


class Batcher:
    """Facts in, durable facts out, in the order in which they came."""

    def __init__(
        self,
        journal: Writes,
        run: Run,
        clock: Clock,
        *,
        max_batch: int = 500,
        max_delay_ms: int = 1,
        backlog: int = 5000,
    ) -> None:
        self._journal = journal
        self._run = run
        self._clock = clock
        self._max_batch = max_batch
        self._max_delay_s = max_delay_ms / 1000
        self._backlog = backlog
        self._gather = Gather()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._writing_since_ms: int | None = None
        self._asking_since_ms: int | None = None
        """Since then `probe` has got no answer."""
        self._doubtful: list[Waiting] = []
        """The batch whose commit ended in doubt, whole and in order."""
        self._last_size = 0
        self._company_size = 0
        """So many facts are waited for; 0: nobody waits for company."""
        self._company = asyncio.Event()
        self.away = False
        """The database, or Redis, cannot be reached: arrivals are refused, the rest waits."""
        self.why_away = ""
        self.why_short = ""
        """Why nothing new comes in though the database is there: this host has no room. Empty: it has."""
        self._reported: StoreAway | None = None
        self._alerted_ms: dict[str, int] = {}
        """When an outage of each was last an alert."""
        self.batches = 0
        self.facts = 0
        self._stopping = False

    @property
    def waiting(self) -> int:
        """Facts that are not handed to the writer yet."""
        return len(self._gather)

    @property
    def takes_arrivals(self) -> bool:
        """Whether an MO may come in: the database is there, the host has room and the backlog is not full."""
        return not self.away and not self.why_short and self._gather.backlog < self._backlog

    @property
    def is_stuck(self) -> bool:
        """The database has a batch, or a question, for too long: a lock, a full disk's retries, a server that hangs."""
        now_ms = self._clock.monotonic_ms()
        begun = (self._writing_since_ms, self._asking_since_ms)
        return any(since_ms is not None and now_ms - since_ms > STUCK_MS for since_ms in begun)

    def put(self, fact: Fact, settled: Settled) -> None:
        """Take a fact; `settled(fact, error)` is called on the loop when it is durable, or cannot be."""
        if self.away and _is_refused_when_away(fact):
            _tell(Waiting(fact, settled), StoreAway(self.why_away))
            return
        self._gather.add(Waiting(fact, settled))
        self._woken()

    def put_first(self, fact: Fact, settled: Settled) -> None:
        """As `put`, before all that waits: what is about a fact that is durable, and what waits may depend on."""
        if self.away and _is_refused_when_away(fact):
            _tell(Waiting(fact, settled), StoreAway(self.why_away))
            return
        self._gather.put_back([Waiting(fact, settled)])
        self._woken()

    def _woken(self) -> None:
        self._idle.clear()
        self._wake.set()
        if len(self._gather) == self._company_size:
            self._company.set()

    def alert(self, kind: str, subject: str, sentence: str, message_id: int = 0) -> None:
        """Tell a person, with the next batch."""
        self.put(AlertFact(kind, subject, sentence, self._clock.now(), message_id), _nothing)

    def report(self, error: StoreAway) -> None:
        """Somebody found out, though no batch has failed: it is an outage all the same."""
        if not self.away:
            self._reported = error
            self._wake.set()

    async def probe(self, may_write: Callable[[], None]) -> None:
        """Ask, though nobody writes, whether the database takes a batch. Passes on what is no outage."""
        if self.away:
            return
        if self._asking_since_ms is None:
            self._asking_since_ms = self._clock.monotonic_ms()
        try:
            await self._run(may_write)
        except StoreAway as error:
            self.report(error)
        self._asking_since_ms = None

    async def commit(self, fact: Fact) -> None:
        """Take a fact and wait until it is durable. Raises StoreError."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settled(_: Fact, error: StoreError | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        self.put(fact, settled)
        await done

    async def run(self) -> None:
        """The batcher's life; ends after `stop` when everything that was put is settled."""
        while True:
            if self._reported is not None:
                await self._store_is_away([], self._reported)
                continue
            if not self._gather:
                self._idle.set()
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            self._idle.clear()
            wanted = min(self._last_size, self._max_batch)
            if wanted > 1 and self._max_delay_s and len(self._gather) < wanted and not self._stopping:
                await self._wait_for_company(wanted)
            await self._write_batch()

    async def _wait_for_company(self, wanted: int) -> None:
        """Under load the others are on their way: a short wait for them saves whole commits."""
        self._company_size = wanted
        self._company.clear()
        try:
            async with asyncio.timeout(self._max_delay_s):
                await self._company.wait()
        except TimeoutError:
            pass
        finally:
            self._company_size = 0

    async def drained(self) -> None:
        """Wait until nothing is waiting or being written."""
        await self._idle.wait()

    def stop(self) -> None:
        """End `run` once everything is settled."""
        self._stopping = True
        self._wake.set()

    async def _write_batch(self) -> None:
        batch = self._gather.take(self._max_batch)
        self._last_size = size = len(batch)
        facts = [one.fact for one in batch]
        try:
            await self._write(facts)
        except StoreAway as error:
            await self._store_is_away(batch, error)
            return
        except Buried as error:
            self._end(batch, error)
            return
        except Exception:
            log.exception("a batch failed", facts=size)
            await self._write_singly(batch)
            return
        self.batches += 1
        self.facts += size
        for one in batch:
            _tell(one, None)

    async def _write(self, facts: Sequence[Fact]) -> None:
        self._writing_since_ms = self._clock.monotonic_ms()
        try:
            await self._run(self._journal.write, facts)
        finally:
            self._writing_since_ms = None

    async def _write_singly(self, batch: Sequence[Waiting]) -> None:
        """One fact must not take the others with it: find it, leave it out, tell a person."""
        for place, one in enumerate(batch):
            try:
                await self._write([one.fact])
            except StoreAway as error:
                await self._store_is_away([one], error, behind=batch[place + 1 :])
                return
            except Buried as error:
                self._end(batch[place:], error)
                return
            except Exception as error:
                log.exception("a fact cannot be written", fact=type(one.fact).__name__)
                _tell(one, StoreError(f"it cannot be written: {error}"))
                if not isinstance(one.fact, AlertFact):
                    sentence = mask_within(f"{type(one.fact).__name__} could not be written: {error}")
                    self.alert("store", "journal", sentence)
            else:
                _tell(one, None)

    async def _store_is_away(
        self, batch: Sequence[Waiting], error: StoreAway, *, behind: Sequence[Waiting] = ()
    ) -> None:
        """`batch` was in the transaction that failed, perhaps in its COMMIT; `behind` was to be written after it."""
        self.away, self.why_away, self._reported = True, str(error), None
        log.error(f"{error.what} is away; new messages get the temporary error", error=str(error))
        # Later facts may depend on earlier ones: the batch goes back in front of what came since.
        behind = [*behind, *self._gather]
        self._doubtful = list(batch) if error.in_doubt else []
        kept = [] if error.in_doubt else [one for one in batch if not _is_refused_when_away(one.fact)]
        self._gather = Gather(kept + [one for one in behind if not _is_refused_when_away(one.fact)])
        for one in (*batch, *behind):
            if _is_refused_when_away(one.fact):
                _tell(one, error)
        await self._alert(error)
        await self._wait_for_store(error.what)

    async def _alert(self, error: StoreAway) -> None:
        """Tell a person, at once where the database can be written to; else that waits for it like all the rest."""
        now_ms = self._clock.monotonic_ms()
        last_ms = self._alerted_ms.get(error.what)
        if last_ms is not None and now_ms - last_ms < ALERT_MS:
            return
        self._alerted_ms[error.what] = now_ms
        alert = AlertFact("outage", error.what, f"{error.what} was away: {error}"[:300], self._clock.now())
        # A batch of ours must not come between one in doubt and the question what became of it.
        if error.what != StoreAway.DATABASE and not self._doubtful:
            try:
                await self._write([alert])
            except Exception as another:
                log.debug("an alert waits for the database", error=repr(another))
            else:
                return
        self._gather.add(Waiting(alert, _nothing))
        self._idle.clear()

    async def _wait_for_store(self, what: str) -> None:
        """`what` is away; in the end something else may be."""
        pause = PROBE_MIN_S
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, PROBE_MAX_S)
            doubtful = [one.fact for one in self._doubtful]
            refused = [fact for fact in doubtful if _is_refused_when_away(fact)]
            try:
                written = await self._run(self._journal.resolve, doubtful, refused)
            except StoreAway as error:
                self.why_away = str(error)
                if error.what != what:
                    what = error.what
                    log.error(f"{what} is away, too", error=str(error))
                    await self._alert(error)
                continue
            except Buried as error:
                self._end([one for one in self._doubtful if not _is_refused_when_away(one.fact)], error)
                return
            except Exception as error:
                # What is in doubt may still hold its locks, and a database that comes back may refuse us for a while:
                # rights, a schema that is being restored. There is no answer yet, so the question stands.
                if type(error).__name__ not in self.why_away:
                    log.warning("the database does not say what became of the last batch", error=repr(error))
                self.why_away = repr(error)
                continue
            self._end_doubt(written=written)
            self.away = False
            self.why_away = ""
            log.info(f"{what} is back", waited=len(self._gather))
            return

    def _end(self, batch: Sequence[Waiting], error: Buried) -> None:
        """Our work is another's: what is not durable is told so, as by a crash, and nothing comes in any more."""
        log.error("nothing is written any more", error=str(error))
        self.away, self.why_away = True, str(error)
        told = [*batch, *self._gather]
        self._doubtful = []
        self._gather.clear()
        self._stopping = True
        for one in told:
            _tell(one, error)

    def _end_doubt(self, *, written: bool) -> None:
        """What nobody else has of the batch in doubt is done, or is to be written after all."""
        kept = [one for one in self._doubtful if not _is_refused_when_away(one.fact)]
        self._doubtful = []
        if written:
            for one in kept:
                _tell(one, None)
        else:
            self._gather.put_back(kept)


def _is_refused_when_away(fact: Fact) -> bool:
    """Somebody else still has it: an operator, or a caller of the API who is told.

    An MO without a delivery was joined from parts that are acknowledged: only we have it.
    """
    if isinstance(fact, MoFact):
        return fact.delivery is not None
    return isinstance(fact, PartFact | RepeatFact | NewMtFact)


def _tell(one: Waiting, error: StoreError | None) -> None:
    """A fault in what follows a commit must not stop the commits."""
    try:
        one.settled(one.fact, error)
    except Exception:
        log.exception("what follows a commit failed", fact=type(one.fact).__name__)


def _nothing(_: Fact, error: StoreError | None) -> None:
    if error is not None:
        log.error("an alert was lost", error=str(error))
