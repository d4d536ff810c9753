"""Callbacks over HTTP as they go over the wire."""

import asyncio
import hashlib
import hmac
import json
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from core.message import Callback, Outcome
from partner_api.dispatch.callback import key_id, parameters
from partner_api.dispatch.connections import _Connection
from partner_api.dispatch.http import HttpCaller
from partner_api.dispatch.responses import BadResponse
from plumbing.clock import SystemClock
from tests import partners
from tests.case import AsyncioTestCase
from tests.partners import Heard, Partner, a_callback, answers


def is_signed(heard: Heard, secret: str) -> bool:
    """Whether the signature holds, computed from what arrived, as a partner would do it."""
    stamp, _, signature = heard.headers["x-tollbridge-signature"].partition(",v1=")
    content = f"{stamp.removeprefix('t=')}.".encode() + heard.signed
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest() == signature


class Calling(AsyncioTestCase):
    """One caller, real sockets."""

    async def setUp(self) -> None:
        self.caller = HttpCaller(clock=SystemClock(), timeout_s=2, allow_private_addresses=True)

    async def tearDown(self) -> None:
        await self.caller.close()

    async def test_a_get_carries_the_parameters_in_its_query_and_is_signed_over_it(self) -> None:
        texts = ["GAME 7", "ИГРА & 50% ~'()*!", "+", "%7E", "ünï\u0301", "a=b&c=d#e", "😀" * 70]
        for text in texts:
            async with Partner(answers("ok")) as partner:
                callback = a_callback(f"{partner.url}?key=%7Eabc&x=1", text=text)
                await self.caller.get(callback)

            (heard,) = partner.heard
            assert heard.method == "GET", heard
            assert heard.query.startswith("key=%7Eabc&x=1&id="), heard.query
            said = dict(parse_qsl(heard.query, keep_blank_values=True))
            assert said == {"key": "~abc", "x": "1", **parameters(callback)}, text
            assert is_signed(heard, "s3cret"), text
            assert not is_signed(heard, "another"), text

    async def test_a_service_that_is_to_answer_later_and_answers_at_once_is_sent_and_told_in_the_attempt(self) -> None:
        told = []
        for mode, body in (("async", "OK"), ("async", ""), ("sync", "OK")):
            async with Partner(answers(body)) as partner:
                callback = a_callback(partner.url)
                service = partners.a_service(partner.url, mode=mode)
                answer = await self.caller.get(replace(callback, service=service))
            told.append((answer.outcome, answer.reply, answer.error.partition(",")[0]))

        assert told == [
            (Outcome.ANSWERED, "OK", "the service is async"), (Outcome.ANSWERED, "", ""), (Outcome.ANSWERED, "OK", ""),
        ]  # fmt: skip

    async def test_a_post_carries_a_form_and_is_signed_over_it(self) -> None:
        async with Partner(answers("ok")) as partner:
            callback = a_callback(f"{partner.url}?key=1", text="ИГРА 7")
            await self.caller.post(callback)

        (heard,) = partner.heard
        assert (heard.method, heard.target) == ("POST", "/mo?key=1")
        assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
        assert dict(parse_qsl(heard.body.decode(), keep_blank_values=True)) == parameters(callback)
        assert is_signed(heard, "s3cret")

    async def test_a_json_post_carries_strings_and_is_signed_over_them(self) -> None:
        async with Partner(answers("ok")) as partner:
            callback = a_callback(partner.url, text="ИГРА 7")
            answer = await self.caller.post_json(callback)

        (heard,) = partner.heard
        assert answer.key_id == key_id(b"s3cret")
        assert heard.headers["content-type"] == "application/json"
        assert json.loads(heard.body) == parameters(callback)
        assert "ИГРА".encode() in heard.body
        assert is_signed(heard, "s3cret")

    async def test_without_a_secret_there_is_no_signature(self) -> None:
        async with Partner(answers("ok")) as partner:
            answer = await self.caller.get(a_callback(partner.url, secret=""))

        assert answer.key_id == ""
        assert "x-tollbridge-signature" not in partner.heard[0].headers

    async def test_what_we_say_of_ourselves_is_little(self) -> None:
        async with Partner(answers("ok")) as partner:
            await self.caller.get(a_callback(partner.url))

        names = set(partner.heard[0].headers)
        assert names == {"host", "user-agent", "accept", "accept-encoding", "x-tollbridge-signature"}
        assert partner.heard[0].headers["accept-encoding"] == "identity"

    async def test_a_user_and_password_in_the_url_are_sent_and_not_told(self) -> None:
        async with Partner(answers("ok")) as partner:
            url = partner.url.replace("//", "//acme:pass@")
            answer = await self.caller.get(a_callback(url))

        assert partner.heard[0].headers["authorization"] == "Basic YWNtZTpwYXNz"
        assert answer.url == partner.url

    async def test_connections_are_kept_alive(self) -> None:
        async with Partner(answers("ok")) as partner:
            for _ in range(20):
                await self.caller.get(a_callback(partner.url))

        assert (partner.connections, len(partner.heard)) == (1, 20)

    async def test_the_time_limit_holds_on_connections_that_were_kept(self) -> None:
        caller = HttpCaller(clock=SystemClock(), timeout_s=0.2, allow_private_addresses=True)
        async with Partner(partners.in_turn(*[answers("ok")] * 10, partners.hangs)) as partner:
            for _ in range(2):
                await asyncio.gather(*(caller.get(a_callback(partner.url)) for _ in range(5)))
            said = []
            for _ in range(3):
                said += await asyncio.gather(*(caller.get(a_callback(partner.url)) for _ in range(5)))
        await caller.close()

        assert {one.error for one in said} == {"no whole answer within 0.2 s"}
        assert all(150 <= one.latency_ms < 5000 for one in said), said
        assert partner.connections == 15, "five were kept, and after each time-out five are new"

    async def test_a_caller_that_is_cancelled_leaves_nothing_behind(self) -> None:
        async with Partner(partners.in_turn(answers("ok"), partners.hangs, answers("later"))) as partner:
            await self.caller.get(a_callback(partner.url))
            hanging = asyncio.ensure_future(self.caller.get(a_callback(partner.url)))
            while len(partner.heard) < 2:
                await asyncio.sleep(0)
            hanging.cancel()
            await asyncio.gather(hanging, return_exceptions=True)
            answer = await self.caller.get(a_callback(partner.url))

        assert (hanging.cancelled(), answer.reply, partner.connections) == (True, "later", 2)

    async def test_a_connection_is_not_used_again_after_a_broken_answer(self) -> None:
        late = partners.says(partners.response(200, b"ok") + partners.response(200, b"smuggled"))
        async with Partner(late) as partner:
            first = await self.caller.get(a_callback(partner.url))
            second = await self.caller.get(a_callback(partner.url))

        assert "smuggled" not in {first.reply, second.reply}

    async def test_other_sound_framings_are_read(self) -> None:
        for behaviour in (partners.in_chunks(b"Hel", b"lo"), partners.until_close(b"Hello")):
            async with Partner(behaviour) as partner:
                answer = await self.caller.post(a_callback(partner.url))

            assert (answer.outcome, answer.reply) == (Outcome.ANSWERED, "Hello"), answer

    async def test_a_partner_that_recovers_is_answered_by_the_next_attempt(self) -> None:
        broken = answers("down", 503, "text/plain", "Retry-After: 7")
        async with Partner(partners.in_turn(broken, partners.resets, answers("up"))) as partner:
            said = [await self.caller.get(a_callback(partner.url, attempt=n)) for n in (1, 2, 3)]

        assert [one.outcome for one in said] == [Outcome.AGAIN, Outcome.AGAIN, Outcome.ANSWERED]
        assert [one.status for one in said] == [503, 0, 200]
        assert (said[0].retry_after_s, said[0].excerpt, said[2].reply) == (7, "down", "up")

    async def test_cookies_are_forgotten(self) -> None:
        async with Partner(answers("ok", 200, "text/plain", "Set-Cookie: a=b")) as partner:
            await self.caller.get(a_callback(partner.url))
            await self.caller.get(a_callback(partner.url))

        assert "cookie" not in partner.heard[1].headers

    async def test_a_slow_partner_delays_only_itself(self) -> None:
        async with Partner(partners.hangs) as slow, Partner(answers("ok")) as quick:
            hanging = [asyncio.ensure_future(self.caller.get(a_callback(slow.url))) for _ in range(50)]
            said = [await self.caller.get(a_callback(quick.url)) for _ in range(50)]
            for task in hanging:
                task.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)

        assert {one.reply for one in said} == {"ok"}
        assert max(one.latency_ms for one in said) < 1900

    async def test_a_partner_that_speaks_or_hangs_up_before_it_is_asked_holds_up_nobody(self) -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 this is no HTTP\r\n")
            writer.transport.abort()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        said = [await self.caller.get(a_callback(url)) for _ in range(50)]
        server.close()

        assert {one.outcome for one in said} == {Outcome.AGAIN}
        assert max(one.latency_ms for one in said) < 1900

    async def test_a_connection_that_ended_before_the_request_is_told_at_once(self) -> None:
        connection = _Connection()
        connection.connection_made(asyncio.Transport())
        connection.connection_lost(None)

        with pytest.raises(BadResponse, match="closed before the request"):
            await asyncio.wait_for(connection.ask(b"GET / HTTP/1.1\r\n\r\n", asyncio.get_running_loop()), 1)

    async def test_nobody_listens(self) -> None:
        async with Partner(answers("ok")) as partner:
            url = partner.url
        answer = await self.caller.get(a_callback(url))

        assert (answer.outcome, answer.status, answer.url) == (Outcome.AGAIN, 0, url)
        assert answer.error.startswith("no connection: ")

    async def test_a_mistake_of_our_own_is_an_answer_too(self) -> None:
        callback: Callback = a_callback("http://127.0.0.1:1/")
        callback.service = None  # type: ignore[assignment]

        answer = await self.caller.get(callback)

        assert answer.outcome is Outcome.AGAIN
        assert answer.error.startswith("we failed to make the call")

    async def test_the_connection_goes_to_the_address_that_was_checked(self) -> None:
        async with Partner(answers("inside")) as inside:
            rebinding = iter([["127.0.0.1"], ["93.184.216.34"]])
            caller = HttpCaller(clock=SystemClock(), timeout_s=1, look_up=lambda name: next(rebinding))
            answer = await caller.get(a_callback(f"http://partner.example:{inside.port}/"))
            await caller.close()

        assert inside.connections == 0
        assert answer.error == (
            "partner.example leads to the address 127.0.0.1, which is loopback; "
            "callbacks go to public addresses only, or set dispatch.allow_private_addresses = true"
        )

    async def test_a_name_is_called_by_its_name(self) -> None:
        async with Partner(answers("ok")) as partner:
            caller = HttpCaller(
                clock=SystemClock(), timeout_s=1, allow_private_addresses=True, look_up=lambda name: ["127.0.0.1"]
            )
            answer = await caller.get(a_callback(f"http://partner.example:{partner.port}/"))
            await caller.close()

        assert answer.reply == "ok"
        assert partner.heard[0].headers["host"] == f"partner.example:{partner.port}"
