"""What every packet has: the base of all operations.

Operation     sequence (the packet number), others (parameters without a field of their own)
Request       asks; `response_type` is the class that answers it
Response      answers: its operation is the request's and 50; it is negative when its error is not 0
GeneralError  98: the centre does not know this operation
Nack          99: a packet came damaged or with a wrong number; its own number is the one that was expected

Below Operation's two, the order of a class's fields is their order on the wire; parameters.py gives each its number
and its form. Texts stay bytes, as they stand on the wire (text.py reads and writes them); strings are Latin-1, so that
every octet survives. An absent number is None, since 0 says something; an absent string is "".

Rule: these are slots, not frozen, as SMPP's are. Whoever has handed an operation to a session no longer changes it.
Passwords and texts are not in a repr.

Source: sheet sections 1 to 3.
"""

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

Parameters: TypeAlias = tuple[tuple[int, str], ...]
"""Numbers and values in the order of the wire."""

FIRST_RESPONSE = 50
"""Operations from here on answer."""


@dataclass(slots=True)
class Operation:
    """A packet. The session writes its number, 0 to 255."""

    code: ClassVar[int] = -1
    name: ClassVar[str] = ""

    sequence: int = 0
    others: Parameters = field(default=(), repr=False)  # what is unknown, and what came twice; may hold a text


@dataclass(slots=True)
class Response(Operation):
    """An answer. A negative one has little but its error: 900, and 901 perhaps."""

    error: int = 0
    error_text: str = ""


@dataclass(slots=True)
class Request(Operation):
    """A question."""

    response_type: ClassVar[type[Response]]


@dataclass(slots=True)
class GeneralError(Response):
    """The centre could not recognise an operation."""

    code: ClassVar[int] = 98
    name: ClassVar[str] = "general_error"


@dataclass(slots=True)
class Nack(Response):
    """Send from this number on again: what came in its place was damaged, or had another number."""

    code: ClassVar[int] = 99
    name: ClassVar[str] = "nack"
