"""What a trace of an HTTP link notes, without a socket, and how to look for what it may not show.

Traced     a link's mapping, its ear and a Notebook: what is noted of a request, an answer, a message of ours
hides      whether secrets are in what was noted, in any spelling
TEXTS, WRITINGS   texts of all kinds with words at both ends that stand nowhere else; how they come in a query
"""

import re
from base64 import b64encode
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import quote, quote_plus, unquote_to_bytes

from hypothesis import strategies as some

from smsc_link.keeping import Ends
from smsc_link.protocols.http import HttpAdapter
from smsc_link.protocols.http.ear import HttpEar
from smsc_link.protocols.http.outbound import Outgoing
from smsc_link.visits import Asked, VisitAnswer
from tests.smsc_link.ends import a_link, an_mt, an_operator

ENDS: Ends = (("192.0.2.1", 8082), ("192.0.2.2", 40_000))
NUMBER, PASSWORD, SECRET = "79001112233", "pa ss/w0rd&öй", "kEy-of-theirs+1"
FIRST, LAST = "ZQXJ", "VKWY"
"""Of every text: they stand nowhere else."""
TEXTS = some.text(some.sampled_from("АБé€<>&\"'\\%+= \n{}[],:;/?#*0aZ"), max_size=30).map(
    lambda one: FIRST + one + LAST
)
AUTH = {"kind": "token", "secret": SECRET, "parameter": "sig"}


class Notebook:
    """What was noted."""

    def __init__(self, *, texts: bool = False) -> None:
        self.texts = texts
        self.is_over = False
        self.left_out = 0
        self.messages: list[bytes] = []
        self.ended: list[Ends] = []

    def note(self, ends: Ends, message: bytes, *, ours: bool, by_peer: bool) -> None:
        self.messages.append(message)

    def leave_out(self) -> None:
        self.left_out += 1

    def end(self, ends: Ends) -> None:
        self.ended.append(ends)

    @property
    def all(self) -> bytes:
        return b"\n".join(self.messages)


class Traced:
    """A link's adapter, its ear and a notebook."""

    def __init__(self, options: dict[str, Any] | None = None, *, texts: bool = False, **values: Any) -> None:
        self.link = a_link(protocol="http", options=options or {}, **{"password": PASSWORD, **values})
        self.adapter = HttpAdapter(self.link, an_operator())
        self.notes = Notebook(texts=texts)
        self.ear = HttpEar(self.link, self.adapter.options, self.notes)

    def asked(
        self,
        query: str = "",
        body: bytes = b"",
        *,
        tail: str = "",
        kind: str = "",
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """What is noted of an operator's request; a long one is only when it is answered."""
        path = f"/links/{self.link.name}{tail}" + (f"?{query}" if query else "")
        given = {**({"Content-Type": kind} if kind else {}), **(headers or {})}
        fields = tuple((name.encode(), value.encode()) for name, value in given.items())
        self.hearing = self.ear.calls(Asked(ENDS, "POST" if body else "GET", path.encode("latin-1"), fields))
        self.hearing.asked(body)
        return self.notes.messages[-1] if self.notes.messages else b""

    def answered(self, answer: VisitAnswer) -> bytes:
        """And of our answer to it."""
        self.hearing.answered(answer, has_left=True)
        return self.notes.messages[-1]

    def written(self, text: str) -> list[Outgoing]:
        """Our requests with an MT."""
        return self.adapter.write(an_mt(text, destination=NUMBER), 7, 1_795_824_000_000)

    def sent(self, text: str, answer: tuple[int, str, bytes] = (200, "text/plain", b"OK")) -> bytes:
        """What is noted of our request with an MT, and its answer."""
        [request] = self.written(text)
        sending = self.ear.sends(request)
        sending.leaves(Carrier(), [("Host", "api.example"), *request.headers])
        status, kind, body = answer
        sending.answered(status, [(b"Content-Type", kind.encode())], body)
        sending.over()
        return b"\n".join(self.notes.messages[-2:])


class Carrier:
    """A transport as far as it is looked at."""

    def get_extra_info(self, name: str) -> tuple[str, int]:
        return ENDS[name == "peername"]


def spellings(octets: bytes) -> list[bytes]:
    """What is noted, and what it says once nothing in it is escaped."""
    plain = unquote_to_bytes(octets.replace(b"+", b" "))
    letters = re.sub(rb"\\u([0-9a-fA-F]{4})", lambda one: chr(int(one[1], 16)).encode("utf-8", "replace"), octets)
    return [octets, plain, letters, unescape(octets.decode("latin-1")).encode("utf-8", "replace")]


def hides(noted: bytes, *secrets: str) -> bool:
    """Whether none of them is in it, in any spelling."""
    for secret in secrets:
        raw = secret.encode()
        coded = {raw, raw.hex().encode(), raw.hex().upper().encode(), b64encode(raw).rstrip(b"=")}
        wide = secret.encode("utf-16-be")
        coded |= {wide.hex().encode(), wide.hex().upper().encode(), wide}
        for form in spellings(noted):
            for one in coded:
                if one in form:
                    return False
    return True


def whole_percent(text: str) -> str:
    return "".join(f"%{octet:02x}" for octet in text.encode())


def raw_octets(text: str) -> str:
    """As careless operators write it: in latin-1's clothes."""
    return text.encode().decode("latin-1").replace("\n", " ")


WRITINGS: tuple[Callable[[str], str], ...] = (quote, quote_plus, whole_percent, raw_octets)
