"""A stream is cut into PDUs, wherever its bytes are cut."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.wire.smpp.makers import any_operations
from tests.wire.smpp.vectors import PDUS
from wire.errors import RemoteError
from wire.smpp.codec import encode
from wire.smpp.frames import FrameReader, read_header

_STREAM = b"".join(PDUS.values())


@given(some.lists(any_operations, max_size=6), some.data())
def test_the_same_pdus_come_out_wherever_the_stream_is_cut(operations: list[object], data: some.DataObject) -> None:
    frames = [encode(operation) for operation in operations]  # type: ignore[arg-type]
    stream = b"".join(frames)
    cuts = sorted(data.draw(some.lists(some.integers(0, len(stream)), max_size=10)))
    reader = FrameReader()

    read = [
        frame
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for frame in reader.read(stream[start:end])
    ]

    assert read == frames
    assert reader.pending == 0


@pytest.mark.parametrize("step", [1, 2, 3, 7, 16, 1000])
def test_every_recorded_pdu_survives_a_stream_in_small_pieces(step: int) -> None:
    reader = FrameReader()

    read = [frame for at in range(0, len(_STREAM), step) for frame in reader.read(_STREAM[at : at + step])]

    assert read == list(PDUS.values())


@pytest.mark.parametrize("length", [0, 1, 4, 15, 70_001, 0xFFFFFFFF])
def test_an_impossible_length_ends_the_stream_after_the_pdus_before_it(length: int) -> None:
    reader = FrameReader()

    frames = reader.read(PDUS["unbind"] + length.to_bytes(4, "big") + PDUS["unbind"])

    assert frames == [PDUS["unbind"]]
    assert reader.error is not None
    assert (reader.error.answer, reader.error.fatal) == (0x02, True)
    assert str(reader.error).startswith(f"command_length 0x{length:08X}"), "ten digits would be masked as a number"
    assert reader.read(PDUS["unbind"]) == []
    assert reader.pending == 0


def test_the_limit_is_the_link_s_own() -> None:
    large = bytes.fromhex("00011170") + PDUS["unbind"][4:] + bytes(70_000 - 16)

    assert FrameReader(70_000).read(large) == [large]
    assert FrameReader(69_999).read(large) == []


def test_a_slow_peer_costs_no_more_memory_than_one_pdu_and_no_quadratic_time() -> None:
    reader = FrameReader()
    large = bytes.fromhex("0000FFFF") + bytes(0xFFFF - 4)
    began = time.perf_counter()

    for at in range(len(large) - 1):
        assert reader.read(large[at : at + 1]) == []
    frames = reader.read(large[-1:])

    assert frames == [large]
    assert reader.pending == 0
    assert time.perf_counter() - began < 2  # 65 535 chunks; copying all each time would take a minute


def test_a_header_shorter_than_16_octets_is_none() -> None:
    assert read_header(PDUS["unbind"]) == (16, 6, 0, 900)
    with pytest.raises(RemoteError):
        read_header(PDUS["unbind"][:15])
