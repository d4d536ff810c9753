"""The texts of UCP: hex of octets, digits, bits, and packed names. Octets in, octets out: alphabets live elsewhere.

read_ira, write_ira             AMsg, PWD: two hex digits a character (GSM septets, or what the centre takes)
read_digits                     NMsg: the digits as they are
write_transparent, bit_count    TMsg with its NB: hex of octets, and how many bits of them count
text_octets                     the octets of a message, by its MT
read_originator, write_originator    OAdC of OTOA 5039: the number of semi-octets, then 7-bit packed characters
pack, unpack                    septets into octets and back

Rule: hex is written in upper case and read in either (sheet, pitfall 5). What cannot be read raises RemoteError with
the EC to answer, what cannot be written LocalError; neither repeats what it could not read.

Source: sheet section 4.
"""

from typing import Protocol

from wire.errors import LocalError, RemoteError
from wire.ucp.codes import EC_SYNTAX

NUMERIC = "2"
ALPHANUMERIC = "3"
TRANSPARENT = "4"

OTOA_INTERNATIONAL = "1139"
OTOA_ALPHANUMERIC = "5039"

_ORIGINATOR_MAX = 11
_BITS_MAX = 9_999
# Characters that an encoder which rounds up to whole octets counts as one more: seven, of 49 bits, are 14 semi-octets
# there, which is what eight have by the rule.
_AMBIGUOUS = 0x0E


class Texted(Protocol):
    """A message with a text."""

    @property
    def mt(self) -> str: ...
    @property
    def msg(self) -> str: ...


def read_ira(field: str) -> bytes:
    """The octets of an AMsg or a PWD."""
    return read_hex(field)


def write_ira(octets: bytes) -> str:
    """An AMsg, or a PWD: hex even for a password of digits (sheet, pitfall 10)."""
    return octets.hex().upper()


def read_hex(field: str) -> bytes:
    """The octets of a field in hex."""
    try:
        octets = bytes.fromhex(field)
    except ValueError:
        octets = b""
    if len(octets) * 2 != len(field):  # fromhex passes over spaces
        raise RemoteError("a field is no hex of whole octets", answer=EC_SYNTAX)
    return octets


def read_digits(field: str) -> str:
    """An NMsg."""
    if field and not (field.isascii() and field.isdigit()):
        raise RemoteError("a numeric message has more than digits", answer=EC_SYNTAX)
    return field


def write_transparent(octets: bytes, bits: int | None = None) -> tuple[str, str]:
    """TMsg and NB, which is mandatory (sheet, pitfall 9): all bits, or fewer where septets are packed."""
    count = 8 * len(octets) if bits is None else bits
    if not 0 <= count <= min(8 * len(octets), _BITS_MAX):
        raise LocalError(f"{count} bits in {len(octets)} octets; NB has four digits")
    return octets.hex().upper(), f"{count:04d}"


def bit_count(nb: str) -> int | None:
    """NB; None where it is missing or no number. Peers count wrongly here: it never shortens a text."""
    return int(nb) if nb.isascii() and nb.isdigit() and len(nb) <= 9 else None


def text_octets(message: Texted) -> bytes:
    """The octets of a text: characters of MT 3 (one per octet), digits of MT 2, data of MT 4."""
    if message.mt == NUMERIC:
        return read_digits(message.msg).encode("ascii")
    return read_hex(message.msg)


# --- names as originators -------------------------------------------------------------------------------


def write_originator(septets: bytes) -> str:
    """GSM characters, one per octet, as an OAdC of OTOA 5039; its length by the rule, ceil(7 n / 4) semi-octets."""
    count = len(septets)
    if not 1 <= count <= _ORIGINATOR_MAX:
        raise LocalError(f"a name of {count} characters; 1 to {_ORIGINATOR_MAX} can be an originator")
    return f"{(7 * count + 3) // 4:02X}{pack(septets).hex().upper()}"


def read_originator(field: str) -> bytes:
    """The characters of an OAdC of OTOA 5039, one per octet.

    There are floor(4 s / 7) of them for s semi-octets, whichever way the encoder rounds; only of eight by that count
    the last may be the filling of seven, and is taken for it when it is 0 ("@", which no name ends with).
    """
    octets = read_hex(field)
    if not octets:
        raise RemoteError("a packed originator has no length", answer=EC_SYNTAX)
    semi_octets = octets[0]
    count = min(4 * semi_octets // 7, 8 * (len(octets) - 1) // 7)
    septets = unpack(octets[1:], count)
    if semi_octets == _AMBIGUOUS and count == 8 and septets[-1] == 0:
        return septets[:-1]
    return septets


def pack(septets: bytes) -> bytes:
    """Septets, one per octet, into octets: the first in the lowest bits (GSM 03.38, 6.1.2.1.1)."""
    bits = 0
    for place, septet in enumerate(septets):
        if septet > 0x7F:
            raise LocalError(f"0x{septet:02X} is no septet")
        bits |= septet << (7 * place)
    return bits.to_bytes((7 * len(septets) + 7) // 8, "little")


def unpack(octets: bytes, count: int) -> bytes:
    """The first `count` septets of packed octets, one per octet."""
    bits = int.from_bytes(octets, "little")
    return bytes([bits >> (7 * place) & 0x7F for place in range(count)])
