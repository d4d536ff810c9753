"""A partner that costs next to nothing: "thank you" to every GET. `python -m bench.partner` tells its port, ends with
its standard input.

Rule: its time is not measured, but it shares the processors: so no web server, only what a GET needs.
"""

import asyncio
import sys
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nthank you"
_END = b"\r\n\r\n"


class Partner(asyncio.Protocol):
    """One connection: requests have no body, so each ends with its head."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        """Answer as many requests as have arrived whole."""
        assert self._transport is not None
        data = self._rest + data
        requests = data.count(_END)
        self._rest = data[data.rfind(_END) + len(_END) :] if requests else data
        if requests:
            self._transport.write(ANSWER * requests)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Partner, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(_serve())
