"""The spellings of a message id: submit_sm_resp gives one, the receipt repeats it, not always in the same base.

ID_MODES         the link's option -> the base of the response's id and of the receipt's
response_key, receipt_key    the form by which an id is stored and looked up, on either side
message_id_key   the same for a base that is known

Rule: never guess a base from the look of one id: "12345678" may be either. Ids may exceed 64 bits and may be
UUIDs; one that is no number in its base is taken as a string.

Source: sheet section 8 (msg-id-type of Kannel, dlr_msgid of Jasmin; jasmin 366, 408, 423, 535, 916, 1129).
"""

from typing import Literal, TypeAlias

Base: TypeAlias = Literal["string", "hex", "dec"]

ID_MODES: dict[str, tuple[Base, Base]] = {
    "string": ("string", "string"),
    "resp_hex_receipt_dec": ("hex", "dec"),
    "resp_dec_receipt_hex": ("dec", "hex"),
}

_DIGITS: dict[Base, tuple[frozenset[str], int]] = {
    "hex": (frozenset("0123456789ABCDEF"), 16),
    "dec": (frozenset("0123456789"), 10),
}


def message_id_key(spelling: str, base: Base = "string") -> str:
    """The id in one form for all its spellings: upper case, no leading zeros, numbers in decimal."""
    plain = spelling.strip(" \0").upper()
    known = _DIGITS.get(base)
    if known is not None:
        digits, radix = known
        figures = plain.removeprefix("0X") if base == "hex" else plain
        if figures and len(figures) <= 64 and digits.issuperset(figures):
            return str(int(figures, radix))
    return plain.lstrip("0") or plain[:1]


def response_key(message_id: str, mode: str = "string") -> str:
    """The key of an id that came in a submit_sm_resp."""
    return message_id_key(message_id, ID_MODES[mode][0])


def receipt_key(message_id: str, mode: str = "string") -> str:
    """The key of an id that came in a receipt."""
    return message_id_key(message_id, ID_MODES[mode][1])
