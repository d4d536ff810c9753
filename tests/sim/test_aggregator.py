"""The pocket aggregator of the command line against our own HTTP link, over sockets, by the examples of conf/."""

import asyncio
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Self

from core.catalogue import Link
from core.ids import Ids
from core.message import Heard, ReceiptState, SubmitAnswer, SubmitOutcome
from plumbing.clock import SystemClock
from plumbing.loop import spawn
from plumbing.pump import connect
from sim.aggregator.mapping import Mapping as PocketMapping
from sim.aggregator.pocket import Door, run_aggregator
from sim.pocket import PocketOptions
from sim.quirks import Quirks
from sim.records import Counted
from smsc_link.keeping import Surroundings
from smsc_link.protocols import PROTOCOLS
from smsc_link.protocols.http import HttpAdapter, HttpLink
from smsc_link.protocols.http.door import DoorTerms, HttpDoor
from tests.case import AsyncioTestCase
from tests.ports import free_port
from tests.smsc_link.ends import FakeIntake, an_mt, an_operator
from tollbridge.commands.sim_http import mapping_of
from traffic.ports import Delivery

CLOCK = SystemClock()
CONF = Path("conf").resolve()
EXAMPLES = ("http-query", "http-kannel", "http-json")


def a_link(example: str, change: Mapping[str, Any] | None = None, **values: Any) -> Link:
    """The link of an example; what `change` says of its options."""
    [given] = tomllib.loads((CONF / f"{example}.toml").read_text())["link"]
    options = given["options"] | (change or {})
    link = Link(id=1, **{**given, "options": options})
    return replace(link, host="127.0.0.1", tls=False, window=500, max_tps=0, **values)


class Stage:
    """The link behind its door, an intake that replies to each MO, and the pocket aggregator as its operator."""

    def __init__(self, link: Link, *, operators: Link | None = None, replies: bool = True) -> None:
        port = free_port()
        self.link = replace(link, port=port)
        self.listen = f"127.0.0.1:{port}"
        self.intake = FakeIntake()
        self.answers: list[SubmitAnswer] = []
        self.told: list[str] = []
        self._door = HttpDoor(DoorTerms(port=0))
        self._operators = operators or link
        self._ids = Ids(3)
        if replies:
            self.intake.on_delivery = self._reply

    async def __aenter__(self) -> Self:
        protocol = PROTOCOLS["http"]
        adapter = protocol.adapter(self.link, an_operator())
        around = Surroundings(self.intake, connect, CLOCK, Random(2), self._door, None)
        kept = protocol.keep(self.link, adapter, around)
        assert isinstance(kept, HttpLink)
        self._kept = kept
        kept.start()
        await self.intake.until(lambda: bool(kept.bound_at))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._kept.stop(1)
        await self._door.close()

    @property
    def mapping(self) -> PocketMapping:
        """As the operator believes it to be."""
        return mapping_of(HttpAdapter(self._operators, an_operator()))

    async def plays(self, count: int, *, quirks: Quirks | None = None, **values: Any) -> Counted:
        """The pocket aggregator, to its end."""
        door = Door(f"http://127.0.0.1:{self._door.port}", f"/links/{self.link.name}")
        quirks = quirks or Quirks(retry_s=0.1)
        options = PocketOptions(protocol="http", listen=self.listen, count=count, linger_s=0.4, quirks=quirks, **values)
        return await run_aggregator(self.mapping, door, options, self.told.append)

    def _reply(self, delivery: Delivery) -> None:
        made = self._ids.next(delivery.arrived_at)
        mt = an_mt("Спасибо: 7", id=made, reply_to=made, destination=delivery.source, source=delivery.destination)
        for part in self._kept.write(mt, reference=1):
            self._kept.submit(part).add_done_callback(lambda one: self.answers.append(one.result()))


