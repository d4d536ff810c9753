"""A stream is cut into frames, wherever its bytes are cut and whatever stands between them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.wire.ucp.makers import any_operations, framed, on_wire
from tests.wire.ucp.vectors import FRAMES
from wire.errors import LocalError, RemoteError
from wire.ucp import Operation, encode
from wire.ucp.frames import Frames, addressed, checksum, read_frame, write_frame

_STREAM = b"".join(map(on_wire, FRAMES.values()))
_GARBAGE = some.binary(max_size=20).map(lambda octets: octets.replace(b"\2", b"").replace(b"\3", b""))


@given(some.lists(some.tuples(any_operations, _GARBAGE), max_size=6), some.data())
def test_the_same_frames_come_out_wherever_the_stream_is_cut(
    said: list[tuple[Operation, bytes]], data: some.DataObject
) -> None:
    frames = [encode(operation) for operation, _ in said]
    stream = b"".join(garbage + frame for frame, (_, garbage) in zip(frames, said, strict=True))
    cuts = sorted(data.draw(some.lists(some.integers(0, len(stream)), max_size=10)))
    reader = Frames()

    read = [
        frame
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for frame in reader.read(stream[start:end])
    ]

    assert read == [frame[1:-1] for frame in frames]
    assert (reader.pending, reader.overlong) == (0, 0)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 16, 1000])
def test_every_recorded_frame_survives_a_stream_in_small_pieces(step: int) -> None:
    reader = Frames()

    read = [frame for at in range(0, len(_STREAM), step) for frame in reader.read(_STREAM[at : at + step])]

    assert read == list(FRAMES.values())


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_what_does_not_end_gives_way_to_the_next_beginning(step: int) -> None:
    stream = b"noise\3\2broken" + on_wire(b"one") + b"\3\3\2\2" + on_wire(b"two") + b"\r\n\2"
    reader = Frames()

    read = [frame for at in range(0, len(stream), step) for frame in reader.read(stream[at : at + step])]

    assert read == [b"one", b"two"]
    assert reader.pending == 1


@pytest.mark.parametrize("step", [1, 4, 1000])
def test_a_frame_beyond_the_limit_is_passed_over_and_the_next_is_read(step: int) -> None:
    stream = on_wire(b"x" * 11) + on_wire(b"y" * 10) + on_wire(b"z" * 5000) + on_wire(b"end")
    reader = Frames(10)

    read = [frame for at in range(0, len(stream), step) for frame in reader.read(stream[at : at + step])]

    assert read == [b"y" * 10, b"end"]
    assert (reader.overlong, reader.pending) == (2, 0)


def test_a_slow_peer_costs_no_more_memory_than_one_frame_and_no_quadratic_time() -> None:
    reader = Frames(100_000)
    large = b"\2" + b"7" * 65_000 + b"\3"
    began = time.perf_counter()

    for at in range(len(large) - 1):
        assert reader.read(large[at : at + 1]) == []
    frames = reader.read(large[-1:])

    assert frames == [large[1:-1]]
    assert reader.pending == 0
    assert time.perf_counter() - began < 2  # 65 000 chunks; copying all each time would take a minute


def test_noise_without_an_stx_is_not_kept() -> None:
    reader = Frames()

    for _ in range(100):
        assert reader.read(b"GET / HTTP/1.1\r\n" * 100) == []

    assert (reader.pending, reader.overlong) == (0, 0)


@given(some.binary(max_size=3000))
def test_the_checksum_is_the_sum_of_all_octets(octets: bytes) -> None:
    assert checksum(octets) == sum(octets) % 256


@pytest.mark.parametrize("size", [256, 257, 512, 513, 5000])
@pytest.mark.parametrize("octet", [0x7F, 0xFF])
def test_the_checksum_is_so_of_the_largest_octets_too(size: int, octet: int) -> None:
    assert checksum(bytes((octet,)) * size) == size * octet % 256


@pytest.mark.parametrize("size", [0, 100, 1000, 1008, 1009, 5000])
def test_a_frame_of_any_length_is_read_as_written(size: int) -> None:
    fields = "/".join(["7" * size, "0539"])

    frame = write_frame(7, "O/31", fields)[1:-1]

    assert frame == framed("O/31", fields + "/")
    assert read_frame(frame) == (7, "O/31", fields)


def test_the_checksum_may_be_in_lower_case() -> None:
    frame = framed("R/60", "A//", trn="00")
    assert frame.endswith(b"6D")

    assert read_frame(frame[:-1] + b"d") == (0, "R/60", "A/")


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (framed("O/31", "8511/0539/", checksum="00"), 1),
        (framed("O/31", "8511/0539/", checksum="GG"), 1),
        (framed("R/31", "A/0000/", checksum="00"), None),
        (framed("O/31", "8511/0539/", length=26 - 2), 2),
        (framed("R/31", "A/0000/", length=26 - 2), None),
        (framed("O/31", "8511/0539/", trn="AA"), None),
        (framed("O/31", "8511/0539/", trn="²1"), None),
        (framed("O/3x", "8511/0539/", checksum="00"), None),
        (b"07/0026/O/31/8511/0539/C7", 2),
        (b"07/00026/O/31/8511/0539C7", 2),
        (b"07/00016/O/31", None),
        (b"07", None),
        (b"", None),
    ],
)
def test_a_wrong_frame_is_answered_as_far_as_one_can(frame: bytes, answer: int | None) -> None:
    with pytest.raises(RemoteError) as error:
        read_frame(frame)

    assert (error.value.answer, error.value.fatal) == (answer, False)
    assert answer is None or addressed(frame) == (7, "31")


def test_a_wrong_len_is_taken_where_it_is_tolerated() -> None:
    frame = framed("O/31", "8511/0539/", length=24)

    assert read_frame(frame, tolerant_length=True) == (7, "O/31", "8511/0539")


@pytest.mark.parametrize(("trn", "fields"), [(-1, "A"), (100, "A"), (0, "\x03"), (0, "é"), (0, "A" * 100_000)])
def test_what_has_no_form_is_our_mistake(trn: int, fields: str) -> None:
    with pytest.raises(LocalError):
        write_frame(trn, "R/60", fields)
