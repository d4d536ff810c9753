"""A TCP reset behind octets: uvloop polls the descriptor no more, so the reactor must have seen it."""

import asyncio
import socket
import struct
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol

from tests.case import AsyncioTestCase


class _Heard(Protocol):
    """What a connection was told."""

    def __init__(self) -> None:
        self.octets = b""
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def dataReceived(self, data: bytes) -> None:
        self.octets += data

    def connectionLost(self, reason: Any = None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


class ResetBehindOctets(AsyncioTestCase):
    async def test_octets_and_a_reset_in_one_breath_end_the_connection(self) -> None:
        from twisted.internet import reactor

        with socket.create_server(("127.0.0.1", 0)) as server:
            for _ in range(20):
                heard = _Heard()
                factory = Factory.forProtocol(lambda heard=heard: heard)
                factory.noisy = False
                endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", server.getsockname()[1])
                await endpoint.connect(factory).asFuture(asyncio.get_running_loop())
                peer, _address = server.accept()
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

                peer.sendall(b"x" * 100)
                peer.close()
                await asyncio.wait_for(heard.lost, 2)

                assert heard.octets in (b"", b"x" * 100)
