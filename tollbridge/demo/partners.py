"""The demo partners' HTTP end points: one server, a path for each service, each with manners of its own.

PartnerSide   opens and closes them; `heard` counts the calls by partner, `forged` those with a wrong signature

balance     the end point of a USSD menu (docs/ussd.md)
games       answers at once
weather     takes two seconds
votes       takes the message (202) and replies later through POST /v1/messages/{id}/reply
horoscope   answers HTTP 500 for a while, then is well again
dating      hangs at times, and refuses strangers for good

Rule: every call's signature is checked, as a partner should.
"""

import asyncio
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from plumbing.loop import spawn
from tollbridge.demo.cast import PARTNERS, USSD_PARTNER, USSD_PATH

Service = Callable[[dict[str, str]], Awaitable[web.Response]]

SLOW_S = 2.0
ILL_EVERY_S, ILL_FROM_S, ILL_UNTIL_S = 60.0, 15.0, 30.0
"""The flaky one: of each minute the second quarter is bad."""
HANGS = 0.06
"""Share of calls that never get an answer."""

_FATES = (
    "Звёзды говорят: сегодня удачный день, чтобы начать новое дело, позвонить старому другу и не спорить с котом. "
    "Счастливое число 7, счастливый цвет зелёный, осторожнее с обещаниями после полудня.",
    "Stars say: a letter, a journey, and somebody who owes you money remembers it.",
)


class PartnerSide:
    """All partners' end points."""

    def __init__(self, random: Random) -> None:
        self.api = ""
        """Where Tollbridge's own API is, for replies that come later."""
        self.heard: Counter[str] = Counter()
        self.forged = 0
        self._random = random
        self._session: ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._votes: Counter[str] = Counter()
        self._over = asyncio.Event()
        self._began_s = 0.0
        serves: dict[str, Service] = {
            "games": self._games,
            "weather": self._weather,
            "votes": self._take_vote,
            "horoscope": self._horoscope,
            "dating": self._dating,
        }
        self._served = {partner.service: (partner, serves[partner.service]) for partner in PARTNERS}
        self._served[USSD_PATH] = USSD_PARTNER, self._balance
        """By path: whose it is, and what answers."""

    async def open(self, port: int) -> None:
        """Listen on 127.0.0.1. Raises OSError."""
        app = web.Application()
        app.router.add_route("*", "/{service}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self._began_s = asyncio.get_running_loop().time()
        self._session = ClientSession(timeout=ClientTimeout(total=5))

    async def close(self) -> None:
        """Listen no more; what hangs is let go."""
        self._over.set()
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        if (found := self._served.get(request.match_info["service"])) is None:
            return web.Response(status=404)
        partner, serve = found
        self.heard[partner.login] += 1
        body = await request.read()
        signed = request.rel_url.raw_query_string.encode() if request.method == "GET" else body
        if not is_signed(partner.secret, signed, request.headers.get("X-Tollbridge-Signature", "")):
            self.forged += 1
            return web.Response(status=403, text="the signature is wrong")
        return await serve(await _fields(request))

    async def _balance(self, asked: dict[str, str]) -> web.Response:
        # The same subscriber has the same balance.
        cents = int(asked["msisdn"]) * 7 % 90_000
        values = {"balance": f"{cents // 100}.{cents % 100:02d} RUB", "games": cents % 9}
        return web.json_response({"outcome": "ok", "values": values})

    async def _games(self, mo: dict[str, str]) -> web.Response:
        return web.Response(
            text=f"You rolled {self._random.randrange(1, 7)}. Level {mo['body'] or 1}! Again: GAME to 4446"
        )

    async def _weather(self, mo: dict[str, str]) -> web.Response:
        await asyncio.sleep(SLOW_S)
        degrees = self._random.randrange(-12, 4)
        return web.Response(text=f"{mo['body'] or 'Moscow'}: {degrees}°C, snow later. Tomorrow {degrees + 2}°C.")

    async def _horoscope(self, mo: dict[str, str]) -> web.Response:
        minute_s = (asyncio.get_running_loop().time() - self._began_s) % ILL_EVERY_S
        if ILL_FROM_S <= minute_s < ILL_UNTIL_S:
            return web.Response(status=500, text="the stars are in maintenance")
        return web.json_response({"reply": self._random.choice(_FATES)})

    async def _dating(self, mo: dict[str, str]) -> web.Response:
        if mo["body"].startswith("stranger"):
            return web.Response(status=403, text="no member")
        if self._random.random() < HANGS:
            await self._over.wait()
        return web.Response(text="Alex (27, likes cats): hi! Write CHAT and your words to 4446.")

    async def _take_vote(self, mo: dict[str, str]) -> web.Response:
        self._votes[mo["body"] or mo["text"]] += 1
        spawn(self._reply_later(mo), name="demo vote")
        return web.Response(status=202)

    async def _reply_later(self, mo: dict[str, str]) -> None:
        await asyncio.sleep(self._random.uniform(0.3, 1.5))
        key = next(one.key for one in PARTNERS if one.service == "votes")
        text = f"Your vote counts: {self._votes[mo['body'] or mo['text']]} for it so far."
        if self._session is None or self._session.closed:
            return
        try:
            async with self._session.post(
                f"{self.api}/v1/messages/{mo['id']}/reply",
                json={"text": text},
                headers={"Authorization": f"Bearer {key}", "Idempotency-Key": f"vote-{mo['id']}"},
            ) as answer:
                await answer.read()
        except (ClientError, OSError, TimeoutError):
            return  # The service is being stopped; a partner would try again.


async def _fields(request: web.Request) -> dict[str, str]:
    if request.method == "GET":
        return dict(request.query)
    if request.content_type == "application/json":
        found: dict[str, str] = await request.json()
        return found
    return {name: str(value) for name, value in (await request.post()).items()}


def is_signed(secret: str, content: bytes, header: str) -> bool:
    """`t=UNIX,v1=HEX` (interfaces.md, section 4)."""
    stamp, _, mark = header.partition(",v1=")
    seconds = stamp.removeprefix("t=")
    wanted = hmac.digest(secret.encode(), f"{seconds}.".encode() + content, "sha256").hex()
    return hmac.compare_digest(wanted, mark)
