"""Traces of links as files: in the folder that the configuration names, for the service's own user alone.

Traces    take: write a trace of one link to a file, until its time is over, it is full, or nobody wants it any more

Rule: bounded in time and size, one at a time for each link; a file that is begun is closed whatever happens.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from core.clock import Instant
from smsc_link.keeping import Kept, Listenable, Notable
from smsc_link.protocols import PROTOCOLS
from smsc_link.tracing import Talks, Trace
from store.link_orders import SECONDS, SECONDS_MAX

TELL_S = 1.0
"""How often it is told how far a trace is."""

Tell = Callable[[str], Awaitable[bool]]
"""How far it is; False: nobody wants it any more."""


class CannotTrace(Exception):
    """Why a trace cannot be begun, or what ended it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. `packets` 0: as many as come."""

    seconds: float
    packets: int
    texts: bool

    @staticmethod
    def of(options: Mapping[str, Any]) -> "Wanted":
        """Of an order."""
        seconds = min(float(options.get("seconds", SECONDS)), SECONDS_MAX)
        return Wanted(seconds, int(options.get("packets", 0)), bool(options.get("texts", False)))


class Traces:
    """The traces of one process."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._links: set[str] = set()

    async def take(self, kept: Kept, wanted: Wanted, name: str, tell: Tell) -> tuple[str, Path]:
        """Until it is over; a sentence of what it has become, and its file. Raises CannotTrace."""
        link = kept.link.name
        traced = PROTOCOLS[kept.link.protocol].traced
        if not isinstance(kept, Notable) and (traced is None or not isinstance(kept, Listenable)):
            raise CannotTrace(f"{kept.link.protocol} has no connection that could be traced")
        if link in self._links:
            raise CannotTrace("another trace of it is under way")
        path, file = self._create(name)
        full = asyncio.Event()
        self._links.add(link)
        trace = Trace(traced, file.write, _now_us, texts=wanted.texts, frames_max=wanted.packets, on_end=full.set)
        try:
            _listen(kept, trace)
            await _until(full, wanted.seconds, lambda: tell(f"{trace.frames} frames so far"))
        finally:
            self._links.discard(link)
            _listen(kept, None)
            trace.stop()
            fault = _close(file)
        return _sentence(trace, fault, path), path

    def _create(self, name: str) -> tuple[Path, BinaryIO]:
        path = Path(os.path.abspath(self._folder / name))
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise CannotTrace(f"{path} cannot be made: {error.strerror}; see links.trace_folder") from error
        return path, os.fdopen(number, "wb", 1 << 16)


def _listen(kept: Kept, trace: Trace | None) -> None:
    """From now on; None: no more."""
    if isinstance(kept, Notable):
        kept.note_in(Talks(trace) if trace is not None else None)
    else:
        assert isinstance(kept, Listenable), kept
        kept.listen_in(trace.listen if trace is not None else None)


def name_of(link: str, order: int, now: Instant) -> str:
    """`alpha-1-20261128T001534-17.pcap`."""
    return f"{link}-{datetime.fromtimestamp(now // 1000, UTC):%Y%m%dT%H%M%S}-{order}.pcap"


async def _until(full: asyncio.Event, seconds: float, tell: Callable[[], Awaitable[bool]]) -> None:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + seconds
    while (left_s := end_s - loop.time()) > 0:
        try:
            async with asyncio.timeout(min(TELL_S, left_s)):
                await full.wait()
                return
        except TimeoutError:
            if not await tell():
                return


def _close(file: BinaryIO) -> str:
    try:
        file.close()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _sentence(trace: Trace, fault: str, path: Path) -> str:
    fault = trace.error or fault
    if fault:
        raise CannotTrace(f"it broke off after {trace.frames} frames: {fault}; {path}")
    left_out = f", {trace.left_out} left out that could not be masked" if trace.left_out else ""
    return f"{trace.frames} frames{left_out}"


def _now_us() -> int:
    return time.time_ns() // 1000
