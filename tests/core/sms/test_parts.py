"""Long messages: the published part counts, and what holds for all texts, headers and orders of arrival."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.sms.alphabet import Alphabet, decode, encode
from core.sms.parts import (
    PARTS_MAX,
    Added,
    Assembly,
    Piece,
    Ports,
    TooLong,
    count,
    cut,
    headers,
    piece_of,
    read_header,
    room_octets,
    split,
    with_header,
)

Vector = dict[str, Any]

VECTORS: list[Vector] = json.loads((Path(__file__).parents[2] / "vectors" / "segmentation.json").read_text())["vectors"]

# Long texts of few characters, so that pairs meet borders often.
gsm_texts = st.text(st.sampled_from("A@€{é \n"), max_size=1200)
ucs2_texts = st.text(st.sampled_from("AЖ€😀"), max_size=500)
texts = gsm_texts | ucs2_texts | st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
reference_bits = st.sampled_from([8, 16])


# --- Splitting ---


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_published_text_has_its_published_parts(vector: Vector) -> None:
    fields = vector["fields"]

    message = split(fields["text"])

    assert message.alphabet.value == fields["alphabet"]
    assert message.units == fields["units"]
    assert message.parts == fields["parts"]
    assert count(fields["text"]) == fields["parts"]


def test_a_euro_sign_at_the_border_moves_whole_to_the_next_part() -> None:
    message = split("A" * 152 + "€" + "B" * 20)

    assert [len(chunk) for chunk in message.chunks] == [152, 22]
    assert message.chunks[1].startswith(b"\x1b\x65")


def test_an_emoji_at_the_border_moves_whole_to_the_next_part() -> None:
    message = split("Ж" * 66 + "😀" + "Ж" * 20)

    assert [len(chunk) // 2 for chunk in message.chunks] == [66, 22]


@given(text=texts, bits=reference_bits)
def test_the_parts_of_a_text_read_one_by_one_are_the_text(text: str, bits: int) -> None:
    message = split(text, bits=bits)

    assume("\ufeff" not in text and "\ufffe" not in text)  # At the start of a part, a byte order mark.
    assert "".join(decode(chunk, message.alphabet) for chunk in message.chunks) == text


@given(text=texts, bits=reference_bits)
def test_no_part_exceeds_its_room_nor_wastes_more_than_half_a_pair(text: str, bits: int) -> None:
    message = split(text, bits=bits)

    room = room_octets(message.alphabet, bits=bits)
    unit = 2 if message.alphabet is Alphabet.UCS2 else 1

    if message.parts == 1:
        assert message.units <= (70 if message.alphabet is Alphabet.UCS2 else 160)
    else:
        assert all(room - unit <= len(chunk) <= room for chunk in message.chunks[:-1])
        assert 0 < len(message.chunks[-1]) <= room


@given(text=texts, bits=reference_bits)
def test_what_is_counted_is_what_is_sent(text: str, bits: int) -> None:
    assert count(text, bits=bits) == split(text, bits=bits).parts


@pytest.mark.parametrize(
    ("alphabet", "bits", "octets"),
    [
        (Alphabet.GSM7, 8, 153),
        (Alphabet.GSM7, 16, 152),
        (Alphabet.UCS2, 8, 134),
        (Alphabet.UCS2, 16, 132),
        (Alphabet.BINARY, 8, 134),
        (Alphabet.BINARY, 16, 133),
        (Alphabet.LATIN1, 8, 134),
    ],
)
def test_a_header_leaves_the_room_that_gsm_says(alphabet: Alphabet, bits: int, octets: int) -> None:
    assert room_octets(alphabet, bits=bits) == octets


@given(octets=st.binary(max_size=1000), bits=reference_bits)
def test_binary_is_cut_anywhere_and_nothing_is_lost(octets: bytes, bits: int) -> None:
    chunks = cut(octets, Alphabet.BINARY, bits=bits)

    assert b"".join(chunks) == octets
    assert len(chunks) == (1 if len(octets) <= 140 else -(-len(octets) // room_octets(Alphabet.BINARY, bits=bits)))


@pytest.mark.parametrize("part", ["A" * 153, "Ж" * 67])
def test_255_parts_can_be_sent_and_one_more_is_too_long(part: str) -> None:
    assert count(part * PARTS_MAX) == split(part * PARTS_MAX).parts == PARTS_MAX

    with pytest.raises(TooLong):
        split(part * PARTS_MAX + part[0])
    with pytest.raises(TooLong):
        count(part * PARTS_MAX + part[0])


# --- Headers ---


def test_a_header_is_written_as_gsm_says() -> None:
    short = with_header(b"hello", reference=1, total=2, sequence=1)
    long = with_header(b"hello", reference=0x1234, total=2, sequence=1, bits=16)

    assert short == bytes.fromhex("050003010201") + b"hello"
    assert long == bytes.fromhex("06080412340201") + b"hello"


@given(chunk=st.binary(max_size=160), bits=reference_bits, data=st.data())
def test_a_header_that_is_written_is_read_again(chunk: bytes, bits: int, data: st.DataObject) -> None:
    reference = data.draw(st.integers(0, (1 << bits) - 1))
    total = data.draw(st.integers(1, PARTS_MAX))
    sequence = data.draw(st.integers(1, total))

    user_data = with_header(chunk, reference=reference, total=total, sequence=sequence, bits=bits)
    header = read_header(user_data)

    assert header is not None
    assert header.piece == Piece(reference=reference, total=total, sequence=sequence, bits=bits)
    assert user_data[header.octets :] == chunk


@given(reference=st.integers(0, 1 << 40), total=st.integers(2, PARTS_MAX), bits=reference_bits)
def test_the_headers_of_a_message_number_its_parts_under_one_reference(reference: int, total: int, bits: int) -> None:
    pieces = [read_header(header + b"x") for header in headers(reference, total, bits)]

    assert [found and found.piece for found in pieces] == [
        Piece(reference=reference % (1 << bits), total=total, sequence=number, bits=bits)
        for number in range(1, total + 1)
    ]


def test_a_single_message_needs_no_header() -> None:
    assert headers(7, 1, 8) == [b""]


def test_ports_and_unknown_elements_are_kept_beside_a_piece() -> None:
    header = read_header(bytes.fromhex("0E 0504 0B84 23F0 0003 2A0302 7001FF") + b"wap")

    assert header is not None
    assert header.octets == 15
    assert header.ports == Ports(destination=2948, source=9200)
    assert header.piece == Piece(reference=0x2A, total=3, sequence=2, bits=8)
    assert header.elements == ((5, bytes.fromhex("0B8423F0")), (0, bytes.fromhex("2A0302")), (0x70, b"\xff"))


def test_ports_of_8_bits_are_read() -> None:
    header = read_header(bytes.fromhex("04 0402 F0F1"))

    assert header is not None
    assert header.ports == Ports(destination=0xF0, source=0xF1)
    assert header.piece is None


@pytest.mark.parametrize(
    "element", ["0003 2A0300", "0003 2A0304", "0003 2A0000", "0002 2A03", "0804 00010300", "0803 2A0302"]
)
def test_a_part_number_that_cannot_be_is_ignored_but_its_header_is_no_text(element: str) -> None:
    element_octets = bytes.fromhex(element)

    header = read_header(bytes((len(element_octets),)) + element_octets + b"text")

    assert header is not None
    assert header.piece is None
    assert header.octets == 1 + len(element_octets)


@pytest.mark.parametrize(
    "user_data",
    [
        b"",
        b"Hello, this is a text without a header.",
        b"Hello, this is a text that is longer than its first octet says, but no header. It is all text, then.",
        bytes.fromhex("050003010201")[:5],
        bytes.fromhex("0500040102010A"),
        bytes.fromhex("0600030102010041"),
    ],
)
def test_a_header_that_does_not_add_up_is_text(user_data: bytes) -> None:
    assert read_header(user_data) is None


@given(user_data=st.binary(max_size=160))
def test_whatever_arrives_as_a_header_is_read_or_refused_but_never_fails(user_data: bytes) -> None:
    header = read_header(user_data)

    assert header is None or 1 <= header.octets <= len(user_data)


def test_of_two_concatenation_elements_the_last_counts() -> None:
    header = read_header(bytes.fromhex("0B 0003 010201 0804 12340302"))

    assert header is not None
    assert header.piece == Piece(reference=0x1234, total=3, sequence=2, bits=16)


@pytest.mark.parametrize(
    ("reference", "total", "sequence"), [(1, 0, 0), (1, 3, 0), (1, 3, 4), (1, 256, 1), (0x10000, 2, 1), (-1, 2, 1)]
)
def test_sar_parameters_that_cannot_be_are_no_piece(reference: int, total: int, sequence: int) -> None:
    assert piece_of(reference=reference, total=total, sequence=sequence) is None


def test_sar_parameters_are_a_piece() -> None:
    piece = piece_of(reference=0x1234, total=3, sequence=2)

    assert piece == Piece(reference=0x1234, total=3, sequence=2, bits=16)


# --- Joining ---


def arrivals(parts: int) -> st.SearchStrategy[list[int]]:
    """Each part at least once, in any order, some again."""
    again = st.lists(st.integers(1, parts), max_size=parts)
    return again.flatmap(lambda extra: st.permutations([*range(1, parts + 1), *extra]))


@given(text=texts, data=st.data())
def test_parts_in_any_order_and_repeated_make_the_text(text: str, data: st.DataObject) -> None:
    message = split(text)
    assembly = Assembly(message.parts)

    for sequence in data.draw(arrivals(message.parts)):
        assembly.add(sequence, message.chunks[sequence - 1])

    assert assembly.complete
    assert assembly.missing == ()
    assert assembly.joined() == encode(text, message.alphabet)


@given(text=ucs2_texts.filter(bool), data=st.data())
def test_a_text_that_another_sender_cut_anywhere_is_whole_when_joined(text: str, data: st.DataObject) -> None:
    alphabet = split(text).alphabet
    octets = encode(text, alphabet)
    border = data.draw(st.integers(0, len(octets)))
    assembly = Assembly(2)

    assembly.add(2, octets[border:])
    assembly.add(1, octets[:border])

    assert decode(assembly.joined(), alphabet) == text


def test_a_part_that_comes_twice_is_a_repeat_and_changes_nothing() -> None:
    assembly = Assembly(2)

    assert assembly.add(1, b"A") is Added.NEW
    assert assembly.add(1, b"A") is Added.REPEAT
    assert assembly.joined() == b"A"
    assert not assembly.complete


def test_another_part_of_the_same_number_is_a_conflict_and_the_first_stays() -> None:
    assembly = Assembly(2)

    assert assembly.add(1, b"A") == "new"
    assert assembly.add(1, b"B") == "conflict"
    assert assembly.joined() == b"A"


def test_what_came_is_joined_in_order_though_a_part_never_comes() -> None:
    assembly = Assembly(4)

    assembly.add(4, b"four")
    assembly.add(2, b"two ")

    assert assembly.missing == (1, 3)
    assert not assembly.complete
    assert assembly.joined() == b"two four"
