"""Alphabets against the published vectors, against gsm0338 over every code, and for all texts and octets."""

import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from gsm0338 import Codec
from hypothesis import given
from hypothesis import strategies as st

from core.sms.alphabet import (
    BINARY,
    GSM7,
    LATIN1,
    UCS2,
    UTF8,
    Alphabet,
    Coding,
    alphabet_of,
    choose,
    coding_of,
    data_coding_of,
    decode,
    decode_gsm,
    encode,
    encode_gsm,
    pack,
    units,
    unpack,
)

Vector = dict[str, Any]

VECTORS: list[Vector] = json.loads((Path(__file__).parents[2] / "vectors" / "gsm7.json").read_text())["vectors"]
PLAIN = [vector for vector in VECTORS if "packed_hex" in vector["fields"]]
BEHIND_HEADER = [vector for vector in VECTORS if "udh_hex" in vector["fields"]]
ORACLE = Codec()
ESCAPE = 0x1B

GSM_CHARACTERS = sorted(set(ORACLE._decode_map.values()) - {"\x1b"})
EXTENSION = "\f^{}\\[~]|€"
gsm_texts = st.text(st.sampled_from(GSM_CHARACTERS), max_size=400)
septets = st.lists(st.integers(0, 0x7F), max_size=200).map(bytes)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def name_of(vector: Vector) -> str:
    return vector["name"]


def oracle_encodes(character: str) -> bytes | None:
    try:
        octets, _ = ORACLE.encode(character)
    except UnicodeEncodeError:
        return None
    return octets


# --- GSM 03.38 ---


@pytest.mark.parametrize("vector", PLAIN, ids=name_of)
def test_a_published_text_has_its_published_septets(vector: Vector) -> None:
    text, octets = vector["fields"]["text"], bytes.fromhex(vector["hex"])

    assert encode_gsm(text) == octets
    assert decode_gsm(octets) == text
    assert units(text, Alphabet.GSM7) == vector["fields"]["septets"]


@pytest.mark.parametrize("code", [code for code in range(0x80) if code != ESCAPE])
def test_every_septet_of_the_main_table_is_what_gsm0338_says(code: int) -> None:
    character, _ = ORACLE.decode(bytes((code,)))

    assert decode_gsm(bytes((code,))) == character
    assert encode_gsm(character) == bytes((code,))


@pytest.mark.parametrize("code", [code for code in range(0x80) if code != ESCAPE])
def test_every_septet_after_an_escape_is_what_gsm0338_says_or_shows_as_in_the_main_table(code: int) -> None:
    pair = bytes((ESCAPE, code))
    is_known = ESCAPE << 8 | code in ORACLE._decode_map

    expected, _ = ORACLE.decode(pair if is_known else pair[1:])

    assert decode_gsm(pair) == expected
    assert (encode_gsm(expected) == pair) is is_known


def test_no_other_character_of_unicode_is_in_the_alphabet() -> None:
    ours = {chr(code) for code in range(0x110000) if encode_gsm(chr(code)) is not None}

    assert ours == set(GSM_CHARACTERS)


def test_each_character_has_the_septets_that_gsm0338_gives_it() -> None:
    for character in GSM_CHARACTERS:
        assert encode_gsm(character) == oracle_encodes(character)


@given(text=gsm_texts)
def test_a_text_of_the_alphabet_is_encoded_as_gsm0338_does_and_comes_back(text: str) -> None:
    octets = encode(text, Alphabet.GSM7)

    assert octets == encode_gsm(text) == ORACLE.encode(text)[0]
    assert decode_gsm(octets) == text


@given(before=gsm_texts, after=gsm_texts, stranger=st.characters().filter(lambda c: c not in GSM_CHARACTERS))
def test_one_strange_character_anywhere_makes_a_text_no_gsm_text(before: str, after: str, stranger: str) -> None:
    text = before + stranger + after

    assert encode_gsm(text) is None
    assert choose(text) is Alphabet.UCS2


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"A\x1b", "A "),
        (b"\x1b\x1bA", " A"),
        (b"\x1b\x1b\x1b\x65", " €"),
        (b"\x1b\xffA", "\ufffdA"),
        (b"A\x80\xffB", "A\ufffd\ufffdB"),
        (b"\x1b\x0a", "\f"),
        (b"\x1b\x1b\x65", " e"),
    ],
)
def test_octets_that_make_no_sense_are_shown_as_a_telephone_would(octets: bytes, text: str) -> None:
    assert decode_gsm(octets) == text


