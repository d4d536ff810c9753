"""Traces of links as files: what is still under way when a trace ends."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from aiohttp import web
from structlog.testing import capture_logs

from core.message import SubmitOutcome
from tests.case import AsyncioTestCase
from tests.plumbing.pcap_reader import packets
from tests.smsc_link.protocols.http.aggregator import Asked, Rig, sends
from tollbridge import link_traces
from tollbridge.link_traces import Traces, Wanted


class TracesAsFiles(AsyncioTestCase):
    timeout = 30

    async def test_an_answer_that_comes_after_the_end_of_the_trace_is_no_fault_of_it(self) -> None:
        may_answer = asyncio.Event()

        async def answers(asked: Asked) -> web.StreamResponse:
            await may_answer.wait()
            return web.Response(text="OK:m1")

        async with Rig() as rig:
            rig.aggregator.answers = answers

            async def tell(how_far: str) -> bool:
                await rig.aggregator.until(1)
                return False

            with TemporaryDirectory() as folder, patch.object(link_traces, "TELL_S", 0.05), capture_logs() as logs:
                taking = asyncio.ensure_future(Traces(folder).take(rig.link, Wanted(60, 0, False), "a.pcap", tell))
                await asyncio.sleep(0)
                sending = asyncio.ensure_future(sends(rig))
                sentence, path = await taking
                may_answer.set()
                [answered] = await sending
                found = [one for one in packets(Path(path).read_bytes()) if one.payload]

        assert answered.outcome is SubmitOutcome.ACCEPTED
        assert sentence == "1 frames"
        assert [one.payload[:4] for one in found] == [b"GET "]
        assert not [one for one in logs if one["log_level"] != "info"]
