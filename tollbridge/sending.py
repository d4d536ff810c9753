"""Payouts by providers, from the command line: a session with a time limit, a writer's thread, one run.

send_waiting   payouts that wait or are under way, to the providers of a configuration; and those that were paid and may
               have come back

Rule: what is to be sent goes first; whether something came back is asked with what is left of the run.
"""

from collections.abc import Callable, Mapping, Sequence

import aiohttp

from core.clock import Instant
from partner_api.payments import PROVIDERS
from partner_api.payments.contract import ANSWER_S, Settings
from partner_api.payments.sending import send_payouts
from plumbing.threads import Writer
from store.payouts import PayoutRow, Payouts

AUTHOR = "payout send"


async def send_waiting(
    payouts: Payouts, settings: Mapping[str, Settings], rows: Sequence[PayoutRow], now: Callable[[], Instant],
    paid: Callable[[Mapping[str, int]], Sequence[PayoutRow]],
) -> list[tuple[PayoutRow, str]]:  # fmt: skip
    """Each as it is afterwards, with what its provider said. `paid`: for how long providers tell of returns → paid
    ones whose turn it is. Raises StoreAway.
    """
    writer = Writer("payouts")
    writer.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S)) as session:
            ways = {
                name: make(section, session)
                for name, section in settings.items()
                if (make := PROVIDERS[name].payouts) is not None
            }
            returns_ms = {name: way.returns_ms for name, way in ways.items()}
            some = [*rows, *await writer.run(lambda: paid(returns_ms))]
            return await send_payouts(payouts, ways, some, run=writer.run, now=now, author=AUTHOR)
    finally:
        await writer.stop()
