"""Whether the text of an MT that a message centre has can become another one.

why_not      why it cannot: its alphabet, or its length
text_fault   what is wrong with a text, whatever message it is for

A centre keeps how the text is coded: SMPP's replace_sm has no data_coding, and of UCP's 54 no more is asked. So the new
text goes in the alphabet of the old one, and in one SMS as that: its price stays what it was.

Rule: the sentences name what is wrong and what to do, never the text; one character at most.
"""

from core.sms.alphabet import Alphabet, choose, encode, encode_gsm
from core.sms.parts import MESSAGE_OCTETS, MESSAGE_SEPTETS

INSTEAD = "take the message back (tollbridge cancel) and send it anew"


def text_fault(text: str) -> str:
    """Of a text by itself; "": nothing."""
    if not text.strip():
        return "it is empty; to have nothing delivered, take the message back: tollbridge cancel"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "it has something that is no character; write it in UTF-8"
    return ""


def why_not(old: str, new: str) -> str:
    """Why a text that was sent as one SMS cannot become another one; "": it can."""
    if choose(old) is Alphabet.GSM7:
        return _why_not_gsm(new)
    octets = encode(new, Alphabet.UCS2)
    if len(octets) <= MESSAGE_OCTETS:
        return ""
    return _too_long(len(octets) // 2, MESSAGE_OCTETS // 2, "units of UCS-2")


def _why_not_gsm(new: str) -> str:
    septets = encode_gsm(new)
    if septets is None:
        lacking = next(character for character in new if encode_gsm(character) is None)
        named = f"«{lacking}» (U+{ord(lacking):04X})" if lacking.isprintable() else f"U+{ord(lacking):04X}"
        return (
            f"{named} is not in the GSM alphabet, which the old text is in, and an operator changes no alphabet; "
            f"write the text without it, or {INSTEAD}"
        )
    return _too_long(len(septets), MESSAGE_SEPTETS, "septets") if len(septets) > MESSAGE_SEPTETS else ""


def _too_long(size: int, room: int, unit: str) -> str:
    return f"the new text has {size} {unit} and {room} fit into one SMS; shorten it by {size - room}"
