"""Text <-> octets of a short message.

encode_gsm(), decode_gsm()        GSM 03.38 with its extension, one septet in each octet ("unpacked")
choose(), encode(), decode()      the alphabet that carries a text most cheaply; any Alphabet
units()                           what a text costs: septets, 16-bit units or octets
pack(), unpack()                  7-bit packing, for the few links that want it
coding_of(), alphabet_of()        what a data_coding byte means; data_coding_of() for sending

Rule: decoding never raises, whatever the octets; it may be a subscriber's money that they carry. Encoding
is exact: what an alphabet lacks is None or an UnicodeEncodeError, never a lookalike.

The facts are from 3GPP TS 23.038 (formerly GSM 03.38), sections 4 and 6, and SMPP 3.4, section 5.2.19.
"""

import codecs
import re
from dataclasses import dataclass
from enum import Enum

# 0x1B, the escape, is no character; alone, or doubled, it shows as a space (23.038, 6.2.1 and 6.2.1.1).
_MAIN = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_ESCAPE = 0x1B
_REPLACEMENT = "\ufffd"


class Alphabet(Enum):
    """How the octets of a message are meant. Its unit is a septet, an octet or a pair of octets."""

    GSM7 = "gsm7"
    LATIN1 = "latin1"
    UCS2 = "ucs2"
    BINARY = "binary"


# --- GSM 03.38 --------------------------------------------------------------------------------------


def encode_gsm(text: str) -> bytes | None:
    """Septets of a text, one in each octet; None if a character is not in the alphabet."""
    raw, _ = codecs.charmap_encode(text, "ignore", _TO_CODES)
    if len(raw) != len(text):
        return None

    septets = raw.translate(_TO_SEPTETS)
    return septets if septets.isascii() else _escaped(septets)


def decode_gsm(octets: bytes) -> str:
    """Text of unpacked septets. An octet that is no septet becomes U+FFFD."""
    text, _ = codecs.charmap_decode(octets, "replace", _TO_TEXT)
    if _ESCAPE not in octets:
        return text

    return _PAIR.sub(_extended, text)


def _escaped(marked: bytes) -> bytes | None:
    """Writes each character of the extension, marked by its high bit, as a pair."""
    if _NOT_A_SEPTET in marked:
        return None

    for mark, pair in _PAIRS:
        marked = marked.replace(mark, pair)
    return marked


def _extended(pair: re.Match[str]) -> str:
    return _AFTER_ESCAPE.get(pair[1], pair[1])


def _codes() -> str:
    """What each octet of the encoding map stands for; U+FFFE is nothing.

    CPython builds its fast map only if octet 0 is U+0000. That is no GSM character, but "@" is septet 0; so
    "@" takes the place of the escape here, and _TO_SEPTETS puts both right.
    """
    codes = ["\ufffe"] * 256
    codes[:128] = _MAIN
    codes[_ESCAPE] = "@"
    codes[0] = "\0"
    for code, character in _EXTENSION.items():
        codes[0x80 | code] = character
    return "".join(codes)


_NOT_A_SEPTET = 0xFF
_TO_CODES = codecs.charmap_build(_codes())
_TO_SEPTETS = bytes.maketrans(bytes((0, _ESCAPE)), bytes((_NOT_A_SEPTET, 0)))
_PAIRS = tuple((bytes((0x80 | code,)), bytes((_ESCAPE, code))) for code in _EXTENSION)

_TO_TEXT = _MAIN[:_ESCAPE] + "\x1b" + _MAIN[_ESCAPE + 1 :] + _REPLACEMENT * 128
_PAIR = re.compile("\x1b(.?)", re.DOTALL)
_AFTER_ESCAPE = {_MAIN[code]: character for code, character in _EXTENSION.items()} | {"": " ", "\x1b": " "}


# --- Any alphabet -----------------------------------------------------------------------------------


def choose(text: str) -> Alphabet:
    """The alphabet that carries a text in the fewest parts."""
    return Alphabet.UCS2 if encode_gsm(text) is None else Alphabet.GSM7


