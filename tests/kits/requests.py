"""The other side of a protocol without sessions: requests over HTTP, octet by octet, for test_every_protocol.

HttpSide   a link of such a protocol behind its door, an operator in small before it; what an MO looks like in octets

Rule: it knows the plain mapping of tests/smsc_link/protocols/http/aggregator.py and no more.
"""

import asyncio
from typing import Any
from urllib.parse import urlencode

from tests.smsc_link.protocols.http.aggregator import Rig

LONG = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 3


class HttpSide(Rig):
    """`async with HttpSide() as side`."""

    def __init__(self, change: dict[str, Any] | None = None, **values: Any) -> None:
        mo = {"methods": ["GET", "POST"], "format": "form", "reference": "ref", "part": "part", "parts": "parts"}
        super().__init__({"mo": mo, **(change or {})}, **values)

    @staticmethod
    def octets_of(text: str, source: str = "79001112233", **fields: str) -> bytes:
        """The octets of a request with an MO."""
        body = urlencode({"from": source, "to": "4446", "text": text, **fields}).encode()
        head = f"POST /links/alpha-1 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        return head.encode() + body

    @classmethod
    def parts(cls, text: str = LONG, size: int = 60) -> list[bytes]:
        """A long MO as its operator cuts it."""
        cut = [text[at : at + size] for at in range(0, len(text), size)]
        return [
            cls.octets_of(one, ref="77", part=str(number), parts=str(len(cut))) for number, one in enumerate(cut, 1)
        ]

    async def says(self, *pieces: bytes) -> bytes:
        """Write pieces to the door, each by itself; what came back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.door.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()