class Examples(AsyncioTestCase):
    timeout = 30

    async def test_shape_1_has_the_replies_in_the_answers(self) -> None:
        async with Stage(a_link("http-query")) as stage:
            counted = await stage.plays(40, texts=("GAME {n}",))

        assert (counted.acknowledged, counted.replied, counted.submitted, counted.receipts) == (40, 40, 40, 0)
        assert {delivery.octets for delivery in stage.intake.deliveries} >= {b"GAME 1", b"GAME 40"}
        assert "it sends no requests, so nothing listens" in stage.told[0]

    async def test_shape_2_and_3_have_replies_by_request_and_receipts(self) -> None:
        for example in ("http-kannel", "http-json"):
            async with Stage(a_link(example)) as stage:
                counted = await stage.plays(40, texts=("GAME {n}", "ИГРА {n}"))

                assert (counted.acknowledged, counted.replied, counted.receipts) == (40, 40, 40), (example, stage.told)
                assert {answer.outcome for answer in stage.answers} == {SubmitOutcome.ACCEPTED}
                assert {one.state for one in stage.intake.receipts} == {ReceiptState.DELIVERED}
                known = {answer.key for answer in stage.answers}
                assert len(known) == 40
                assert {key for one in stage.intake.receipts for key in one.keys} == known
                assert f"listening at port {stage.link.port}; calling http://" in stage.told[0]
                assert stage.told[-1] == "in all: 40 sent, 40 acknowledged, 0 refused, 40 MT seen, 40 receipts"

    async def test_every_example_may_be_played_by_an_operator_that_is_often_in_trouble(self) -> None:
        quirks = Quirks(retry_s=0.05, throttle=0.2, refuse=0.2, lose_answers=0.2, receipt_delay_s=0.05, delivered=0.5)
        async with Stage(a_link("http-json")) as stage:
            counted = await stage.plays(100, quirks=quirks, seed=5)

        said = {answer.outcome for answer in stage.answers}
        of = SubmitOutcome
        assert said >= {of.ACCEPTED, of.THROTTLED, of.PERMANENT, of.UNANSWERED}
        assert counted.acknowledged == 100
        assert counted.receipts == counted.accepted
        assert {one.state for one in stage.intake.receipts} == {ReceiptState.DELIVERED, ReceiptState.FAILED}


