"""What every operation has: the base of all requests, and the one form of all results.

Operation   sequence: the TRN, written by the session
Request     O: asks; below `sequence` the order of a class's fields is their order on the wire
Result      R: answers; `ec` 0 is a positive one

All fields are texts in the form of the wire ("" when there is nothing between the slashes); text.py, xser.py and
times.py read and write what they mean. Those of a repeated field (AdC of 02, GA of 03) are tuples.

Rule: these are slots, not frozen (see wire/smpp/pdu.py). Whoever has handed an operation to a session no longer
changes it. Passwords and texts are not in a repr.

Source: sheet section 3.
"""

from dataclasses import dataclass
from typing import ClassVar

from wire.ucp.codes import EC_OK


@dataclass(slots=True)
class Operation:
    """A frame. `sequence` is the TRN, 0 to 99, in the number space of whoever asks."""

    sequence: int = 0


@dataclass(slots=True)
class Request(Operation):
    """A question. `has_mvp`: its positive result has a field for the modified validity period."""

    ot: ClassVar[str] = ""
    name: ClassVar[str] = ""
    has_mvp: ClassVar[bool] = False


@dataclass(slots=True)
class Result(Operation):
    """An answer to an operation of type `ot`: positive (A) with MVP and SM, or negative (N) with EC and SM."""

    ot: str = ""
    ec: int = EC_OK
    mvp: str = ""
    sm: str = ""

    @property
    def name(self) -> str:
        """For people: "R/51"."""
        return f"R/{self.ot}"


def result_to(request: Request, ec: int = EC_OK, *, sm: str = "", mvp: str = "") -> Result:
    """The result that answers this request; negative when an EC is given."""
    return Result(request.sequence, request.ot, ec, mvp, sm)
