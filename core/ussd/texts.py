"""How long a screen may be, and in which letters (ussd.md, section 4).

Letters      what a link can carry: GSM 7 bit only, ASCII only, any
Room         a link's alphabet and limit
Written      a text as it will go, with what it takes of its room
write        a text → Written: folded first, because one ê takes 182 to 80
measure      the same of a text as it stands
pack_ussd    septets packed as USSD does it: seven spare bits are a CR (23.038, 6.1.2.3)

Rule: what an alphabet lacks is written by its nearest letter, in Latin ones where it must be; never as `?`.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from core.latin import NoLatin, latin
from core.sms.alphabet import Alphabet, encode_gsm, pack

SEPTETS = 182
UNITS = 80

_SIGNS = {
    **dict.fromkeys("‘’‚‛`´ʼ′", "'"),
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("•·∙", "-"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\t\f\v", " "),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
    "…": "...", "№": "No", "×": "x", "™": "TM", "©": "(c)", "®": "(R)", "\r": "",
}  # fmt: skip
# Signs of GSM 7 bit that ASCII lacks, and those of its extension, which every gateway carries.
_ASCII_SIGNS = {"£": "GBP", "¥": "JPY", "€": "EUR", "¤": "$", "¡": "!", "¿": "?", "§": "S"}


class Letters(Enum):
    """What a link carries. ANY: GSM 7 bit where the text allows it, else UCS-2."""

    GSM7 = "gsm7"
    ASCII = "ascii"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Room:
    """A link's limit: septets (or characters of ASCII), and 16-bit units where a text needs UCS-2. `line_units` is what
    a line end takes: 2 for CRLF, and for a bar, which is of GSM's extension.
    """

    septets: int = SEPTETS
    units: int = UNITS
    letters: Letters = Letters.ANY
    line_units: int = 1

    @staticmethod
    def of(limit: int, letters: str, line_end: str = "lf") -> "Room":
        """As a link's options write it: 182 is what the network carries, less what a gateway does."""
        return Room(min(limit, SEPTETS), min(limit, UNITS), Letters(letters), 1 if line_end == "lf" else 2)


NETWORK = Room()
"""What the network carries, and no gateway makes smaller."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text as it goes."""

    text: str
    alphabet: Alphabet
    units: int
    limit: int

    @property
    def fits(self) -> bool:
        """One screen holds it."""
        return self.units <= self.limit


def measure(text: str, room: Room = NETWORK) -> Written:
    """A text as it stands: GSM 7 bit counts its extension twice, UCS-2 a pair of surrogates."""
    septets = encode_gsm(text)
    more = text.count("\n") * (room.line_units - 1)
    if septets is not None:
        return Written(text, Alphabet.GSM7, len(septets) + more, room.septets)
    return Written(text, Alphabet.UCS2, len(text) + sum(ord(sign) > 0xFFFF for sign in text) + more, room.units)


@lru_cache(maxsize=4096)
def write(text: str, room: Room) -> Written:
    """A text in the letters of its link. Folding comes first; a text that needs UCS-2 anyhow keeps its own signs."""
    if room.letters is Letters.ASCII:
        # The accent alone is the one sign of ASCII that GSM 7 bit lacks; with it, a screen would have 80 units.
        return measure(_by_letters(text, _ascii).replace("`", "'"), room)
    folded = text if encode_gsm(text) is not None else _by_letters(text, _gsm)
    if room.letters is Letters.GSM7:
        return measure(_by_letters(folded, _gsm_or_latin), room)
    return measure(folded if encode_gsm(folded) is not None else text, room)


def pack_ussd(septets: bytes) -> bytes:
    """Packed septets. Seven spare bits would read as @, so they are filled with CR; a CR at that border is doubled."""
    if len(septets) % 8 == 7 or (septets and len(septets) % 8 == 0 and septets.endswith(b"\r")):
        septets += b"\r"
    return pack(septets)


def _by_letters(text: str, fold: Callable[[str], str]) -> str:
    return "".join(fold(sign) for sign in text)


def _gsm(sign: str) -> str:
    """Its nearest in GSM 7 bit; itself where that would be another script's."""
    if encode_gsm(sign) is not None:
        return sign
    if sign in _SIGNS:
        return _SIGNS[sign]
    bare = _bare(sign)
    return bare if bare and encode_gsm(bare) is not None else sign


def _gsm_or_latin(sign: str) -> str:
    return sign if encode_gsm(sign) is not None else _latin(sign)


def _ascii(sign: str) -> str:
    if sign == "\n" or (sign.isascii() and sign.isprintable()):
        return sign
    folded = _SIGNS.get(sign, _ASCII_SIGNS.get(sign))
    if folded is not None:
        return folded
    bare = _bare(sign)
    return bare if bare.isascii() and bare.isprintable() else _latin(sign)


def _bare(sign: str) -> str:
    """Without its marks: é is e and an acute."""
    return "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))


def _latin(sign: str) -> str:
    """A letter of another script in Latin ones. What has none, like a small picture, is left out."""
    try:
        return latin(sign)
    except NoLatin:
        return ""
