"""A link over HTTP, over real sockets: MO and their answers; its life: a door that is shut, a drain, one direction."""

import asyncio
from random import Random

import aiohttp
from structlog.testing import capture_logs

from core.catalogue import Catalogue
from core.message import Heard, SubmitOutcome
from plumbing.pump import connect
from smsc_link.links import Links
from smsc_link.protocols.http.door import DoorTerms, HttpDoor
from tests.case import AsyncioTestCase
from tests.smsc_link.ends import FakeIntake, an_operator
from tests.smsc_link.protocols.http.aggregator import CLOCK, Rig, an_http_link, sends
from traffic.ports import Delivery

ANNA = "79001112233"


class Mo(AsyncioTestCase):
    timeout = 20

    async def test_an_mo_is_handed_in_and_answered_in_the_operators_words(self) -> None:
        async with Rig() as rig:
            assert await rig.mo("GAME 7 Привет") == (200, "OK")

            [delivery] = rig.intake.deliveries
            assert (delivery.source, delivery.destination, delivery.key) == (ANNA, "4446", "op-1")
            assert delivery.coding.decode(delivery.octets) == "GAME 7 Привет"

    async def test_nothing_is_answered_before_it_is_durable(self) -> None:
        async with Rig(says=None) as rig:
            asking = asyncio.ensure_future(rig.mo())
            await rig.intake.until(lambda: bool(rig.intake.deliveries))
            await asyncio.sleep(0.1)
            assert not asking.done()

            assert rig.intake.deliveries[0].answer(Heard.TAKEN)

            assert await asking == (200, "OK")
            assert not rig.intake.deliveries[0].answer(Heard.TAKEN), "answered twice"

    async def test_what_cannot_be_taken_now_gets_the_temporary_answer(self) -> None:
        async with Rig(says=Heard.LATER) as rig:
            answer = await rig.client.get(rig.url, params={"from": ANNA, "to": "4446", "text": "x"})

            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")

    async def test_a_mistake_of_ours_on_one_of_many_is_that_ones(self) -> None:
        async with Rig() as rig:
            reader = rig.link._adapter.reader
            deliver = rig.intake.deliver

            def stumbles(delivery: Delivery) -> None:
                if delivery.octets == b"GAME 3":
                    raise KeyError("SECRET")
                deliver(delivery)

            rig.intake.deliver = stumbles  # type: ignore[method-assign]
            with capture_logs() as logs:
                answers = [(await rig.mo(f"GAME {number}", id=f"op-{number}"))[0] for number in range(10)]
            read_mo = reader.read_mo
            reader.read_mo = lambda *_: b""[0]  # type: ignore[assignment, method-assign]
            unread = await rig.mo("GAME 11")
            reader.read_mo = read_mo  # type: ignore[method-assign]

            assert answers == [200] * 3 + [503] + [200] * 6
            assert unread[0] == 503
            assert len(rig.intake.deliveries) == 9
            assert (rig.link.state, rig.link.counts.mishaps) == ("bound", 2)
            assert [about for about, _ in rig.intake.alarms] == ["alpha-1", "alpha-1"]
            assert "SECRET" not in str(rig.intake.alarms) + str(logs)

    async def test_a_request_that_cannot_be_read_says_why_and_repeats_nothing_of_it(self) -> None:
        async with Rig() as rig:
            async with rig.client.get(rig.url, params={"from": "", "to": "4446", "text": "my secret"}) as answer:
                said = await answer.text()

            assert answer.status == 400
            assert said == "from is no number of 1 to 20 characters; send one"
            assert not rig.intake.deliveries
            assert rig.link.counts.unreadable == 1

    async def test_an_unknown_link_is_not_found_and_one_that_is_exchanged_is_away(self) -> None:
        async with Rig() as rig:
            async with rig.client.get(rig.url + "x") as answer:
                assert answer.status == 404
            async with rig.client.get(rig.url + "/other") as answer:
                assert answer.status == 404

            await rig.link.stop(1)

            async with rig.client.get(f"http://127.0.0.1:{rig.door.port}/links/alpha-1") as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "5")

    async def test_another_method_is_told_which(self) -> None:
        async with Rig({"mo": {"methods": ["POST"], "format": "form"}}) as rig:
            async with rig.client.put(rig.url) as answer:
                assert answer.status == 405
            async with rig.client.get(rig.url) as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "POST")
            async with rig.client.post(rig.url, data={"from": ANNA, "to": "4446", "text": "GAME & more"}) as answer:
                assert answer.status == 200

            assert rig.intake.deliveries[0].octets == b"GAME & more"

    async def test_a_body_in_json_with_paths_and_a_list(self) -> None:
        mo = {"methods": ["POST"], "format": "json", "each": "results", "id": "id", "source": "user.number"}
        async with Rig({"mo": mo}) as rig:
            entries = [{"id": n, "user": {"number": f"7900111223{n}"}, "to": 4446, "text": f"GAME {n}"} for n in (1, 2)]
            async with rig.client.post(rig.url, json={"results": entries}) as answer:
                assert answer.status == 200

            assert [(one.key, one.source, one.octets) for one in rig.intake.deliveries] == [
                ("1", "79001112231", b"GAME 1"),
                ("2", "79001112232", b"GAME 2"),
            ]

    async def test_of_a_list_the_others_are_handed_in_where_one_meets_a_mistake_of_ours(self) -> None:
        mo = {"methods": ["POST"], "format": "json", "each": "list", "id": "id"}
        async with Rig({"mo": mo}) as rig:
            deliver = rig.intake.deliver

            def stumbles(delivery: Delivery) -> None:
                if delivery.octets == b"GAME 1":
                    raise KeyError
                deliver(delivery)

            rig.intake.deliver = stumbles  # type: ignore[method-assign]
            entries = [{"from": ANNA, "to": "4446", "text": f"GAME {n}", "id": f"op-{n}"} for n in range(3)]
            async with rig.client.post(rig.url, json={"list": entries}) as answer:
                assert answer.status == 503, "all of it comes again, and what was taken is known"

            assert [delivery.octets for delivery in rig.intake.deliveries] == [b"GAME 0", b"GAME 2"]
            assert rig.link.counts.mishaps == 1

    async def test_of_a_list_nothing_is_taken_for_good_while_one_must_wait(self) -> None:
        mo = {"methods": ["POST"], "format": "json", "each": "results", "id": "id"}
        async with Rig({"mo": mo}, says=None) as rig:
            entries = [{"id": n, "from": ANNA, "to": "4446", "text": "x"} for n in (1, 2)]
            asking = asyncio.ensure_future(rig.client.post(rig.url, json={"results": entries}))
            await rig.intake.until(lambda: len(rig.intake.deliveries) == 2)
            rig.intake.deliveries[0].answer(Heard.TAKEN)
            rig.intake.deliveries[1].answer(Heard.LATER)

            assert (await asking).status == 503

    async def test_a_long_body_is_refused(self) -> None:
        async with Rig({"mo": {"format": "form"}}) as rig:
            async with rig.client.post(rig.url, data={"text": "x" * 70_000}) as answer:
                assert answer.status == 413
            async with rig.client.post(rig.url, data=b"x", headers={"Content-Encoding": "gzip"}) as answer:
                assert answer.status == 415

    async def test_more_requests_than_may_wait_are_put_off(self) -> None:
        async with Rig({"window_in": 3, "mo": {}}, says=None) as rig:
            waiting = [asyncio.ensure_future(rig.mo()) for _ in range(3)]
            await rig.intake.until(lambda: len(rig.intake.deliveries) == 3)

            assert (await rig.mo())[0] == 503

            for delivery in rig.intake.deliveries:
                delivery.answer(Heard.TAKEN)
            assert [status for status, _ in await asyncio.gather(*waiting)] == [200] * 3


