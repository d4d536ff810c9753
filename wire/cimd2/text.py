"""User data: text <-> octets on the wire.

read_text(octets)       033 -> text; never raises
write_text(text)        text -> 033; LocalError if GSM lacks a character

033 is Latin-1 in which what GSM has outside plain ASCII is written as "_" and two letters; a character of GSM's
extension as "_XX" and the character that has its code. Octets 5B to 5E and 7B to 7E mean what they mean in GSM.

Rule: reading never raises, and keeps what it does not know as it stands: an unknown "_zz" is these three characters.
Writing is exact: what GSM lacks is refused, never replaced.

Source: sheet section 5; 3GPP TS 23.038, section 6.2.1, for the alphabet.
"""

import codecs
import re

from wire.errors import LocalError

# 3GPP TS 23.038, 6.2.1; 0x1B is the escape, and no character.
_GSM = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
# The character of the alphabet whose code stands behind the escape -> what the two mean together.
_EXTENSION = {
    "\n": "\f",
    "Λ": "^",
    "(": "{",
    ")": "}",
    "/": "\\",
    "<": "[",
    "=": "~",
    ">": "]",
    "¡": "|",
    "e": "€",
}

# Two letters -> character. Case counts: "_oa" is none (pitfall 6).
ESCAPES = {
    "Oa": "@",
    "L-": "£",
    "Y-": "¥",
    "e`": "è",
    "e'": "é",
    "u`": "ù",
    "i`": "ì",
    "o`": "ò",
    "C,": "Ç",
    "O/": "Ø",
    "o/": "ø",
    "A*": "Å",
    "a*": "å",
    "gd": "Δ",
    "--": "_",
    "gf": "Φ",
    "gg": "Γ",
    "gl": "Λ",
    "go": "Ω",
    "gp": "Π",
    "gi": "Ψ",
    "gs": "Σ",
    "gt": "Θ",
    "gx": "Ξ",
    "AE": "Æ",
    "ae": "æ",
    "ss": "ß",
    "E'": "É",
    "qq": '"',
    "ox": "¤",
    "!!": "¡",
    'A"': "Ä",
    'O"': "Ö",
    "N~": "Ñ",
    'U"': "Ü",
    "so": "§",
    "??": "¿",
    'a"': "ä",
    'o"': "ö",
    "n~": "ñ",
    'u"': "ü",
    "a`": "à",
}
_LONG_ESCAPE = "_XX"
# Finnish and Swedish terminals sent GSM's own codes for these (Kannel reads them so).
_RAW = {"[": "Ä", "\\": "Ö", "]": "Å", "^": "Ü", "{": "ä", "|": "ö", "}": "å", "~": "ü"}

# --- 033 ------------------------------------------------------------------------------------------------


def read_text(octets: bytes) -> str:
    """What 033 says. An escape before nothing, or before another, shows as a space, as on a handset."""
    text = octets.decode("latin-1")
    if _PLAIN.fullmatch(text):
        return text
    return _ODD.sub(_read_odd, text)


def write_text(text: str) -> bytes:
    """033 for a text. A LocalError if GSM lacks one of its characters, or it would not fit a packet."""
    if _PLAIN.fullmatch(text):
        return text.encode("latin-1")
    try:
        octets, _ = codecs.charmap_encode(text, "strict", _TO_OCTETS)
    except UnicodeEncodeError:
        raise LocalError("a character of the text is not in GSM 03.38") from None
    return octets


def _read_odd(match: re.Match[str]) -> str:
    found = match[0]
    if found.startswith(_LONG_ESCAPE):
        behind = found[3:]
        if behind in ("", _LONG_ESCAPE):
            return " "
        character = _MEANS.get(behind, behind)
        return _EXTENSION.get(character, character)
    return _MEANS[found]


_MEANS = {f"_{letters}": character for letters, character in ESCAPES.items()} | _RAW
_PLAIN = re.compile(r"[A-Za-z0-9 \n\r!#$%&'()*+,\-./:;<=>?]*")
_KNOWN = "|".join(re.escape(letters) for letters in ESCAPES)
_ODD = re.compile(rf"_XX(?:_(?:XX|{_KNOWN})|[^\0])?|_(?:{_KNOWN})|[\[\\\]^{{|}}~]")

_WRITTEN = {character: f"_{letters}" for letters, character in ESCAPES.items()}
_TO_OCTETS: dict[int, bytes] = {
    ord(character): _WRITTEN.get(character, character).encode("latin-1")
    for code, character in enumerate(_GSM)
    if code != _ESCAPE
} | {
    ord(meaning): (_LONG_ESCAPE + _WRITTEN.get(behind, behind)).encode("latin-1")
    for behind, meaning in _EXTENSION.items()
}
