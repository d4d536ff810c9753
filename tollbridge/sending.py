"""Payouts by providers, from the command line: a session with a time limit, a writer's thread, one run.

send_waiting   payouts that wait or are under way, to the providers of a configuration
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
    payouts: Payouts, settings: Mapping[str, Settings], rows: Sequence[PayoutRow], now: Callable[[], Instant]
) -> list[tuple[PayoutRow, str]]:
    """Each as it is afterwards, with what its provider said. Raises StoreAway."""
    writer = Writer("payouts")
    writer.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S)) as session:
            ways = {
                name: make(section, session)
                for name, section in settings.items()
                if (make := PROVIDERS[name].payouts) is not None
            }
            return await send_payouts(payouts, ways, rows, run=writer.run, now=now, author=AUTHOR)
    finally:
        await writer.stop()
