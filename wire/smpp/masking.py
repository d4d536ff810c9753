"""A PDU without what a subscriber wrote: texts, passwords and the middles of numbers as stars, nothing moved.

mask   a whole PDU → one of the same length that a dissector reads as before; None: nobody can say what stands in it

Of a text its user data header stays, and of a receipt the fields before the text. Of optional parameters those stay
that hold small integers, ids and codes of errors; all others are masked, those of vendors too.

Rule: field by field from the octets, never by reading and writing the operation: what is masked must be what came.

Source: SMPP 3.4, section 4 and 5; sheet sections 3 and 5.
"""

import re

from wire import masking
from wire.masking import STAR
from wire.smpp.frames import HEADER_LENGTH, read_header
from wire.smpp.tlvs import MESSAGE_PAYLOAD, NETWORK_ERROR_CODE, RECEIPTED_MESSAGE_ID, TAGS

_BIND = "cpc" + "oooc"
_MESSAGE = "coonoon" + "e" + "oocc" + "oooo" + "t"
_PLANS: dict[int, str] = {
    0x00000001: _BIND,
    0x00000002: _BIND,
    0x00000009: _BIND,
    0x80000001: "c",
    0x80000002: "c",
    0x80000009: "c",
    0x0000000B: "cp",
    0x00000004: _MESSAGE,
    0x00000005: _MESSAGE,
    0x80000004: "c",
    0x80000005: "c",
    0x00000103: "coonoon" + "e" + "oo",
    0x80000103: "c",
    0x00000021: "coon" + "d" + "e" + "oocc" + "oooo" + "t",
    0x80000021: "c" + "u",
    0x00000003: "coon",
    0x80000003: "ccoo",
    0x00000007: "coonccoo" + "t",
    0x80000007: "",
    0x00000008: "ccoonoon",
    0x80000008: "",
    0x00000102: "oonoon",
    0x00000006: "",
    0x80000006: "",
    0x00000015: "",
    0x80000015: "",
    0x80000000: "",
}
"""command_id → its fields: an octet, a C-string, one with a number or a password, esm_class, the text with its length
before it, destinations and unsuccessful ones (counted).
"""
_RESPONSE = 0x80000000
_HAS_HEADER = 0x40
_KIND, _RECEIPT = 0x3C, 0x04
_INT_MAX = 8
_KEPT_TAGS = frozenset((RECEIPTED_MESSAGE_ID, NETWORK_ERROR_CODE))
_RECEIPT_FIELDS = re.compile(
    rb"(?i)id:[0-9a-z_.\-]{1,65}(?: (?:sub|dlvrd|submit date|done date|stat|err):[0-9a-z+\-]{0,16})*(?: text:)?"
)


def mask(frame: bytes, *, texts: bool = False) -> bytes | None:
    """The PDU for others' eyes. With `texts` only passwords are masked."""
    if len(frame) < HEADER_LENGTH:
        return None
    length, command_id, _, _ = read_header(frame)
    plan = _PLANS.get(command_id)
    if plan is None or length != len(frame):
        return None
    if len(frame) == HEADER_LENGTH and command_id >= _RESPONSE:
        return frame  # One that says no may have no body.
    walk = _Walk(frame, texts=texts)
    try:
        for field in plan:
            _STEPS[field](walk)
        walk.parameters()
    except (IndexError, ValueError):
        return None
    return bytes(walk.octets)


class _Walk:
    """A PDU that is gone through, field by field. Raises IndexError or ValueError where a field is not whole."""

    def __init__(self, frame: bytes, *, texts: bool) -> None:
        self.octets = bytearray(frame)
        self.at = HEADER_LENGTH
        self.texts = texts
        self.esm_class = 0

    def octet(self) -> int:
        self.at += 1
        return self.octets[self.at - 1]

    def string(self) -> slice:
        """A C-string, without its NUL."""
        start = self.at
        end = self.octets.index(0, start)
        self.at = end + 1
        return slice(start, end)

    def password(self) -> None:
        place = self.string()
        self.octets[place] = masking.stars(bytes(self.octets[place]))

    def number(self) -> None:
        place = self.string()
        if not self.texts:
            self.octets[place] = masking.number(bytes(self.octets[place]))

    def see_class(self) -> None:
        self.esm_class = self.octet()

    def text(self) -> None:
        """sm_length and short_message."""
        length = self.octet()
        self._take(length)
        self._hide(self.at - length, self.at)

    def destinations(self) -> None:
        for _ in range(self.octet()):
            flag = self.octet()
            if flag == 1:
                self.octet()
                self.octet()
                self.number()
            elif flag == 2:
                self.string()
            else:
                raise ValueError(flag)

    def unsuccessful(self) -> None:
        for _ in range(self.octet()):
            self.octet()
            self.octet()
            self.number()
            self._take(4)

    def parameters(self) -> None:
        """Tag, length, value, to the very end."""
        while self.at < len(self.octets):
            tag = self.octet() << 8 | self.octet()
            length = self.octet() << 8 | self.octet()
            self._take(length)
            self._hide_parameter(tag, self.at - length, self.at)

    def _take(self, length: int) -> None:
        self.at += length
        if self.at > len(self.octets):
            raise IndexError

    def _hide_parameter(self, tag: int, start: int, end: int) -> None:
        known = TAGS.get(tag)
        is_small = known is not None and known.form == "int" and end - start <= _INT_MAX
        if tag == MESSAGE_PAYLOAD:
            self._hide(start, end)
        elif not (self.texts or is_small or tag in _KEPT_TAGS):
            if known is not None and known.form == "text" and end > start and self.octets[end - 1] == 0:
                end -= 1
            self.octets[start:end] = b"*" * (end - start)

    def _hide(self, start: int, end: int) -> None:
        """A text, with its header before it where esm_class says so."""
        if self.texts or start == end:
            return
        if self.esm_class & _HAS_HEADER:
            after = start + 1 + self.octets[start]
            kept = masking.header(bytes(self.octets[start:after])) if after <= end else None
            if kept is None:
                raise ValueError("no header")
            self.octets[start:after] = kept
            start = after
        elif self.esm_class & _KIND == _RECEIPT:
            found = _RECEIPT_FIELDS.match(self.octets, start, end)
            start = found.end() if found else start
        self.octets[start:end] = bytes((STAR,)) * (end - start)


_STEPS = {
    "o": _Walk.octet,
    "c": _Walk.string,
    "n": _Walk.number,
    "p": _Walk.password,
    "e": _Walk.see_class,
    "t": _Walk.text,
    "d": _Walk.destinations,
    "u": _Walk.unsuccessful,
}
