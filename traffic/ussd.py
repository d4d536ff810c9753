"""USSD sessions at work: turns in, screens out, the calls of menus between them.

Dialogues   one process's: take() a turn of a link; run() is its life

A turn is read, stepped and written in one transaction, together with the others that are there, on the writer's thread;
only then its screen goes out. Sessions are rows: a turn may come to any process that has a link of its gateway. What
waits in memory are turns behind one whose call is under way, and those calls; both are bounded.

Rule: the turns of one session are stepped in the order in which they came; a turn is shown something at most once; what
cannot be stored is told "later", and nothing of it is kept. What fails with one turn fails with no other.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

from structlog import get_logger

from core.catalogue import Catalogue
from core.clock import Clock
from core.errors import StoreError
from core.ussd.actions import Call, Outcome
from core.ussd.session import Close, Show, Wait, Ways
from core.ussd.turn import Reply, Turn, TurnKind
from core.ussd.words import say_now
from traffic.ports import ShowScreen
from traffic.ussd_calls import Calls
from traffic.ussd_menus import Menus, MenuShelf
from traffic.ussd_steps import Rows, Stepped, came, turned

log = get_logger()

Change: TypeAlias = Callable[[Rows], Stepped]

BATCH_MAX = 40
"""Some 10 ms of the writer's thread: messages wait behind it."""
BACKLOG_MAX = 5_000
HELD_MAX = 8
"""Turns of one session that wait for the one before them: a gateway that asks again and again."""
GRACE_MS = 500
"""The outcome of a call is due before the turns behind it are looked at again."""
OPEN_MAX = 100_000
LAST = 1_000


class Sessions(Protocol):
    """store.ussd_sessions.UssdSessions, as we use it: blocking, on the writer's thread."""

    def change(self, keys: Sequence[str], changes: Sequence[Any]) -> list[Stepped]: ...


class Run(Protocol):
    """Runs a blocking function on the writer's thread (plumbing.threads.Writer.run)."""

    def __call__(self, function: Callable[..., list[Stepped]], /, *args: Any) -> Awaitable[list[Stepped]]: ...


@dataclass(slots=True)
class Counted:
    """What was done, for /metrics."""

    turns: int = 0
    begun: int = 0
    screens: int = 0
    ended: int = 0
    aborted: int = 0
    refused: int = 0
    """Screens that gateways did not take."""
    held: int = 0
    """Turns that waited for the one before them."""
    turned_away: int = 0
    """Turns that could not be stepped: too many, a stop, the database away."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A turn that wants its screen; with `call`, the outcome of one that it led to."""

    turn: Turn
    ways: Ways
    show: ShowScreen
    since_ms: int
    call: Call | None = None
    outcome: Outcome | None = None

    @property
    def key(self) -> str:
        return self.turn.key if self.call is None else self.call.session


