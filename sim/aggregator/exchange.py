"""Requests and answers as values.

Call     a request of the operator's to a link
Asked    a request of a link's to the operator
Told     what the operator answers to it
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Call:
    """`path` and `query` are escaped already."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def target(self) -> str:
        """As the request line has it."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def with_headers(self, *headers: tuple[str, str]) -> "Call":
        """With more header fields."""
        return replace(self, headers=(*self.headers, *headers))

    def with_query(self, query: str) -> "Call":
        """With another query."""
        return replace(self, query=query)


@dataclass(frozen=True, slots=True)
class Asked:
    """`path` and `query` as they came, a character for each octet; names of `headers` are in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """An answer."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
