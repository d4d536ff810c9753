"""The form in which two prefixes may not meet, and in which a text meets its prefix.

fold()         caseless, compatibility forms made plain (NFKC), invisible characters gone, spaces squeezed,
               letters that look the same as capitals made one: Cyrillic СОМ, Greek ΧΟ and Latin COM, XO meet
look()         fold(), and digits that look like letters made one: only provisioning asks, to refuse
word_ends()    where a prefix may end in a text: between two characters that are not both of a word
SIMPLE         what fold() makes of the characters that need no more than one step each: the fast path of match

Letters. A prefix is advertised and compared caseless, so the look of the capitals decides: Cyrillic н is H, Greek ν
is N, Cyrillic г is no r. The pairs are those of Unicode UTS 39, confusables.txt, between capitals of the three
scripts; and Cyrillic һ, ԛ and ԝ by their small form. Phones mix the scripts by themselves: GSM 03.38 (3GPP TS
23.038, 6.2.1) has no Greek capital where a Latin one looks the same.

Digits stay apart from letters: whoever writes «3» votes for three and not for the letter З. So 0/O, 1/I and 3/З
are different to fold(), but two prefixes of one short code that differ in nothing else are refused (look()).

Accents stay: й is not и, ö is not o. Except ё, which Russian writes е as often as not (Latin ë, its look-alike,
with it), and the Greek tonos and dialytika, which capitals do not carry. Turkish I, ı, İ and i are one.

Rule: fold(fold(x)) == fold(x), and fold() of a text cut at word_ends() is fold() of the text, cut.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from unicodedata import category, normalize

_SAME_CAPITALS = {
    # Cyrillic
    "а": "a", "в": "b", "с": "c", "е": "e", "ё": "e", "ԍ": "g", "н": "h", "һ": "h", "і": "i", "ӏ": "i", "ї": "ï",
    "ј": "j", "к": "k", "м": "m", "о": "o", "р": "p", "ԛ": "q", "ѕ": "s", "т": "t", "ѵ": "v", "ԝ": "w", "х": "x",
    "у": "y", "ү": "y", "г": "γ", "п": "π", "ф": "φ",
    # Greek, its accented vowels as their capitals are written
    "α": "a", "ά": "a", "β": "b", "ε": "e", "έ": "e", "ϝ": "f", "η": "h", "ή": "h", "ι": "i", "ί": "i", "ϊ": "i",
    "ΐ": "i", "ϳ": "j", "κ": "k", "μ": "m", "ν": "n", "ο": "o", "ό": "o", "ρ": "p", "τ": "t", "υ": "y", "ύ": "y",
    "ϋ": "y", "ΰ": "y", "χ": "x", "ζ": "z", "ώ": "ω",
    # Latin
    "ë": "e", "ı": "i",
}  # fmt: skip
_LOOKS = str.maketrans(_SAME_CAPITALS)

# Unicode, DerivedCoreProperties.txt: Default_Ignorable_Code_Point, as far as texts carry them (UTS 39, section 4).
_INVISIBLE = dict.fromkeys(
    chain(
        (0xAD, 0x34F, 0x61C, 0xFEFF),
        range(0x200B, 0x2010),
        range(0x202A, 0x202F),
        range(0x2060, 0x2070),
        range(0xFE00, 0xFE10),
        range(0xE0000, 0xE1000),
    )
)
# Casefold makes of İ an i with a dot above; a Turk who writes BİLGİ means bilgi.
_BEFORE = {**_INVISIBLE, ord("İ"): "i"}

_DIGITS = str.maketrans({"0": "o", "1": "i", "3": "з"})


def fold(text: str) -> str:
    """The one form of all that a subscriber cannot tell apart. Words are separated by one space."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = normalize("NFKC", text).translate(_BEFORE)
    plain = normalize("NFKC", plain.casefold()).translate(_LOOKS)
    # A letter that changed its script may now take the accent behind it.
    return " ".join(normalize("NFC", plain).translate(_LOOKS).split())


def look(text: str) -> str:
    """`fold`, with 0 = O, 1 = I, 3 = З: equal for two prefixes that no advertisement can tell apart."""
    return fold(text).translate(_DIGITS)


def _fold_of_simple() -> dict[int, str]:
    letters = [chr(code) for code in (*range(0x386, 0x3D0), *range(0x400, 0x530))]
    ascii_letters = [chr(code) for code in range(128)]
    return {ord(c): fold(c) for c in ascii_letters + letters if c.isalnum() and len(fold(c)) == 1}


SIMPLE = _fold_of_simple()
"""Letters and digits of ASCII, Greek and Cyrillic: fold() of such a word is the word translated."""


def word_ends(text: str) -> Iterator[int]:
    """Positions in the text, rising, at which a prefix may end; the text's end is the last.

    Between two letters or digits there is none, nor before what belongs to the character before it (an accent, an
    invisible character), nor behind a space: the same prefix has ended before it.
    """
    before = ""
    for position, character in enumerate(text):
        form = _form(character)
        if not form or _joins(form[0]):
            before = before if not form else form[-1]
            continue
        if before and not before.isspace() and not (_is_word(before) and _is_word(form[0])):
            yield position
        before = form[-1]
    if before and not before.isspace():
        yield len(text)


@lru_cache(maxsize=4096)
def _form(character: str) -> str:
    """What one character becomes, spaces kept."""
    return normalize("NFKC", character).translate(_BEFORE)


@lru_cache(maxsize=4096)
def _joins(character: str) -> bool:
    # The medial vowels and final consonants of Hangul join a syllable (Unicode 3.12): 1161–1175, 11A8–11C2.
    return category(character).startswith("M") or "\u1160" <= character <= "\u11ff"


@lru_cache(maxsize=4096)
def _is_word(character: str) -> bool:
    return character.isalnum() or _joins(character)


TOKEN = re.compile(rf"\s*+([{re.escape(''.join(map(chr, SIMPLE)))}]++|[!-/:-@\[-`{{-~])(?![^\x00-\x7f])")
"""A simple word or one ASCII mark, with the space before it; what follows cannot change it."""
