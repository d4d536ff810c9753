"""A frame without what a subscriber wrote: texts, passwords and the middles of numbers, of the same length.

mask   a whole frame, STX and ETX included → one whose checksum is right; None: nobody can say what stands in it

Hex stays hex: a text becomes stars in it. Of XSer those items stay that hold small integers and headers of texts.
What a result says in words loses the middle of every number.

Rule: a frame whose fields are not those of its operation is not masked field by field, so it is not masked at all.

Source: sheet sections 1 to 3 and 5.
"""

import re

from wire import masking
from wire.errors import LocalError, RemoteError
from wire.ucp.frames import read_frame, write_frame
from wire.ucp.operations import LAYOUTS, MultipleCallInput, Request, SupplementaryCallInput
from wire.ucp.xser import BILLING_IDENTIFIER, USER_DATA_HEADER, Items, read_xser, write_xser

_FIELDS: dict[str, tuple[str, ...]] = {f"O/{request.ot}": layout for request, layout in LAYOUTS.items()}
_REPEATED: dict[str, tuple[type[Request], str]] = {
    "O/02": (MultipleCallInput, "adc"),
    "O/03": (SupplementaryCallInput, "ga"),
}
_NUMBERS = frozenset(("adc", "oadc", "nadc", "lrad", "ladc", "ga"))
_PASSWORDS = frozenset(("pwd", "npwd"))
_CODE, _TEXT, _SERVICES = "ac", "msg", "xser"
_NUMERIC, _IRA, _TRANSPARENT = "2", "3", "4"
_WORD = "5039"
"""OTOA: the originator is a word, packed and in hex."""
_SMALL = frozenset((0x02, 0x03, 0x05, 0x06, 0x07, 0x08, 0x0A, 0x0B, 0x0D, 0x0E, 0x0F, 0x10, 0x11, 0x13))
"""Items of XSer that hold a small integer; of no more octets than that needs."""
_SMALL_MAX = 4
_SUBMITTED = re.compile(r"(\d+):(\d{12})")


def mask(frame: bytes, *, texts: bool = False) -> bytes | None:
    """The frame for others' eyes. With `texts` only passwords are masked."""
    if frame[:1] != b"\2" or frame[-1:] != b"\3":
        return None
    try:
        trn, kind, fields = read_frame(frame[1:-1], tolerant_length=True)
        masked = _masked(kind, fields.split("/"), texts=texts)
        found = None if masked is None else write_frame(trn, kind, "/".join(masked))
    except (LocalError, RemoteError):
        return None
    return found if found is not None and len(found) == len(frame) else None


def _masked(kind: str, values: list[str], *, texts: bool) -> list[str] | None:
    if kind[:2] == "R/":
        return values if texts else [_words(value) for value in values]
    names = _names_of(kind, values)
    if names is None:
        return None
    told = dict(zip(names, values))
    if kind == "O/30":
        told["mt"] = _IRA
    if not texts and _TEXT in told and not _is_text(told.get("mt", ""), told[_TEXT]):
        return None
    return [_field(name, value, told, texts=texts) for name, value in zip(names, values)]


def _names_of(kind: str, values: list[str]) -> list[str] | None:
    """What each value is; None where they are not those of the operation."""
    layout = _FIELDS.get(kind)
    if layout is None:
        return None
    names = list(layout)
    if kind in _REPEATED:
        place = layout.index(_REPEATED[kind][1])
        count = values[place] if place < len(values) else ""
        if not (count.isascii() and count.isdigit() and len(count) <= 4):
            return None
        names[place : place + 1] = ["npl", *[layout[place]] * int(count)]
    return names if len(names) == len(values) else None


def _is_text(mt: str, text: str) -> bool:
    """Whether the text is what MT says, so that stars in it are too."""
    if not text:
        return True
    if mt == _NUMERIC:
        return text.isascii()
    return mt in (_IRA, _TRANSPARENT) and _is_hex(text)


def _is_hex(text: str) -> bool:
    return len(text) % 2 == 0 and not text.strip("0123456789ABCDEFabcdef")


def _field(name: str, value: str, told: dict[str, str], *, texts: bool) -> str:
    if name in _PASSWORDS:
        return _hex_stars(value)
    if name == _CODE:
        return "0" * len(value)
    if texts or not value:
        return value
    if name == _TEXT:
        return "0" * len(value) if told.get("mt") == _NUMERIC else _hex_stars(value)
    if name == _SERVICES:
        return _services(value)
    if name in _NUMBERS and not (name == "oadc" and told.get("otoa") == _WORD):
        return _number(value)
    return value


def _hex_stars(value: str) -> str:
    return masking.hex_stars(value.encode("latin-1")).decode("latin-1")


def _number(value: str) -> str:
    return masking.number(value.encode("latin-1")).decode("latin-1")


def _words(value: str) -> str:
    """`79001234567:281126000000`, or a sentence."""
    submitted = _SUBMITTED.fullmatch(value)
    if submitted:
        return f"{_number(submitted[1])}:{submitted[2]}"
    return masking.numbers_in(value.encode("latin-1")).decode("latin-1")


def _services(value: str) -> str:
    """XSer, item by item. Raises RemoteError where it is none."""
    items: Items = tuple((kind, _item(kind, octets)) for kind, octets in read_xser(value))
    return write_xser(items)


def _item(kind: int, octets: bytes) -> bytes:
    if kind == USER_DATA_HEADER:
        kept = masking.header(octets)
        return masking.stars(octets) if kept is None else kept
    if kind == BILLING_IDENTIFIER or kind not in _SMALL or len(octets) > _SMALL_MAX:
        return masking.stars(octets)
    return octets
