"""Mutated PDUs: the decoder raises RemoteError and nothing else, a session raises nothing and stays small.

TOLLBRIDGE_FUZZ_FRAMES frames for each of the two (20 000 unless told). The seed is fixed; a failure prints
the frame.
"""

import os
from collections.abc import Iterator
from random import Random

import pytest

from tests.wire.smpp.makers import BINDS, Pair
from tests.wire.smpp.vectors import PDUS
from wire.errors import RemoteError
from wire.session import Closed, Event
from wire.smpp import GenericNack, Request, Role, Settings, SmppSession, decode, encode, response_to
from wire.smpp.frames import FrameReader

_COUNT = int(os.environ.get("TOLLBRIDGE_FUZZ_FRAMES", "20000"))
_SEED = 34
_SEEDS = list(PDUS.values())
_LIMIT = 2_000


def _mutated(random: Random) -> bytes:
    """A PDU with a few things wrong; mostly its length is right, or nothing behind it would be reached."""
    frame = bytearray(random.choice(_SEEDS))
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, 8))):
        _wound(frame, random)
    if random.random() < 0.2:
        frame[4:8] = random.choice(_SEEDS)[4:8]
    if random.random() < 0.95:
        frame[0:4] = len(frame).to_bytes(4, "big")
    return bytes(frame)


def _wound(frame: bytearray, random: Random) -> None:
    at = random.randrange(len(frame))
    kind = random.randrange(7)
    if kind == 0:
        frame[at] ^= 1 << random.randrange(8)
    elif kind == 1:
        frame[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
    elif kind == 2 and len(frame) > 17:
        del frame[max(16, at) :]
    elif kind == 3:
        frame[at:at] = random.randbytes(random.randrange(1, 40))
    elif kind == 4 and len(frame) > 20:
        del frame[max(16, at) : max(16, at) + random.randrange(1, 6)]
    elif kind == 5:
        other = random.choice(_SEEDS)
        frame += other[random.randrange(len(other)) :]
    else:
        tag = random.choice((0x0424, 0x0427, 0x001E, 0x0381, 0x1403))
        frame += tag.to_bytes(2, "big") + random.randrange(6).to_bytes(2, "big") + random.randbytes(random.randrange(6))


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
            pytest.fail(f"{frame.hex()}: {error!r}")
        assert operation.sequence == int.from_bytes(frame[12:16], "big")

    assert _COUNT // 10 < wrong < _COUNT  # the mutations do reach both sides


def _sessions(random: Random) -> Iterator[SmppSession]:
    """Sessions of both roles in every bind, for ever; each a fresh one."""
    settings = Settings(window_in=5, max_pdu=_LIMIT)
    while True:
        role: Role = random.choice(("esme", "smsc"))
        pair = Pair(settings, settings)
        way = random.choice((*BINDS, "none"))
        if way != "none":
            pair.bind(BINDS[way](system_id="us"))
        session = pair.esme if role == "esme" else pair.smsc
        session.output()
        yield session


def _live(session: SmppSession, events: list[Event], random: Random) -> bool:
    """An owner: answers some, sends some. Whether the session goes on."""
    for event in events:
        if isinstance(event, Closed):
            return False
        if isinstance(event, Request) and session.owes(event) and random.random() < 0.7:
            session.answer(event, response_to(event, random.choice((0, 0, 0x64))))
    return True


def _check_output(session: SmppSession, heard: int) -> None:
    said = session.output()
    reader = FrameReader()
    frames = reader.read(said)
    assert reader.pending == 0
    assert reader.error is None
    assert len(frames) <= heard + 3, "an answer each, and a keep-alive"
    for frame in frames:
        operation = decode(frame)
        assert encode(operation) == frame
        assert not isinstance(operation, GenericNack) or operation.status in (0x02, 0x03)


@pytest.mark.fuzz
def test_a_session_survives_garbage_and_stays_small() -> None:
    random = Random(_SEED)
    fed, now_ms = 0, 0
    for session in _sessions(random):
        alive = True
        while alive and fed < _COUNT:
            frames = [_mutated(random) for _ in range(random.randrange(1, 6))]
            stream = b"".join(frames)
            cut = random.randrange(1, len(stream) + 1)
            now_ms += random.choice((0, 1, 1_000, 20_000))
            for piece in (stream[:cut], stream[cut:]):
                alive = alive and _live(session, session.receive(piece, now_ms) if piece else [], random)
            alive = alive and _live(session, session.tick(now_ms), random)
            _check_output(session, heard=(len(stream) + _LIMIT) // 16)
            assert session._reader.pending <= _LIMIT
            assert len(session._owed) <= 5
            fed += len(frames)
        if fed >= _COUNT:
            break


def test_a_stream_of_noise_ends_cleanly() -> None:
    random = Random(_SEED)
    for _ in range(300):
        session = SmppSession(random.choice(("esme", "smsc")), now_ms=0)
        events = [event for _ in range(20) for event in session.receive(random.randbytes(100), 0)]

        assert [type(event) for event in events] == [Closed]
        assert decode(session.output()[-16:]) == GenericNack(0, 0x02)


@pytest.mark.parametrize("role", ["esme", "smsc"])
def test_a_peer_that_never_waits_for_answers_costs_bounded_memory(role: Role) -> None:
    pair = Pair(Settings(window_in=50), Settings(window_in=50)).bind()
    session = pair.esme if role == "esme" else pair.smsc
    frame = PDUS["deliver_sm_mo_ucs2" if role == "esme" else "submit_sm_gsm7_unpacked"]

    events = [event for _ in range(200) for event in session.receive(frame * 50, 1)]

    assert len(events) == len(session._owed) == 50
    assert session.refused == 200 * 50 - 50
    assert len(session.output()) == session.refused * (17 if role == "esme" else 16)
