"""Mutated packets: the decoder raises RemoteError and nothing else, a session raises nothing and stays small.

TOLLBRIDGE_FUZZ_FRAMES packets for each of the two (20 000 unless told). The seed is fixed; a failure prints the packet.
"""

import os
from collections.abc import Iterator
from random import Random

import pytest

from tests.wire.cimd2.makers import Pair, accepted
from tests.wire.cimd2.vectors import PACKETS
from wire.cimd2 import (
    Cimd2Session,
    Nack,
    Request,
    Response,
    Role,
    Settings,
    codes,
    decode,
    encode,
    read_text,
    response_to,
)
from wire.cimd2.frames import FrameReader, checksum_of
from wire.cimd2.operations import Deliver, Submit
from wire.errors import RemoteError
from wire.session import Closed, Event

_COUNT = int(os.environ.get("TOLLBRIDGE_FUZZ_FRAMES", "20000"))
_SEED = 2
_SEEDS = list(PACKETS.values())
_LIMIT = 1_000
_ANSWERS = {None, codes.NACK, *codes.ERRORS} - {codes.OK}
_PIECES = [piece + b"\t" for seed in _SEEDS for piece in seed[1:].split(b"\t")[:-1]]


def _mutated(random: Random) -> bytes:
    """A packet with a few things wrong; mostly its checksum is right or gone, or nothing behind it would be reached."""
    packet = bytearray(random.choice(_SEEDS))
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, 8))):
        _wound(packet, random)
    if random.random() < 0.5:
        number = b"%03d" % random.randrange(256)
        packet[4:7] = number
    if random.random() < 0.9:
        body = bytes(packet).strip(b"\2\3").rpartition(b"\t")[0]
        whole = b"\2" + body + b"\t"
        return whole + (b"%02X\3" % checksum_of(whole) if random.random() < 0.5 else b"\3")
    return bytes(packet)


def _wound(packet: bytearray, random: Random) -> None:
    at = random.randrange(len(packet))
    kind = random.randrange(7)
    if kind == 0:
        packet[at] ^= 1 << random.randrange(8)
    elif kind == 1:
        packet[at] = random.choice((0, 2, 3, 9, 0x3A, 0x5F, 0xB2, 0xFF))
    elif kind == 2 and len(packet) > 12:
        del packet[max(9, at) :]
    elif kind == 3:
        packet[at:at] = random.randbytes(random.randrange(1, 40))
    elif kind == 4 and len(packet) > 12:
        del packet[max(8, at) : max(8, at) + random.randrange(1, 6)]
    elif kind == 5:
        packet[8:8] = random.choice(_PIECES) * random.choice((1, 1, 2, 40))
    else:
        packet[1:3] = b"%02d" % random.randrange(100)


@pytest.mark.fuzz
def test_the_decoder_raises_nothing_but_a_remote_error() -> None:
    random = Random(_SEED)
    wrong = 0

    for _ in range(_COUNT):
        packet = _mutated(random)
        try:
            operation = decode(packet)
            if isinstance(operation, Submit | Deliver):
                read_text(operation.user_data)
        except RemoteError as error:
            wrong += 1
            if error.answer not in _ANSWERS:
                pytest.fail(f"{packet.hex()}: {error!r}")
            continue
        except Exception as error:  # the test's whole point is to see any other
            pytest.fail(f"{packet.hex()}: {error!r}")
        assert operation.sequence == int(packet[4:7])

    assert _COUNT // 10 < wrong < _COUNT * 9 // 10  # the mutations do reach both sides


def _sessions(random: Random) -> Iterator[Cimd2Session]:
    """Sessions of both roles, bound and not, for ever; each a fresh one."""
    while True:
        settings = Settings(
            window=random.choice((1, 5)), window_in=5, max_packet=_LIMIT, patience_ms=random.choice((0, 30_000))
        )
        pair = Pair(settings, settings)
        if random.random() < 0.9:
            pair.bind()
        session = random.choice((pair.esme, pair.smsc))
        session.output()
        yield session


