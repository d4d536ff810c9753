"""Errors of connections, as a person reads them: real ones, over sockets."""

import asyncio
import errno
import os
import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from plumbing.words import words_of
from tests.case import AsyncioTestCase
from tests.plumbing.certificates import write_certificates


class Words(AsyncioTestCase):
    async def test_nobody_who_listens_is_said_as_the_system_says_it(self) -> None:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()

        assert await _error_of(port) == os.strerror(errno.ECONNREFUSED)

    async def test_a_stranger_and_a_peer_without_tls_are_told_apart(self) -> None:
        place = TemporaryDirectory()
        self.addCleanup(place.cleanup)
        folder = Path(place.name)
        write_certificates(folder)
        shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shown.load_cert_chain(folder / "stranger.pem")
        trusts = ssl.create_default_context(cafile=str(folder / "authority.pem"))
        said = []
        for context in (shown, None):
            server = await asyncio.start_server(_hello, "127.0.0.1", 0, ssl=context)
            said.append(await _error_of(server.sockets[0].getsockname()[1], trusts))
            server.close()

        assert said[0].startswith("the certificate was not accepted: ")
        assert said[1].startswith("TLS: ")

    async def test_a_file_that_is_not_there_is_said_and_what_has_no_words_by_its_name(self) -> None:
        with pytest.raises(FileNotFoundError) as caught:
            Path("no-such-file.pem").read_bytes()

        assert words_of(caught.value) == os.strerror(errno.ENOENT)
        assert words_of(ValueError("with a secret in it")) == "ValueError"


def _hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hello\r\n")


async def _error_of(port: int, context: ssl.SSLContext | None = None) -> str:
    try:
        await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except OSError as error:
        return words_of(error)
    raise AssertionError("there was a connection")