class Life(AsyncioTestCase):
    timeout = 20

    async def test_a_port_that_is_taken_is_tried_again(self) -> None:
        async with Rig() as first, Rig() as rig:
            taken = HttpDoor(DoorTerms(port=first.door.port))
            await rig.link.stop(1)
            rig.link._door = taken
            rig.link.last_error = ""
            rig.link.start()
            while not rig.link.last_error:
                await asyncio.sleep(0.01)

            assert rig.link.state == "connecting"
            assert "address already in use" in rig.link.last_error

    async def test_a_drain_puts_off_what_comes_and_ends_what_is_under_way(self) -> None:
        async with Rig(says=None) as rig:
            asking = asyncio.ensure_future(rig.mo())
            await rig.intake.until(lambda: bool(rig.intake.deliveries))
            stopping = asyncio.ensure_future(rig.link.stop(10))
            await asyncio.sleep(0)

            assert (await rig.mo(id="op-2"))[0] == 503
            rig.intake.deliveries[0].answer(Heard.TAKEN)

            assert await asking == (200, "OK")
            await stopping
            assert rig.intake.ended == [("alpha-1", True), ("alpha-1", True)]

    async def test_a_link_that_only_takes_and_one_that_only_sends(self) -> None:
        async with Rig(bind="receiver") as rig:
            assert not rig.link.is_open
            assert (await rig.mo())[0] == 200
        async with Rig(bind="transmitter") as rig:
            assert rig.link.is_open
            assert rig.door.port == 0
            assert [one.outcome for one in await sends(rig)] == [SubmitOutcome.ACCEPTED]

    async def test_a_second_stop_ends_at_once_and_the_link_may_begin_again(self) -> None:
        async with Rig(says=None) as rig:
            for _ in range(2):
                asking = asyncio.ensure_future(rig.mo())
                await rig.intake.until(lambda: bool(rig.intake.deliveries))
                first = asyncio.ensure_future(rig.link.stop(60))
                await asyncio.sleep(0.05)
                assert not first.done()

                await rig.link.stop(60)
                await first

                assert rig.intake.ended[-1] == ("alpha-1", False), "somebody was not answered"
                assert rig.intake.deliveries.pop().answer(Heard.TAKEN)
                assert await asking == (200, "OK")
                rig.link.start()
                while not rig.link.bound_at:
                    await asyncio.sleep(0)
            assert len(rig.intake.ended) == 5

    async def test_a_link_that_is_exchanged_under_load_loses_nothing(self) -> None:
        """Its mapping changes five times: callers hear that it is taken, or to come again, and nothing else."""
        intake, door = FakeIntake(), HttpDoor(DoorTerms(port=0))
        links = Links(intake=intake, connect=connect, clock=CLOCK, random=Random(1), door=door)

        def catalogue(number: int) -> Catalogue:
            link = an_http_link({"mo": {"id": "id", "taken": {"body": f"OK {number}"}}, "submit": {}})
            return Catalogue(operators={"alpha": an_operator()}, links={link.name: link})

        links.start(catalogue(0))
        await intake.until(lambda: bool(intake.ended))
        statuses: list[int] = []
        going = True

        async def call(client: aiohttp.ClientSession, who: int) -> None:
            number = 0
            while going:
                number += 1
                params = {"from": ANNA, "to": "4446", "text": "x", "id": f"{who}-{number}"}
                async with client.get(f"http://127.0.0.1:{door.port}/links/alpha-1", params=params) as answer:
                    statuses.append(answer.status)

        async with aiohttp.ClientSession() as client:
            calling = [asyncio.ensure_future(call(client, who)) for who in range(4)]
            for number in range(1, 6):
                await asyncio.sleep(0.05)
                await links.apply(catalogue(number))
            going = False
            await asyncio.gather(*calling)
        await links.stop(1)
        await door.close()

        assert set(statuses) <= {200, 503}
        assert statuses.count(200) == len(intake.deliveries) > 50
        assert {clean for _, clean in intake.ended} == {True}
