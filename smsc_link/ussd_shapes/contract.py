"""What a gateway's HTTP shape is to us: two functions without I/O (ussd.md, sections 7 and 8).

HttpRequest, HttpAnswer   what came in, what goes out
Shape                     parse a request → Turn or Wrong; render a Turn and its Reply → an answer
Wrong, refuse             a request that is none; its answer, 400
ShapeOptions              what a link may be told of its gateway

Rule: parse() takes whatever comes and raises nothing. What has a session's id gets a 200 with a screen; 400 is only for
what has none. Every text of a Turn is cleaned, every key has a bound.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from core.clock import SECOND_MS, Instant
from core.ussd.session import Times, Ways
from core.ussd.texts import Room
from core.ussd.turn import Reply, Turn
from smsc_link.options import option

BODY_MAX = 16 * 1024


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came. `query` is what stands behind the question mark, `cookie` the header of that name."""

    link: str
    at: Instant
    method: str = "POST"
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    cookie: str = ""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer as it goes."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Wrong:
    """A request that is no turn: why, for the log. Nothing of it is shown to anybody."""

    reason: str


@dataclass(frozen=True, slots=True)
class ShapeOptions:
    """A gateway's quirks. The names of `xml_…` are for the shape xml alone."""

    limit: int = option(182, "the most characters of a screen; never more than the shape allows", least=40, most=182)
    alphabet: str = option("any", "what letters the gateway carries", among=("any", "gsm7", "ascii"))
    line_end: str = option("lf", "what stands between two lines of a screen", among=("lf", "crlf", "pipe"))
    session_s: int = option(180, "a session without a turn for so long is over", least=10, most=900)
    user: str = option("", "nalo: the USERID of our account; empty: that of the request")
    xml_root: str = option("ussd", "the element around all")
    xml_session: str = option("session", "the element with the session's id")
    xml_number: str = option("msisdn", "the element with the subscriber's number")
    xml_type: str = option("type", "the element with the kind of a turn")
    xml_text: str = option("text", "the element with the text")
    xml_begin: str = option("1", "the type of a session's begin")
    xml_answer: str = option("18", "the type of an answer")
    xml_ask: str = option("2", "the type of our screen that asks")
    xml_end: str = option("3", "the type of our last screen")
    xml_abort: str = option("129", "the type that says that the user left")


Parse: TypeAlias = Callable[[HttpRequest, ShapeOptions], Turn | Wrong]
Render: TypeAlias = Callable[[Turn, Reply | None, ShapeOptions], HttpAnswer]


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape. `limit` is the gateway's own; `render` with None answers a notice, which shows nothing."""

    parse: Parse
    render: Render
    limit: int = 182

    def ways(self, options: ShapeOptions) -> Ways:
        """How long a screen may be over this link, and a session."""
        room = Room.of(min(options.limit, self.limit), options.alphabet, options.line_end)
        return Ways(room, Times(session_ms=options.session_s * SECOND_MS))


def refuse(wrong: Wrong) -> HttpAnswer:
    """The answer to what is no turn. The reason stays with us: whoever asks so is no gateway."""
    assert wrong.reason
    return HttpAnswer(400, "text/plain", b"not a USSD request")
