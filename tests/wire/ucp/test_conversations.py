"""Two sessions joined by their bytes, in any order of events: they never raise, and they agree.

A line carries the bytes in pieces of any size. Whatever happens, each request ends once; one that was
answered was handed out on the other side, and its answer is the one that was given there.
"""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.wire.ucp.makers import a_login, an_mo, an_mt, bound, framed, on_wire
from wire.session import Answered, Bound, Closed, Event, Unanswered
from wire.ucp import Alert, Goodbye, OpenSession, Request, Settings, State, UcpSession, encode, result_to
from wire.ucp.text import text_octets

_BUSY = 55


class End:
    """One side with its owner: what it sent, what it was handed, and how each request ended.

    TRNs come again and again, so a message is known by its text, which is the number of its sending.
    """

    def __init__(self, session: UcpSession, random: Random) -> None:
        self.session = session
        self.random = random
        self.line = bytearray()  # what was written and has not arrived
        self.owed: list[Request] = []
        self.sent: list[Request] = []
        self.answers: dict[bytes, int] = {}  # the peer's message -> the EC given
        self.handed: list[int] = []
        self.ends: Counter[int] = Counter()
        self.codes: dict[bytes, int] = {}  # our message -> the EC received
        self.closed: Closed | None = None

    def take(self, events: list[Event]) -> None:
        """An owner that keeps book."""
        for event in events:
            assert self.closed is None, "Closed is the last event"
            if isinstance(event, Answered):
                self.ends[id(event.request)] += 1
                assert event.request.sequence == event.response.sequence
                if isinstance(event.request, Alert):
                    assert event.response.ec == 0
                else:
                    self.codes[text_octets(event.request)] = event.response.ec
            elif isinstance(event, Unanswered):
                self.ends[id(event.request)] += 1
            elif isinstance(event, Closed):
                self.closed = event
                self.owed.clear()
            elif not isinstance(event, Bound):
                assert isinstance(event, Request)
                self.owed.append(event)
                self.handed.append(int(text_octets(event)))  # type: ignore[arg-type]

    def say(self, now_ms: int) -> None:
        """Send a message where there is room."""
        if self.closed is None and self.session.room:
            request = (an_mt if self.session.role == "esme" else an_mo)(b"%d" % len(self.sent))
            self.session.send(request, now_ms)
            flying = [each for each in self.sent if not self.ends[id(each)]]
            assert request.sequence not in {each.sequence for each in flying}, "a number in flight is not given again"
            self.sent.append(request)

    def answer_one(self) -> None:
        """Answer any of those that wait."""
        if not self.owed:
            return
        request = self.owed.pop(self.random.randrange(len(self.owed)))
        ec = self.random.choice((0, 0, 0, 4, 27))
        self.answers[text_octets(request)] = ec  # type: ignore[arg-type]
        self.session.answer(request, result_to(request, ec))

    def write(self) -> None:
        """Hand the output to the line."""
        self.line += self.session.output()


def _step(end: End, peer: End, now_ms: int) -> None:
    random = end.random
    choice = random.random()
    if choice < 0.35:
        end.say(now_ms)
    elif choice < 0.6:
        end.answer_one()
    elif choice < 0.9:
        peer.write()
        size = random.randrange(1, 240)
        piece = bytes(peer.line[:size])
        del peer.line[:size]
        if piece:
            end.take(end.session.receive(piece, now_ms))
    elif choice < 0.98:
        end.take(end.session.tick(now_ms))
    elif end.closed is None and end.session.state is State.BOUND and end.session.room:
        alert = Alert(adc="8511")
        end.session.send(alert, now_ms)
        end.sent.append(alert)


def _settle(ends: tuple[End, End], now_ms: int) -> None:
    """Let everything arrive, one of them leave, and the time-outs pass."""
    for _ in range(40):
        for end, peer in (ends, ends[::-1]):
            while end.owed:
                end.answer_one()
            peer.write()
            end.take(end.session.receive(bytes(peer.line), now_ms) if peer.line else [])
            peer.line.clear()
    first = ends[0]
    if first.closed is None:
        first.session.send(Goodbye(), now_ms)
    for _ in range(4):
        for end, peer in (ends, ends[::-1]):
            peer.write()
            end.take(end.session.receive(bytes(peer.line), now_ms) if peer.line else [])
            peer.line.clear()
    for end in ends:
        end.take(end.session.tick(now_ms + 100_000))
        end.take(end.session.receive(b"", now_ms + 100_000))


def _converse(seed: int, steps: int) -> tuple[End, End]:
    random = Random(seed)
    limits = Settings(
        address="8511",
        window=random.choice((1, 3, 10, 100)),
        window_in=random.choice((2, 10, 500)),
        busy_ec=_BUSY,
        response_timeout_ms=random.choice((1_000, 5_000)),
        keepalive_ms=random.choice((0, 300, 30_000)),
        parked_ms=random.choice((2_000, 300_000)),
    )
    pair = bound(limits, Settings(window=random.choice((1, 10, 100)), busy_ec=_BUSY))
    ends = End(pair.esme, random), End(pair.smsc, random)
    now_ms = 0
    for _ in range(steps):
        now_ms += random.choice((0, 1, 10, 200))
        end, peer = ends if random.random() < 0.5 else ends[::-1]
        _step(end, peer, now_ms)
    _settle(ends, now_ms)
    return ends


@pytest.mark.parametrize("seed", range(150))
def test_any_order_of_events_ends_in_agreement(seed: int) -> None:
    for end, peer in (ends := _converse(seed, 300), ends[::-1]):
        assert end.closed is not None
        assert end.ends == Counter(id(request) for request in end.sent), "each request ends once"
        assert peer.handed == sorted(set(peer.handed)), "in order, and each once"
        for message, ec in end.codes.items():
            if message in peer.answers:
                assert ec == peer.answers[message]
            else:
                assert ec == _BUSY
                assert int(message) not in peer.handed


@settings(max_examples=60)
@given(some.lists(some.sampled_from(["mo", "alert", "unknown", "submit", "noise", "broken"]), max_size=12), some.data())
def test_a_stream_cut_anywhere_gives_the_same_events(words: list[str], data: some.DataObject) -> None:
    frames = {
        "mo": encode(an_mo(sequence=3)),
        "alert": encode(Alert(4, "1")),
        "unknown": on_wire(framed("O/77", "1/")),
        "submit": encode(an_mt(sequence=5)),
        "noise": b"\r\n\3\2\2noise",
        "broken": on_wire(framed("O/52", "1/")),
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


def test_a_session_takes_its_peer_s_bytes_one_by_one() -> None:
    esme, smsc = UcpSession("esme", now_ms=0), UcpSession("smsc", now_ms=0)
    esme.send(a_login(), 0)

    events = [event for octet in esme.output() for event in smsc.receive(bytes((octet,)), 0)]
    (login,) = events
    assert isinstance(login, OpenSession)
    smsc.answer(login, result_to(login))

    assert [type(event) for octet in smsc.output() for event in esme.receive(bytes((octet,)), 0)] == [Bound]
