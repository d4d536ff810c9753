"""What becomes of a row of an operator's file, of a whole run, and of a difference (billing.md, section 10).

Verdict     how a row and our messages compare; the numbers are stored
Decision    what a person said to a difference; the numbers are stored
RunState    how far a file has come; the numbers are stored

Rule: a number is never used again for something else.
"""

from enum import IntEnum


class Verdict(IntEnum):
    """How a row of the file, or a message of ours that it lacks, compares with the other side."""

    UNMATCHED = 0
    """Staged; nobody has looked for its message yet."""
    MATCHED = 1
    MISSING_THERE = 2
    """We have charged for it, and the operator does not list it."""
    MISSING_HERE = 3
    """The operator pays for it, and we have no such message, or none that it owes us for."""
    PRICE_DIFFERS = 4
    DUPLICATE_THERE = 5
    """The operator lists a message twice; the first one counts."""
    REFUSED_THERE = 6
    """The subscriber did not pay, so the operator does not pay us."""
    UNREADABLE = 7
    """A bad row: its problem says why."""

    @property
    def word(self) -> str:
        """As people write it."""
        return self.name.lower()


DECIDED = (
    Verdict.MISSING_THERE, Verdict.MISSING_HERE, Verdict.PRICE_DIFFERS, Verdict.DUPLICATE_THERE, Verdict.REFUSED_THERE,
)  # fmt: skip
"""The differences. A matched row is one only where roundings within the tolerance are to be booked."""
ACCEPTABLE = (*DECIDED, Verdict.MATCHED)
"""What may be accepted; what could not be read can only be dismissed."""
BY_WORD = {verdict.word: verdict for verdict in Verdict}


class Decision(IntEnum):
    """What a person said to a difference."""

    OPEN = 0
    ACCEPTED = 1
    """Posted, if there was anything to post."""
    DISMISSED = 2


class RunState(IntEnum):
    """How far a file has come."""

    STAGING = 1
    """It is being read, or that was broken off: staging it again begins anew."""
    STAGED = 2
    MATCHED = 3
    APPROVED = 4
    """Something of it was accepted; other differences are open."""
    POSTED = 5
    """Nothing is open any more."""
    DISMISSED = 6

    @property
    def word(self) -> str:
        """As people write it."""
        return self.name.lower()
