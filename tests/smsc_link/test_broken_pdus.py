"""An operator whose PDUs are broken: seen in the log once a session and in the metrics, on a real socket."""

import asyncio
from random import Random

from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from core.catalogue import Catalogue
from plumbing.clock import SystemClock
from plumbing.metrics import Metrics
from plumbing.pump import connect
from smsc_link.links import Links
from tests.case import AsyncioTestCase
from tests.smsc_link.ends import FakeIntake, a_link, an_operator
from wire.smpp import DeliverSm, Operation, decode, encode, response_to
from wire.smpp.frames import FrameReader
from wire.smpp.operations import BindTransceiver


def an_mo(sequence: int, cut: int = 0, behind: bytes = b"") -> bytes:
    mo = DeliverSm(sequence, source_addr="79001112233", destination_addr="4446", short_message=b"SECRET")
    octets = encode(mo)
    octets = octets[: len(octets) - cut] + behind
    return len(octets).to_bytes(4, "big") + octets[4:]


class Centre:
    """Answers the bind; then the test speaks."""

    def __init__(self) -> None:
        self.writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None
        self._frames = FrameReader()
        self._heard: list[Operation] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        bind = await self.hear()
        assert isinstance(bind, BindTransceiver)
        writer.write(encode(response_to(bind, system_id="centre")))

    async def hear(self) -> Operation:
        assert self._reader is not None
        while not self._heard:
            self._heard += [decode(frame) for frame in self._frames.read(await self._reader.read(65536))]
        return self._heard.pop(0)

    async def ask(self, octets: bytes) -> Operation:
        assert self.writer is not None
        self.writer.write(octets)
        return await self.hear()


class BrokenPdus(AsyncioTestCase):
    timeout = 20

    async def test_the_first_of_a_session_is_logged_without_its_contents_and_all_are_counted(self) -> None:
        centre, intake, registry = Centre(), FakeIntake(), CollectorRegistry()
        server = await asyncio.start_server(centre.serve, "127.0.0.1", 0)
        links = Links(intake=intake, connect=connect, clock=SystemClock(), random=Random(1), metrics=Metrics(registry))
        link = a_link(port=server.sockets[0].getsockname()[1])
        links.start(Catalogue(1, operators={"alpha": an_operator()}, links={link.name: link}))
        await intake.until(lambda: bool(intake.opened))

        with capture_logs() as logs:
            truncated = await centre.ask(an_mo(1, cut=8))
            bad_tlv = await centre.ask(an_mo(2, behind=b"\x04\x24\x00"))
            sound = await centre.ask(an_mo(3))
        counted = generate_latest(registry).decode()
        await links.stop()
        server.close()

        assert [answer.status for answer in (truncated, bad_tlv, sound)] == [0x02, 0xC0, 0]
        [told] = [one for one in logs if one["event"] == "pdu refused"]
        assert (told["log_level"], told["link"], told["command"], told["status"]) == (
            "warning", "alpha-1", "deliver_sm", "0x02",
        )  # fmt: skip
        assert told["reason"]
        assert "SECRET" not in str(logs)
        assert 'tollbridge_link_refused_total{link="alpha-1"} 2.0' in counted
        assert 'tollbridge_link_ignored_total{link="alpha-1"} 0.0' in counted
        [kept] = links.all()
        assert kept.unused("refused") == 2, "a session that is over counts still"