class Manners(AsyncioTestCase):
    timeout = 30

    async def test_a_receipt_may_come_before_the_answer_and_some_never_come(self) -> None:
        async with Stage(a_link("http-kannel")) as stage:
            seen: list[int] = []
            stage.intake.on_receipt = lambda receipt: seen.append(len(stage.answers))
            counted = await stage.plays(1, quirks=Quirks(receipt_first=True))
            assert (seen, counted.receipts, len(stage.answers)) == ([0], 1, 1)

            counted = await stage.plays(20, quirks=Quirks(lose_receipts=1.0))
            assert (counted.accepted, counted.receipts) == (20, 0)

    async def test_what_is_put_off_is_called_again_with_the_same_id(self) -> None:
        async with Stage(a_link("http-query", {"hold_s": 0.2}), replies=False) as stage:
            stage.intake.says = Heard.LATER
            running = spawn(stage.plays(5), name="pocket")
            await stage.intake.until(lambda: len(stage.intake.deliveries) >= 12)
            stage.intake.says = Heard.TAKEN
            counted = await running

        assert (counted.acknowledged, counted.refused) == (5, 0)
        assert counted.put_off >= 7
        assert len({delivery.key for delivery in stage.intake.deliveries}) == 5
        assert f"{counted.put_off} × HTTP 503, RETRY" in stage.told[-1]
        assert sum("an MO is put off: HTTP 503 (RETRY)" in line for line in stage.told) == 1

    async def test_what_can_never_be_taken_is_counted_with_what_was_said(self) -> None:
        async with Stage(a_link("http-query"), replies=False) as stage:
            stage.intake.says = Heard.NEVER
            counted = await stage.plays(3)

        assert (counted.acknowledged, counted.refused) == (0, 3)
        assert "3 refused (3 × HTTP 400, ERROR it can never be taken;" in stage.told[-1]

    async def test_long_texts_come_whole_or_in_parts_as_the_mapping_has_it(self) -> None:
        text = "GAME " + "ж" * 300
        for change, pieces in (({}, 0), ({"mo": {"udh": "udh", "text": "text", "id": "id"}}, 5)):
            async with Stage(a_link("http-kannel", change), replies=False) as stage:
                counted = await stage.plays(1, texts=(text,))

                assert counted.acknowledged == 1
                assert sum(delivery.piece is not None for delivery in stage.intake.deliveries) == pieces

    async def test_stopped_in_full_flood_it_waits_for_the_answers(self) -> None:
        async with Stage(a_link("http-kannel"), replies=False) as stage:
            running = spawn(stage.plays(1_000_000), name="pocket")
            await stage.intake.until(lambda: len(stage.intake.deliveries) > 200)

            running.cancel()
            counted = await running

        assert counted.unanswered == 0
        assert counted.sent == counted.acknowledged == len(stage.intake.deliveries)

    async def test_a_door_that_is_not_there_yet_is_waited_for(self) -> None:
        port = free_port()
        link = a_link("http-query")
        told: list[str] = []
        options = PocketOptions(protocol="http", count=3, linger_s=0, quirks=Quirks(retry_s=0.05))
        mapping = mapping_of(HttpAdapter(link, an_operator()))
        door = Door(f"http://127.0.0.1:{port}", f"/links/{link.name}")
        running = spawn(run_aggregator(mapping, door, options, told.append), name="pocket")
        while not any("no connection to the link" in line for line in told):
            await asyncio.sleep(0.01)
        stage = Stage(link)
        stage._door = HttpDoor(DoorTerms(port=port))
        async with stage:
            counted = await running

        assert (counted.acknowledged, counted.sent, counted.unanswered) == (3, 3, 0)
        assert sum("no connection to the link: Connection refused; it is tried" in line for line in told) == 1


class WrongCredentials(AsyncioTestCase):
    timeout = 30

    async def test_an_operator_with_another_key_is_refused_and_told_why(self) -> None:
        link = a_link("http-json")
        auth = {**link.options["auth"], "secret": "another key"}  # type: ignore[dict-item]
        async with Stage(link, operators=a_link("http-json", {"auth": auth})) as stage:
            counted = await stage.plays(2)

        assert (counted.acknowledged, counted.refused) == (0, 2)
        assert not stage.intake.deliveries
        assert "2 × HTTP 401, not authorised; look at what the link asks for" in stage.told[-1]

    async def test_a_link_with_another_password_is_refused_and_the_run_says_so(self) -> None:
        for example, said in (
            ("http-kannel", "submit.parameters.password: this is not the link's {password}"),
            ("http-json", "submit.auth: this is not the link's password"),
        ):
            link = a_link(example)
            async with Stage(link, operators=replace(link, password="another")) as stage:
                counted = await stage.plays(1)

                assert (counted.acknowledged, counted.submitted, counted.accepted) == (1, 1, 0)
                assert f"refused of the link's requests: 1 × {said}" in stage.told
                assert "another" not in " ".join(stage.told)
                assert stage.answers[0].outcome is not SubmitOutcome.ACCEPTED

    async def test_nobody_else_talks_the_listener_into_anything(self) -> None:
        async with Stage(a_link("http-json")) as stage:
            running = spawn(stage.plays(0), name="pocket")
            while not stage.told:
                await asyncio.sleep(0.01)
            host, port = stage.listen.split(":")
            said = []
            for octets in (
                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
                b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n{}",
                b"\x00\xff nonsense\r\n\r\n",
            ):
                reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(octets)
                said.append((await reader.readline()).split(b" ")[1])
                writer.close()
            running.cancel()
            counted = await running

        assert said == [b"404", b"401", b"413", b"400"]
        assert (counted.accepted, counted.receipts) == (0, 0)
