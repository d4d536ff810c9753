"""Every dispatch method in METHODS, before its author wrote a test: it keeps the time limit, never raises, never
follows a redirect, and its memory is bounded whatever the partner sends."""

import time
import tracemalloc

from core.message import Answer, Outcome
from partner_api.dispatch import METHODS, Means
from partner_api.dispatch.http import HttpCaller
from plumbing.clock import SystemClock
from tests import partners
from tests.case import AsyncioTestCase
from tests.partners import Behaviour, Partner, a_callback, answers

LIMIT_S = 0.3
MEMORY_MAX = 2 * partners.MiB


async def call(name: str, url: str, *, allow_private: bool = True, text: str = "GAME 7") -> Answer:
    """One call by the method of that name, with a caller of its own."""
    caller = HttpCaller(clock=SystemClock(), timeout_s=LIMIT_S, allow_private_addresses=allow_private)
    try:
        return await METHODS[name](Means(http=caller))(a_callback(url, text=text, body=text))
    finally:
        await caller.close()


async def call_one_that(behaviour: Behaviour, name: str) -> tuple[Answer, Partner]:
    """What a partner that behaves so is understood to say."""
    async with Partner(behaviour) as partner:
        return await call(name, partner.url), partner


class EveryMethod(AsyncioTestCase):
    """The kit."""

    timeout = 60

    async def test_a_sound_partner_is_understood(self) -> None:
        for name in METHODS:
            answer, partner = await call_one_that(answers("Hello"), name)

            assert (answer.outcome, answer.reply, answer.status) == (Outcome.ANSWERED, "Hello", 200), (name, answer)
            assert len(partner.heard) == 1, name
            assert answer.url == partner.url, name

    async def test_a_text_of_any_letters_arrives(self) -> None:
        texts = ["ИГРА привет & ещё=1", "a+b %20 #x?", "emoji 😀\r\nline", "half \ud800 pair", "", "\0", '"\\/']
        for name in METHODS:
            for text in texts:
                async with Partner(answers("ok")) as partner:
                    answer = await call(name, partner.url, text=text)
                assert answer.outcome is Outcome.ANSWERED, (name, text, answer)

    async def test_the_time_limit_holds_whatever_the_partner_does(self) -> None:
        for name in METHODS:
            for behaviour in (partners.hangs, partners.hangs_in_the_body, partners.drips):
                started = time.monotonic()
                answer, _ = await call_one_that(behaviour, name)

                assert time.monotonic() - started < LIMIT_S + 3, (name, behaviour)
                assert answer.outcome is Outcome.AGAIN, (name, behaviour, answer)
                assert answer.error == "no whole answer within 0.3 s", (name, behaviour, answer)
                assert answer.latency_ms >= 250, (name, behaviour, answer)

    async def test_what_is_no_whole_answer_is_tried_again_with_its_reason(self) -> None:
        unsound: list[tuple[Behaviour, str]] = [
            (partners.resets, "the connection broke"),
            (partners.closes, "the connection was closed before the answer"),
            (partners.lies_about_its_length, "the answer broke off"),
            (partners.sends_garbage, "the answer is not HTTP"),
            (partners.sends_huge_headers, "the answer is not HTTP"),
        ]
        for name in METHODS:
            for behaviour, reason in unsound:
                answer, partner = await call_one_that(behaviour, name)

                assert answer.outcome is Outcome.AGAIN, (name, behaviour, answer)
                assert answer.error.startswith(reason), (name, behaviour, answer)
                assert 0 < len(answer.error) <= 200, (name, answer)
                assert len(partner.heard) == 1, f"{name} called twice in one attempt"

    async def test_memory_is_bounded_whatever_the_partner_sends(self) -> None:
        for name in METHODS:
            for has_length in (False, True):
                there: list[Partner] = []
                behaviour = partners.endless(lambda there=there: there[0], content_length=has_length)  # type: ignore[misc]
                async with Partner(behaviour) as partner:
                    there.append(partner)
                    tracemalloc.start()
                    answer = await call(name, partner.url)
                    peak = tracemalloc.get_traced_memory()[1]
                    tracemalloc.stop()

                assert answer.error == "the answer is longer than 64 KiB", (name, answer)
                assert answer.outcome is Outcome.AGAIN, (name, answer)
                assert peak < MEMORY_MAX, (name, peak)

    async def test_an_answer_of_64_kib_is_read_and_one_octet_more_is_not(self) -> None:
        for name in METHODS:
            whole, _ = await call_one_that(answers("x" * 65536), name)
            longer, _ = await call_one_that(answers("x" * 65537), name)

            assert len(whole.reply) == 65536, (name, whole.error)
            assert longer.error == "the answer is longer than 64 KiB", (name, longer.error)

    async def test_a_redirect_is_never_followed(self) -> None:
        for name in METHODS:
            for status in (301, 302, 303, 307, 308):
                async with Partner(answers("inside")) as inside:
                    answer, _ = await call_one_that(partners.redirects(inside.url, status), name)

                assert inside.heard == [], (name, status)
                assert answer.outcome is Outcome.AGAIN, (name, answer)
                assert "redirects are not followed" in answer.error, (name, answer)

    async def test_a_private_address_is_not_called(self) -> None:
        for name in METHODS:
            async with Partner(answers("inside")) as inside:
                for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0"):
                    answer = await call(name, f"http://{host}:{inside.port}/mo", allow_private=False)

                    assert answer.outcome is Outcome.AGAIN, (name, host, answer)
                    assert answer.error, (name, host)
                assert inside.connections == 0, name

    async def test_a_url_that_is_none_is_a_failure_with_a_sentence(self) -> None:
        for name in METHODS:
            for url in ("", "nonsense", "ftp://x/y", "http://", "http://[::1", "http://x:99999/", "file:///etc/passwd"):
                answer = await call(name, url)

                assert answer.outcome is Outcome.AGAIN, (name, url, answer)
                assert "the url of the service" in answer.error, (name, url, answer)
