"""USSD over one HTTP link: requests to /links/NAME/ussd, each answered with its screen.

UssdReception   takes a request whole, reads a turn by the link's shape (smsc_link/ussd_shapes), waits for its screen

With a secret the path is /links/NAME/ussd/SECRET: none of these gateways signs what it sends.

Rule: what shows the secret and has a session's id gets 200 and a screen, in time, whatever happens here; what has no id
gets 400. Who guesses the secret is refused, and counted, by the link's Reception.
"""

import asyncio
import hmac
from dataclasses import replace

from structlog import get_logger

from core.catalogue import Link
from core.clock import Clock
from core.ussd.turn import Reply, Turn, subscriber
from core.ussd.words import say_now
from smsc_link.keeping import Counts
from smsc_link.protocols.http.adapter import HttpAdapter
from smsc_link.ussd_shapes import SHAPES
from smsc_link.ussd_shapes.contract import HttpAnswer, HttpRequest, Wrong, refuse
from smsc_link.visits import Visit, VisitAnswer
from traffic.ports import TakeTurns

log = get_logger()

TAIL = "ussd"
"""What stands in the path behind the link's name."""
ANSWER_S = 8.0
"""A menu's wait is 5 s at most, and its commit takes its time."""


class UssdReception:
    """One link's."""

    def __init__(self, link: Link, adapter: HttpAdapter, turns: TakeTurns, clock: Clock, counts: Counts) -> None:
        options = adapter.options
        self._link = link
        self._adapter = adapter
        self._turns = turns
        self._clock = clock
        self._counts = counts
        self._shape = SHAPES[options.ussd_shape]
        self._options = options.ussd_gateway
        self._ways = self._shape.ways(options.ussd_gateway)
        self._secret = options.ussd_gateway.secret.encode()
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def is_for(self, visit: Visit) -> bool:
        """Whether the path is of USSD at all."""
        return visit.tail == TAIL or visit.tail.startswith(f"{TAIL}/")

    def knows(self, visit: Visit) -> bool:
        """Whether its path shows the secret."""
        shown = visit.tail.partition("/")[2].encode("utf-8", "replace")
        return hmac.compare_digest(shown, self._secret)

    async def visit(self, visit: Visit) -> VisitAnswer:
        """One request of the gateway."""
        request = HttpRequest(
            self._link.name,
            self._clock.now(),
            visit.method,
            visit.query,
            visit.headers.get("content-type", ""),
            visit.body,
            visit.headers.get("cookie", ""),
        )
        turn = self._shape.parse(request, self._options)
        if isinstance(turn, Wrong):
            self._counts.unreadable += 1
            log.info("ussd request refused", link=self._link.name, reason=turn.reason)
            return _written(refuse(turn))
        self._counts.turns += 1
        return _written(self._shape.render(turn, await self._screen_of(self._numbered(turn)), self._options))

    def _numbered(self, turn: Turn) -> Turn:
        """The subscriber as all else knows him."""
        number = self._adapter.reader.numbers.inbound(turn.msisdn) if turn.msisdn else ""
        return replace(turn, msisdn=subscriber(number) or turn.msisdn)

    async def _screen_of(self, turn: Turn) -> Reply | None:
        done: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()

        def show(reply: Reply | None) -> None:
            if not done.done():
                done.set_result(reply)

        self._open += 1
        self._idle.clear()
        try:
            self._turns.take(turn, self._ways, show)
            await asyncio.wait({done}, timeout=ANSWER_S)
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()
        if done.done():
            return done.result()
        done.cancel()
        log.error("ussd request without a screen", link=self._link.name, waited_s=ANSWER_S)
        return say_now("later", self._ways.room) if turn.wants_reply else None

    async def drain(self, timeout_s: float) -> None:
        """Wait for the screens that requests wait for."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            pass


def _written(answer: HttpAnswer) -> VisitAnswer:
    kind = answer.content_type if "charset" in answer.content_type else f"{answer.content_type}; charset=utf-8"
    return VisitAnswer(answer.status, answer.body, kind, answer.headers)