def encode(text: str, alphabet: Alphabet) -> bytes:
    """Octets of a text; an UnicodeEncodeError if the alphabet lacks a character.

    UCS-2 carries all. Half a surrogate pair, which is no character at all, is sent as "?".
    """
    if alphabet is Alphabet.GSM7:
        septets = encode_gsm(text)
        if septets is None:
            raise UnicodeEncodeError("gsm7", text, 0, len(text), "a character is not in GSM 03.38")
        return septets
    if alphabet is Alphabet.UCS2:
        return text.encode("utf-16-be", "replace")

    return text.encode("latin-1")


def decode(octets: bytes, alphabet: Alphabet) -> str:
    """Text of some octets; U+FFFD for what is none. Binary shows octet by octet, so nothing is lost."""
    if alphabet is Alphabet.GSM7:
        return decode_gsm(octets)
    if alphabet is Alphabet.UCS2:
        return _decode_ucs2(octets)

    return octets.decode("latin-1")


def units(text: str, alphabet: Alphabet) -> int:
    """What a text takes of a message's room: septets, 16-bit units or octets."""
    length = len(encode(text, alphabet))
    return length // 2 if alphabet is Alphabet.UCS2 else length


def _decode_ucs2(octets: bytes) -> str:
    """UTF-16, big-endian unless a byte order mark says otherwise (some phones write one)."""
    if octets[:2] == b"\xff\xfe":
        return octets[2:].decode("utf-16-le", "replace")

    return octets.removeprefix(b"\xfe\xff").decode("utf-16-be", "replace")


# --- Packing ----------------------------------------------------------------------------------------


