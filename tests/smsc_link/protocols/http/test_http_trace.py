"""A trace of an HTTP link, over real sockets: both directions, whole messages at their ports; the link goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from core.message import Heard, SubmitOutcome
from smsc_link.tracing import Talks, Trace
from tests.case import AsyncioTestCase
from tests.plumbing.pcap_reader import SYN, Packet, packets, streams
from tests.smsc_link.protocols.http.aggregator import Asked, Rig, an_http_link, sends
from tests.smsc_link.protocols.http.noted import hides
from tests.smsc_link.test_tracing import Ticks

ANNA, TEXT, ANSWER, PASSWORD = "79001112233", "GAME my secret", "Thank you, dear", "pw-of-ours"
JSON: dict[str, Any] = {
    "auth": {"kind": "token", "secret": "key-of-theirs", "header": "X-Key"},
    "mo": {"format": "json", "methods": ["POST"], "id": "id", "taken": {"body": '{"ok": "{id}"}',
           "content_type": "application/json"}},
    "submit": {
        "path": "/v1/messages", "method": "POST", "format": "json",
        "parameters": {"messages.0.to": "{destination}", "messages.0.text": "{text}", "messages.0.id": "{id}"},
        "auth": {"kind": "hmac", "header": "X-Signature", "timestamp": "X-Timestamp"},
        "answer": {"word": "status", "accepted_words": ["QUEUED"], "id": "id"},
    },
    "receipt": {"format": "json", "id": "id", "states": {"DELIVRD": "delivered"}},
}  # fmt: skip
PLAIN: dict[str, Any] = {"reply": "answer", "hold_s": 0.5}


def a_trace(**options: Any) -> tuple[Trace, bytearray]:
    file = bytearray()
    return Trace(None, file.extend, Ticks(), **options), file


def messages(file: bytes | bytearray) -> list[Packet]:
    return [packet for packet in packets(bytes(file)) if packet.payload]


async def traced(
    options: dict[str, Any],
    story: Callable[[Rig, Trace], Awaitable[None]],
    *,
    says: Heard | None = Heard.TAKEN,
    **more: Any,
) -> tuple[Trace, bytes, tuple[int, int]]:
    """A story with a link that is traced from its beginning; its file, the ports of the operator and of the door."""
    trace, file = a_trace(**more)
    async with Rig(options, password=PASSWORD, says=says) as rig:
        rig.link.note_in(Talks(trace))
        await story(rig, trace)
        ports = rig.link.link.port, rig.door.port
    found = packets(bytes(file))
    for ends in {frozenset((one.source, one.target)) for one in found}:
        streams([one for one in found if {one.source, one.target} == ends])
    return trace, bytes(file), ports


async def by_json(rig: Rig, trace: Trace) -> None:
    """An MO that is taken, one of a stranger, an MT, its receipt."""
    rig.aggregator.answers = lambda asked: web.json_response({"status": "QUEUED", "id": "b7", "note": asked.json})
    mo = {"from": ANNA, "to": "4446", "text": TEXT, "id": "op-1"}
    for key, status in (("key-of-theirs", 200), ("wrong-key", 401)):
        async with rig.client.post(rig.url, json=mo, headers={"X-Key": key}) as answer:
            assert answer.status == status
    [answered] = await sends(rig, ANSWER, destination=ANNA)
    assert answered.outcome is SubmitOutcome.ACCEPTED
    given = {"id": "b7", "status": "DELIVRD"}
    async with rig.client.post(f"{rig.url}/receipt", json=given, headers={"X-Key": "key-of-theirs"}) as answer:
        assert answer.status == 200


async def by_query(rig: Rig, trace: Trace) -> None:
    """An MO, an MT, a receipt, a request that cannot be read."""
    assert (await rig.mo(TEXT))[0] == 200
    await sends(rig, ANSWER * 20, destination=ANNA)
    assert (await rig.receipt("m1", number=ANNA))[0] == 200
    assert (await rig.mo(TEXT, to=""))[0] == 400


class Traces(AsyncioTestCase):
    timeout = 30

    async def test_both_directions_are_there_at_their_ports_and_hold_no_text_number_or_secret(self) -> None:
        trace, file, (port, door) = await traced(JSON, by_json)

        found = messages(file)
        assert (trace.frames, trace.left_out, trace.error) == (8, 0, "")
        assert hides(
            b"\n".join(one.payload for one in found), TEXT, ANSWER, ANNA, PASSWORD, "key-of-theirs", "wrong-key"
        )
        operator = ("127.0.0.1", port)
        firsts = [one.payload.partition(b"\r\n")[0].decode() for one in found]
        assert firsts == [
            "POST /links/alpha-1 HTTP/1.1", "HTTP/1.1 200 OK", "POST /links/alpha-1 HTTP/1.1",
            "HTTP/1.1 401 Unauthorized", "POST /v1/messages HTTP/1.1", "HTTP/1.1 200 OK",
            "POST /links/alpha-1/receipt HTTP/1.1", "HTTP/1.1 200 OK",
        ]  # fmt: skip
        assert (found[4].target, found[5].source) == (operator, operator)
        assert {found[place].target for place in (0, 2, 6)} == {("127.0.0.1", door)}
        assert len({found[place].source for place in (0, 2, 6)}) == 1, "one connection that was kept"

    async def test_what_the_mapping_names_stays_and_so_does_the_length(self) -> None:
        sent: list[Asked] = []

        async def story(rig: Rig, trace: Trace) -> None:
            await by_json(rig, trace)
            sent.extend(rig.aggregator.asked)

        _, file, _ = await traced(JSON, story)

        asked, taken, *_ = [one.payload for one in messages(file)]
        mt, answer = [one.payload for one in messages(file)][4:6]
        assert asked.endswith(
            b'{"from": "7900*****33", "to": "4446", "text": "%s", "id": "op-1"}' % (b"*" * len(TEXT))
        )  # fmt: skip
        assert b"\r\nX-Key: *************\r\n" in asked
        assert taken.endswith(b'{"ok": "op-1"}')
        assert len(mt.partition(b"\r\n\r\n")[2]) == len(sent[0].body)
        assert f"\r\nX-Timestamp: {sent[0].headers['X-Timestamp']}\r\n".encode() in mt
        assert sent[0].headers["X-Signature"].encode() not in mt
        assert b'"status": "QUEUED", "id": "b7", "****": {"********":' in answer

    async def test_by_query_with_texts_all_is_there_but_secrets(self) -> None:
        trace, file, _ = await traced({}, by_query, texts=True)

        said = b"\n".join(one.payload for one in messages(file))
        assert trace.frames == 8
        assert b"text=GAME+my+secret" in said
        assert f"from={ANNA}".encode() in said
        assert b"text=Thank%20you%2C%20dear" in said
        assert b"HTTP/1.1 400 Bad Request" in said

    async def test_a_reply_in_the_answer_is_hidden_and_the_times_are_those_of_the_messages(self) -> None:
        async def story(rig: Rig, trace: Trace) -> None:
            asking = asyncio.ensure_future(rig.mo(TEXT))
            await rig.intake.until(lambda: bool(rig.intake.deliveries))
            assert trace.frames == 1, "the request is there before it is answered"
            assert await asking == (200, "OK")

        _, file, _ = await traced(PLAIN, story)

        asked, answer = messages(file)
        assert asked.time_us < answer.time_us
        assert answer.payload.endswith(b"\r\nContent-Length: 2\r\n\r\nOK")

    async def test_refusals_of_the_door_are_there_too(self) -> None:
        async def story(rig: Rig, trace: Trace) -> None:
            async with rig.client.put(rig.url) as answer:
                assert answer.status == 405
            async with rig.client.post(rig.url, data=b"x", headers={"Content-Encoding": "gzip"}) as answer:
                assert answer.status == 415
            async with rig.client.get(rig.url + "/somewhere/secret") as answer:
                assert answer.status == 404

        _, file, _ = await traced({"mo": {"methods": ["GET", "POST"]}}, story)

        statuses = [one.payload.split()[1] for one in messages(file)][1::2]
        assert statuses == [b"405", b"415", b"404"]
        assert b"/links/alpha-1/*********/****** HTTP" in messages(file)[4].payload

    async def test_without_an_answer_the_connection_ends_and_the_next_one_begins(self) -> None:
        async def story(rig: Rig, trace: Trace) -> None:
            async def never(asked: Asked) -> web.StreamResponse:
                await asyncio.sleep(5)
                return web.Response()

            rig.aggregator.answers = never
            [answered] = await sends(rig, ANSWER)
            assert answered.outcome is SubmitOutcome.UNANSWERED
            rig.aggregator.answers = None
            [answered] = await sends(rig, ANSWER)
            assert answered.outcome is SubmitOutcome.ACCEPTED

        _, file, _ = await traced({}, story)

        found = packets(file)
        syns = [one for one in found if one.flags == SYN]
        assert len(syns) == 2
        assert syns[0].sequence != syns[1].sequence
        assert [one.payload[:4] for one in messages(file)] == [b"GET ", b"GET ", b"HTTP"]

    async def test_nobody_there_is_no_message(self) -> None:
        trace, file = a_trace()
        async with Rig() as rig:
            await rig.aggregator.close()
            rig.link.note_in(Talks(trace))
            [answered] = await sends(rig, ANSWER)
            assert answered.outcome is SubmitOutcome.UNSENT
        assert not messages(file)

    async def test_it_begins_and_ends_while_messages_flow_and_follows_a_restart(self) -> None:
        trace, file = a_trace()
        async with Rig() as rig:
            await rig.mo("before")
            rig.link.note_in(Talks(trace))
            await sends(rig, ANSWER)
            await rig.link.stop(1)
            rig.link.start()
            while not rig.link.bound_at:
                await asyncio.sleep(0)
            await sends(rig, ANSWER)
            rig.link.note_in(None)
            await rig.mo("after")
            await sends(rig, ANSWER)
        assert [one.payload[:4] for one in messages(file)] == [b"GET ", b"HTTP", b"GET ", b"HTTP"]

    async def test_a_full_disk_or_a_full_trace_ends_the_trace_and_not_the_link(self) -> None:
        def full(octets: bytes) -> None:
            if len(octets) > 100:
                raise OSError(28, "No space left on device")

        broken, (short, file) = Trace(None, full, Ticks()), a_trace(frames_max=3)
        async with Rig() as rig:
            for trace in (broken, short):
                rig.link.note_in(Talks(trace))
                for _ in range(2):
                    assert (await rig.mo(TEXT))[0] == 200
                    [answered] = await sends(rig, ANSWER)
                    assert answered.outcome is SubmitOutcome.ACCEPTED
        assert (broken.is_over, broken.error) == (True, "No space left on device")
        assert (short.is_over, short.error, len(messages(file))) == (True, "", 3)

    async def test_of_two_links_behind_one_door_one_is_traced(self) -> None:
        trace, file = a_trace()
        async with Rig() as rig:
            other = rig.another(an_http_link(name="alpha-2", port=rig.aggregator.port))
            other.start()
            while not other.bound_at:
                await asyncio.sleep(0)
            other.note_in(Talks(trace))
            await rig.mo(TEXT)
            async with rig.client.get(rig.url.replace("alpha-1", "alpha-2"), params={"from": ANNA, "to": "4446"}):
                pass
            await other.stop(1)
        assert [one.payload.split()[1][:14] for one in messages(file)] == [b"/links/alpha-2", b"200"]
