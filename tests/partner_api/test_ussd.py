"""A partner's end point asked for a screen: over real sockets, signed, and an outcome whatever it does."""

from core.ussd.actions import BUSY, Outcome
from partner_api.dispatch.callback import sign
from partner_api.dispatch.http import HttpCaller
from partner_api.ussd import ask_partner
from plumbing.clock import SystemClock
from tests import partners
from tests.case import AsyncioTestCase
from tests.partners import Behaviour, Partner, a_service, answers

BODY = '{"id":"1","input":"é"}'.encode()
SOUND = answers('{"outcome": "ok", "values": {"owner": "Ann"}}')


async def asked(behaviour: Behaviour, *, private: bool = True, url: str = "") -> tuple[Outcome, Partner]:
    caller = HttpCaller(clock=SystemClock(), timeout_s=1, allow_private_addresses=private)
    async with Partner(behaviour) as partner:
        outcome = await ask_partner(caller)(a_service("http://of.the.service/mo"), url or partner.url, BODY)
        await caller.close()
    return outcome, partner


class Asking(AsyncioTestCase):
    """What comes of a question."""

    async def test_it_is_posted_to_the_url_of_the_screen_and_signed_by_the_secret_of_the_service(self) -> None:
        outcome, partner = await asked(SOUND)

        (heard,) = partner.heard
        given = heard.headers["x-tollbridge-signature"]
        assert outcome == Outcome("ok", {"owner": "Ann"})
        assert (heard.method, heard.target, heard.body) == ("POST", "/mo", BODY)
        assert heard.headers["content-type"] == "application/json"
        assert given == sign(b"s3cret", BODY, 1000 * int(given.partition(",")[0].removeprefix("t=")))

    async def test_a_connection_carries_one_question_after_the_other(self) -> None:
        caller = HttpCaller(clock=SystemClock(), timeout_s=1, allow_private_addresses=True)
        async with Partner(SOUND) as partner:
            for _ in range(5):
                await ask_partner(caller)(a_service(partner.url), partner.url, BODY)
            await caller.close()

        assert (len(partner.heard), partner.connections) == (5, 1)

    async def test_whatever_else_it_does_is_busy_and_says_why(self) -> None:
        for behaviour, why in (
            (answers("no", 500), "the partner answered with status 500; 200 is expected"),
            (answers("no"), "the answer is no JSON in UTF-8"),
            (answers("x" * 20_000), "the answer is longer than 16 KiB"),
            (partners.hangs, "no whole answer in time"),
            (partners.drips, "no whole answer in time"),
            (partners.resets, "the connection broke"),
            (partners.closes, ""),
            (partners.redirects("http://127.0.0.1/"), "the partner answered with status 302; 200 is expected"),
        ):
            outcome, partner = await asked(behaviour)
            assert outcome.name == BUSY, behaviour
            assert why in outcome.why, (behaviour, outcome.why)
            assert outcome.why
            assert len(partner.heard) == 1

    async def test_an_address_that_may_not_be_called_is_not(self) -> None:
        outcome, partner = await asked(SOUND, private=False)

        assert outcome.name == BUSY
        assert partner.heard == []
        assert (await asked(SOUND, url="ftp://partner.example/"))[0].name == BUSY
