"""The pocket SMSC on the command line: `tollbridge sim smpp`, and of the other protocols in sim/tongues.

PocketSmsc       the message centre itself (sim/centre.py)
PocketOptions    what the command line may say, and when a run ends (sim/playing.py)
run_pocket       listens, sends MO, tells a line each second and a summary at the end

With `calls` and without `listen` nobody connects to it: it has no port, which another centre may have.

Rule: it ends as a good centre does: it sends nothing new, waits for the answers that are under way, and unbinds. A
session that just breaks off makes the service doubt what it had answered, and take the next run's MO for repeats.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from random import Random

from core.clock import Clock
from plumbing.clock import SystemClock
from plumbing.conversation import read_address
from plumbing.loop import spawn
from plumbing.pump import Listener, connect, listen
from sim.calling import keep_calling
from sim.centre import PocketSmsc
from sim.phones import Phones
from sim.playing import PocketOptions, at_most, crowd_of, play, print_line, send_mo
from sim.records import Counted
from wire.errors import LocalError

__all__ = ["PocketOptions", "PocketSmsc", "run_pocket"]

DRAIN_S = 10.0
"""How long what is under way may take for its answers at the end."""
UNBIND_S = 5.0
"""How long clients may take to answer an unbind."""


async def run_pocket(
    options: PocketOptions, tell: Callable[[str], None] = print_line, clock: Clock | None = None
) -> Counted:
    """Be a message centre until done or cancelled; what it counted. Raises an OSError or ValueError for `listen`."""
    clock = clock or SystemClock()
    centre = _centre_of(options, clock)
    listener = listen(read_address(options.listen), centre.accept, clock) if options.listen else None
    tell(f"{f'listening at port {listener.port}' if listener else 'listening nowhere'}; seed {options.seed}")
    calling = None
    if options.calls:
        calling = spawn(keep_calling(centre, read_address(options.calls), connect, clock, tell), name="pocket calls")
    return await play(
        centre, options, tell, clock,
        traffic=lambda: _traffic(centre, options),
        farewell=lambda: _say_goodbye(centre, listener, calling),
        remarks=lambda: dialogue_lines(centre.phones) if options.ussd else (),
    )  # fmt: skip


async def _say_goodbye(centre: PocketSmsc, listener: Listener | None, calling: asyncio.Task[None] | None) -> None:
    """Nobody new, nothing new; the answers that are under way; unbind. Who does not answer is cut off."""
    if calling is not None:
        calling.cancel()
    if listener is not None:
        await listener.close()
    bound = list(centre.esmes)
    for esme in bound:
        esme.receives = False
    await at_most(DRAIN_S, centre, lambda: not any(esme.wire.in_flight for esme in centre.esmes))
    for esme in bound:
        if esme.is_bound and esme.conversation is not None:
            try:
                esme.conversation.send(centre.tongue.goodbye())
            except LocalError:
                pass  # It is unbinding by itself.
    await at_most(UNBIND_S, centre, lambda: not centre.esmes)
    if listener is not None:
        await listener.close(abort=True)


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
        ids_after=options.ids_after,
    )


async def _traffic(centre: PocketSmsc, options: PocketOptions) -> None:
    await centre.until(lambda: bool(centre.esmes))
    await (_dial(centre, options) if options.ussd else send_mo(centre, options))


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
