"""The pocket SMSC on the command line: `tollbridge sim smpp`, and of the other protocols in sim/tongues.

PocketSmsc       the message centre itself (sim/centre.py)
PocketOptions    what the command line may say; crowd_of, who writes then
run_pocket       listens, sends MO, tells a line each second and a summary at the end

With `count` and no `rate` it is a flood; with neither it only answers. It ends when all `count` MO are acknowledged
and nothing more came for `linger_s`, or after `seconds`; without either when it is cancelled.

Rule: it ends as a good centre does: it sends nothing new, waits for the answers that are under way, and unbinds. A
session that just breaks off makes the service doubt what it had answered, and take the next run's MO for repeats.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from core.clock import Clock
from plumbing.clock import SystemClock
from plumbing.conversation import read_address
from plumbing.loop import spawn
from plumbing.pump import Listener, listen
from sim.centre import PocketSmsc
from sim.esme import Job
from sim.phones import Phones
from sim.quirks import Quirks
from sim.records import Counted
from sim.subscribers import Subscribers
from sim.telling import summary, tell_each_second
from wire.errors import LocalError

__all__ = ["PocketOptions", "PocketSmsc", "run_pocket"]

DRAIN_S = 10.0
"""How long what is under way may take for its answers at the end."""
UNBIND_S = 5.0
"""How long clients may take to answer an unbind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PocketOptions:
    """What the command line may say."""

    protocol: str = "smpp"
    listen: str = "127.0.0.1:2775"
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
    linger_s: float = 3.0
    ussd: str = ""
    """SMPP: what `count` phones dial, in place of MO; at once, or at the rate."""
    ussd_answers: tuple[str, ...] = ()
    quirks: Quirks = field(default_factory=Quirks)


def print_line(line: str) -> None:
    """At once, for whoever reads it through a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def run_pocket(
    options: PocketOptions, tell: Callable[[str], None] = print_line, clock: Clock | None = None
) -> Counted:
    """Be a message centre until done or cancelled; what it counted. Raises an OSError or ValueError for `listen`."""
    clock = clock or SystemClock()
    centre = _centre_of(options, clock)
    refusals: Counter[int] = Counter()
    centre.on_answered = lambda job, status: _count_refusal(refusals, job, status)
    listener = listen(read_address(options.listen), centre.accept, clock)
    tell(f"listening at port {listener.port}; seed {options.seed}")
    began_ms = clock.monotonic_ms()
    ticking = tell_each_second(
        centre.counted, tell, under_way=lambda: f"binds {len(centre.esmes)}", waiting=lambda: centre.waiting
    )
    ticker = spawn(ticking, name="pocket ticker")
    try:
        async with asyncio.timeout(options.seconds or None):
            await _traffic(centre, options)
    except (asyncio.CancelledError, TimeoutError):
        pass  # The end of a run without a count: the summary is still wanted.
    finally:
        ticker.cancel()
        await _say_goodbye(centre, listener)
    for line in dialogue_lines(centre.phones) if options.ussd else ():
        tell(line)
    for line in summary(centre.counted, clock.monotonic_ms() - began_ms, refusals, centre.tongue.sentence):
        tell(line)
    return centre.counted


def _count_refusal(refusals: Counter[int], job: Job, status: int) -> None:
    if status and job.mo is not None:
        refusals[status] += 1


async def _say_goodbye(centre: PocketSmsc, listener: Listener) -> None:
    """Nobody new, nothing new; the answers that are under way; unbind. Who does not answer is cut off."""
    await listener.close()
    bound = list(centre.esmes)
    for esme in bound:
        esme.receives = False
    await _at_most(DRAIN_S, centre, lambda: not any(esme.wire.in_flight for esme in centre.esmes))
    for esme in bound:
        if esme.is_bound and esme.conversation is not None:
            try:
                esme.conversation.send(centre.tongue.goodbye())
            except LocalError:
                pass  # It is unbinding by itself.
    await _at_most(UNBIND_S, centre, lambda: not centre.esmes)
    await listener.close(abort=True)


async def _at_most(timeout_s: float, centre: PocketSmsc, predicate: Callable[[], bool]) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await centre.until(predicate)
    except TimeoutError:
        pass


def dialogue_lines(phones: Phones) -> list[str]:
    """The last dialogue, screen by screen, and how long all of them were waited for."""
    dialled = list(phones.dialled)
    if not dialled:
        return ["USSD: nobody dialled"]
    last = dialled[-1]
    took = sorted(ms for one in dialled for ms in one.took_ms) or [0]
    at = [took[min(len(took) - 1, int(share * len(took)))] for share in (0.5, 0.95, 0.99)]
    ended = sum(one.is_over for one in dialled)
    return [
        *(f"  {last.msisdn}  {screen!r}" for screen in last.screens),
        f"USSD: {len(dialled)} dialled {last.code}, {ended} ended, {len(took)} screens; "
        f"ms: {at[0]} / {at[1]} / {at[2]}   (50 / 95 / 99 %)",
    ]


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


def _centre_of(options: PocketOptions, clock: Clock) -> PocketSmsc:
    quirks = options.quirks
    if options.system_id:
        quirks = replace(quirks, accounts={options.system_id: options.password})
    return PocketSmsc(
        clock,
        Random(options.seed),
        quirks=quirks,
        subscribers=crowd_of(options),
        keep=False,
        protocol=options.protocol,
    )


async def _traffic(centre: PocketSmsc, options: PocketOptions) -> None:
    await centre.until(lambda: bool(centre.esmes))
    if options.ussd:
        await _dial(centre, options)
        return
    if options.rate:
        await centre.trickle(options.rate, options.count)
    elif options.count:
        centre.flood(options.count)
    if not options.count:
        await asyncio.get_running_loop().create_future()
    counted = centre.counted
    await centre.until(lambda: counted.acknowledged + counted.refused >= options.count)
    before = (-1, -1)
    while before != (counted.submitted, counted.receipts):
        before = (counted.submitted, counted.receipts)
        await asyncio.sleep(options.linger_s)


async def _dial(centre: PocketSmsc, options: PocketOptions) -> None:
    """So many phones dial and answer; who is still asked at the end hangs up."""
    first, dialled = int(options.msisdn), []
    for number in range(options.count or 1):
        msisdn = f"{first + number % options.subscribers:0{len(options.msisdn)}d}"
        dialled.append(centre.phones.dial(msisdn, options.ussd, options.ussd_answers))
        if options.rate:
            await asyncio.sleep(1 / options.rate)
    await centre.until(lambda: all(one.is_done for one in dialled))
    for one in dialled:
        if not one.is_over:
            centre.phones.hang_up(one)
