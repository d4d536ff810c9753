"""USSD end to end: the real service as a process, gateways over SMPP and HTTP, a partner's end point, real sockets."""

import asyncio
import json
import re
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from core.ussd.record import read_session
from core.ussd.session import State
from partner_api.dispatch.callback import sign
from store.database import connect
from store.schema import Mo, UssdSession
from tests.partners import Partner, answers
from tests.ports import free_port
from tests.tollbridge.shell import begin, within, write_config
from tests.tollbridge.test_cli_run import PROVISIONING, a_database, running

SECRET = "a-secret-of-the-gateway"
LINKS = """
  [link.options]
  ussd = true
[[link]]
name = "aggregator"
operator = "alpha"
protocol = "http"
host = "127.0.0.1"
port = 1
  [link.options]
  ussd_shape = "africastalking"
  ussd_gateway = {{ secret = "{secret}" }}
"""
USSD = """
[[ussd]]
name = "balance"
partner = "acme"
service = "game"
menu = "balance.toml"
"""
MENU = """
[menu]
code = ["*384*1#"]
start = "home"
languages = ["en"]

[screen.home]
say = "home"
choice = { 1 = "balance", 0 = "end:bye" }

[screen.balance]
do = "call"
url = "URL"
values = { balance = 24 }
on.ok = "end:balance"
on.busy = "end:later"

[text.en]
home = "1 Balance\\n0 Quit"
balance = "Balance: {balance}"
bye = "Goodbye."
"""
ANSWER = '{"outcome": "ok", "values": {"balance": "12.50 RUB"}}'
Story = Callable[["Place", aiohttp.ClientSession], Awaitable[None]]


class Place:
    """The service with a link of each kind, and its partner."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.smsc = free_port()
        self.listens = free_port()
        self.api = write_config(folder, f'[links]\nhttp_listen = "127.0.0.1:{self.listens}"\n')
        self.url = f"http://127.0.0.1:{self.listens}/links/aggregator/ussd"
        a_database(folder)

    async def play(self, story: Story, partner: Partner) -> None:
        """The story, while the service runs; it ends well."""
        async with partner, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as client:
            self._load(partner)
            with running(self.folder, self.api) as process:
                await story(self, client)
                process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(process.wait, 40) == 0
        assert within("check", cwd=self.folder).returncode == 0

    def _load(self, partner: Partner) -> None:
        text = PROVISIONING.format(smsc=self.smsc, url=partner.url)
        text = text.replace('password = "secret"\n', 'password = "secret"\n' + LINKS.format(secret=SECRET)) + USSD
        (self.folder / "all.toml").write_text(text)
        (self.folder / "balance.toml").write_text(MENU.replace("URL", partner.url))
        loaded = within("load", "all.toml", "--config", "tollbridge.toml", cwd=self.folder)
        assert loaded.returncode == 0, loaded.stderr

    async def at(self, client: aiohttp.ClientSession, text: str, *, session: str = "ATUid_1", **more: str) -> str:
        """What a gateway of Africa's Talking is answered."""
        form = {"sessionId": session, "serviceCode": "*384*1#", "phoneNumber": "+79001112233", "text": text, **more}
        async with client.post(f"{self.url}/{SECRET}", data=form) as answer:
            assert answer.status == 200
            return await answer.text()

    def states(self) -> list[State]:
        """Of all sessions."""
        database = connect(f"sqlite:///{self.folder}/var/tollbridge.db")
        try:
            with database.read() as connection:
                assert connection.execute(sa.select(sa.func.count()).select_from(Mo)).scalar_one() == 0
                bodies = connection.execute(sa.select(UssdSession.body)).scalars().all()
        finally:
            database.close()
        return [one.state for one in map(read_session, bodies) if one is not None]


def test_a_gateway_over_http_gets_each_screen_in_the_answer_to_its_request(tmp_path: Path) -> None:
    partner = Partner(answers(ANSWER, content_type="application/json"))

    async def story(place: Place, client: aiohttp.ClientSession) -> None:
        assert await place.at(client, "") == "CON 1 Balance\n0 Quit"
        assert await place.at(client, "7") == "CON This cannot be right.\n1 Balance\n0 Quit"
        assert await place.at(client, "7*1") == "END Balance: 12.50 RUB"
        # The gateway did not hear us, and asks again.
        assert await place.at(client, "7*1") == "END Balance: 12.50 RUB"
        assert await place.at(client, "", session="ATUid_2") == "CON 1 Balance\n0 Quit"
        assert await place.at(client, "", session="ATUid_2", status="Incomplete") == "CON 1 Balance\n0 Quit"
        async with client.post(f"{place.url}/another-secret", data={"sessionId": "3"}) as answer:
            assert answer.status == 404
        async with client.post(f"{place.url}/{SECRET}", data={"text": "1"}) as answer:
            assert answer.status == 400
        async with client.get(f"http://127.0.0.1:{place.api}/metrics") as answer:
            figures = await answer.text()
        assert "tollbridge_ussd_turns_total 6.0" in figures
        assert 'tollbridge_link_turns_total{link="aggregator"} 6.0' in figures
        assert "tollbridge_ussd_open 1.0" in figures
        assert re.search(r"tollbridge_ussd_screen_p99_seconds 0\.\d+", figures)

    place = Place(tmp_path)
    asyncio.run(place.play(story, partner))

    (heard,) = partner.heard
    asked = json.loads(heard.body)
    assert (asked["screen"], asked["msisdn"], asked["code"]) == ("balance", "79001112233", "*384*1#")
    given = heard.headers["x-tollbridge-signature"]
    at_ms = 1000 * int(given.partition(",")[0].removeprefix("t="))
    assert given == sign(b"s3cret of the game", heard.body, at_ms)
    assert sorted(state.value for state in place.states()) == ["asking", "ended"]
    assert SECRET.encode() not in (tmp_path / "var/tollbridge.db").read_bytes()


def test_two_hundred_phones_at_once_over_smpp_and_a_partner(tmp_path: Path) -> None:
    said: list[str] = []

    async def story(place: Place, client: aiohttp.ClientSession) -> None:
        process = begin(
            "sim", "smpp", "--listen", f"127.0.0.1:{place.smsc}", "--ussd", "*384*1#", "--ussd-answers", "1",
            "--count", "200", cwd=place.folder,
        )  # fmt: skip
        assert await asyncio.to_thread(process.wait, 60) == 0
        said.extend((place.folder / "run.log").read_text().splitlines())

    place = Place(tmp_path)
    partner = Partner(answers(ANSWER, content_type="application/json"))
    asyncio.run(place.play(story, partner))

    (line,) = [line for line in said if line.startswith("USSD:")]
    assert line.startswith("USSD: 200 dialled *384*1#, 200 ended, 400 screens; ms: ")
    assert len(partner.heard) == 200
    assert place.states() == [State.ENDED] * 200
    print(line)
