"""The log: readable on a terminal, JSON otherwise; no texts, no secrets, numbers masked (reliability.md, section 8).

set_up   structlog for our code; the standard library's log and Twisted's are led into it
ending   around the life of a process: its last lines are out before anything else is said
lost     how many lines did not fit

No line is written by who logs: a thread does it (tollbridge/log_lines.py), so a reader that is gone or stands still, or
a full device, stops nothing but the log.

What is cut: values by their names (`text`, `password`, `msisdn` …), and within every other text what looks like a
subscriber's number, and the values of a statement that SQLAlchemy tells of in its errors.

Rule: what must not be logged is cut out here too, so that a careless line cannot leak it.
"""

import atexit
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import structlog

from core.msisdn import mask
from tollbridge.log_lines import LogLines

LAST_S = 0.8
"""How long the last lines may take: the last of what a stop may (tollbridge/stopping.py)."""
NUMBERS = frozenset({"msisdn", "source", "destination", "subscriber", "to", "from_"})
SECRETS = frozenset(
    "text body reply answer password smpp_password secret secret_key api_key key token authorization".split()
)
_OURS = frozenset({"timestamp", "level"})

_NUMBER = re.compile(r"(?<!\w)(?<!\d\.)[0-9]{10,15}(?!\w|\.\d)")
"""Ten to fifteen digits; message ids have eighteen."""
_PARAMETERS = re.compile(r"\[parameters: .*")
"""The values of a statement, in the text of a sqlalchemy.exc.StatementError: texts and numbers among them."""


def set_up(
    *, format: str = "auto", full_numbers: bool = False, stream: TextIO | None = None, level: str = "info"
) -> None:
    """Begin to log to `stream` (stderr): `console`, `json`, or `auto` by whether it is a terminal."""
    stream = stream or sys.stderr or _nowhere()
    as_json = format == "json" or (format == "auto" and not stream.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Before the cut, and for the terminal too: a traceback that shows local variables shows texts and keys.
        structlog.processors.format_exc_info,
        _Cut(full_numbers=full_numbers),
    ]
    if as_json:
        shared.append(structlog.processors.JSONRenderer(ensure_ascii=False))
    else:
        plain = structlog.dev.plain_traceback
        shared.append(structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain))
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_factory(stream, shared),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_ToStructlog()], force=True)
    _lead_twisted()


def _nowhere() -> TextIO:
    """A process whose stderr was closed has none."""
    return Path(os.devnull).open("w", encoding="utf-8")


@contextmanager
def ending() -> Iterator[None]:
    """Whatever ends it, the last lines are written then, or given up after LAST_S."""
    try:
        yield
    finally:
        _end()


def lost() -> int:
    """Lines that were dropped because nobody read the others."""
    return sum(lines.lost for lines in _written)


_written: list[LogLines] = []
"""By every set_up(): a logger keeps the stream that it was first used with."""


@atexit.register
def _end() -> None:
    for lines in _written:
        lines.close(LAST_S)


def _factory(stream: TextIO, processors: list[structlog.types.Processor]) -> Callable[..., Any]:
    try:
        stream.fileno()
    except (OSError, ValueError):
        # What lies in memory neither fails nor hangs.
        return structlog.PrintLoggerFactory(stream)

    def say_lost(count: int) -> str:
        event: Any = {"event": "lines of the log were lost", "lines": count, "remedy": "see who reads the log"}
        for processor in processors:
            event = processor(None, "warning", event)
        return str(event)

    lines = LogLines(stream, say_lost)
    _written.append(lines)
    return lambda *_: _Out(lines.put)


class _Out:
    """What structlog writes to: a method for each level."""

    def __init__(self, put: Callable[[str], None]) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = self.exception = self.log = self.msg = put


class _Cut:
    """Masks numbers, cuts out texts and secrets, escapes control characters."""

    def __init__(self, *, full_numbers: bool) -> None:
        self._full_numbers = full_numbers

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in event.items():
            if name not in _OURS:
                event[name] = self._cut(name, value)
        return event

    def _cut(self, name: str, value: Any) -> Any:
        if name in SECRETS:
            return "…"
        if isinstance(value, Mapping):
            return {str(key): self._cut(str(key), one) for key, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._cut(name, one) for one in value]
        if name in NUMBERS and not self._full_numbers:
            return mask(str(value))
        if isinstance(value, bool | int | float) or value is None:
            return value
        return self._cut_text(str(value), lines=name == "exception")

    def _cut_text(self, text: str, *, lines: bool) -> str:
        text = _PARAMETERS.sub("[parameters: …]", text)
        if not self._full_numbers:
            text = _NUMBER.sub(lambda found: mask(found[0]), text)
        if text.isprintable():
            return text
        return "".join(c if c.isprintable() or (lines and c == "\n") else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


class _ToStructlog(logging.Handler):
    """aiohttp's, asyncio's and SQLAlchemy's lines in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            log = structlog.get_logger()
            exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
            log.log(record.levelno, record.getMessage(), library=record.name, exc_info=exc_info)
        except Exception as error:
            # A library speaks in a way that cannot be formatted: that must harm nobody. (handleError would write to
            # stderr by itself, and wait there.)
            with suppress(Exception):
                log.error("a line of a library cannot be read", library=record.name, error=type(error).__name__)


_is_led = False


def _lead_twisted() -> None:
    """Twisted's own log into the standard library's; until it is begun, Twisted writes to stderr by itself."""
    global _is_led
    if _is_led:
        return
    from twisted.logger import STDLibLogObserver, globalLogBeginner

    globalLogBeginner.beginLoggingTo([STDLibLogObserver(name="twisted")], redirectStandardIO=False)
    _is_led = True
