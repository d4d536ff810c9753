"""A run of either pocket on the command line: for how long, with how many MO, and what is told of it.

PocketOptions   what the command line may say; crowd_of, who writes then
ids_of          where message ids begin, by the time
play            the run: a line each second, and a summary at the end
send_mo         its MO: at a rate or as a flood, to the last answer
at_most         waits for something, but not for ever

With `count` and no `rate` it is a flood; with neither it only answers. It ends when all `count` MO are acknowledged
or refused and nothing more came for `linger_s`, or after `seconds`; without either when it is cancelled.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from core.clock import Clock, Instant
from plumbing.loop import spawn
from sim.counterpart import Counterpart
from sim.quirks import Quirks
from sim.records import Counted
from sim.subscribers import Subscribers
from sim.telling import summary, tell_each_second

Pocket: TypeAlias = Counterpart[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PocketOptions:
    """What the command line may say."""

    protocol: str = "smpp"
    listen: str = "127.0.0.1:2775"
    """Empty, with `calls`: nobody connects to it."""
    calls: str = ""
    """SMPP and UCP: where it connects itself, and sends MO; empty: over the connections of its clients."""
    rate: float = 0.0
    """MO per second; 0: as fast as they are taken."""
    count: int = 0
    """How many MO; 0: without end, at the rate."""
    seconds: float = 0.0
    """End after so long; 0: not by time."""
    system_id: str = ""
    password: str = ""
    """Who may bind; empty: everybody."""
    short_codes: tuple[str, ...] = ("4446",)
    texts: tuple[str, ...] = ("GAME {u}",)
    """`{n}` is the MO's number, `{r}` four random digits, `{u}` a word that no other MO of any seed has."""
    msisdn: str = "79001000000"
    """The first subscriber; the next writes with the next number."""
    subscribers: int = 100_000
    seed: int = 0
    ids_after: int = 0
    """SMPP: the number before its first message id."""
    linger_s: float = 3.0
    ussd: str = ""
    """SMPP: what `count` phones dial, in place of MO; at once, or at the rate."""
    ussd_answers: tuple[str, ...] = ()
    quirks: Quirks = field(default_factory=Quirks)


def ids_of(now: Instant) -> int:
    """Where message ids begin at a moment, so that no two runs soon after each other give the same ones.

    Ten digits hold them for long; how centres fill such numbers with zeros in front, or do not, is one of the quirks.
    """
    return now // 10 % 900_000_000


def print_line(line: str) -> None:
    """At once, for whoever reads it through a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def crowd_of(options: PocketOptions) -> Subscribers:
    """Who writes."""
    return Subscribers(
        options.seed,
        short_codes=options.short_codes,
        texts=tuple(text.replace("{u}", f"{options.seed:x}-{{n}}") for text in options.texts),
        first_number=options.msisdn,
        numbers=options.subscribers,
        delivered=options.quirks.delivered,
        expired=options.quirks.expired,
    )


async def play(
    pocket: Pocket,
    options: PocketOptions,
    tell: Callable[[str], None],
    clock: Clock,
    *,
    traffic: Callable[[], Awaitable[None]],
    farewell: Callable[[], Awaitable[None]],
    remarks: Callable[[], Iterable[str]],
) -> Counted:
    """Until `traffic` is done or it is cancelled; then `farewell`, and `remarks` before the summary."""
    began_ms = clock.monotonic_ms()
    ticking = tell_each_second(pocket.counted, tell, under_way=lambda: pocket.under_way, waiting=lambda: pocket.waiting)
    ticker = spawn(ticking, name="pocket ticker")
    try:
        async with asyncio.timeout(options.seconds or None):
            await traffic()
    except (asyncio.CancelledError, TimeoutError):
        pass  # The end of a run without a count: the summary is still wanted.
    finally:
        ticker.cancel()
        await farewell()
    for line in remarks():
        tell(line)
    for line in summary(pocket.counted, clock.monotonic_ms() - began_ms, pocket.refusals, pocket.sentence_of):
        tell(line)
    return pocket.counted


async def send_mo(pocket: Pocket, options: PocketOptions) -> None:
    """Until all are answered and nothing more comes; without a count, until cancelled."""
    if options.rate:
        await pocket.trickle(options.rate, options.count)
    elif options.count:
        pocket.flood(options.count)
    if not options.count:
        await asyncio.get_running_loop().create_future()
    counted = pocket.counted
    await pocket.until(lambda: counted.acknowledged + counted.refused >= options.count)
    before = (-1, -1)
    while before != (counted.submitted, counted.receipts):
        before = (counted.submitted, counted.receipts)
        await asyncio.sleep(options.linger_s)


async def at_most(timeout_s: float, pocket: Pocket, predicate: Callable[[], bool]) -> None:
    """Until it holds, or so long."""
    try:
        async with asyncio.timeout(timeout_s):
            await pocket.until(predicate)
    except TimeoutError:
        pass
