"""Payouts that go by a provider: sent one by one, asked about, and settled by what the provider says.

send_payouts   those that wait, or are under way → what became of each
order_key      our name of a payout at a provider, the same whenever it is sent again

The order is the safety: first it is durable that the provider is being asked (state SENDING), then it is asked, then
it is durable what it said. Whoever dies in between leaves a payout that is being sent; the next run asks again with
the same key, and the provider gives the payout that it has made. A list may be hours old when a run comes to its end:
so where a payout stands is judged again, under its lock, directly before each request.

A key is known to a provider for a while only. After that, and where our clock cannot tell how old the key is, a person
is asked to look there and to say `paid` or `failed`. That too is durable, so that no clock sends it again; until then
nobody but the provider says that it failed (store/payout_rules.py), since the next request might pay it. One that was
paid is asked about for some days more where the provider can tell that it came back (`returns_ms`); what it says then
moves nothing but a return.

Rule: money comes back to a partner only when the provider has clearly said no, or a person who was asked to look there.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from structlog import get_logger

from core.clock import HOUR_MS, MINUTE_MS, Instant
from core.errors import UserMistake
from core.payouts import PayoutState
from core.second_person import REASON_MAX, reason_fault
from partner_api.payments.contract import Order, Outcome, PayoutWay, Sent
from store.payout_rules import PROVIDER_SPEAKS_MS
from store.payouts import PayoutRow, Payouts

log = get_logger()
CLOCKS_APART_MS = 5 * MINUTE_MS
"""By how much a payout may seem to be sent in the future: two machines that send need not have the same time to the
second. NTP keeps them within milliseconds, and five minutes are what Kerberos bears. Farther ahead a clock was wrong,
and nothing tells how old the key is. A key is used by so much longer at most; YooKassa's has an hour to spare.
"""
_REPEAT_MS_MAX = PROVIDER_SPEAKS_MS - HOUR_MS
"""Nothing is sent any more well before a person may say that it failed without having been asked."""
_NOTHING_NEW = frozenset({Outcome.PAID, Outcome.PENDING, Outcome.UNKNOWN})
"""Of one that was told as paid."""


class Run(Protocol):
    """Runs blocking work on a thread."""

    def __call__(self, function: Callable[..., Any], /, *args: Any) -> Awaitable[Any]: ...


def order_key(row: PayoutRow) -> str:
    """40 hex digits."""
    return hashlib.sha256(f"{row.key}\n{row.id}\n{row.requested_at}".encode()).hexdigest()[:40]


async def send_payouts(
    payouts: Payouts,
    ways: Mapping[str, PayoutWay],
    rows: Sequence[PayoutRow],
    *,
    run: Run,
    now: Callable[[], Instant],
    author: str,
) -> list[tuple[PayoutRow, str]]:
    """Each payout as it is afterwards, with what a person should know of it, "" where all is well. Raises StoreAway."""
    done = []
    for row in rows:
        way = ways.get(row.method)
        if way is not None:
            after, sentence = await _Errand(payouts, way, run, now, author).carry_out(row)
            done.append((after, sentence))
    return done


def _about(row: PayoutRow, said: Sent) -> str:
    """What a person should know of an answer."""
    if said.outcome is Outcome.REFUSED:
        return f"{row.text}: {row.method} has refused it ({said.sentence}); its money is the partner's again"
    if said.outcome is Outcome.RETURNED:
        why = f" ({said.sentence})" if said.sentence else ""
        return f"{row.text}: {row.method} says that it came back{why}; its money is the partner's again"
    if said.outcome is not Outcome.UNKNOWN or row.state is PayoutState.PAID:
        return ""
    heard = "gave no clear answer" if said.heard else "did not answer"
    return f"{row.text}: {row.method} {heard} ({said.sentence}); it is asked again by the next payout send"


def _why(said: Sent, otherwise: str) -> str:
    """Its own reason, of which something can be seen: without one nothing is the partner's again."""
    return otherwise if reason_fault(said.sentence[:REASON_MAX]) else said.sentence


class _Errand:
    """One payout on its way to one provider."""

    def __init__(self, payouts: Payouts, way: PayoutWay, run: Run, now: Callable[[], Instant], author: str) -> None:
        self._payouts = payouts
        self._way = way
        self._run = run
        self._now = now
        self._author = author

    async def carry_out(self, row: PayoutRow) -> tuple[PayoutRow, str]:
        if row.state in {PayoutState.SENT, PayoutState.PAID}:
            said = await self._way.ask(row.reference)
            return await self._settle(row, said)
        try:
            row = await self._run(lambda: self._payouts.begin_sending(row.id, author=self._author))
        except UserMistake as moved:  # Another run, or a person, was quicker.
            return await self._run(lambda: self._payouts.read(row.id)), str(moved)
        if not self._knows_its_key(row):
            sentence = f"{row.text}: {row.method} may not know its key any more; look there, then say paid or failed"
            await self._run(lambda: self._payouts.note(row.id, sentence, asks_a_person=True))
            return row, sentence
        order = Order(order_key(row), row.id, row.amount, row.currency, row.details)
        return await self._settle(row, await self._way.send(order))

    def _knows_its_key(self, row: PayoutRow) -> bool:
        """Whether the provider is sure to. Of one that a person was asked about it is not known when it was sent."""
        age_ms = self._now() - row.sent_at
        return row.sent_at != 0 and -CLOCKS_APART_MS <= age_ms < min(self._way.repeat_ms, _REPEAT_MS_MAX)

    async def _settle(self, row: PayoutRow, said: Sent) -> tuple[PayoutRow, str]:
        log.info("payout provider", payout=row.id, provider=row.method, outcome=said.outcome.value)
        try:
            return await self._write(row, said), _about(row, said)
        except UserMistake as moved:
            # A person has said something else meanwhile: somebody must look at both.
            sentence = f"{row.method} says {said.outcome.value} {said.sentence}".strip() + f", but {moved}"
            await self._run(lambda: self._payouts.note(row.id, sentence, asks_a_person=True))
            look = self._payouts.asked if row.state is PayoutState.PAID else self._payouts.read
            return await self._run(lambda: look(row.id)), sentence

    async def _write(self, row: PayoutRow, said: Sent) -> PayoutRow:
        payouts, author = self._payouts, self._author
        after: PayoutRow = row
        if row.state is PayoutState.PAID and said.outcome in _NOTHING_NEW:
            after = await self._run(lambda: payouts.asked(row.id))
            return after
        match said.outcome:
            case Outcome.PAID:
                after = await self._run(lambda: payouts.paid(row.id, author=author, reference=said.reference))
            case Outcome.PENDING:
                after = await self._run(lambda: payouts.sent(row.id, author=author, reference=said.reference))
            case Outcome.REFUSED:
                reason = _why(said, f"{row.method} has refused it")
                after = await self._run(lambda: payouts.failed(row.id, author=author, reason=reason, by_provider=True))
            case Outcome.RETURNED:
                reason = _why(said, f"{row.method} says that it came back")
                after = await self._run(
                    lambda: payouts.returned(row.id, author=author, reason=reason, by_provider=True)
                )
            case Outcome.UNKNOWN:
                await self._run(lambda: payouts.note(row.id, said.sentence))
        return after