class Dialogues:
    """Those of one process; everything here runs on the event loop."""

    def __init__(
        self, sessions: Sessions, run: Run, clock: Clock, *, catalogue: Callable[[], Catalogue], calls: Calls
    ) -> None:
        self._sessions = sessions
        self._run = run
        self._clock = clock
        self._catalogue = catalogue
        self.calls = calls
        self._shelf = MenuShelf()
        self._gather: deque[_Waiting] = deque()
        self._held: dict[str, deque[_Waiting]] = {}
        self._asked = 0
        """Calls that a turn waits for."""
        self._open: OrderedDict[str, int] = OrderedDict()
        self._took_ms: deque[int] = deque(maxlen=LAST)
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False
        self.counted = Counted()

    # --- in -----------------------------------------------------------------------------------------------------------

    def take(self, turn: Turn, ways: Ways, show: ShowScreen) -> None:
        """A turn of a link. `show` is called once: with its screen, or with None where there is none."""
        self.counted.turns += 1
        self.counted.aborted += turn.kind is TurnKind.ABORT
        self.counted.refused += turn.kind is TurnKind.REFUSED
        waiting = _Waiting(turn, ways, show, self._clock.monotonic_ms())
        behind = self._held.get(turn.key) if turn.wants_reply else None
        if self._stopping or len(self._gather) >= BACKLOG_MAX or (behind is not None and len(behind) >= HELD_MAX):
            self._turn_away(waiting)
        elif behind is not None:
            behind.append(waiting)
        else:
            self._put(waiting)

    def _put(self, *waiting: _Waiting) -> None:
        self._gather.extend(waiting)
        self._idle.clear()
        self._wake.set()

    def _turn_away(self, waiting: _Waiting) -> None:
        self.counted.turned_away += 1
        self._show(waiting, say_now("later", waiting.ways.room) if waiting.turn.wants_reply else None)

    # --- steps --------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Step what comes, for ever; cancel to end."""
        while True:
            if not self._gather:
                self._see_idle()
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = [self._gather.popleft() for _ in range(min(len(self._gather), BATCH_MAX))]
            await self._step(batch)

    async def _step(self, batch: Sequence[_Waiting]) -> None:
        try:
            menus = self._shelf.of(self._catalogue())
            changes = [self._change(waiting, menus) for waiting in batch]
            made = await self._run(self._sessions.change, [waiting.key for waiting in batch], changes)
        except StoreError as error:
            log.warning("ussd turns cannot be stored", turns=len(batch), error=str(error))
            for waiting in batch:
                self._fail(waiting)
            return
        except Exception:
            log.exception("ussd turns failed", turns=len(batch))
            # One must not take the others with it.
            for waiting in batch:
                if len(batch) == 1:
                    self._fail(waiting)
                else:
                    await self._step([waiting])
            return
        for waiting, stepped in zip(batch, made):
            try:
                self._carry_out(waiting, stepped)
            except Exception:
                log.exception("what follows a ussd turn failed")
                self._fail(waiting)

    def _change(self, waiting: _Waiting, menus: Menus) -> Change:
        now = self._clock.now()
        if waiting.call is None or waiting.outcome is None:
            return partial(turned, turn=waiting.turn, menus=menus, ways=waiting.ways, now=now)
        return partial(came, call=waiting.call, result=waiting.outcome, menus=menus, ways=waiting.ways, now=now)

    def _carry_out(self, waiting: _Waiting, stepped: Stepped) -> None:
        """What a step asks for, now that it is stored."""
        session, reply, has_called = stepped.session, None, False
        if waiting.call is None and waiting.turn.kind is TurnKind.BEGIN and session is not None and not session.turns:
            self.counted.begun += session.key not in self._open
        self._note(waiting, stepped)
        for effect in stepped.effects:
            if isinstance(effect, Show):
                reply = effect.reply
            elif isinstance(effect, Call):
                assert session is not None, effect
                assert stepped.served is not None, effect
                self.calls.begin(effect, session, stepped.served.service, partial(self._came, waiting, effect))
                self._asked += 1
                has_called = True
            elif isinstance(effect, Close):
                self._open.pop(effect.key, None)
            else:
                assert isinstance(effect, Wait), effect
                self._hold(waiting, effect.until)
                return
        # Last, since whoever fails before it has shown nothing, and is told so.
        if not has_called:
            self._show(waiting, reply)
        self._release(waiting.key)

    def _note(self, waiting: _Waiting, stepped: Stepped) -> None:
        """Which sessions are open, as far as this process sees."""
        session = stepped.session
        if session is None or not session.state.is_live:
            self._open.pop(waiting.key, None)
            return
        self._open[session.key] = self._clock.monotonic_ms() + waiting.ways.times.session_ms
        self._open.move_to_end(session.key)
        if len(self._open) > OPEN_MAX:
            self._open.popitem(last=False)

    def _came(self, waiting: _Waiting, call: Call, outcome: Outcome) -> None:
        self._asked -= 1
        self._put(_Waiting(waiting.turn, waiting.ways, waiting.show, waiting.since_ms, call, outcome))

    def _fail(self, waiting: _Waiting) -> None:
        self._turn_away(waiting)
        self._release(waiting.key)

    # --- turns behind others ------------------------------------------------------------------------------------------

    def _hold(self, waiting: _Waiting, until: int) -> None:
        held = self._held.get(waiting.key)
        if held is None:
            held = self._held[waiting.key] = deque()
            left_ms = max(0, until - self._clock.now()) + GRACE_MS
            asyncio.get_running_loop().call_later(left_ms / 1000, self._release_these, waiting.key, held)
        self.counted.held += 1
        held.append(waiting)

    def _release_these(self, key: str, held: "deque[_Waiting]") -> None:
        """Time is over for them; those that wait now may be others."""
        if self._held.get(key) is held:
            self._release(key)

    def _release(self, key: str) -> None:
        """They are stepped next, before what came behind them."""
        held = self._held.pop(key, None)
        if held:
            self._gather.extendleft(reversed(held))
            self._idle.clear()
            self._wake.set()

    # --- out ----------------------------------------------------------------------------------------------------------

    def _show(self, waiting: _Waiting, reply: Reply | None) -> None:
        if reply is not None:
            self.counted.screens += 1
            self.counted.ended += reply.end
            self._took_ms.append(self._clock.monotonic_ms() - waiting.since_ms)
        try:
            waiting.show(reply)
        except Exception:
            # A fault of one link, or of one turn: it must end no other's session.
            log.exception("a ussd screen cannot be shown", link=waiting.turn.link)

    @property
    def open(self) -> int:
        """Sessions that wait for their user or for a call, of those that this process has seen."""
        now_ms = self._clock.monotonic_ms()
        while self._open and next(iter(self._open.values())) < now_ms:
            self._open.popitem(last=False)
        return len(self._open)

    @property
    def waiting(self) -> int:
        """Turns without a screen yet."""
        return len(self._gather) + self._asked + sum(map(len, self._held.values()))

    def took_ms(self, share: float) -> int:
        """How long so many of the last screens took at most, from the turn to the link."""
        ranked = sorted(self._took_ms)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0

    # --- end ----------------------------------------------------------------------------------------------------------

    def _see_idle(self) -> None:
        if not self.waiting:
            self._idle.set()

    async def stop(self, timeout_s: float) -> None:
        """New turns are told "later"; those under way get their screens, for so long."""
        self._stopping = True
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("ussd turns were cut off by the stop", turns=self.waiting)
        self.calls.stop()
