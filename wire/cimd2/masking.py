"""A packet without what a subscriber wrote: texts, passwords and the middles of numbers, of the same length.

mask   a whole packet, STX and ETX included → one whose checksum is right where it has one; None: it is no packet

A parameter that is not known is masked whole, but its number; so is a value that is not what its number says.

Rule: parameter by parameter from the octets, in their order, with those that came twice.

Source: sheet sections 1, 4 and 6.
"""

import re
from binascii import Error, hexlify, unhexlify

from wire import masking
from wire.cimd2.frames import ETX, STX, checksum_of, read_head
from wire.cimd2.parameters import NUMBER_OF, PARAMETERS, Address, Moment, Whole

_TAB = b"\t"
_PASSWORD = NUMBER_OF["password"]
_HEADER, _TEXT, _BINARY = (NUMBER_OF[name] for name in ("user_data_header", "user_data", "user_data_binary"))
_NAMES = frozenset((NUMBER_OF["user_identity"], NUMBER_OF["alphanumeric_originator"]))
_ERROR_TEXT = NUMBER_OF["error_text"]
_PARAMETER = re.compile(rb"([0-9]{3}):(.*)", re.DOTALL)
_DIGITS = re.compile(rb"-?[0-9]*")


def mask(frame: bytes, *, texts: bool = False) -> bytes | None:
    """The packet for others' eyes. With `texts` only passwords are masked."""
    if frame[:1] != STX or frame[-1:] != ETX or read_head(frame) is None:
        return None
    head, *parts, checksum = frame[1:-1].split(_TAB)
    if len(checksum) not in (0, 2):
        return None
    masked = [head]
    for part in parts:
        found = _PARAMETER.fullmatch(part)
        if found is None:
            return None
        masked.append(found[1] + b":" + _value(int(found[1]), found[2], texts=texts))
    summed = STX + _TAB.join(masked) + _TAB
    return summed + (b"%02X" % checksum_of(summed) if checksum else b"") + ETX


def _value(number: int, value: bytes, *, texts: bool) -> bytes:
    if number == _PASSWORD:
        return masking.stars(value)
    if texts or number in _NAMES:
        return value
    if number == _BINARY:
        return masking.hex_stars(value)
    if number == _HEADER:
        return _header(value)
    if number == _ERROR_TEXT:
        return masking.numbers_in(value)
    form = PARAMETERS[number].form if number in PARAMETERS else None
    if isinstance(form, Address):
        return masking.number(value)
    if isinstance(form, Whole | Moment) and _DIGITS.fullmatch(value):
        return value
    return masking.stars(value)


def _header(value: bytes) -> bytes:
    try:
        kept = masking.header(unhexlify(value))
    except (Error, ValueError):
        kept = None
    return masking.hex_stars(value) if kept is None else hexlify(kept).upper()
