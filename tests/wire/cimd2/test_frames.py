"""A stream is cut into packets, wherever its bytes are cut."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.wire.cimd2.makers import any_operations
from tests.wire.cimd2.vectors import PACKETS
from wire.cimd2 import Operation, encode
from wire.cimd2.frames import MAX_PACKET, FrameReader, checksum_of, read_head

_BANNER = b"CIMD2-A ConnectionInfo: SessionId = 17 PortId = 3 Time = 261124081000 AccessType = TCPIP PIN = 9\r\n"
_STREAM = _BANNER + b"\r\n".join(PACKETS.values())


@given(some.lists(some.tuples(some.binary(max_size=10), any_operations), max_size=6), some.data())
def test_the_same_packets_come_out_wherever_the_stream_is_cut(
    words: list[tuple[bytes, Operation]], data: some.DataObject
) -> None:
    packets = [encode(operation) for _, operation in words]
    noise = [octets.replace(b"\2", b"") for octets, _ in words]
    stream = b"".join(octets + packet for octets, packet in zip(noise, packets))
    cuts = sorted(data.draw(some.lists(some.integers(0, len(stream)), max_size=10)))
    reader = FrameReader()

    read = [
        packet
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for packet in reader.read(stream[start:end])
    ]

    assert read == packets
    assert (reader.pending, reader.dropped) == (0, 0)


@given(some.lists(some.sampled_from([b"\2", b"\3", b"\t", b"40:001", b"x" * 30]), max_size=40), some.data())
def test_what_is_dropped_does_not_depend_on_where_the_stream_is_cut(words: list[bytes], data: some.DataObject) -> None:
    stream = b"".join(words)
    cuts = sorted(data.draw(some.lists(some.integers(0, len(stream)), max_size=10)))
    whole, pieces = FrameReader(64), FrameReader(64)

    read = [
        packet
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for packet in pieces.read(stream[start:end])
    ]

    assert read == whole.read(stream)
    assert (pieces.pending, pieces.dropped) == (whole.pending, whole.dropped)
    assert all(packet[:1] == b"\2" and packet[-1:] == b"\3" and len(packet) <= 64 for packet in read)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 16, 1000])
def test_every_recorded_packet_survives_a_stream_in_small_pieces(step: int) -> None:
    reader = FrameReader()

    read = [packet for at in range(0, len(_STREAM), step) for packet in reader.read(_STREAM[at : at + step])]

    assert read == list(PACKETS.values())
    assert reader.dropped == 0


def test_a_packet_that_is_cut_short_by_another_is_dropped() -> None:
    reader = FrameReader()

    assert reader.read(b"\x0203:003\t021:+23" + PACKETS["alive_app"]) == [PACKETS["alive_app"]]
    assert reader.read(b"\x0203:0") == []
    assert reader.read(b"03\t" + PACKETS["logout"]) == [PACKETS["logout"]]
    assert reader.dropped == 2


@pytest.mark.parametrize("step", [1, 100, 5000])
def test_a_packet_that_is_too_long_is_dropped_and_the_next_is_read(step: int) -> None:
    longest = b"\x0203:003\t033:" + b"x" * (MAX_PACKET - 14) + b"\t\3"
    stream = longest + longest[:20] + longest[19:] + PACKETS["logout"]
    reader = FrameReader()

    read = [packet for at in range(0, len(stream), step) for packet in reader.read(stream[at : at + step])]

    assert len(longest) == MAX_PACKET
    assert read == [longest, PACKETS["logout"]]
    assert reader.dropped == 1


def test_a_slow_peer_costs_no_more_memory_than_one_packet_and_no_quadratic_time() -> None:
    reader = FrameReader(70_000)
    began = time.perf_counter()

    for _ in range(69_000):
        reader.read(b"\2" if not reader.pending else b"x")
    assert reader.read(b"\3") == [b"\2" + b"x" * 68_999 + b"\3"]

    assert reader.pending == 0
    assert time.perf_counter() - began < 2  # copying all each time would take a minute


def test_noise_without_a_start_is_not_kept() -> None:
    reader = FrameReader()

    for _ in range(1000):
        assert reader.read(b"GET / HTTP/1.1\r\n\r\n\3" * 10) == []

    assert (reader.pending, reader.dropped) == (0, 0)


@given(some.binary(max_size=700))
def test_the_checksum_is_the_sum_of_all_octets(octets: bytes) -> None:
    assert checksum_of(octets) == sum(octets) % 256


def test_the_checksum_holds_at_the_border_of_its_fast_way() -> None:
    for length in (255, 256, 257, 4096):
        assert checksum_of(b"\xff" * length) == 255 * length % 256


def test_a_head_is_read_or_is_none() -> None:
    assert read_head(PACKETS["submit_pn255"]) == (3, 255)
    assert read_head(b"\x0277:004\t\3") == (77, 4)
    for broken in (b"\x0203:256\t\3", b"\x0203-003\t\3", b"\x02+3:003\t\3", b"\x0203:003\3", b"\x0203:03\t\3", b""):
        assert read_head(broken) is None
