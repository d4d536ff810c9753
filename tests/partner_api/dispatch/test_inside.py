"""No callback leads inside, however its url is spelled and whatever its name resolves to."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from core.message import Outcome
from partner_api.dispatch.http import HttpCaller, way_to
from plumbing.clock import SystemClock
from tests.case import AsyncioTestCase
from tests.partners import Partner, a_callback, answers

LOOPBACKS = [
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "017700000001",
    "0177.0.0.1", "127.255.255.254", "0", "0.0.0.0", "localhost", "localhost.", "LOCALHOST", "１２７.0.0.1",
    "127。0。0。1", "①②⑦.0.0.1", "%31%32%37.0.0.1", "acme:pass@127.0.0.1", "[::1]", "[0:0:0:0:0:0:0:1]",
    "[::1%25lo]", "[::]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]",
    "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2001:0:7f00:1::]", "[fe80::7f00:1%25lo]",
]  # fmt: skip


class Guarded(AsyncioTestCase):
    timeout = 60

    async def test_no_spelling_of_loopback_is_called(self) -> None:
        async with Partner(answers("inside")) as inside:
            caller = HttpCaller(clock=SystemClock(), timeout_s=5)
            for host in LOOPBACKS:
                answer = await caller.get(a_callback(f"http://{host}:{inside.port}/mo"))

                assert (answer.outcome, answer.status) == (Outcome.AGAIN, 0), (host, answer)
                assert not answer.error.startswith("we failed"), (host, answer)
            await caller.close()

        assert inside.connections == 0

    async def test_no_answer_of_a_name_server_leads_inside(self) -> None:
        names: dict[str, list[str]] = {}
        inner = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1%lo", "169.254.169.254", "fd00::1"]
        async with Partner(answers("inside")) as inside:
            for address in inner:
                for found in ([address], ["93.184.216.34", address], [address, "93.184.216.34"]):
                    names["partner.example"] = found
                    caller = HttpCaller(clock=SystemClock(), timeout_s=5, look_up=names.__getitem__)
                    answer = await caller.get(a_callback(f"http://partner.example:{inside.port}/"))
                    await caller.close()

                    assert "callbacks go to public addresses only" in answer.error, (found, answer)

        assert inside.connections == 0

    async def test_a_connection_that_is_kept_stays_where_it_was_checked(self) -> None:
        looked_up: list[str] = []

        def look_up(name: str) -> list[str]:
            looked_up.append(name)
            return ["127.0.0.1"]

        async with Partner(answers("ok")) as partner:
            caller = HttpCaller(clock=SystemClock(), timeout_s=5, allow_private_addresses=True, look_up=look_up)
            for _ in range(3):
                await caller.get(a_callback(f"http://partner.example:{partner.port}/"))
                caller._resolver._known.clear()
            await caller.close()

        assert (partner.connections, looked_up) == (1, ["partner.example"])

    async def test_the_redirect_of_a_public_partner_inside_is_not_followed(self) -> None:
        async with Partner(answers("inside")) as inside:
            away = f"Location: http://127.0.0.1:{inside.port}/"
            async with Partner(answers("", 307, "text/plain", away)) as partner:
                caller = HttpCaller(clock=SystemClock(), timeout_s=5, allow_private_addresses=True)
                said = await asyncio.gather(*(getattr(caller, how)(a_callback(partner.url)) for how in METHODS))
                await caller.close()

        assert inside.connections == 0
        assert all("redirects are not followed" in answer.error for answer in said)


METHODS = ("get", "post", "post_json")


@given(
    url=st.text(max_size=60)
    | st.builds("http://{}/{}".format, st.sampled_from(["x.example", "[::1]", "x", "a:b@x"]), st.text(max_size=40))
    | st.builds("https://{}".format, st.text(max_size=40))
)
def test_no_url_puts_anything_of_its_own_into_a_head(url: str) -> None:
    way = way_to(url)

    assert not any(character <= " " or character == "\x7f" for character in way.path + way.target), way
    assert way.target.isascii()
    lines = way.head.split("\r\n")
    assert way.point.problem or len(lines) in (6, 7), way
    assert all(line.isprintable() and line.isascii() for line in lines), way
