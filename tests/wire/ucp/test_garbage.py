"""Mutated frames: the decoder raises RemoteError and nothing else, a session raises nothing and stays small.

TOLLBRIDGE_FUZZ_FRAMES frames for each of the two (20 000 unless told). The seed is fixed; a failure prints
the frame.
"""

import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests.wire.ucp.makers import Pair, framed, on_wire
from tests.wire.ucp.vectors import FRAMES
from wire.errors import RemoteError
from wire.session import Closed, Event
from wire.ucp import REQUESTS, Request, Result, Role, Settings, ShortMessage, UcpSession, decode, encode, result_to
from wire.ucp.frames import Frames
from wire.ucp.operations import HAS_MVP
from wire.ucp.text import text_octets
from wire.ucp.xser import read_xser

_COUNT = int(os.environ.get("TOLLBRIDGE_FUZZ_FRAMES", "20000"))
_SEED = 51
_SEEDS = list(FRAMES.values())
_LIMIT = 2_000
_LETTERS = b"\0\x01\x02\x03/////0123456789ABCDEFabcdefORAN\x7f\xe9\xff"


def _mutated(random: Random) -> bytes:
    """A frame with a few things wrong; mostly LEN and checksum are right, or nothing behind them would be reached."""
    frame = bytearray(random.choice(_SEEDS))
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, 8))):
        _wound(frame, random)
    if random.random() < 0.2:
        frame[9:13] = random.choice(_SEEDS)[9:13]
    if random.random() < 0.9 and len(frame) > 17:
        kind, fields = frame[9:13].decode("latin-1"), frame[14:-2].decode("latin-1")
        trn = frame[:2].decode("latin-1") if random.random() < 0.1 else f"{random.randrange(100):02d}"
        return framed(kind, fields, trn=trn)
    return bytes(frame)


def _wound(frame: bytearray, random: Random) -> None:
    at = random.randrange(len(frame) + 1)
    kind = random.randrange(7)
    if kind == 0 and at < len(frame):
        frame[at] ^= 1 << random.randrange(8)
    elif kind == 1 and at < len(frame):
        frame[at] = random.choice(_LETTERS)
    elif kind == 2 and len(frame) > 17:
        del frame[max(14, at) : -3]
    elif kind == 3:
        frame[at:at] = bytes(random.choices(_LETTERS, k=random.randrange(1, 40)))
    elif kind == 4 and len(frame) > 20:
        del frame[max(14, at) : max(14, at) + random.randrange(1, 6)]
    elif kind == 5:
        other = random.choice(_SEEDS)
        frame[-2:-2] = other[random.randrange(len(other)) :]
    else:
        frame[at:at] = b"/" * random.choice((1, 1, 2, 33))


@pytest.mark.fuzz
def test_the_decoder_raises_nothing_but_a_remote_error() -> None:
    random = Random(_SEED)
    wrong = 0

    for _ in range(_COUNT):
        frame = _mutated(random)
        try:
            operation = decode(frame)
        except RemoteError:
            wrong += 1
            continue
        except Exception as error:  # the test's whole point is to see any other
            pytest.fail(f"{frame!r}: {error!r}")
        assert operation.sequence == int(frame[:2])
        _use(operation)

    assert _COUNT // 10 < wrong < _COUNT * 9 // 10  # the mutations do reach both sides


def _use(operation: Any) -> None:
    """What decode() lets pass can be read further: there is no second door for a broken text."""
    ot = getattr(operation, "ot", "")
    if ot == "53" or not getattr(operation, "msg", ""):
        return
    text_octets(operation)
    if isinstance(operation, ShortMessage):
        read_xser(operation.xser)


def _sessions(random: Random) -> Iterator[UcpSession]:
    """Sessions of both roles, logged in or not, for ever; each a fresh one."""
    settings = Settings(window_in=5, max_frame=_LIMIT, serves=frozenset(REQUESTS), complains=True)
    while True:
        role: Role = random.choice(("esme", "smsc"))
        pair = Pair(settings, settings)
        if random.random() < 0.8:
            pair.log_in()
        session = pair.esme if role == "esme" else pair.smsc
        session.output()
        yield session


def _live(session: UcpSession, events: list[Event], random: Random) -> bool:
    """An owner: answers some, sends some. Whether the session goes on."""
    for event in events:
        if isinstance(event, Closed):
            return False
        if isinstance(event, Request) and session.owes(event) and random.random() < 0.7:
            session.answer(event, result_to(event, random.choice((0, 0, 4))))
    return True


def _check_output(session: UcpSession, heard: int) -> None:
    said = session.output()
    reader = Frames()
    frames = reader.read(said)
    assert reader.pending == 0
    assert b"".join(map(on_wire, frames)) == said
    assert len(frames) <= heard + 3, "an answer each, and a keep-alive"
    for frame in frames:
        try:
            operation = decode(frame)
        except RemoteError:
            # The refusal of an operation that nobody knows, or a broken one of a type that nobody knows.
            assert frame[11:13].decode() not in HAS_MVP
            assert frame[13:17] == b"/N/0", frame
            continue
        assert encode(operation) == on_wire(frame)


@pytest.mark.fuzz
def test_a_session_survives_garbage_and_stays_small() -> None:
    random = Random(_SEED)
    fed, now_ms, results = 0, 0, 0
    for session in _sessions(random):
        alive = True
        while alive and fed < _COUNT:
            frames = [on_wire(_mutated(random)) for _ in range(random.randrange(1, 6))]
            stream = b"".join(frames)
            cut = random.randrange(1, len(stream) + 1)
            now_ms += random.choice((0, 1, 1_000, 20_000, 60_000))
            for piece in (stream[:cut], stream[cut:]):
                alive = alive and _live(session, session.receive(piece, now_ms) if piece else [], random)
            alive = alive and _live(session, session.tick(now_ms), random)
            _check_output(session, heard=stream.count(b"\3"))
            assert session._frames.pending <= _LIMIT + 1
            assert len(session._owed) <= 5
            results += session.refused
            fed += len(frames)
        if fed >= _COUNT:
            break
    assert results > _COUNT // 100


def test_a_stream_of_noise_is_waited_out_and_costs_nothing() -> None:
    random = Random(_SEED)
    for _ in range(300):
        session = UcpSession(random.choice(("esme", "smsc")), Settings(max_frame=_LIMIT), now_ms=0)
        events = [event for _ in range(20) for event in session.receive(random.randbytes(100), 0)]

        assert events == []
        assert session.output() == b""
        assert session._frames.pending <= _LIMIT + 1
        assert session.tick(10_000) == [Closed("no login in time", clean=True)]


@pytest.mark.parametrize("role", ["esme", "smsc"])
def test_a_peer_that_never_waits_for_answers_costs_bounded_memory(role: Role) -> None:
    pair = Pair(Settings(window_in=50), Settings(window_in=50)).log_in()
    session = pair.esme if role == "esme" else pair.smsc
    frame = on_wire(FRAMES["deliver_ucs2" if role == "esme" else "submit_text"])

    events = [event for _ in range(200) for event in session.receive(frame * 50, 1)]

    assert len(events) == len(session._owed) == 50
    assert session.refused == 200 * 50 - 50
    refusal = encode(Result(1 if role == "esme" else 4, "52" if role == "esme" else "51", 4))
    assert session.output() == refusal * session.refused
