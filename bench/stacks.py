"""Samples of py-spy (its `raw` form: a stack a line, outermost first, and how often) added up.

read_stacks    the text → Stack each
functions      self and cumulative samples of every function
places         samples by the innermost frame of ours: a library's time belongs to who called it
stations       the same by station of the way;  STATIONS, by path
statements     of the writer's thread: by line of the journal
hot_lines      where a function stood most often

Rule: a sample counts once per function, however often the function stands in its stack.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_FRAME = re.compile(r"(?P<function>.*) \((?P<file>[^()]*?)(?::(?P<line>\d+))?\)$")


class Frame(NamedTuple):
    """One call. `file` as py-spy shortens it: from the package on."""

    function: str
    file: str

    @property
    def is_ours(self) -> bool:
        """Of this repository, not of a library."""
        return self.file.startswith(_OURS)


class Stack(NamedTuple):
    """A stack that was seen so often: below the reactor's loop, or below the thread's begin."""

    thread: str
    frames: tuple[Frame, ...]
    lines: tuple[int, ...]
    """Where each frame stood."""
    samples: int


STATIONS = (
    ("wire/", "wire: frames, codec, session"),
    ("smsc_link/", "link: read, answer, write, submit"),
    ("plumbing/conversation", "pump: conversation and timers"),
    ("plumbing/pump", "pump: conversation and timers"),
    ("plumbing/", "loop and writer thread"),
    ("traffic/accept", "accept"),
    ("core/", "core: values, rating, texts"),
    ("router/", "route"),
    ("fraud/", "fraud"),
    ("traffic/settle", "settle"),
    ("store/database", "journal: BEGIN, COMMIT"),
    ("store/", "journal: rows and statements"),
    ("traffic/commit", "batcher"),
    ("traffic/dispatch", "dispatch"),
    ("partner_api/", "dispatch: HTTP call (with aiohttp below it)"),
    ("traffic/send", "send"),
    ("traffic/", "way, retry, submit"),
    ("tollbridge/", "roof"),
)
"""Path → station, the first that fits."""
_OURS = tuple({path.partition("/")[0] + "/" for path, _ in STATIONS})
_IDLE = (
    Frame("_worker", "concurrent/futures/thread.py"),
    Frame("Condition.wait", "threading.py"),
    Frame("Writer._work", "plumbing/threads.py"),
)
"""Who waits here for work."""
_JOURNAL = ("store/journal/", "store/database")
_REACTOR = Frame("AsyncioSelectorReactor.run", "twisted/internet/asyncioreactor.py")
"""What stands above it is the same for everything; what it does itself is uvloop's."""
_LIBRARIES = (
    ("aiohttp", "aiohttp: called by the loop"),
    ("twisted", "Twisted: called by the loop"),
    ("asyncio", "asyncio"),
)


def read_stacks(text: str) -> Iterator[Stack]:
    """Each line of the raw form."""
    for line in text.splitlines():
        stack, _, samples = line.rpartition(" ")
        first, *parts = stack.split(";")
        frames: list[Frame] = []
        lines: list[int] = []
        for found in filter(None, map(_FRAME.match, parts)):
            frame = Frame(found["function"], found["file"])
            if frame == _REACTOR:
                frames, lines = [], []
            frames.append(frame)
            lines.append(int(found["line"] or 0))
        if frames and frames[-1] not in _IDLE:
            yield Stack(first, tuple(frames), tuple(lines), int(samples))


def functions(stacks: Iterable[Stack]) -> tuple[Counter[Frame], Counter[Frame]]:
    """(self, cumulative) samples of each function."""
    own: Counter[Frame] = Counter()
    cumulative: Counter[Frame] = Counter()
    for stack in stacks:
        own[stack.frames[-1]] += stack.samples
        for frame in set(stack.frames):
            cumulative[frame] += stack.samples
    return own, cumulative


def places(stacks: Iterable[Stack]) -> Counter[Frame]:
    """Samples by the innermost function of ours, libraries' time included; where none is, by the innermost of all."""
    found: Counter[Frame] = Counter()
    for stack in stacks:
        found[_place_of(stack)] += stack.samples
    return found


def stations(stacks: Iterable[Stack]) -> Counter[str]:
    """Samples by station."""
    found: Counter[str] = Counter()
    for stack in stacks:
        found[_station_of(stack)] += stack.samples
    return found


def statements(stacks: Iterable[Stack]) -> Counter[Frame]:
    """Samples of the writer's thread by the innermost line in store/journal/; BEGIN and COMMIT by Database.write."""
    found: Counter[Frame] = Counter()
    for stack in stacks:
        if "writer" in stack.thread:
            calls = zip(reversed(stack.frames), reversed(stack.lines))
            inner = (Frame(one.function, f"{one.file}:{line}") for one, line in calls if one.file.startswith(_JOURNAL))
            found[next(inner, stack.frames[-1])] += stack.samples
    return found


def hot_lines(stacks: Iterable[Stack]) -> dict[Frame, int]:
    """The line at which each function stood most often."""
    seen: dict[Frame, Counter[int]] = {}
    for stack in stacks:
        for frame, line in zip(stack.frames, stack.lines):
            seen.setdefault(frame, Counter())[line] += stack.samples
    return {frame: lines.most_common(1)[0][0] for frame, lines in seen.items()}


def _place_of(stack: Stack) -> Frame:
    return next((frame for frame in reversed(stack.frames) if frame.is_ours), stack.frames[-1])


def _station_of(stack: Stack) -> str:
    place = _place_of(stack)
    if place.is_ours:
        return next(station for path, station in STATIONS if place.file.startswith(path))
    if stack.frames[-1] == _REACTOR:
        return "uvloop: sockets, timers, system calls"
    libraries = (station for frame in stack.frames for name, station in _LIBRARIES if name in frame.file)
    return next(libraries, "other")
