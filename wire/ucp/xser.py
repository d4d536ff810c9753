"""XSer: the extra services of a message, items of type, length and octets one after the other, all in hex.

Items                   a tuple of (type, octets): keeps order, repeats and unknown types; () when there are none
read_xser, write_xser   to and from the field
read_item               the octets of the first item of a type; None when absent
SERVICES                the names of the types

Rule: a length counts octets, not hex digits (sheet, pitfall 15). An unknown type is passed over by its length.

Source: sheet section 5.
"""

from typing import TypeAlias

from wire.errors import LocalError, RemoteError
from wire.ucp.codes import EC_SYNTAX
from wire.ucp.text import read_hex

Item: TypeAlias = tuple[int, bytes]
Items: TypeAlias = tuple[Item, ...]

USER_DATA_HEADER = 0x01
"""Its own length octet included; never in the AMsg."""
DATA_CODING_SCHEME = 0x02
"""08: UCS-2; F5: 8 bits of class 1."""
BILLING_IDENTIFIER = 0x0C
"""Free octets: the place of tariff and price codes."""

SERVICES: dict[int, str] = {
    USER_DATA_HEADER: "user data header",
    DATA_CODING_SCHEME: "data coding scheme",
    0x03: "ANSI-136 message type",
    0x04: "ANSI-136 message reference",
    0x05: "ANSI-136 privacy indicator",
    0x06: "ANSI-136 urgency indicator",
    0x07: "ANSI-136 acknowledgement request",
    0x08: "ANSI-136 message updating",
    0x09: "ANSI-136 call back number",
    0x0A: "ANSI-136 response code",
    0x0B: "ANSI-136 teleservice identifier",
    BILLING_IDENTIFIER: "billing identifier",
    0x0D: "single shot indicator",
    0x0E: "originator TON",
    0x0F: "originator NPI",
    0x10: "recipient TON",
    0x11: "recipient NPI",
    0x12: "message original submission time",
    0x13: "destination network type",
}


def read_xser(field: str) -> Items:
    """The items of a field."""
    octets = read_hex(field)
    items: list[Item] = []
    at, end = 0, len(octets)
    while at < end:
        start = at + 2
        at = start + (octets[at + 1] if start <= end else 1)
        if at > end:
            raise RemoteError("an extra service ends beyond XSer", answer=EC_SYNTAX)
        items.append((octets[start - 2], octets[start:at]))
    return tuple(items)


def write_xser(items: Items) -> str:
    """The field of these items."""
    try:
        return b"".join([bytes((kind, len(octets))) + octets for kind, octets in items]).hex().upper()
    except (TypeError, ValueError) as error:
        raise LocalError("an extra service has a type or a length beyond one octet, or no octets") from error


def read_item(items: Items, kind: int) -> bytes | None:
    """The octets of the first item of this type."""
    for number, octets in items:
        if number == kind:
            return octets
    return None
