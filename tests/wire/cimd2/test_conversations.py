"""Two sessions joined by their bytes, in any order of events: they never raise, and they agree.

A line carries the bytes in pieces of any size, and may damage a packet now and then. Whatever happens, each request
ends once; one that was answered was handed out on the other side once, and its answer is the one that was given there.
"""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.wire.cimd2.makers import accepted, an_mo, an_mt, bound
from wire.cimd2 import Alive, Cimd2Session, Login, Logout, Nack, Request, Settings, encode, response_to
from wire.cimd2.operations import NO_NEGATIVE
from wire.session import Answered, Bound, Closed, Event, Unanswered

_BUSY = 10
_APART = 400
"""Two bits turned over in one packet may leave its sum as it was, and nobody could tell."""


class End:
    """One side with its owner: what it sent, what it was handed, and how each request ended, by its text."""

    def __init__(self, session: Cimd2Session, random: Random) -> None:
        self.session = session
        self.random = random
        self.line = bytearray()  # what was written and has not arrived
        self.unharmed = 0  # octets that arrived since one was damaged
        self.owed: list[Request] = []
        self.sent: list[Request] = []
        self.answers: dict[bytes, int] = {}  # text of the peer's message -> the error given
        self.handed: list[bytes] = []
        self.ends: Counter[int] = Counter()
        self.errors: dict[bytes, int] = {}  # text of ours -> the error received
        self.closed: Closed | None = None

    def take(self, events: list[Event]) -> None:
        """An owner that keeps book."""
        for event in events:
            assert self.closed is None, "Closed is the last event"
            if isinstance(event, Answered):
                self.ends[id(event.request)] += 1
                if not isinstance(event.response, Nack):
                    self.errors[_text_of(event.request)] = event.response.error
            elif isinstance(event, Unanswered):
                self.ends[id(event.request)] += 1
            elif isinstance(event, Closed):
                self.closed = event
                self.owed.clear()
            elif isinstance(event, Bound):
                continue
            else:
                assert isinstance(event, Request)
                self.owed.append(event)
                self.handed.append(_text_of(event))

    def say(self, request: Request, now_ms: int) -> None:
        """Send a request where there is room."""
        if self.closed is None and self.session.room:
            self.session.send(request, now_ms)
            self.sent.append(request)

    def answer_one(self) -> None:
        """Answer any of those that wait."""
        if not self.owed:
            return
        request = self.owed.pop(self.random.randrange(len(self.owed)))
        negative = request.response_type not in NO_NEGATIVE and self.random.random() < 0.3
        response = response_to(request, self.random.choice((6, 300))) if negative else accepted(request)
        self.answers[_text_of(request)] = response.error
        self.session.answer(request, response)

    def write(self) -> None:
        """Hand the output to the line."""
        self.line += self.session.output()


def _text_of(request: Request) -> bytes:
    return getattr(request, "user_data", request.name.encode())


def _step(end: End, peer: End, now_ms: int, damage: float) -> None:
    random = end.random
    choice = random.random()
    if choice < 0.35:
        end.say((an_mt if end.session.role == "esme" else an_mo)(b"%d" % len(end.sent)), now_ms)
    elif choice < 0.6:
        end.answer_one()
    elif choice < 0.9:
        peer.write()
        size = random.randrange(1, 120)
        piece = bytearray(peer.line[:size])
        del peer.line[:size]
        peer.unharmed += len(piece)
        if piece and peer.unharmed > _APART and random.random() < damage:
            piece[random.randrange(len(piece))] ^= 1 << random.randrange(8)
            peer.unharmed = 0
        if piece:
            end.take(end.session.receive(bytes(piece), now_ms))
    elif choice < 0.98:
        end.take(end.session.tick(now_ms))
    elif end.closed is None and end.session.room:
        end.say(Alive(), now_ms)


def _exchange(ends: tuple[End, End], now_ms: int, turns: int) -> None:
    for _ in range(turns):
        for end, peer in (ends, ends[::-1]):
            while end.owed:
                end.answer_one()
            peer.write()
            end.take(end.session.receive(bytes(peer.line), now_ms) if peer.line else [])
            peer.line.clear()


