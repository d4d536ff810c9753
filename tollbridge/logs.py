"""The log: readable on a terminal, JSON otherwise; no texts, no secrets, numbers masked (reliability.md, section 8).

set_up   structlog for our code, and the standard library's log led into it

Rule: what must not be logged is cut out here too, so that a careless line cannot leak it.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from core.msisdn import mask

NUMBERS = frozenset({"msisdn", "source", "destination", "subscriber", "to", "from_"})
SECRETS = frozenset({"text", "body", "reply", "password", "secret", "api_key", "key", "authorization"})


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
        _Cut(full_numbers=full_numbers),
    ]
    if as_json:
        shared += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        shared.append(structlog.dev.ConsoleRenderer(colors=stream.isatty()))
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_ToStructlog()], force=True)


class _Cut:
    """Masks numbers, cuts out texts and secrets, escapes control characters."""

    def __init__(self, *, full_numbers: bool) -> None:
        self._full_numbers = full_numbers

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in event.items():
            if name in SECRETS:
                event[name] = "…"
            elif name in NUMBERS and not self._full_numbers:
                event[name] = mask(str(value))
            elif isinstance(value, str) and not value.isprintable() and name != "exception":
                event[name] = value.encode("unicode_escape").decode("ascii")
        return event


class _ToStructlog(logging.Handler):
    """Twisted's, aiohttp's and SQLAlchemy's lines in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        log.log(record.levelno, record.getMessage(), library=record.name, exc_info=exc_info)
