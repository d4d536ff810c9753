"""Sick partners beside a sound one: they delay only themselves, and every job ends or waits with its reason."""

import asyncio
import contextlib
import re
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil
import pytest

from plumbing.loop import spawn
from store.journal import CallbackState
from tests import partners
from tests.case import AsyncioTestCase
from tests.fire.process import ServiceProcess
from tests.fire.stage import Ask, Stage
from tests.fire.truth import audit_faults, kept_faults, raise_for

pytestmark = pytest.mark.campaign

SOUND_A_SECOND, SICK_A_SECOND, HANGING_A_SECOND = 100, 3, 100
"""The one that hangs gets as many as the sound one: so its calls are at their limit, and most of its jobs wait."""
MESSAGES = 400
CONCURRENCY = 32
"""Calls at once to a partner whose provisioning says nothing of it (docs/operators.md)."""
LOOK_S = 0.1
SLOWER_MAX, SLACK_MS = 2, 150
"""Against the sound partner alone. The work for the sick ones costs the same CPU; a sound one that waited behind a hung
call would take its time-out, 3 s. The slack is for a machine that does something else for a moment: alone, it is some
10 ms.
"""
RSS_MAX_MIB, RSS_MORE_MIB = 300.0, 40.0
_SICK = "mo.text NOT LIKE 'GAME%'"
_JOBS = "FROM callback JOIN mo ON mo.id = callback.mo_id WHERE"
_UNTOUCHED = "callback.attempt = 0 AND callback.error = ''"
_SHUT = "SELECT service_id FROM callback WHERE error <> ''"
"""Services that failed: while the breaker keeps an end point shut, its other jobs wait as they are, behind an alert."""


class PartnerFaults(AsyncioTestCase):
    timeout = 240

    async def test_sick_partners_delay_only_themselves_and_every_job_ends_or_waits_with_its_reason(self) -> None:
        async with sick_partners() as sick, Stage(Ask(services=tuple(sick.items()), timeout_s=3)) as stage:
            await stage.service.up()
            await stage.until_bound()
            stage.centre.flood(200)  # Warm: connections are open, code is loaded.
            await stage.until_settled()
            alone = await write(stage, [])
            rss_before = stage.service.rss_mib()
            async with watching(stage.service, sick["HANG"]) as watch:
                among = await write(stage, list(sick))
            rss = max(watch.rss_mib, stage.service.rss_mib())

            print("deliver → reply of the sound partner, and the memory of the process:")
            print(f"alone {alone}, {rss_before:.0f} MiB; beside eight sick ones {among}, {rss:.0f} MiB")
            bound_ms = SLOWER_MAX * alone.at(0.99) + SLACK_MS
            print(f"p99 beside them may be {bound_ms} ms: {SLOWER_MAX} × alone + {SLACK_MS} ms")
            print(f"the one that hangs had {watch.calls} calls open at once, up to {watch.waiting} jobs waited")
            assert among.at(0.99) <= bound_ms
            assert watch.calls == CONCURRENCY, "its limit is reached, and kept"
            assert watch.waiting > 3 * CONCURRENCY
            assert rss < RSS_MAX_MIB
            assert rss - rss_before < RSS_MORE_MIB

            await stage.until_rows(
                f"SELECT COUNT(*) {_JOBS} {_SICK} AND {_UNTOUCHED} AND callback.service_id NOT IN ({_SHUT})",
                _none,
                "every job was tried, or its end point is shut",
            )
            await stage.until_rows(
                f"SELECT COUNT(*) {_JOBS} mo.text LIKE 'WHILE%' AND due_at IS NOT NULL", _none, "500 only for a while"
            )
            await self._ends_or_waits(stage, list(sick))
            raise_for(await asyncio.to_thread(audit_faults, stage), "beside the sick ones")
            raise_for(await asyncio.to_thread(kept_faults, stage), "beside the sick ones")

    async def _ends_or_waits(self, stage: Stage, sick: list[str]) -> None:
        columns = "mo.text, callback.state, callback.due_at, callback.error, callback.attempt"
        rows = stage.rows(f"SELECT {columns} {_JOBS} {_SICK}")
        reasons: dict[str, set[str]] = {}
        for text, state, due_at, error, attempt in rows:
            reasons.setdefault(text.split()[0], set()).add(error)
            assert (due_at is None) == (CallbackState(state) is not CallbackState.WAITING), (text, state, due_at)
            assert error or not attempt or CallbackState(state) is CallbackState.ANSWERED, (text, state)
        for prefix, said in reasons.items():
            assert said != {""} or all(
                CallbackState(state) is CallbackState.ANSWERED for text, state, *_ in rows if text.startswith(prefix)
            ), f"{prefix} waits without a reason"
        for prefix in sick:
            print(f"{prefix:8} {max(reasons[prefix], key=len)[:100]}")


