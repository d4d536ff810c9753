"""Links that flap under load: up 2 s, down 1 s, each a third of that behind the one before; each another protocol.

Flaps      what a run saw
flap_often so many seconds of it on three links, two of one operator; raises with what does not hold. The seed says
           which two of the protocols are the one operator's
Witness    which answers of a centre have surely arrived, by what went through its proxy
ANSWERS    a protocol → how its answers to submissions are found among what passes
HOWS       the ways in which a link goes down, in turn: hung up on, reset, reset with answers swallowed before

What passed before the other side hung up has been read: TCP delivers it before the end. What passed before a reset may
have been thrown away unread. So only the former is held against the service: sent again, it was sent twice for nothing.

Rule: the same campaign with a service that does not mark, or sends again what was answered, must raise.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from sim.records import SeenMt
from tests.fire.proxy import Passage, open_gate, swallow
from tests.fire.stage import Ask, Stage
from tests.fire.truth import end_faults, raise_for
from wire import cimd2, ucp
from wire.cimd2.frames import FrameReader as Packets
from wire.cimd2.frames import read_head
from wire.smpp.frames import HEADER_LENGTH, FrameReader, read_header
from wire.ucp.frames import Frames

RATE = 120.0
UP_S, DOWN_S = 2.0, 1.0
MOMENT_S = 1.0
"""So long something may take that need not happen: its link may just be down."""
SETTLED_WITHIN_S = 120.0
_SUBMIT_SM_RESP = 0x80000004
_UCP_TAKEN = b"/R/51/A/"


class Cut(Protocol):
    """A stream into frames."""

    def read(self, data: bytes, /) -> list[bytes]: ...


def _smpp_answers(frame: bytes) -> list[str]:
    _, command, status, _ = read_header(frame)
    return [frame[HEADER_LENGTH:].split(b"\0")[0].decode()] if command == _SUBMIT_SM_RESP and not status else []


def _ucp_answers(frame: bytes) -> list[str]:
    result = ucp.decode(frame) if _UCP_TAKEN in frame else None
    return [result.sm] if isinstance(result, ucp.Result) else []


def _cimd2_answers(packet: bytes) -> list[str]:
    head = read_head(packet)
    response = cimd2.decode(packet) if head is not None and head[0] == cimd2.SubmitResp.code else None
    taken = response.submitted if isinstance(response, cimd2.SubmitResp) else ()
    return [f"{one.destination}/{one.time_stamp}" for one in taken if one.time_stamp]


ANSWERS: dict[str, tuple[Callable[[], Cut], Callable[[bytes], list[str]]]] = {
    "smpp": (FrameReader, _smpp_answers),
    "ucp": (Frames, _ucp_answers),
    "cimd2": (Packets, _cimd2_answers),
}
"""Octets → frames, a frame → the ids of what was accepted. Those of UCP and CIMD2 are of a recipient and a second: a
link that was lost is down for one, so what goes again has another.
"""
PROTOCOLS = tuple(ANSWERS)


@dataclass(slots=True)
class Flaps:
    """The figures of a run. `twice`: replies that a centre accepted more than once; `marked`: that may have been.

    By protocol: `answered`, answers that were seen to arrive; `known`, MT of a centre that one of them was found to be
    of, which must not come again.
    """

    flaps: int = 0
    written: int = 0
    stored: int = 0
    repeats: int = 0
    submitted: int = 0
    marked: int = 0
    twice: int = 0
    answered: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    binds: int = 0
    settled_after_s: float = 0.0
    seconds: float = 0.0


@dataclass(slots=True)
class Witness:
    """The gate downwards of one centre's proxy. `arrived`: ids of submissions whose answers the service has read;
    `known`: how many of its centre's MT these were found to be of.
    """

    protocol: str
    arrived: set[str] = field(default_factory=set)
    known: int = 0
    _passed: dict[Passage, list[str]] = field(default_factory=lambda: defaultdict(list))
    _readers: dict[Passage, Cut] = field(default_factory=dict)

    def __call__(self, passage: Passage, octets: bytes) -> bytes:
        """All of it passes."""
        cut, answers = ANSWERS[self.protocol]
        if passage not in self._readers:
            self._readers[passage] = cut()
        for frame in self._readers[passage].read(octets):
            self._passed[passage] += answers(frame)
        return octets

    def saw(self, mt: SeenMt) -> bool:
        """Whether the service has read that it was accepted."""
        # CIMD2's answer names the destination beside the second.
        id_ = f"{mt.destination}/{mt.message_id}" if self.protocol == "cimd2" else mt.message_id
        return mt.status == 0 and id_ in self.arrived

    def believe(self, passages: set[Passage]) -> None:
        """What has passed here has been read."""
        for passage in passages:
            if not passage.is_cut:
                self.arrived.update(self._passed[passage])


class _Flapping:
    """The three links of a stage, each with its witness."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.witnesses = [Witness(protocol) for protocol in stage.ask.links]
        self.done = 0
        self._deafened = asyncio.Lock()
        for proxy, witness in zip(stage.proxies, self.witnesses):
            proxy.down = witness

    async def flap(self, place: int, until_s: float, tell: Callable[[int], None]) -> None:
        """One link, until then."""
        proxy = self.stage.proxies[place]
        await asyncio.sleep((UP_S + DOWN_S) * place / len(self.witnesses))
        number = place
        while time.monotonic() < until_s:
            await asyncio.sleep(UP_S)
            await HOWS[number % len(HOWS)](self, place)
            proxy.refuses = True
            number += 1
            self.done += 1
            tell(self.done)
            await asyncio.sleep(DOWN_S)
            proxy.refuses = False

    async def hang_up(self, place: int) -> None:
        """It says good-bye to TCP: what was said before arrives."""
        proxy = self.stage.proxies[place]
        self.witnesses[place].believe(proxy.passages)
        proxy.hang_up()

    async def reset(self, place: int) -> None:
        """It is gone."""
        self.stage.proxies[place].reset()

    async def deafen(self, place: int) -> None:
        """It takes submissions whose answers never arrive, and is gone then."""
        book, proxy, centre = self.stage.book, self.stage.proxies[place], self.stage.centres[place]
        async with self._deafened:
            heard = asyncio.Event()
            book.pause = heard
            acknowledged = centre.counted.acknowledged
            await _perhaps(centre.until(lambda: centre.counted.acknowledged > acknowledged))
            proxy.down = swallow
            submitted = centre.counted.submitted
            book.pause = None
            heard.set()
            await _perhaps(centre.until(lambda: centre.counted.submitted > submitted))
        proxy.reset()
        proxy.down = self.witnesses[place]


