"""USSD gateways over HTTP, on real sockets: every shape through the door, and who is not let in."""

import asyncio
from dataclasses import replace

from structlog.testing import capture_logs

from core.ussd.session import Ways
from core.ussd.turn import Reply, Turn, TurnKind
from smsc_link.protocols.http import dialogue
from smsc_link.protocols.http.signing import GUESS_MS, GUESSES_MAX
from smsc_link.ussd_shapes import SHAPES
from smsc_link.ussd_shapes.contract import HttpRequest, ShapeOptions
from tests.case import AsyncioTestCase
from tests.smsc_link.protocols.http.aggregator import Rig
from tests.smsc_link.ussd_shapes.makers import CODE, a_request
from traffic.ports import ShowScreen

SECRET = "of-the-gateway-1"
ASK, END = Reply("1 Balance\n0 Quit", end=False, screen="home"), Reply("Goodbye.", end=True, screen="bye")


class Station:
    """Shows what it is told, at once or when the test says so; None: nothing."""

    def __init__(self, *replies: Reply | None, waits: bool = False) -> None:
        self.replies = list(replies)
        self.turns: list[Turn] = []
        self.ways: list[Ways] = []
        self.waiting: list[ShowScreen] = []
        self.came = asyncio.Event()
        self._waits = waits

    def take(self, turn: Turn, ways: Ways, show: ShowScreen) -> None:
        self.turns.append(turn)
        self.ways.append(ways)
        self.came.set()
        if self._waits:
            self.waiting.append(show)
        else:
            show(self.replies.pop(0) if turn.wants_reply else None)


async def ask(rig: Rig, request: HttpRequest, tail: str = f"ussd/{SECRET}") -> tuple[int, bytes, dict[str, str]]:
    """The request over the wire, as the gateway sends it."""
    headers = {"Content-Type": request.content_type} if request.content_type else {}
    if request.cookie:
        headers["Cookie"] = request.cookie
    url = f"{rig.url}/{tail}" + (f"?{request.query}" if request.query else "")
    data = request.body or None
    async with rig.client.request(request.method, url, data=data, headers=headers) as answer:
        return answer.status, await answer.read(), {name: value for name, value in answer.headers.items()}


def a_rig(station: Station, shape: str = "africastalking", **options: object) -> Rig:
    gateway = {"secret": SECRET, **options}
    return Rig({"ussd_shape": shape, "ussd_gateway": gateway}, turns=station)


def given(shape: str, kind: TurnKind, typed: str = "") -> HttpRequest:
    request = a_request(shape, kind, typed)
    assert request is not None
    return request


class Door(AsyncioTestCase):
    """One link with a shape."""

    async def test_every_shape_gets_what_it_renders(self) -> None:
        for name, shape in SHAPES.items():
            station = Station(ASK, END)
            async with a_rig(station, name) as rig:
                first = await ask(rig, given(name, TurnKind.BEGIN, CODE))
                last = await ask(rig, given(name, TurnKind.ANSWER, "0"))

            for (status, body, headers), turn, reply in zip((first, last), station.turns, (ASK, END)):
                wanted = shape.render(turn, reply, ShapeOptions())
                assert (status, body) == (wanted.status, wanted.body), name
                assert headers["Content-Type"].startswith(wanted.content_type), name
                assert dict(wanted.headers).items() <= headers.items(), name
            assert [turn.msisdn for turn in station.turns] == ["254711000001"] * 2
            assert station.turns[0].key == station.turns[1].key
            assert station.ways[0] == shape.ways(ShapeOptions())
            assert rig.link.counts.turns == 2

    async def test_the_answer_waits_for_the_screen_and_a_stop_for_the_answer(self) -> None:
        station = Station(waits=True)
        async with a_rig(station) as rig:
            asked = asyncio.ensure_future(ask(rig, given("africastalking", TurnKind.BEGIN)))
            await station.came.wait()
            stopping = asyncio.ensure_future(rig.link.stop(5))
            await asyncio.sleep(0.05)
            assert not asked.done()
            assert not stopping.done()
            station.waiting[0](END)
            assert (await asked)[:2] == (200, b"END Goodbye.")
            await stopping

    async def test_a_screen_that_never_comes_is_one_that_says_so(self) -> None:
        before, dialogue.ANSWER_S = dialogue.ANSWER_S, 0.1
        try:
            async with a_rig(Station(waits=True)) as rig:
                status, body, _ = await ask(rig, given("africastalking", TurnKind.BEGIN))
        finally:
            dialogue.ANSWER_S = before

        assert (status, body) == (200, b"END This does not work right now. Please try later.")

    async def test_a_notice_is_answered_and_shows_nothing(self) -> None:
        station = Station()
        async with a_rig(station) as rig:
            assert (await ask(rig, given("africastalking", TurnKind.ABORT)))[:2] == (200, b"")
        assert [turn.kind for turn in station.turns] == [TurnKind.ABORT]

    async def test_who_does_not_know_the_secret_finds_nothing(self) -> None:
        station = Station(ASK)
        begin = given("africastalking", TurnKind.BEGIN)
        async with a_rig(station) as rig:
            for tail in ("ussd", "ussd/", "ussd/of-the-gateway-2", f"ussd/{SECRET}/1", f"ussd/{SECRET}0", "ussd/é"):
                assert (await ask(rig, begin, tail))[0] == 404, tail
            assert (await ask(rig, begin, "other"))[0] == 404
            assert (await ask(rig, replace(begin, body=b"text=1")))[0] == 400
            assert rig.link.counts.refused >= 6
        assert station.turns == []

    async def test_who_guesses_the_secret_waits_and_is_a_line_of_the_log(self) -> None:
        begin = given("africastalking", TurnKind.BEGIN)
        async with a_rig(Station(ASK)) as rig:
            with capture_logs() as logs:
                said = [(await ask(rig, begin, f"ussd/guess-number-{n}"))[0] for n in range(GUESSES_MAX + 1)]

            assert said == [404] * GUESSES_MAX + [429]
            assert (await ask(rig, begin))[0] == 429, "not even the right one is looked at"
            assert (await rig.mo())[0] == 429
            assert rig.link.counts.refused == GUESSES_MAX + 3
            rig.link._reception._guesses._since_ms -= GUESS_MS
            assert (await ask(rig, begin))[0] == 200
        reasons = [one["reason"] for one in logs if one["event"] == "request refused"]
        assert reasons == ["a caller of USSD who does not know the secret", "a caller who keeps guessing"]
        assert not any("guess-number" in str(one) for one in logs)

    async def test_an_address_that_is_not_allowed_is_refused_before_anything_is_read(self) -> None:
        station = Station(ASK)
        options = {"ussd_shape": "nalo", "allowed": ["192.0.2.0/24"]}
        async with Rig(options, turns=station) as rig:
            assert (await ask(rig, given("nalo", TurnKind.BEGIN), "ussd"))[0] == 403
        assert station.turns == []

    async def test_a_link_without_a_shape_has_no_such_path_and_goes_on_taking_mo(self) -> None:
        async with Rig(turns=Station()) as rig:
            assert (await ask(rig, given("africastalking", TurnKind.BEGIN), "ussd"))[0] == 404
            assert (await rig.mo())[0] == 200

    async def test_a_link_with_a_shape_takes_mo_too(self) -> None:
        async with a_rig(Station()) as rig:
            assert (await rig.mo())[0] == 200
            assert len(rig.intake.deliveries) == 1
            async with rig.client.put(f"{rig.url}/ussd/{SECRET}") as answer:
                assert answer.status == 405
