"""Which message a notification speaks of. UCP has no message id: the recipient and the centre's time stand for one.

read_identity(sm)        "AdC:SCTS", the SM of a positive result of 51 -> Identity; None when it is another text
write_identity(...)      such an SM
Identity.key             the form by which it is stored and looked up

Rule: the recipient comes back in another form than it was sent (with or without 00, country code), so the last eight
digits are compared. SCTS counts seconds: two messages to one handset within one have the same key, and the oldest that
is open is meant. A key is only good within the centre (the link) that gave it.

Source: sheet section 7; smsc_emi.c of Kannel.
"""

from dataclasses import dataclass

_TAIL = 8
_SCTS_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Identity:
    """A recipient as the centre spells it, and the SCTS."""

    recipient: str
    scts: str

    @property
    def key(self) -> str:
        """ "241126081000/70000001"."""
        digits = "".join([letter for letter in self.recipient if letter in "0123456789"])
        return f"{self.scts}/{digits[-_TAIL:]}"


def read_identity(sm: str) -> Identity | None:
    """What an SM says; None when it is free text."""
    recipient, colon, scts = sm.strip().rpartition(":")
    if not (colon and recipient and len(scts) == _SCTS_DIGITS and scts.isascii() and scts.isdigit()):
        return None
    return Identity(recipient, scts)


def write_identity(recipient: str, scts: str) -> str:
    """The SM of a positive result."""
    return f"{recipient}:{scts}"
