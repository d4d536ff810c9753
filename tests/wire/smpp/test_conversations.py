"""Two sessions joined by their bytes, in any order of events: they never raise, and they agree.

A line carries the bytes in pieces of any size. Whatever happens, each request ends once; one that was
answered was handed out on the other side, and its answer is the one that was given there.
"""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.wire.smpp.makers import BINDS, an_mo, an_mt, bound
from wire.session import Answered, Bound, Closed, Event, Unanswered
from wire.smpp import (
    Bind,
    EnquireLink,
    Request,
    Settings,
    SmppSession,
    Unbind,
    encode,
    response_to,
)

_BUSY = 0x58


class End:
    """One side with its owner: what it sent, what it was handed, and how each request ended."""

    def __init__(self, session: SmppSession, random: Random) -> None:
        self.session = session
        self.random = random
        self.line = bytearray()  # what was written and has not arrived
        self.owed: list[Request] = []
        self.sent: list[Request] = []
        self.answers: dict[int, int] = {}  # the peer's number -> the status given
        self.handed: list[int] = []
        self.ends: Counter[int] = Counter()
        self.statuses: dict[int, int] = {}  # our number -> the status received
        self.closed: Closed | None = None

    def take(self, events: list[Event]) -> None:
        """An owner that keeps book."""
        for event in events:
            assert self.closed is None, "Closed is the last event"
            if isinstance(event, Answered):
                self.ends[event.request.sequence] += 1
                self.statuses[event.request.sequence] = event.response.status
            elif isinstance(event, Unanswered):
                self.ends[event.request.sequence] += 1
            elif isinstance(event, Closed):
                self.closed = event
                self.owed.clear()
            elif isinstance(event, Bound):
                continue
            else:
                assert isinstance(event, Request)
                self.owed.append(event)
                self.handed.append(event.sequence)

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
        status = self.random.choice((0, 0, 0, 0x64, 0x45))
        self.answers[request.sequence] = status
        self.session.answer(request, response_to(request, status))

    def write(self) -> None:
        """Hand the output to the line."""
        self.line += self.session.output()


def _step(end: End, peer: End, now_ms: int) -> None:
    random = end.random
    choice = random.random()
    if choice < 0.35:
        end.say((an_mt if end.session.role == "esme" else an_mo)(b"%d" % len(end.sent)), now_ms)
    elif choice < 0.6:
        end.answer_one()
    elif choice < 0.9:
        peer.write()
        size = random.randrange(1, 120)
        piece = bytes(peer.line[:size])
        del peer.line[:size]
        if piece:
            end.take(end.session.receive(piece, now_ms))
    elif choice < 0.98:
        end.take(end.session.tick(now_ms))
    elif end.closed is None and not end.session.state.value.startswith("unbind"):
        enquiry = EnquireLink()
        end.session.send(enquiry, now_ms)
        end.sent.append(enquiry)


def _settle(ends: tuple[End, End], now_ms: int) -> None:
    """Let everything arrive, one of them unbind, and the time-outs pass."""
    for _ in range(40):
        for end, peer in (ends, ends[::-1]):
            while end.owed:
                end.answer_one()
            peer.write()
            end.take(end.session.receive(bytes(peer.line), now_ms) if peer.line else [])
            peer.line.clear()
    first = ends[0]
    if first.closed is None:
        unbind = Unbind()
        first.session.send(unbind, now_ms)
        first.sent.append(unbind)
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
        window=random.choice((1, 3, 10)), window_in=random.choice((2, 10, 500)), response_timeout_ms=5_000
    )
    pair = bound(limits, Settings(window=random.choice((1, 10))))
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
        assert end.ends == Counter(request.sequence for request in end.sent), "each request ends once"
        assert peer.handed == sorted(set(peer.handed)), "in order, and each once"
        for sequence, status in end.statuses.items():
            kind = type(next(request for request in end.sent if request.sequence == sequence))
            if kind in (EnquireLink, Unbind):
                assert status == 0
            elif sequence in peer.answers:
                assert status == peer.answers[sequence]
            else:
                assert status == _BUSY
                assert sequence not in peer.handed


@settings(max_examples=60)
@given(some.lists(some.sampled_from(["mo", "enquire", "unknown", "submit", "unbind"]), max_size=12), some.data())
def test_a_stream_cut_anywhere_gives_the_same_events(words: list[str], data: some.DataObject) -> None:
    frames = {
        "mo": encode(an_mo(sequence=3)),
        "enquire": encode(EnquireLink(4)),
        "unknown": bytes.fromhex("0000001000000077000000000000002a"),
        "submit": encode(an_mt(sequence=5)),
        "unbind": encode(Unbind(6)),
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


@pytest.mark.parametrize("way", BINDS)
def test_a_session_takes_its_peer_s_bytes_one_by_one(way: str) -> None:
    esme, smsc = SmppSession("esme", now_ms=0), SmppSession("smsc", now_ms=0)
    esme.send(BINDS[way](system_id="us", password="secret"), 0)

    events = [event for octet in esme.output() for event in smsc.receive(bytes((octet,)), 0)]
    (bind,) = events
    assert isinstance(bind, Bind)
    smsc.answer(bind, response_to(bind, system_id="them"))

    assert [type(event) for octet in smsc.output() for event in esme.receive(bytes((octet,)), 0)] == [Bound]
