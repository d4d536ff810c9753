"""What the masks of all protocols share: pieces of frames made unreadable, of the same length as before.

Mask       a whole frame → the same without what subscribers wrote; None: that cannot be said of it for sure
stars, hex_stars   a text, as it is and in hex
number     a subscriber's number without its middle; short codes stay as they are
numbers_in runs of digits in a free text, each without its middle
header     a user data header without what might be a text in it; None: it is none

Rule: what a function here does not know, it masks. Passwords are masked even where texts are not.
"""

import re
from typing import Protocol

STAR = 0x2A
KEPT_FIRST, KEPT_LAST = 4, 2

_RUN = re.compile(rb"[0-9]{7,}")
# Of these elements of a header the contents are numbers that put messages together, ports, tables of letters.
_PLAIN_ELEMENTS = frozenset((0x00, 0x04, 0x05, 0x08, 0x24, 0x25))


class Mask(Protocol):
    """wire/<protocol>/masking.py has one."""

    def __call__(self, frame: bytes, /, *, texts: bool = False) -> bytes | None:
        """The frame for others' eyes. With `texts` only its passwords are masked."""
        ...


def stars(octets: bytes) -> bytes:
    """So many stars."""
    return b"*" * len(octets)


def hex_stars(octets: bytes) -> bytes:
    """As many octets of hex, of stars."""
    return (b"2A" * (len(octets) // 2 + 1))[: len(octets)]


def number(octets: bytes) -> bytes:
    """`79001234567` → `7900*****67`."""
    hidden = len(octets) - KEPT_FIRST - KEPT_LAST
    return octets if hidden <= 0 else octets[:KEPT_FIRST] + b"*" * hidden + octets[-KEPT_LAST:]


def numbers_in(text: bytes) -> bytes:
    """`no route to 79001234567` → `no route to 7900*****67`."""
    return _RUN.sub(lambda found: number(found[0]), text)


def header(octets: bytes) -> bytes | None:
    """A header with its length octet first: elements of type, length and contents, to its very end."""
    if not octets or octets[0] != len(octets) - 1:
        return None
    found = bytearray(octets)
    at = 1
    while at < len(found):
        if at + 2 > len(found):
            return None
        start = at + 2
        after = start + found[at + 1]
        if after > len(found):
            return None
        if found[at] not in _PLAIN_ELEMENTS:
            found[start:after] = b"*" * (after - start)
        at = after
    return bytes(found)
