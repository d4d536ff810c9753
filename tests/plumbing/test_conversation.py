"""Conversations over a network in memory, and addresses as people write them."""

import asyncio

import pytest
from structlog.testing import capture_logs

from plumbing.conversation import Address, Owner, read_address
from plumbing.pipe import Network, Pipe, Wire
from tests.plumbing.talkers import LineSession, Recorder, Said
from tests.smsc_link.virtual import VirtualClock, virtually
from wire.errors import LocalError
from wire.session import Event, Session

HERE = Address("smsc", 2775)


class Rig:
    """A client and a server in memory."""

    def __init__(self, wire: Wire | None = None) -> None:
        self.clock = VirtualClock()
        self.network = Network(wire)
        self.server, self.server_session = Recorder(), LineSession()
        self.client, self.client_session = Recorder(), LineSession()
        self.network.listen(HERE, self._answering, self.clock)

    def _answering(self, peer: str) -> tuple[Session, Owner]:
        return self.server_session, self.server

    async def connected(self) -> Pipe:
        return await self.network.connect(HERE, self.client_session, self.client, self.clock)


def test_requests_and_answers_come_in_order_however_long_the_wire_and_however_it_cuts() -> None:
    async def story() -> None:
        delays = iter([0.5, 0.1, 0.4, 0.0, 0.3] * 400)
        cut = Wire(
            delay_s=lambda: next(delays), cut=lambda octets: [octets[at : at + 3] for at in range(0, len(octets), 3)]
        )
        rig = Rig(cut)
        pipe = await rig.connected()

        for number in range(20):
            pipe.send(Said(f"line{number}"))
        await rig.client.until(lambda: len(rig.client.answers_heard) == 20)

        assert rig.client.answers_heard == [f"LINE{number}" for number in range(20)]

    virtually(story())


def _in_threes(octets: bytes) -> list[bytes]:
    return [octets[at : at + 3] for at in range(0, len(octets), 3)]


def test_all_that_is_said_in_one_turn_is_one_write() -> None:
    async def story() -> None:
        rig = Rig()
        pipe = await rig.connected()
        before = pipe.writes

        for number in range(20):
            pipe.send(Said(f"line{number}"))
        assert pipe.writes == before, "nothing left yet"
        await rig.client.until(lambda: len(rig.client.answers_heard) == 20)

        assert pipe.writes == before + 1

    virtually(story())


class _CountsWrites(Recorder):
    """Keeps how many writes had gone out when it heard the end."""

    writes_at_end = 0

    def heard(self, events: list[Event]) -> None:
        super().heard(events)
        if self.closed is not None and self.conversation is not None:
            self.writes_at_end = self.conversation.writes


@pytest.mark.parametrize(("read", "left"), [(b"BYE\n", True), (b"", False)], ids=["in words", "lost"])
def test_what_is_said_in_the_turn_of_the_end_has_left_when_the_end_is_heard_or_never_does(
    read: bytes, left: bool
) -> None:
    async def story() -> None:
        rig = Rig()
        rig.client = owner = _CountsWrites()
        pipe = await rig.connected()
        before = pipe.writes

        pipe.send(Said("last"))
        pipe._coming.append(read)
        pipe._arrive()

        assert pipe.other is not None
        assert list(pipe.other._coming) == ([b"last\nFAREWELL\n", b""] if left else [])
        assert owner.writes_at_end == pipe.writes == before + left, "one write, with the goodbye"

    virtually(story())


def test_a_severed_connection_loses_what_was_under_way_and_tells_both_ends() -> None:
    async def story() -> None:
        rig = Rig(Wire(delay_s=lambda: 1.0))
        pipe = await rig.connected()
        pipe.send(Said("lost"))
        pipe.flush()

        pipe.sever()
        await rig.client.until(lambda: rig.client.closed)
        await rig.server.until(lambda: rig.server.closed)

        assert [type(event).__name__ for event in rig.server.heard_events] == ["Closed"]
        with pytest.raises(LocalError):
            pipe.send(Said("more"))

    virtually(story())


def test_a_frozen_connection_tells_nobody() -> None:
    async def story() -> None:
        rig = Rig()
        pipe = await rig.connected()

        pipe.freeze()
        pipe.send(Said("into the void"))
        await asyncio.sleep(1000)

        assert rig.server.heard_events == []
        assert rig.client.heard_events == []

    virtually(story())


