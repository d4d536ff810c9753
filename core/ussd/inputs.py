"""What a user may type on a screen: `digits 11..13`, `money 500..100000`, `text 1..40`, `phone` (ussd.md, section 10).

Input        one of them; accept() gives the answer in its one form, None for what is wrong
read_input   the menu's text → Input, or a sentence that says what to write

Rule: an answer is stored in its one form, so nothing behind this has to look twice: ASCII digits, a decimal point.
"""

import re
import unicodedata
from dataclasses import dataclass

from core.money import MILLION, BadAmount, format_micros, parse_micros
from core.msisdn import DIGITS_MAX
from core.ussd.turn import Field, clean, subscriber

TEXT_MAX = 160
KINDS = ("digits", "money", "text", "phone")
HOW = "write digits 11..13, money 500..100000, text 1..40 or phone"

_WRITTEN = re.compile(r"(digits|money|text) +([0-9.]{1,20}?)\.\.([0-9.]{1,20})")
_FIELDS = {"digits": Field.TEXT, "money": Field.DECIMAL, "text": Field.TEXT, "phone": Field.PHONE}
"""Digits are a text to a phone: a field for numbers may drop the zeros that a meter's number begins with."""


@dataclass(frozen=True, slots=True)
class Input:
    """A kind and its limits: how many digits or characters, or micros of money."""

    kind: str
    least: int = 0
    most: int = 0

    @property
    def field(self) -> Field:
        """How a phone may ask for it."""
        return _FIELDS[self.kind]

    @property
    def longest(self) -> int:
        """Characters of the longest answer."""
        if self.kind == "money":
            # Decimals may follow the largest but one: 99999.999999.
            return len(format_micros(self.most, digits=0)) + 7
        return DIGITS_MAX if self.kind == "phone" else self.most

    def accept(self, typed: str) -> str | None:
        """The answer in its one form; None when it is wrong."""
        if self.kind == "text":
            text = clean(typed)
            return text if self.least <= len(text) <= self.most else None
        plain = _ascii_digits(clean(typed)).replace(" ", "")
        if self.kind == "money":
            return self._money(plain)
        if self.kind == "phone":
            return subscriber(plain) or None
        digits = plain.replace("-", "")
        return digits if digits.isascii() and digits.isdigit() and self.least <= len(digits) <= self.most else None

    def _money(self, plain: str) -> str | None:
        try:
            micros = parse_micros(plain.replace(",", "."))
        except BadAmount:
            return None
        if not self.least <= micros <= self.most:
            return None
        return format_micros(micros, digits=2 if micros % MILLION else 0)


def read_input(written: str) -> Input | str:
    """An Input, or what is wrong with its text."""
    if written.strip() == "phone":
        return Input("phone")
    found = _WRITTEN.fullmatch(written.strip())
    if found is None:
        return f"{written[:40]!r} is no input; {HOW}"
    kind = found[1]
    try:
        least, most = ((parse_micros if kind == "money" else int)(part) for part in found.groups()[1:])
    except ValueError:
        return f"{written[:40]!r} has a limit that is no number; {HOW}"
    if not 0 <= least <= most or most == 0:
        return f"{written[:40]!r} accepts nothing; {HOW}"
    if kind != "money" and most > TEXT_MAX:
        return f"{written[:40]!r}: a phone sends no more than {TEXT_MAX} characters"
    return Input(kind, least, most)


def _ascii_digits(text: str) -> str:
    """Digits of any script as ASCII: phones set to Arabic send theirs."""
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
