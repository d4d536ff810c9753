"""Notifications as forms: fields read once and only once, amounts, signatures compared in constant time.

read_form      the octets of a form → its fields, or None where it is none
read_amount    an amount of a form → micros, or None
plain          a text that somebody else wrote, as it may be kept
is_same        two signatures, whatever case their digits have
amount_of      micros → `100.00` as providers write it

Rule: a field that comes twice makes the whole form unreadable: nobody can say which of the two was signed.
"""

import hmac
from urllib.parse import parse_qsl

from core.money import BadAmount, format_micros, parse_micros
from partner_api.payments.contract import Fields

FIELDS_MAX = 100


def read_form(body: bytes) -> Fields | None:
    """application/x-www-form-urlencoded; what is no UTF-8 in it stays as it is."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="surrogateescape", max_num_fields=FIELDS_MAX
        )
    except ValueError:  # no ASCII, or too many fields
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


def read_amount(text: str) -> int | None:
    """Digits with at most one point; no sign, no exponent."""
    if not text or text[0] in "+-":
        return None
    try:
        return parse_micros(text)
    except BadAmount:
        return None


def amount_of(micros: int) -> str:
    """With two decimals at least."""
    return format_micros(micros)


def plain(text: str, longest: int) -> str:
    """A text that somebody else wrote, as it may be kept: what cannot be printed is a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:longest])


def is_same(given: str, wanted: str) -> bool:
    """Whether a signature in hex digits is the wanted one."""
    return hmac.compare_digest(given.lower().encode("utf-8", "surrogateescape"), wanted.lower().encode())