def test_a_closed_end_is_heard_by_the_other_after_what_was_written_before() -> None:
    async def story() -> None:
        rig = Rig(Wire(delay_s=lambda: 1.0))
        pipe = await rig.connected()
        pipe.send(Said("last"))
        pipe.flush()

        pipe.close()
        await rig.server.until(lambda: rig.server.closed)

        assert [type(event).__name__ for event in rig.server.heard_events] == ["Said", "Closed"]

    virtually(story())


def test_nobody_listens() -> None:
    async def story() -> None:
        rig = Rig()
        rig.network.hang_up(HERE)
        with pytest.raises(ConnectionError, match="smsc:2775: connection refused"):
            await rig.connected()

    virtually(story())


def test_one_timer_is_enough_for_deadlines_that_move_away() -> None:
    async def story() -> None:
        rig = Rig()
        loop = asyncio.get_running_loop()
        set_timers: list[float] = []
        call_later = loop.call_later

        def counting(delay: float, *args: object) -> object:
            set_timers.append(delay)
            return call_later(delay, *args)  # type: ignore[arg-type]

        loop.call_later = counting  # type: ignore[assignment,method-assign]
        session = rig.client_session
        session.deadline = rig.clock.monotonic_ms() + 10_000
        pipe = await rig.connected()
        for step in range(50):
            session.deadline = rig.clock.monotonic_ms() + 10_000 + step
            pipe.send(Said(f"line{step}"))
            pipe.flush()
        assert len(set_timers) == 1

        session.deadline = rig.clock.monotonic_ms() + 100
        pipe.flush()
        await asyncio.sleep(1)
        assert len(session.ticks) == 1, "a nearer deadline moves it"

    virtually(story())


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:2775", "127.0.0.1", 2775),
        ("[::1]:80", "::1", 80),
        (":2775", "127.0.0.1", 2775),
        ("smsc.example:0", "smsc.example", 0),
    ],
)
def test_an_address_is_read(text: str, host: str, port: int) -> None:
    assert read_address(text) == Address(host, port)


@pytest.mark.parametrize("text", ["", "2775", "host:", "host:port", "host:99999", "::1:80", "host:-1", "host:٣"])
def test_what_is_no_address_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST|brackets"):
        read_address(text)


def test_an_address_shows_as_it_is_written() -> None:
    assert str(Address("::1", 80)) == "[::1]:80"
    assert str(Address("smsc.example", 2775)) == "smsc.example:2775"


class _Broken(LineSession):
    """A session with a bug: one of its ways to read raises."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self._way = way

    def receive(self, data: bytes, now_ms: int) -> list[Event]:
        if data and self._way == "receive":
            raise RuntimeError("a bug of ours")
        return super().receive(data, now_ms)

    def tick(self, now_ms: int) -> list[Event]:
        raise RuntimeError("a bug of ours")


@pytest.mark.parametrize("way", ["receive", "tick"])
def test_a_session_that_fails_ends_its_connection_and_its_owner_is_told(way: str) -> None:
    async def story() -> None:
        rig = Rig()
        rig.server_session = _Broken(way)
        rig.server_session.deadline = 1000 if way == "tick" else None
        pipe = await rig.connected()

        if way == "receive":
            pipe.send(Said("hello"))
        with capture_logs() as logs:
            await rig.client.until(lambda: rig.client.closed)
            await rig.server.until(lambda: rig.server.closed)

        assert [one["event"] for one in logs] == ["conversation failed"]

    virtually(story())


class Ear:
    """A tap: what it heard, in order."""

    def __init__(self) -> None:
        self.heard_all: list[tuple[str, bytes]] = []

    def said(self, octets: bytes) -> None:
        self.heard_all.append(("said", octets))

    def heard(self, octets: bytes) -> None:
        self.heard_all.append(("heard", octets))

    def ended(self) -> None:
        self.heard_all.append(("ended", b""))


def test_a_tap_hears_both_directions_and_the_end_from_when_it_is_there() -> None:
    async def story() -> None:
        rig = Rig()
        pipe = await rig.connected()
        ear = Ear()
        pipe.send(Said("before"))
        await rig.client.until(lambda: len(rig.client.answers_heard) == 1)
        pipe.tap = ear
        pipe.send(Said("one"))
        await rig.client.until(lambda: len(rig.client.answers_heard) == 2)
        pipe.tap = None
        pipe.send(Said("two"))
        await rig.client.until(lambda: len(rig.client.answers_heard) == 3)
        pipe.tap = ear
        pipe.close()
        await rig.client.until(lambda: rig.client.closed is not None)

        assert ear.heard_all == [("said", b"one\n"), ("heard", b"ONE\n"), ("heard", b""), ("ended", b"")]
        assert pipe.ends == (("", 0), ("", 0))

    virtually(story())
