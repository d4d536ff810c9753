"""What a pocket SMSC or a pocket aggregator tells a person: a line each second, and a summary. Pure but for the second.

tell_each_second   until cancelled
summary            what happened; the last line says it in short
"""

import asyncio
from collections.abc import Callable, Mapping

from sim.records import Counted


async def tell_each_second(
    counted: Counted, tell: Callable[[str], None], *, under_way: Callable[[], str], waiting: Callable[[], int]
) -> None:
    """`under_way`: what stands first in each line, such as how many clients are bound."""
    second = acknowledged = submitted = 0
    while True:
        await asyncio.sleep(1)
        second += 1
        tell(
            f"{second:5d} s  {under_way()}"
            f"  MO {counted.acknowledged} (+{counted.acknowledged - acknowledged}/s)"
            f"  MT {counted.submitted} (+{counted.submitted - submitted}/s)  receipts {counted.receipts}"
            f"  waiting {waiting()}"
        )
        acknowledged, submitted = counted.acknowledged, counted.submitted


def summary(
    counted: Counted, duration_ms: int, refusals: Mapping[int, int], sentence: Callable[[int], str]
) -> list[str]:
    """`refusals`: how often which status was answered to an MO; `sentence`, a status for people."""
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
        f"in all: {counted.sent} sent, {counted.acknowledged} acknowledged, {_refused(refusals, sentence)}, "
        f"{counted.submitted} MT seen, {counted.receipts} receipts",
    ]


def _refused(refusals: Mapping[int, int], sentence: Callable[[int], str]) -> str:
    """`3 refused (2 × 0x58, throttled; 1 × 0x08, system error)`."""
    each = "; ".join(f"{count} × {sentence(status)}" for status, count in sorted(refusals.items()))
    return f"{sum(refusals.values())} refused{f' ({each})' if each else ''}"