def pack(septets: bytes, *, header_octets: int = 0) -> bytes:
    """Eight septets in seven octets (23.038, 6.1.2.1), to be put after a header of so many octets."""
    assert septets.isascii(), "septets have seven bits"
    blocks = (len(septets) + 7) // 8
    bits = int.from_bytes(septets, "little")
    for width, gap in reversed(_HALVES):
        lower = _lower_halves(width, gap, blocks)
        bits = bits & lower | bits >> gap & lower << width
    apart = bits.to_bytes(8 * blocks, "little")
    packed = bytearray(7 * blocks)
    for place in range(7):
        packed[place::7] = apart[place::8]
    fill = _fill_bits(header_octets)
    return (int.from_bytes(packed, "little") << fill).to_bytes((fill + 7 * len(septets) + 7) // 8, "little")


def unpack(octets: bytes, *, header_octets: int = 0, count: int | None = None) -> bytes:
    """Septets of packed octets that stood after a header of so many octets.

    Without a count (SMPP has none) it is as many as fit; but if the last takes exactly the seven bits that
    may be padding and is 0, it is taken for padding, not for "@".
    """
    fill = _fill_bits(header_octets)
    fits = max(0, (8 * len(octets) - fill) // 7)
    blocks = (fits + 7) // 8
    packed = (int.from_bytes(octets, "little") >> fill).to_bytes(7 * blocks + 1, "little")
    apart = bytearray(8 * blocks)
    for place in range(7):
        apart[place::8] = packed[place : 7 * blocks : 7]
    bits = int.from_bytes(apart, "little")
    for width, gap in _HALVES:
        lower = _lower_halves(width, gap, blocks)
        bits = bits & lower | (bits & lower << width) << gap
    septets = bits.to_bytes(8 * blocks, "little")[:fits]
    if count is not None:
        return septets[:count]

    is_padded = (8 * len(octets) - fill) % 7 == 0 and septets.endswith(b"\0")
    return septets[:-1] if is_padded else septets


# A peer's text may have 64 KiB, so all blocks of seven octets are unpacked at once: one number in which every block has
# eight octets' room. The upper half of its 56 bits moves up by 4, that of each half by 2, that of each quarter by 1.
_HALVES = ((28, 4), (14, 2), (7, 1))


def _lower_halves(width: int, gap: int, blocks: int) -> int:
    """Ones where the lower halves are, of so many bits each, in the room of so many blocks."""
    octets = (width + gap) // 4
    return int.from_bytes(((1 << width) - 1).to_bytes(octets, "little") * (8 * blocks // octets), "little")


def _fill_bits(header_octets: int) -> int:
    """Text starts at a septet's border, counted from where the header starts (23.040, 9.2.3.24)."""
    return -8 * header_octets % 7


# --- data_coding ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Coding:
    """How to read a message: its alphabet and, for 8-bit texts of other scripts, Python's codec for them."""

    alphabet: Alphabet
    codec: str = ""

    def decode(self, octets: bytes) -> str:
        return octets.decode(self.codec, "replace") if self.codec else decode(octets, self.alphabet)


GSM7 = Coding(Alphabet.GSM7)
LATIN1 = Coding(Alphabet.LATIN1)
UCS2 = Coding(Alphabet.UCS2)
BINARY = Coding(Alphabet.BINARY)
UTF8 = Coding(Alphabet.BINARY, "utf-8")


def coding_of(data_coding: int, default: Coding = GSM7, *, ia5: Coding = LATIN1) -> Coding:
    """How to read what came with this data_coding.

    default is the connection's own for 0x00; ia5 is for 0x01, by which some operators mean GSM 03.38.
    """
    if data_coding == 0x00:
        return default
    if data_coding == 0x01:
        return ia5

    return _CODINGS[data_coding & 0xFF] or default


def alphabet_of(data_coding: int, default: Alphabet = Alphabet.GSM7) -> Alphabet:
    """The alphabet of a data_coding; texts that need a Python codec count as BINARY."""
    return coding_of(data_coding, _PLAIN[default]).alphabet


def data_coding_of(alphabet: Alphabet) -> int:
    """What to write into data_coding when sending; 0x00 is right where the connection's default is GSM."""
    return _DATA_CODINGS[alphabet]


_PLAIN = {coding.alphabet: coding for coding in (GSM7, LATIN1, UCS2, BINARY)}
_DATA_CODINGS = {Alphabet.GSM7: 0x00, Alphabet.LATIN1: 0x03, Alphabet.BINARY: 0x04, Alphabet.UCS2: 0x08}

# SMPP 3.4, 5.2.19, with the codecs met in practice. JIS X 0212 is in EUC-JP, but not in Shift-JIS. What is
# missing here and below 0x10 is reserved: the default, as 23.038, section 4, has it for its own.
_SMPP_CODINGS = {
    0x02: BINARY,
    0x03: LATIN1,
    0x04: BINARY,
    0x05: Coding(Alphabet.BINARY, "shift_jis"),
    0x06: Coding(Alphabet.BINARY, "iso8859_5"),
    0x07: Coding(Alphabet.BINARY, "iso8859_8"),
    0x08: UCS2,
    0x09: BINARY,
    0x0A: Coding(Alphabet.BINARY, "iso2022_jp"),
    0x0D: Coding(Alphabet.BINARY, "euc_jp"),
    0x0E: Coding(Alphabet.BINARY, "euc_kr"),
}


def _gsm_coding(dcs: int) -> Coding:
    """GSM's own data coding scheme (23.038, section 4), which many SMSCs pass through from 0x10 on."""
    group = dcs >> 4
    if group == 0xF:
        return BINARY if dcs & 0x04 else GSM7
    if group == 0xE:
        return UCS2
    if group >= 0x8:
        # 0xC and 0xD tell of waiting messages in GSM 7 bit; 0x8 to 0xB are reserved, and read as that.
        return GSM7
    if dcs & 0x20:
        # Compressed (3GPP TS 23.042): octets to us, not text.
        return BINARY

    return (GSM7, BINARY, UCS2, GSM7)[dcs >> 2 & 0x03]


_CODINGS: tuple[Coding | None, ...] = tuple(
    _SMPP_CODINGS.get(value) if value < 0x10 else _gsm_coding(value) for value in range(256)
)