# --- Any alphabet ---


@given(text=texts, alphabet=st.sampled_from(Alphabet))
def test_a_text_comes_back_from_any_alphabet_that_carries_it(text: str, alphabet: Alphabet) -> None:
    text = text.lstrip("\ufeff\ufffe")  # A byte order mark is no text.
    try:
        octets = encode(text, alphabet)
    except UnicodeEncodeError:
        assert alphabet is not Alphabet.UCS2
        return

    assert decode(octets, alphabet) == text


@given(octets=st.binary(max_size=300), alphabet=st.sampled_from(Alphabet))
def test_whatever_octets_arrive_they_become_some_text(octets: bytes, alphabet: Alphabet) -> None:
    text = decode(octets, alphabet)

    text.encode("utf-8")  # Storable: no half surrogate pair is in it.


@given(text=gsm_texts)
def test_a_text_goes_in_gsm_where_that_carries_it(text: str) -> None:
    assert choose(text) is Alphabet.GSM7
    assert units(text, Alphabet.GSM7) == len(text) + sum(text.count(character) for character in EXTENSION)


def test_a_letter_outside_gsm_makes_a_text_ucs2() -> None:
    assert choose("reçu") is Alphabet.UCS2
    assert choose("REÇU") is Alphabet.GSM7


def test_a_text_that_the_alphabet_lacks_is_not_sent_as_something_else() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode("reçu", Alphabet.GSM7)
    with pytest.raises(UnicodeEncodeError):
        encode("Код", Alphabet.LATIN1)


@pytest.mark.parametrize(
    ("text", "alphabet", "expected"),
    [("5€", Alphabet.GSM7, 3), ("Код😀", Alphabet.UCS2, 5), ("reçu", Alphabet.LATIN1, 4), ("", Alphabet.UCS2, 0)],
)
def test_a_text_is_measured_in_the_units_of_its_alphabet(text: str, alphabet: Alphabet, expected: int) -> None:
    assert units(text, alphabet) == expected


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("041A043E0434", "Код"),
        ("D83DDE00", "😀"),
        ("FEFF041A", "К"),
        ("FFFE1A04", "К"),
        ("041A04", "К\ufffd"),
        ("D83D0041", "\ufffdA"),
        ("DE000041", "\ufffdA"),
        ("0041D83D", "A\ufffd"),
        ("", ""),
        ("FEFF", ""),
    ],
)
def test_damaged_or_marked_ucs2_is_read_as_far_as_it_goes(octets: str, text: str) -> None:
    assert decode(bytes.fromhex(octets), Alphabet.UCS2) == text


def test_half_a_surrogate_pair_from_a_partner_is_sent_as_a_question_mark() -> None:
    assert encode("К\ud83d", Alphabet.UCS2) == bytes.fromhex("041A003F")


# --- Packing ---


@pytest.mark.parametrize("vector", PLAIN, ids=name_of)
def test_a_published_text_is_packed_as_published(vector: Vector) -> None:
    unpacked, packed = bytes.fromhex(vector["hex"]), bytes.fromhex(vector["fields"]["packed_hex"])

    assert pack(unpacked) == packed
    assert unpack(packed, count=vector["fields"]["septets"]) == unpacked


@pytest.mark.parametrize("vector", BEHIND_HEADER, ids=name_of)
def test_behind_a_header_text_starts_on_a_septets_border(vector: Vector) -> None:
    header = bytes.fromhex(vector["fields"]["udh_hex"])
    body = bytes.fromhex(vector["hex"]).removeprefix(header)
    unpacked = encode_gsm(vector["fields"]["text"])
    assert unpacked is not None

    assert pack(unpacked, header_octets=len(header)) == body
    assert unpack(body, header_octets=len(header)) == unpacked


@given(unpacked=septets, header_octets=st.integers(0, 140))
def test_packed_septets_come_back_behind_any_header(unpacked: bytes, header_octets: int) -> None:
    packed = pack(unpacked, header_octets=header_octets)

    assert unpack(packed, header_octets=header_octets, count=len(unpacked)) == unpacked


@given(unpacked=septets.filter(lambda octets: not octets.endswith(b"\0")), header_octets=st.integers(0, 20))
def test_without_a_count_packed_text_comes_back_unless_it_ends_in_an_at_sign(
    unpacked: bytes, header_octets: int
) -> None:
    assert unpack(pack(unpacked, header_octets=header_octets), header_octets=header_octets) == unpacked


