"""What a message centre tells in words: of one message in a 53 and in a 58, of several in a 57.

words_of         the text of such an operation; "" where it is none
IDENTIFICATION   where words name a message, by the time at which the centre took it; scts_of, as the field has it
RECIPIENT        where they name whom it is for
state_in         what words say became of it, as Dst

Rule: words are looked at only where a field is missing (sheet, section 7); words that mean nothing say nothing.
"""

import re

from core.sms.alphabet import decode_gsm
from wire.errors import RemoteError
from wire.ucp.operations import DeleteResponse, DeliverNotification, InquiryResponse
from wire.ucp.text import ALPHANUMERIC, read_ira

# "Message for 3155555, with identification 960109161057 has been buffered": YYMMDDhhmmss there (sheet, section 7).
IDENTIFICATION = re.compile(r"identification\s*(\d{2})(\d{2})(\d{2})(\d{6})(?!\d)")
RECIPIENT = re.compile(r"\bfor\s+\+?(\d{4,20})", re.IGNORECASE)
_WORDS = (
    (re.compile(r"buffered"), "1"),
    (re.compile(r"could not|not (?:be )?delivered|fail|expired|deleted|undeliver"), "2"),
    (re.compile(r"delivered"), "0"),
)


def words_of(told: DeliverNotification | InquiryResponse | DeleteResponse) -> str:
    """What it says in words."""
    try:
        return decode_gsm(read_ira(told.msg)) if told.mt == ALPHANUMERIC else ""
    except RemoteError:
        return ""


def scts_of(named: re.Match[str]) -> str:
    """The time that words name, as the field has it: day first."""
    return f"{named[3]}{named[2]}{named[1]}{named[4]}"


def state_in(words: str) -> str:
    """Dst by the words; "" when they do not say it."""
    return next((dst for pattern, dst in _WORDS if pattern.search(words)), "")