def _settle(ends: tuple[End, End], now_ms: int) -> None:
    """Let everything arrive, the application log out, and the time-outs pass."""
    _exchange(ends, now_ms, 40)
    first = ends[0]
    if first.closed is None:
        logout = Logout()
        first.session.send(logout, now_ms)
        first.sent.append(logout)
    _exchange(ends, now_ms, 10)
    for end in ends:
        end.take(end.session.tick(now_ms + 100_000))
        end.take(end.session.receive(b"", now_ms + 100_000))


def _converse(seed: int, steps: int, damage: float) -> tuple[End, End]:
    random = Random(seed)
    limits = Settings(
        window=random.choice((1, 3, 10, 128)),
        window_in=random.choice((2, 10, 128)),
        response_timeout_ms=5_000,
        checksum=bool(damage) or random.random() < 0.7,
    )
    pair = bound(limits, Settings(window=random.choice((1, 10, 128)), window_in=random.choice((2, 128))))
    ends = End(pair.esme, random), End(pair.smsc, random)
    now_ms = 0
    for _ in range(steps):
        now_ms += random.choice((0, 1, 10, 200))
        end, peer = ends if random.random() < 0.5 else ends[::-1]
        _step(end, peer, now_ms, damage)
    _settle(ends, now_ms)
    return ends


def _agree(ends: tuple[End, End]) -> None:
    for end, peer in (ends, ends[::-1]):
        assert end.closed is not None
        assert end.ends == Counter(id(request) for request in end.sent), "each request ends once"
        handed = [int(text) for text in peer.handed]
        assert handed == sorted(set(handed)), "in order, and each once"
        for text, error in end.errors.items():
            if text in (b"alive", b"logout"):
                assert error == 0
            elif text in peer.answers:
                assert error == peer.answers[text]
            else:
                assert error == _BUSY
                assert text not in peer.handed


@pytest.mark.parametrize("seed", range(150))
def test_any_order_of_events_ends_in_agreement(seed: int) -> None:
    _agree(_converse(seed, 300, damage=0))


@pytest.mark.parametrize("seed", range(150))
def test_a_line_that_damages_packets_loses_no_message_and_doubles_none(seed: int) -> None:
    _agree(_converse(seed, 300, damage=0.2))


def test_long_conversations_go_round_their_numbers() -> None:
    esme, smsc = _converse(7, 4_000, damage=0)

    _agree((esme, smsc))
    assert len(esme.sent) + len(smsc.sent) > 300


@settings(max_examples=60)
@given(some.lists(some.sampled_from(["mo", "alive", "unknown", "submit", "cut", "noise"]), max_size=12), some.data())
def test_a_stream_cut_anywhere_gives_the_same_events(words: list[str], data: some.DataObject) -> None:
    frames = {
        "mo": encode(an_mo(sequence=0)),
        "alive": encode(Alive(2)),
        "unknown": b"\x0230:004\t\3",
        "submit": encode(an_mt(sequence=0)),
        "cut": encode(an_mo(sequence=0))[:20],
        "noise": b"\r\nnoise\3",
    }
    stream = b"".join(frames[word] for word in words)
    cuts = sorted(data.draw(some.lists(some.integers(0, len(stream)), max_size=8)))

    whole, pieces = bound().esme, bound().esme
    at_once = whole.receive(stream, 1) if stream else []
    one_by_one = [
        event
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        if start < end
        for event in pieces.receive(stream[start:end], 1)
    ]

    assert one_by_one == at_once
    assert pieces.output() == whole.output()
    assert (pieces.ignored, pieces.refused, pieces.repeated) == (whole.ignored, whole.refused, whole.repeated)


def test_a_session_takes_its_peer_s_bytes_one_by_one() -> None:
    esme = Cimd2Session("esme", now_ms=0)
    smsc = Cimd2Session("smsc", Settings(banner="CIMD2-A ConnectionInfo: SessionId = 17"), now_ms=0)
    esme.send(Login(user_identity="us", password="secret"), 0)

    (login,) = [event for octet in esme.output() for event in smsc.receive(bytes((octet,)), 0)]
    assert isinstance(login, Login)
    smsc.answer(login, response_to(login))

    assert [type(event) for octet in smsc.output() for event in esme.receive(bytes((octet,)), 0)] == [Bound]