@given(octets=st.binary(max_size=200), header_octets=st.integers(0, 140))
def test_any_octets_are_unpacked_to_septets(octets: bytes, header_octets: int) -> None:
    assert unpack(octets, header_octets=header_octets).isascii()


@given(octets=st.binary(max_size=300), header_octets=st.integers(0, 140))
def test_the_septets_lie_in_the_octets_one_after_the_other_from_the_lowest_bit_on(
    octets: bytes, header_octets: int
) -> None:
    bits = "".join(f"{octet:08b}"[::-1] for octet in octets)[-8 * header_octets % 7 :]
    expected = bytes(int(bits[at : at + 7][::-1], 2) for at in range(0, len(bits) - 6, 7))

    assert unpack(octets, header_octets=header_octets, count=len(octets) * 8) == expected


@pytest.mark.parametrize("header_octets", [0, 6])
def test_the_longest_text_of_a_peer_holds_up_nobody(header_octets: int) -> None:
    octets = b"\xa5\x5a\xff" * (65_535 // 3)
    began_s = process_time()

    septets = unpack(octets, header_octets=header_octets)
    packed = pack(septets, header_octets=header_octets)

    assert process_time() - began_s < 0.1, "it takes some 2 ms; where its time grows with the square, a second"
    assert packed[1:-1] == octets[1:-1]


# --- data_coding ---

CYRILLIC = Coding(Alphabet.BINARY, "iso8859_5")


@pytest.mark.parametrize(
    ("data_coding", "coding"),
    [
        (0x00, GSM7),
        (0x01, LATIN1),
        (0x02, BINARY),
        (0x03, LATIN1),
        (0x04, BINARY),
        (0x06, CYRILLIC),
        (0x08, UCS2),
        (0x09, BINARY),
        (0x0B, GSM7),
        (0x0F, GSM7),
        (0x10, GSM7),
        (0x11, GSM7),
        (0x12, GSM7),
        (0x15, BINARY),
        (0x16, BINARY),
        (0x18, UCS2),
        (0x1C, GSM7),
        (0x20, BINARY),
        (0x48, UCS2),
        (0x54, BINARY),
        (0x84, GSM7),
        (0xC0, GSM7),
        (0xC8, GSM7),
        (0xD9, GSM7),
        (0xE0, UCS2),
        (0xE8, UCS2),
        (0xF0, GSM7),
        (0xF1, GSM7),
        (0xF4, BINARY),
        (0xF7, BINARY),
    ],
)
def test_a_data_coding_is_read_by_the_groups_of_gsm(data_coding: int, coding: Coding) -> None:
    assert coding_of(data_coding) == coding
    assert alphabet_of(data_coding) is coding.alphabet


def test_data_coding_0_is_what_the_connection_says() -> None:
    assert coding_of(0x00, UTF8).decode("Код".encode()) == "Код"
    assert coding_of(0x00, LATIN1).decode(b"re\xe7u") == "reçu"
    assert alphabet_of(0x00, Alphabet.LATIN1) is Alphabet.LATIN1
    assert coding_of(0x08, LATIN1) is UCS2


def test_data_coding_1_is_gsm_where_the_connection_says_so() -> None:
    assert coding_of(0x01).decode(b"a@b") == "a@b"
    assert coding_of(0x01, ia5=GSM7).decode(b"a\0b") == "a@b"


@pytest.mark.parametrize(
    ("data_coding", "octets", "text"),
    [
        (0x05, "83518381", "ゲメ"),
        (0x06, "BAD0D4", "Кад"),
        (0x07, "F9ECE5ED", "שלום"),
        (0x0A, "1B2442252C1B2842", "ガ"),
        (0x0D, "8FB0A1", "丂"),
        (0x0E, "B0D4C0D3", "게임"),
    ],
)
def test_texts_of_other_scripts_are_read_by_their_codecs(data_coding: int, octets: str, text: str) -> None:
    assert coding_of(data_coding).decode(bytes.fromhex(octets)) == text
    assert alphabet_of(data_coding) is Alphabet.BINARY


@given(data_coding=st.integers(0, 255), octets=st.binary(max_size=100))
def test_no_data_coding_with_any_octets_fails(data_coding: int, octets: bytes) -> None:
    coding_of(data_coding).decode(octets).encode("utf-8")


@pytest.mark.parametrize("alphabet", Alphabet)
def test_what_we_send_is_read_back_in_the_alphabet_we_meant(alphabet: Alphabet) -> None:
    assert alphabet_of(data_coding_of(alphabet)) is alphabet
