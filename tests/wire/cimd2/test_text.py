"""User data both ways: escapes, raw octets, GSM's extension."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.sms.alphabet import decode_gsm, encode_gsm
from wire.cimd2 import read_text, write_text
from wire.cimd2.text import ESCAPES
from wire.errors import LocalError

_ALL = [decode_gsm(bytes((septet,))) for septet in range(128) if septet != 0x1B]
_EXTENDED = [
    decode_gsm(bytes((0x1B, septet))) for septet in (0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65)
]
texts = some.text(some.sampled_from(_ALL + _EXTENDED), max_size=160)


def test_all_of_gsm_is_written_and_read() -> None:
    assert len(set(_ALL)) == 127
    for character in _ALL + _EXTENDED:
        octets = write_text(character)
        assert read_text(octets) == character
        assert octets.isascii()
        assert not set(octets) & set(b'[]{}|\\^~@"') or octets.startswith(b"_"), octets


@given(texts)
def test_a_text_is_read_as_written(text: str) -> None:
    assert read_text(write_text(text)) == text


@given(some.binary(max_size=200))
def test_reading_never_raises_and_loses_no_plain_letter(octets: bytes) -> None:
    text = read_text(octets)

    assert len(text) <= len(octets)
    assert text.count("Q") >= octets.count(b"Q") - octets.count(b"_")


@given(some.text(max_size=40))
def test_what_gsm_lacks_is_refused_and_nothing_else(text: str) -> None:
    if encode_gsm(text) is None:
        with pytest.raises(LocalError) as error:
            write_text(text)
        assert not any(character in str(error.value) for character in text if not character.isascii())
    else:
        assert read_text(write_text(text)) == text


@pytest.mark.parametrize("text", ["Привет", "`", "ç", "á", "\x1b", "a\u20ac\u2713", "\x00", "\t", "\x02", "\x7f"])
def test_no_character_is_replaced(text: str) -> None:
    with pytest.raises(LocalError):
        write_text(text)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"[]{}", "ÄÅäå"),
        (b"\\^|~", "ÖÜöü"),
        (b"a@b $5", "a@b $5"),
        (b'say "hi"', 'say "hi"'),
        (b"caf\xe9 \xa7\xbf", "café §¿"),
        (b"_oa _OA", "_oa _OA"),
        (b"_", "_"),
        (b"__--", "__"),
        (b"a_", "a_"),
        (b"_X", "_X"),
        (b"_XX", " "),
        (b"_XX_XX", " "),
        (b"_XXe_XX", "€ "),
        (b"_XXa", "a"),
        (b"_XX_gl", "^"),
        (b"_XX_gd", "Δ"),
        (b"_XX_zz", "_zz"),
        (b"_XX[", "Ä"),
        (b"_XX\n", "\f"),
        (b"_XX_!!_XX_!!", "||"),
        (b'_A"_N~', "ÄÑ"),
        (b"line\r\nline", "line\r\nline"),
    ],
)
def test_what_handsets_and_old_terminals_send_is_read(octets: bytes, text: str) -> None:
    assert read_text(octets) == text


def test_a_full_message_of_the_dearest_characters_still_fits_its_parameter() -> None:
    assert max(len(write_text(character)) for character in _ALL) == 3
    assert len(write_text("^" * 80)) == 480


def test_no_escape_stands_for_two_characters() -> None:
    assert len(set(ESCAPES.values())) == len(ESCAPES) == 42
    assert all(len(letters) == 2 for letters in ESCAPES)
