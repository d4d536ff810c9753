"""The section api reaches the door of the partner API, and the section links that of the operators."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.catalogue import Catalogue
from partner_api.http.ports import Ports
from plumbing.clock import SystemClock
from plumbing.crowd import ServerLimits
from smsc_link.protocols.http.door import DoorTerms
from tests.plumbing.certificates import write_certificates
from tollbridge.config import ApiSection, LinksSection
from tollbridge.door import links_door, open_api

HALF = b"GET /health HTTP/1.1\r\nHost: x\r\nA: b"
"""Of a request that the server waits for."""


async def _nobody(*request: object) -> Any:
    raise AssertionError(request)


def test_there_are_as_many_connections_as_the_section_says() -> None:
    async def story() -> None:
        ports = Ports(catalogue=Catalogue, run_read=_nobody, reply=_nobody, health=dict, metrics=lambda: b"")
        section = ApiSection(listen="127.0.0.1:0", connections=3, connections_per_network=2)
        runner = await open_api(ports, section, SystemClock(), is_up=lambda: True, why_short=str)
        port = runner.addresses[0][1]
        guests = []
        try:
            for _ in range(4):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(HALF)
                guests.append((reader, writer))
            async with asyncio.timeout(10):
                gone = await guests[0][0].read()
            others = [reader.at_eof() for reader, _ in guests[1:]]
            # Whoever stands on this host is counted among all only: a network's own number is looked at from inside.
            limits = runner._terms.limits  # type: ignore[attr-defined]
        finally:
            for _, writer in guests:
                writer.close()
            await runner.cleanup()

        assert gone == b"", "the oldest silent one gives way to the fourth"
        assert others == [False] * 3
        assert limits == ServerLimits(connections=3, per_network=2)

    asyncio.run(story())


def test_before_the_service_is_up_whoever_calls_hears_503_and_health_is_answered() -> None:
    async def story() -> None:
        is_up = [False]
        health = {"status": "starting"}

        async def reads(function: Any, /) -> Any:
            return 1

        ports = Ports(catalogue=Catalogue, run_read=reads, reply=_nobody, health=lambda: health, metrics=lambda: b"#")
        section = ApiSection(listen="127.0.0.1:0")
        runner = await open_api(ports, section, SystemClock(), is_up=lambda: is_up[0], why_short=str)
        port = runner.addresses[0][1]
        try:
            early = [await _status(port, path) for path in ("/v1/balance", "/nowhere", "/metrics")]
            is_up[0] = True
            late = [await _status(port, path) for path in ("/v1/balance", "/nowhere", "/metrics")]
        finally:
            await runner.cleanup()

        assert early == [503, 503, 200]
        assert late == [401, 404, 200]

    asyncio.run(story())


def test_the_door_of_the_operators_stands_as_the_section_says(tmp_path: Path) -> None:
    write_certificates(tmp_path)
    shutil.copy(tmp_path / "server.pem", tmp_path / "key.pem")
    certificate, key, authority = (f"{tmp_path}/{name}.pem" for name in ("server", "key", "authority"))
    section = LinksSection(
        http_listen="127.0.0.9:8999",
        http_tls_cert=certificate,
        http_tls_key=key,
        http_client_ca=authority,
        http_proxies="10.1.0.0/16, 192.0.2.7",
    )

    terms = links_door(section)._terms

    proxies = ("10.1.0.0/16", "192.0.2.7")
    assert terms == DoorTerms("127.0.0.9", 8999, certificate, key, client_authority=authority, proxies=proxies)
    assert links_door(section.model_copy(update={"http_proxies": ""}))._terms == replace(terms, proxies=())


async def _status(port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])
