"""What the readers of all protocols do alike with an MO, and its writers with what a centre says.

fingerprint     the hash by which a redelivery is known (reliability.md, section 3); operator_octets, its beginning
stamped         the operator's own identity of an MO that bears a time stamp
unfit           an MO with an address that is no number: the one of its sender, or the one that it is for
coding_named    an alphabet's name in a link's options → how to read it
said            a centre's own words behind its error

Rule: a fingerprint is of what came on the wire, so that it is the same whatever we make of the message.
"""

import re
from hashlib import blake2b
from struct import Struct

from core.catalogue import Link, Operator
from core.errors import ConfigError
from core.sms.alphabet import GSM7, Alphabet, Coding
from core.sms.charsets import charset_named
from smsc_link.adapter import Fault, Unreadable

_NUMBER = re.compile(r"\d{6}")
_STAMP = re.compile(r"(?!0{12})[0-9]{12}")
ADDRESS_MAX = 20
"""Digits of an address; no number is longer, whatever room a protocol has for it."""

_signed = Struct(">q").unpack


def operator_octets(operator: Operator) -> bytes:
    """Whose MO it is: two operators may send the same one."""
    return operator.code.encode() + b"\0"


def fingerprint(operator: bytes, head: str, octets: bytes) -> int:
    """64 bits, signed, of all that tells one MO from another. `head`: its addresses and how its octets are meant."""
    digest = blake2b(operator + head.encode("latin-1", "backslashreplace") + octets, digest_size=8).digest()
    number: int = _signed(digest)[0]
    return number


def stamped(time_stamp: str, print_: int) -> str:
    """The operator's own identity of an MO: the second, and what was said in it. "": there is none.

    A stamp alone is none: two subscribers may write within a second, and so come the parts of a long MO.
    """
    return f"{time_stamp}/{print_ & 0xFFFF_FFFF_FFFF_FFFF:016x}" if _STAMP.fullmatch(time_stamp) else ""


def unfit(source: str) -> Unreadable:
    """An MO of which an address is longer than ADDRESS_MAX. One without is taken: somebody has paid for it."""
    fault = Fault.SOURCE if len(source) > ADDRESS_MAX else Fault.DESTINATION
    return Unreadable(f"an MO whose {fault.value} has more than {ADDRESS_MAX} digits", fault)


def coding_named(link: Link, name: str, alphabet: str) -> Coding:
    """gsm7, or the name of a charset; raises a ConfigError for anything else.

    One that begins each text with a byte order mark is none: no octet of a message is anything but its text.
    """
    if alphabet == "gsm7":
        return GSM7
    charset = charset_named(alphabet)
    if not charset or "".encode(charset):
        raise ConfigError(
            f"link {link.name}: option {name}: {alphabet!r} is neither gsm7 nor a charset; write gsm7, or one such as "
            "latin-1, cp1251, utf-8"
        )
    if len("A".encode(charset)) > 1:
        raise ConfigError(
            f"link {link.name}: option {name}: {alphabet!r} has two octets for each Latin letter, and is UCS-2, which "
            "a message names itself; write gsm7, or a charset such as latin-1, cp1251, utf-8"
        )
    return Coding(Alphabet.BINARY, alphabet)


def said(words: str, most: int) -> str:
    """A centre's own words, to be put behind the meaning of its error; "" where they may hold a subscriber's number."""
    words = words.strip()
    return f" ({words[:most]})" if words.isprintable() and words and not _NUMBER.search(words) else ""