HOWS = (_Flapping.hang_up, _Flapping.reset, _Flapping.deafen)


async def _perhaps(event: Awaitable[None]) -> None:
    try:
        await asyncio.wait_for(event, MOMENT_S)
    except TimeoutError:
        pass


async def flap_often(
    database: str, seconds: float, *, seed: int = 0, fault: str = "", tell: Callable[[int], None] = lambda done: None
) -> Flaps:
    """The campaign; raises AssertionError with what does not hold. `fault`: of tests/fire/service.py, built in."""
    begun = time.monotonic()
    first, second, third = (PROTOCOLS[(seed + place) % len(PROTOCOLS)] for place in range(3))
    ask = Ask(
        database=database,
        seed=seed,
        operators=2,
        protocols=(first, second),
        spares=((third, ""),),
        proxied=True,
        module="tests.fire.service" if fault else "tollbridge.cli",
        arguments=(fault,) if fault else (),
    )
    async with Stage(ask) as stage:
        flapping = _Flapping(stage)
        await stage.service.up()
        await stage.until_bound()
        async with stage.under_load(RATE):
            until_s = time.monotonic() + seconds
            await asyncio.gather(*(flapping.flap(place, until_s, tell) for place in range(len(stage.proxies))))
            await stage.until_acknowledged(1)
        calm = time.monotonic()
        await stage.until_settled(SETTLED_WITHIN_S)
        settled_after_s = time.monotonic() - calm
        for proxy, witness in zip(stage.proxies, flapping.witnesses):
            witness.believe(proxy.passages)
            proxy.down = open_gate
        faults = await asyncio.to_thread(end_faults, stage)
        raise_for(faults + again_faults(stage, flapping.witnesses), f"after {flapping.done} flaps, seed {seed}")
        figures = _figures(stage, flapping.done, settled_after_s, time.monotonic() - begun)
        figures.answered = {witness.protocol: len(witness.arrived) for witness in flapping.witnesses}
        figures.known = {witness.protocol: witness.known for witness in flapping.witnesses}
        return figures


def again_faults(stage: Stage, witnesses: list[Witness]) -> list[str]:
    """Nothing is sent again once its answer has arrived."""
    answered: dict[str, int] = {}
    sent = sorted(
        ((mt.at_ms, mt, witness) for centre, witness in zip(stage.centres, witnesses) for mt in centre.mts),
        key=lambda one: one[0],
    )
    found = []
    for at_ms, mt, witness in sent:
        if mt.text in answered:
            found.append(f"R5 {mt.text!r} was sent again {at_ms - answered[mt.text]} ms after what has its answer")
        if witness.saw(mt):
            witness.known += 1
            answered[mt.text] = at_ms
    return found


def _figures(stage: Stage, flaps: int, settled_after_s: float, seconds: float) -> Flaps:
    times: dict[str, int] = defaultdict(int)
    for centre in stage.centres:
        for mt in centre.mts:
            times[mt.text] += 1
    stored, repeats, marked = stage.row(
        "SELECT (SELECT COUNT(*) FROM mo), (SELECT COUNT(*) FROM mo_repeat), "
        "(SELECT COUNT(*) FROM mt WHERE maybe_twice)"
    )
    return Flaps(
        flaps=flaps,
        written=stage.written,
        stored=stored,
        repeats=repeats,
        submitted=sum(times.values()),
        marked=marked,
        twice=sum(count > 1 for count in times.values()),
        binds=sum(centre.counted.binds for centre in stage.centres),
        settled_after_s=settled_after_s,
        seconds=seconds,
    )