@dataclass(slots=True)
class Latencies:
    """From deliver_sm to the reply's submit_sm."""

    ms: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.at(0.5)} ms, 99 % {self.at(0.99)} ms"

    def at(self, share: float) -> int:
        ranked = sorted(self.ms)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


async def write(stage: Stage, sick: list[str]) -> Latencies:
    """Subscribers write to the sound partner, and to the sick ones; how fast the sound one's replies are."""
    centre = stage.centre
    first = len(centre.mos)
    seconds = MESSAGES / SOUND_A_SECOND
    texts = [(f"GAME 0-{first + number}", number / SOUND_A_SECOND) for number in range(MESSAGES)]
    rates = dict.fromkeys(sick, SICK_A_SECOND) | ({"HANG": HANGING_A_SECOND} if sick else {})
    texts += [
        (f"{prefix} {first}-{number}", number / rate)
        for prefix, rate in rates.items()
        for number in range(int(seconds * rate))
    ]

    async def talk() -> None:
        begun = asyncio.get_running_loop().time()
        for number, (text, at) in enumerate(sorted(texts, key=lambda one: one[1])):
            await asyncio.sleep(max(0.0, begun + at - asyncio.get_running_loop().time()))
            centre.write(f"7900{first + number:07d}", "4446", text)

    talking = spawn(talk(), name="subscribers")
    wanted = {text for text, _ in texts if text.startswith("GAME")}
    sent: dict[str, int] = {}

    def all_replied() -> bool:
        sent.update({mt.text: mt.at_ms for mt in centre.mts})
        return all(f"re {next(iter(stage.book.ids[text]))}" in sent for text in wanted if stage.book.ids.get(text))

    await talking
    await stage.until(lambda: wanted <= stage.book.ids.keys() and all_replied(), "the sound partner's replies")
    latencies = Latencies()
    for mo in centre.mos[first:]:
        if mo.text in wanted:
            latencies.ms.append(sent[f"re {next(iter(stage.book.ids[mo.text]))}"] - mo.first_sent_ms)
    return latencies


@dataclass(slots=True)
class Watch:
    """The most that was seen of a service."""

    calls: int = 0
    """Connections to one partner; what is closed just now is not one, so each was seen twice."""
    waiting: int = 0
    """Jobs in its memory that nobody calls yet."""
    rss_mib: float = 0.0
    _open: set[int] = field(default_factory=set)

    def look(self, service: ServiceProcess, port: int) -> None:
        """Look now; blocks."""
        connections = psutil.Process(service.pid).net_connections("tcp4")
        now = {one.laddr.port for one in connections if one.raddr and one.raddr.port == port}
        self.calls = max(self.calls, len(now & self._open))
        self._open = now
        with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/metrics", timeout=10) as answer:
            (waiting,) = re.findall(r"^tollbridge_callbacks_waiting ([0-9.]+)$", answer.read().decode(), re.M)
        self.waiting = max(self.waiting, int(float(waiting)))
        self.rss_mib = max(self.rss_mib, service.rss_mib())


@contextlib.asynccontextmanager
async def watching(service: ServiceProcess, url: str) -> AsyncIterator[Watch]:
    """Look at the service and its calls to this partner meanwhile, every LOOK_S."""
    watch, port = Watch(), urlsplit(url).port
    assert port is not None

    async def look() -> None:
        while True:
            await asyncio.to_thread(watch.look, service, port)
            await asyncio.sleep(LOOK_S)

    looking = spawn(look(), name="watch")
    try:
        yield watch
    finally:
        looking.cancel()


@contextlib.asynccontextmanager
async def sick_partners() -> AsyncIterator[dict[str, str]]:
    """Prefix → url of each."""
    behaviours = {
        "HANG": partners.hangs,
        "RESET": partners.resets,
        "WHILE": partners.in_turn(*[partners.answers("busy", 500)] * 8, partners.answers("re")),
        "DRIP": partners.drips,
        "ENDLESS": partners.endless(lambda: made["ENDLESS"]),
        "LENGTH": partners.lies_about_its_length,
        "ELSE": partners.redirects("http://127.0.0.1:1/mo"),
    }
    made = {prefix: partners.Partner(until_hung_up(behaviour)) for prefix, behaviour in behaviours.items()}
    async with contextlib.AsyncExitStack() as stack:
        for partner in made.values():
            await stack.enter_async_context(partner)
        # No private address is called: that of a cloud's secrets is refused even where loopback is allowed.
        yield {prefix: partner.url for prefix, partner in made.items()} | {"INSIDE": "http://169.254.169.254/mo"}


def until_hung_up(behaviour: partners.Behaviour) -> partners.Behaviour:
    """uvloop raises a RuntimeError, not an OSError, for a write to a connection that the caller ended."""

    async def behave(heard: partners.Heard, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(RuntimeError):
            await behaviour(heard, writer)

    return behave


def _none(row: tuple[int]) -> bool:
    return row == (0,)
