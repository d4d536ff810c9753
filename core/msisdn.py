"""Subscribers' numbers: international, digits only.

read_msisdn   "+7 900 111-22-33" → "79001112233", or None
is_number     whether an address can be a subscriber's at all
mask          "79001112233" → "7900***33", for logs and screens
Prefixes      longest matching prefix → whose number it is

Rule: outside of masks a number is never shortened; the operator of an MO is its link's, not its number's.
"""

from collections.abc import Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

DIGITS_MAX = 15
"""E.164: at most 15 digits with the country code."""

_JUNK = str.maketrans("", "", " -().\u00a0")


def read_msisdn(text: str) -> str | None:
    """The digits of an international number, or None where it is none (letters, too short, too long)."""
    digits = text.translate(_JUNK)
    digits = digits.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 3 <= len(digits) <= DIGITS_MAX):
        return None
    return digits


def is_number(address: str) -> bool:
    """Digits and nothing else. How many is the operator's affair: some hide a subscriber behind twenty."""
    return address.isascii() and address.isdigit()


def mask(number: str) -> str:
    """The number with its middle hidden: four digits, three stars, two digits."""
    if len(number) <= 6:
        return number[:1] + "***"
    return f"{number[:4]}***{number[-2:]}"


class Prefixes(Generic[T]):
    """Which prefix of a number is the longest one known; a look-up costs at most 15 dictionary reads."""

    def __init__(self, owners: Mapping[str, T]) -> None:
        self._owners = dict(owners)
        self._lengths = sorted({len(prefix) for prefix in owners}, reverse=True)

    def find(self, number: str) -> T | None:
        """The owner of the longest prefix of `number`, or None."""
        for length in self._lengths:
            owner = self._owners.get(number[:length])
            if owner is not None:
                return owner
        return None
