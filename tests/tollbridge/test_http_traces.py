"""`tollbridge link trace` of a link over HTTP: the real service, the pocket operator, examples of conf/."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.partners import Partner, answers
from tests.plumbing.pcap_reader import packets
from tests.smsc_link.dissect import HAS_TSHARK, dissected
from tests.smsc_link.protocols.http.noted import hides
from tests.tollbridge.shell import tollbridge
from tests.tollbridge.test_http_links import Place

SUBSCRIBER = "79001000000"
MESSAGES = 2
EACH = {"http-json": 6}
"""Messages of an exchange: the MO, the MT and its receipt, each with its answer."""
SECRETS = ("key of theirs", "token of ours", "secret of sendsms")


async def played(place: Place, file: Path) -> str:
    """MO of the pocket operator, their replies and receipts, while a trace is on; what the trace told."""
    # The pocket operator listens where the link sends to.
    await place.aggregator.close()
    count = str(MESSAGES * EACH[place.example])
    link = place.url.rpartition("/")[2]
    words = ("--by", "olga", "--seconds", "60", "--packets", count, "--output", str(file))
    trace = asyncio.ensure_future(asyncio.to_thread(tollbridge, "link", "trace", link, *words, cwd=place.folder))
    await place.until(lambda: bool(list(place.folder.glob("var/traces/*.pcap"))))
    pocket = ("--like", "all.toml", "--linger", "2", "--count", str(MESSAGES), "--text", "GAME {n} my secret")
    done = await asyncio.to_thread(
        tollbridge, "sim", "http", "--config", "tollbridge.toml", *pocket, cwd=place.folder
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = await trace
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@pytest.mark.parametrize("example", EACH)
def test_a_trace_has_every_message_at_the_ports_where_it_was_and_hides_what_it_must(
    example: str, tmp_path: Path
) -> None:
    place, file = Place(tmp_path, example), tmp_path / "copy.pcap"
    told: list[str] = []

    async def story(place: Place, client: aiohttp.ClientSession) -> None:
        told.append(await played(place, file))

    async def whole() -> None:
        await place.play(story, Partner(answers("Thank you, dear")))

    asyncio.run(whole())

    count = MESSAGES * EACH[example]
    assert f"{count} frames" in told[0]
    assert "left out" not in told[0]
    found = [one for one in packets(file.read_bytes()) if one.payload]
    assert len(found) == count
    said = b"\n".join(one.payload for one in found)
    assert hides(said, "my secret", "Thank you", "dear", SUBSCRIBER, *SECRETS)
    assert b"7900*****00" in said
    (trace,) = tmp_path.glob("var/traces/*.pcap")
    assert (trace.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o600, 0o600)
    ports = {place.listens, place.aggregator.port}
    assert all({one.source[1], one.target[1]} & ports for one in found)
    if HAS_TSHARK:
        assert len(dissected(file, "http", *ports)) == count
