"""What the readers of all protocols do alike with an MO.

fingerprint     the hash by which a redelivery is known (reliability.md, section 3); operator_octets, its beginning
unfit           an MO with an address that is no number: the one of its sender, or the one that it is for
coding_named    an alphabet's name in a link's options → how to read it

Rule: a fingerprint is of what came on the wire, so that it is the same whatever we make of the message.
"""

import codecs
from hashlib import blake2b
from struct import Struct

from core.catalogue import Link, Operator
from core.errors import ConfigError
from core.sms.alphabet import GSM7, Alphabet, Coding
from smsc_link.adapter import Fault, Unreadable

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


def unfit(source: str) -> Unreadable:
    """An MO of which an address is longer than ADDRESS_MAX. One without is taken: somebody has paid for it."""
    fault = Fault.SOURCE if len(source) > ADDRESS_MAX else Fault.DESTINATION
    return Unreadable(f"an MO whose {fault.value} has more than {ADDRESS_MAX} digits", fault)


def coding_named(link: Link, name: str, alphabet: str) -> Coding:
    """gsm7, or the name of a Python codec; raises a ConfigError for anything else."""
    if alphabet == "gsm7":
        return GSM7
    try:
        codecs.lookup(alphabet)
    except LookupError:
        raise ConfigError(f"link {link.name}: option {name}: {alphabet!r} is neither gsm7 nor a codec") from None
    return Coding(Alphabet.BINARY, alphabet)
