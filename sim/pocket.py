"""The pocket SMSC on the command line: `tollbridge sim smpp`, and of the other protocols in sim/tongues.

PocketSmsc       the message centre itself (sim/centre.py)
PocketOptions    what the command line may say
run_pocket       listens, sends MO, tells a line each second and a summary at the end

With `count` and no `rate` it is a flood; with neither it only answers. It ends when all `count` MO are acknowledged
and nothing more came for `linger_s`, or after `seconds`; without either when it is cancelled.

Rule: it ends as a good centre does: it sends nothing new, waits for the answers that are under way, and unbinds. A
session that just breaks off makes the service doubt what it had answered, and take the next run's MO for repeats.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Mapping
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
from sim.tongue import Tongue
from wire.errors import LocalError

__all__ = ["PocketOptions", "PocketSmsc", "run_pocket", "summary"]

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


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def run_pocket(
    options: PocketOptions, tell: Callable[[str], None] = _print, clock: Clock | None = None
) -> Counted:
    """Be a message centre until done or cancelled; what it counted. Raises an OSError or ValueError for `listen`."""
    clock = clock or SystemClock()
    centre = _centre_of(options, clock)
    refusals: Counter[int] = Counter()
    centre.on_answered = lambda job, status: _count_refusal(refusals, job, status)
    listener = listen(read_address(options.listen), centre.accept, clock)
    tell(f"listening at port {listener.port}; seed {options.seed}")
    began_ms = clock.monotonic_ms()
    ticker = spawn(_tell_each_second(centre, tell), name="pocket ticker")
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
    for line in summary(centre.tongue, centre.counted, clock.monotonic_ms() - began_ms, refusals):
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


def summary(tongue: Tongue, counted: Counted, duration_ms: int, refusals: Mapping[int, int] | None = None) -> list[str]:
    """What happened, for a person; the last line says it in short. `refusals`: how often which status was answered."""
    seconds = max(1, duration_ms) / 1000
    answer, reply = counted.answer_ms, counted.reply_ms
    return [
        f"MO: {counted.written} written, {counted.acknowledged} acknowledged, {counted.refused} refused, "
        f"{counted.put_off} put off, {counted.unanswered} unanswered, {counted.sent} sent in all",
        f"MT: {counted.submitted} submitted, {counted.accepted} accepted, {counted.replied} MO replied to, "
        f"{counted.receipts} receipts",
        f"{seconds:.1f} s, {counted.acknowledged / seconds:.0f} MO/s acknowledged, "
        f"{counted.replied / seconds:.0f}/s replied to",
        f"answer ms: {answer.percentile(0.5)} / {answer.percentile(0.95)} / {answer.percentile(0.99)}   "
        f"reply ms: {reply.percentile(0.5)} / {reply.percentile(0.95)} / {reply.percentile(0.99)}   (50 / 95 / 99 %)",
        f"in all: {counted.sent} sent, {counted.acknowledged} acknowledged, {_refused(tongue, refusals or {})}, "
        f"{counted.submitted} MT seen, {counted.receipts} receipts",
    ]


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


def _refused(tongue: Tongue, refusals: Mapping[int, int]) -> str:
    """`3 refused (2 × 0x58, throttled; 1 × 0x08, system error)`."""
    each = "; ".join(f"{count} × {tongue.sentence(status)}" for status, count in sorted(refusals.items()))
    return f"{sum(refusals.values())} refused{f' ({each})' if each else ''}"


def _centre_of(options: PocketOptions, clock: Clock) -> PocketSmsc:
    quirks = options.quirks
    crowd = Subscribers(
        options.seed,
        short_codes=options.short_codes,
        texts=tuple(text.replace("{u}", f"{options.seed:x}-{{n}}") for text in options.texts),
        first_number=options.msisdn,
        numbers=options.subscribers,
        delivered=quirks.delivered,
        expired=quirks.expired,
    )
    if options.system_id:
        quirks = replace(quirks, accounts={options.system_id: options.password})
    return PocketSmsc(
        clock, Random(options.seed), quirks=quirks, subscribers=crowd, keep=False, protocol=options.protocol
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


async def _tell_each_second(centre: PocketSmsc, tell: Callable[[str], None]) -> None:
    counted = centre.counted
    second = acknowledged = submitted = 0
    while True:
        await asyncio.sleep(1)
        second += 1
        tell(
            f"{second:5d} s  binds {len(centre.esmes)}"
            f"  MO {counted.acknowledged} (+{counted.acknowledged - acknowledged}/s)"
            f"  MT {counted.submitted} (+{counted.submitted - submitted}/s)  receipts {counted.receipts}"
            f"  waiting {centre.waiting}"
        )
        acknowledged, submitted = counted.acknowledged, counted.submitted