def _live(session: Cimd2Session, events: list[Event], random: Random, now_ms: int) -> bool:
    """An owner: answers some, sends some. Whether the session goes on."""
    for event in events:
        if isinstance(event, Closed):
            return False
        if isinstance(event, Request) and session.owes(event) and random.random() < 0.7:
            # What has no negative answer is put off by one.
            session.answer(event, response_to(event, 6) if random.random() < 0.3 else _positive(event))
    if session.room and random.random() < 0.3:
        session.send(decode(PACKETS["submit_alpha" if session.role == "esme" else "deliver_ucs2"]), now_ms)  # type: ignore[arg-type]
    return True


def _positive(request: Request) -> Response:
    if isinstance(request, Submit) and not all(one.isdigit() for one in request.destinations):
        return response_to(request, 300)
    return accepted(request)


def _check_output(session: Cimd2Session, heard: int) -> None:
    said = session.output()
    reader = FrameReader()
    packets = reader.read(said)
    assert (reader.pending, reader.dropped) == (0, 0)
    assert len(packets) <= heard + 12, "an answer each, what was said again, and a keep-alive"
    for packet in packets:
        operation = decode(packet)
        assert encode(operation) == packet
        assert not isinstance(operation, Nack) or operation.sequence % 2 == (session.role == "smsc")


@pytest.mark.fuzz
def test_a_session_survives_garbage_and_stays_small() -> None:
    random = Random(_SEED)
    fed, now_ms = 0, 0
    for session in _sessions(random):
        alive = True
        while alive and fed < _COUNT:
            packets = [_numbered(_mutated(random), session, random) for _ in range(random.randrange(1, 6))]
            stream = b"".join(packets)
            cut = random.randrange(1, len(stream) + 1)
            now_ms += random.choice((0, 1, 1_000, 20_000))
            for piece in (stream[:cut], stream[cut:]):
                alive = alive and _live(session, session.receive(piece, now_ms) if piece else [], random, now_ms)
            alive = alive and _live(session, session.tick(now_ms), random, now_ms)
            _check_output(session, heard=stream.count(b"\2") + 1)
            assert session._reader.pending <= _LIMIT
            assert len(session._duties) <= 5
            fed += len(packets)
        if fed >= _COUNT:
            break


def _numbered(packet: bytes, session: Cimd2Session, random: Random) -> bytes:
    """Mostly under the number that the session expects, or nothing behind the numbers would be reached."""
    if random.random() < 0.3 or not packet.endswith(b"\t\3"):
        return packet
    return packet[:4] + b"%03d" % session._duties._heard.expected + packet[7:]


def test_a_stream_of_noise_is_passed_over() -> None:
    random = Random(_SEED)
    for _ in range(300):
        session = Cimd2Session(random.choice(("esme", "smsc")), now_ms=0)
        events = [event for _ in range(20) for event in session.receive(random.randbytes(100), 0)]

        assert events == []
        assert all(isinstance(decode(packet), Nack) for packet in FrameReader().read(session.output()))


@pytest.mark.parametrize("role", ["esme", "smsc"])
def test_a_peer_that_never_waits_for_answers_costs_bounded_memory(role: Role) -> None:
    pair = Pair(Settings(window_in=50), Settings(window_in=50)).bind()
    session = pair.esme if role == "esme" else pair.smsc
    request = decode(PACKETS["deliver_ucs2" if role == "esme" else "submit_concat_1"])
    events: list[Event] = []

    for number in range(10_000):
        request.sequence = (2 * number + (0 if role == "esme" else 3)) & 0xFF
        events += session.receive(encode(request), 1)

    assert len(events) == len(session._duties) == 50
    assert len(session._duties._heard) <= 128
    assert len(session.output()) <= 10_000 * 13
