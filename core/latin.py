"""Texts in the letters that banks take: set X of SWIFT, which is most of ASCII.

latin     a text in those letters: Cyrillic and Greek by a table, marks taken off; raises NoLatin for what has none
SWIFT_X   the set: letters, digits, space and / - ? : ( ) . , ' +

Cyrillic as in passports (ICAO Doc 9303, part 3, section 6), so that a name is the same at the bank; Greek by ISO 843 as
far as one letter needs no other. Signs that the set lacks have a neighbour in it, like & that is +.

Rule: nothing is dropped silently but marks and the soft sign: a name with a letter that has no Latin one is refused.
"""

import unicodedata

SWIFT_X = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-?:().,'+ ")

_CYRILLIC = (
    "а a б b в v г g д d е e ё e ж zh з z и i й i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh "
    "щ shch ъ ie ы y э e ю iu я ia ґ g є ie і i ї i ў u ђ d ј j љ lj њ nj ћ c џ dz ѓ g ѕ dz ќ k "
    "ә a ғ g қ k ң n ө o ұ u ү u һ h"
)  # fmt: skip
_GREEK = "α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o"
_LATIN = "ß ss æ ae œ oe ø oe đ d ł l þ th ð d ı i ŋ n ħ h"


def _table(pairs: str) -> dict[str, str]:
    words = pairs.split()
    return dict(zip(words[::2], words[1::2], strict=True))


_LETTERS = _table(f"{_CYRILLIC} {_GREEK} {_LATIN}") | {"ь": ""}
_SIGNS = {
    **dict.fromkeys("–—−‐‑_~=", "-"),
    **dict.fromkeys("’‘‚`´“”„«»‹›\"*^", "'"),
    **dict.fromkeys("!%$#<>¿¡…·•§", "."),
    **dict.fromkeys("[{", "("),
    **dict.fromkeys("]}", ")"),
    **dict.fromkeys("\\|", "/"),
    "&": "+", "@": "(at)", "№": "No", ";": ",", "\u00a0": " ", "\t": " ", "\n": " ", "\r": " ",
}  # fmt: skip


class NoLatin(ValueError):
    """A text with a letter that has no Latin one; `letter` is the first of them."""

    def __init__(self, letter: str) -> None:
        super().__init__(f"{letter!r} cannot be written in Latin letters; write the text in Latin letters")
        self.letter = letter


def latin(text: str) -> str:
    """The text in SWIFT's set X, spaces between words single. Raises NoLatin."""
    composed = unicodedata.normalize("NFC", text)
    written = "".join(_written(composed, place) for place in range(len(composed)))
    words = " ".join(written.split())
    # A slash at the beginning, and two of them, mean something in fields of SWIFT.
    while "//" in words:
        words = words.replace("//", "/")
    return words.lstrip("/ ").rstrip("/ ")


def _written(text: str, place: int) -> str:
    letter = text[place]
    if letter in SWIFT_X:
        return letter
    if letter in _SIGNS:
        return _SIGNS[letter]
    small = letter.lower()
    if small in _LETTERS:
        return _capitals(_LETTERS[small], text, place) if letter != small else _LETTERS[small]
    # Marks stand behind the letter that they belong to: é is e and an acute.
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(sign))
    if bare and bare != letter and all(sign in SWIFT_X or sign.lower() in _LETTERS for sign in bare):
        return "".join(_written(bare, one) for one in range(len(bare)))
    if unicodedata.combining(letter):
        return ""
    raise NoLatin(letter)


def _capitals(written: str, text: str, place: int) -> str:
    """`Ж` is `Zh` at the head of a word, `ZH` within capitals."""
    neighbours = text[max(0, place - 1) : place] + text[place + 1 : place + 2]
    within = any(one.isupper() for one in neighbours) and not any(one.islower() for one in neighbours)
    return written.upper() if within else written.capitalize()
