"""The log: readable on a terminal, JSON otherwise; no texts, no secrets, numbers masked (reliability.md, section 8).

set_up   structlog for our code; the standard library's log and Twisted's are led into it

What is cut: values by their names (`text`, `password`, `msisdn` …), and within every other text what looks like a
subscriber's number, and the values of a statement that SQLAlchemy tells of in its errors.

Rule: what must not be logged is cut out here too, so that a careless line cannot leak it.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from core.msisdn import mask

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
    stream = stream or sys.stderr
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
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_ToStructlog()], force=True)
    _lead_twisted()


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
        except Exception:
            # A library speaks while the process ends, or in a way that cannot be formatted: that must harm nobody.
            self.handleError(record)


_is_led = False


def _lead_twisted() -> None:
    """Twisted's own log into the standard library's; until it is begun, Twisted writes to stderr by itself."""
    global _is_led
    if _is_led:
        return
    from twisted.logger import STDLibLogObserver, globalLogBeginner

    globalLogBeginner.beginLoggingTo([STDLibLogObserver(name="twisted")], redirectStandardIO=False)
    _is_led = True
